# Every target sets up what it needs; only Python 3.11 or newer must be installed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# No telemetry.
export DO_NOT_TRACK := 1
# Compiled modules are kept: commands and tests start many processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run quick test check format bench soak trials lock help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# Compiled when they are imported, which most of 9,000 modules never are.
$(VENV)/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Copydesk needs Python 3.11 or newer; name another interpreter: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# `npm ci` requires every platform's optional packages in the lock, which not every registry has.
%/node_modules/ready: %/package-lock.json
	@if command -v npm >/dev/null; then \
	   { npm ci --prefix $* --silent --no-audit --no-fund 2>/dev/null \
	     || npm install --no-save --prefix $* --silent --no-audit --no-fund \
	     || { echo "npm cannot install what $* needs; to see why: npm install --no-save --prefix $*"; exit 1; }; } \
	   && touch $@; \
	 else echo "npm is missing: the tests that need $* will be skipped"; fi

run: $(VENV)/ready  ## draft the sample feeds, served on this machine, to output/drafts/
	@$(BIN)/copydesk --sample run

quick: $(VENV)/ready  ## run the tests that start no process, browser, database server or desk: a minute
	@$(BIN)/python -m pytest -n 3 --dist worksteal -m "not process and not soak"

NODE := tests/readers tests/sites/astro tests/sites/eleventy
test: $(VENV)/ready tests/readers/node_modules/ready  ## run all tests but the long ones
	@$(BIN)/python -m pytest -n 3 --dist worksteal -m "not soak"

soak: $(VENV)/ready $(NODE:=/node_modules/ready)  ## run the long tests: sites built by their generators, small benchmarks
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m soak

check: $(VENV)/ready  ## check style, types, import directions, licences
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m tests.licences

# Each entry: a file of benchmarks/ without .py, and its arguments. One that fails does not stop the others.
BENCH := "startup" "parsing tests/pipeline/feeds/samples" "deciding --large 50000" "polling" "checking" "calls" "commits" "lanes" "throughput" \
  "throughput --items 500 --faults 0.2" "throughput --verifier" "scaling" "ledger --sizes 10000 100000" \
  "ledger --sizes 10000 100000 --postgresql" "reviewing" "redrafting"
TRIALS := "throughput --items 5000" "chaos" "sqlite" "schedules" "schedules --how restart" \
  "ledger --sizes 10000 100000 1000000" "idle"
trials = @failed=0; for trial in $(1); do set -- $$trial; name=$$1; shift; echo; echo "== $$trial"; \
  $(BIN)/python benchmarks/$$name.py "$$@" || failed=1; done; exit $$failed

bench: $(VENV)/ready  ## measure the cost of our own code against a floor of the same run: about fifteen minutes
	$(call trials,$(BENCH))

trials: $(VENV)/ready  ## run the long benchmarks (kills, sleeps, locks, an idle hour): two and a half hours
	$(call trials,$(TRIALS))

format: $(VENV)/ready  ## fix the style with ruff
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix .

lock:  ## update requirements.lock from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" pyproject.toml --group dev -o requirements.lock
