# Every target sets up what it needs: Python 3.11 or newer is enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Work happens without a word to anybody outside.
export DO_NOT_TRACK := 1
# What is compiled is kept: commands and tests start many processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run quick test check format bench soak trials lock help

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Copydesk needs Python 3.11 or newer; name one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# `npm ci` wants every platform's optional packages in the lock, which not every registry has.
%/node_modules/ready: %/package-lock.json
	@if command -v npm >/dev/null; then \
	   { npm ci --prefix $* --silent --no-audit --no-fund 2>/dev/null \
	     || npm install --no-save --prefix $* --silent --no-audit --no-fund; } && touch $@; \
	 else echo "npm is missing: the tests that need $* will be skipped"; fi

run: $(VENV)/ready  ## the sample beat: feeds on loopback to drafts in output/drafts/
	@$(BIN)/copydesk --sample run

quick: $(VENV)/ready  ## the tests that start no process, browser, database server or desk: a minute
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not process and not soak"

NODE := tests/readers tests/sites/astro tests/sites/eleventy
test: $(VENV)/ready tests/readers/node_modules/ready  ## every test but the long ones
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not soak"

soak: $(VENV)/ready $(NODE:=/node_modules/ready)  ## the long tests: sites by their generators, benchmarks in small
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m soak

check: $(VENV)/ready  ## style, types, import directions, licences
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m tests.licences

# Each line: a file of benchmarks/, without its ending, and its arguments. One that fails does not stop the others.
BENCH := "startup" "parsing tests/pipeline/feeds/samples" "deciding --large 50000" "polling" "checking" "calls" "throughput" \
  "throughput --items 500 --faults 0.2" "scaling" "ledger --sizes 10000 100000" \
  "ledger --sizes 10000 100000 --postgresql" "reviewing"
TRIALS := "throughput --items 5000" "chaos" "sqlite" "schedules" "schedules --how restart" \
  "ledger --sizes 10000 100000 1000000" "idle"
trials = @failed=0; for trial in $(1); do set -- $$trial; name=$$1; shift; echo; echo "== $$trial"; \
  $(BIN)/python benchmarks/$$name.py "$$@" || failed=1; done; exit $$failed

bench: $(VENV)/ready  ## what our own work costs beside a floor of the same run: about fifteen minutes
	$(call trials,$(BENCH))

trials: $(VENV)/ready  ## the long trials, of kills, sleeps, locks, an idle hour: two hours and a half
	$(call trials,$(TRIALS))

format: $(VENV)/ready  ## let ruff mend the style
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix .

lock:  ## write requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" pyproject.toml --group dev -o requirements.lock
