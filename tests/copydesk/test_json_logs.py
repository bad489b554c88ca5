"""COPYDESK_LOG=json: each line on stderr is an entry, whoever writes it."""

import io
import json
import logging
import logging.config
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO, cast

import pytest
from pydantic import SecretStr
from rich.console import Console

from copydesk import console
from copydesk.log_output import LogLines, start_logging
from pipeline.config import Settings, load_feeds, load_settings
from pipeline.config.logging import (
    PREFECT_VARIABLES,
    PrefectJsonFormatter,
    configure_logging,
    secrets_named,
)
from pipeline.domain.errors import ConfigError
from tests.commands import call_copydesk
from tests.copydesk.newsroom import Newsroom, newsroom
from tests.fakes.model_server import error


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Newsroom]:
    with newsroom(tmp_path) as made:
        made.set(LOG="json")
        yield made


def entries(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_run_that_ends_early_says_so_in_an_entry(room: Newsroom) -> None:
    room.model.refuse = lambda _request: error(401, "no such key a-key")
    done = call_copydesk(room.project, "run")
    assert done.returncode == 4
    logged = entries(done.stderr)
    assert {entry["logger"] for entry in logged} == {"copydesk.reports", "copydesk.console"}
    assert logged[-1]["level"] == "warning"
    assert logged[-1]["message"].startswith("the model server refuses the key: check OPENAI_API_KEY (401")
    assert "a-key" not in done.stderr


def test_an_error_before_the_run_is_an_entry(room: Newsroom) -> None:
    (room.project.folder / "feeds.yaml").write_text("feeds: 1\n")
    done = call_copydesk(room.project, "run")
    assert done.returncode == 2
    assert [entry["level"] for entry in entries(done.stderr)] == ["warning"] * len(done.stderr.splitlines())


@pytest.mark.parametrize("command", ["serve", "desk", "run"])
@pytest.mark.parametrize("mistake", ["setting", "folder", "database", "feeds.yaml"])
def test_an_early_error_is_an_entry(room: Newsroom, command: str, mistake: str) -> None:
    room.set(PREFECT="on")
    feeds = room.project.folder / "feeds.yaml"
    if mistake == "setting":
        room.set(CAP_DAY="much")
    elif mistake == "folder":
        feeds.unlink()
    elif mistake == "database":
        (room.project.folder / ".copydesk").write_text("in the way")
    else:
        feeds.write_text("feeds: 1\n")
    done = call_copydesk(room.project, command)
    assert done.returncode == (3 if mistake == "database" else 2)
    assert done.stdout == ""
    assert [entry["logger"] for entry in entries(done.stderr)] == ["copydesk.console"]


def test_with_json_stdout_has_one_document_and_stderr_entries(room: Newsroom) -> None:
    room.feeds.add("/news.xml", status=500)
    done = call_copydesk(room.project, "run", "--json")
    assert json.loads(done.stdout)["exit_code"] == done.returncode == 8
    assert entries(done.stderr)


@pytest.fixture(autouse=True)
def _uvicorns_loggers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prefect's server in the process of another test configures them."""
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        for attribute, value in (("handlers", []), ("propagate", True), ("level", logging.NOTSET)):
            monkeypatch.setattr(logger, attribute, value)
        logger.manager._clear_cache()  # type: ignore[attr-defined] # of enabled levels


class Terminal(io.StringIO):
    """A terminal at which `answer` is typed."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "goes_on"), [("y\n", True), ("n\n", False), ("", False)])
def test_a_question_is_asked_at_the_terminal_itself(
    monkeypatch: pytest.MonkeyPatch, answer: str, goes_on: bool
) -> None:
    asked = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys, "stderr", asked)
    monkeypatch.setattr(console, "err", Console(file=cast("TextIO", LogLines(logging.WARNING))))
    assert console.ask_to_continue("this would cost", "add --yes") is goes_on
    assert asked.getvalue() == "Continue? [y/N] "


def test_without_a_terminal_there_is_no_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with pytest.raises(ConfigError, match="no terminal"):
        console.ask_to_continue("this would cost", "add --yes")


def settings(folder: Path) -> Settings:
    return Settings(
        base=folder,
        feeds_file=folder,
        output=folder,
        database_url=f"sqlite:///{folder}/ledger.db",
        log="json",
    )


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[io.StringIO]:
    root, ours = logging.getLogger(), logging.getLogger("copydesk")
    before = (root.handlers[:], ours.handlers[:], ours.propagate)
    for name in PREFECT_VARIABLES:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    stream = io.StringIO()
    configure_logging(settings(tmp_path), stream)
    yield stream
    logging.captureWarnings(False)
    sys.excepthook, threading.excepthook = sys.__excepthook__, threading.__excepthook__
    root.handlers[:], ours.handlers[:], ours.propagate = before


@pytest.mark.filterwarnings("default")
def test_warnings_other_loggers_and_uncaught_errors_are_entries(log: io.StringIO) -> None:
    warnings.warn("old\nways", DeprecationWarning, stacklevel=1)
    logging.getLogger("uvicorn.error").error("cannot bind")

    def broken() -> None:
        raise KeyError("in a thread")

    thread = threading.Thread(target=broken)
    thread.start()
    thread.join()
    sys.excepthook(ValueError, ValueError("at last"), None)
    logged = entries(log.getvalue())
    assert [entry["logger"] for entry in logged] == ["py.warnings", "uvicorn.error", "copydesk", "copydesk"]
    assert "KeyError: 'in a thread'" in logged[2]["message"]
    assert "raise KeyError" in logged[2]["trouble"]


def test_secrets_that_are_named_later_are_redacted_too(log: io.StringIO, tmp_path: Path) -> None:
    configure_logging(settings(tmp_path), secrets=[SecretStr("of-a-profile")])
    logging.getLogger("copydesk.items").info("key of-a-profile")
    [entry] = entries(log.getvalue())
    assert entry["message"] == "key ***"


def test_prefects_loggers_write_the_same_entries(
    log: io.StringIO, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from prefect.logging.configuration import DEFAULT_LOGGING_SETTINGS_PATH, load_logging_config

    config = load_logging_config(DEFAULT_LOGGING_SETTINGS_PATH)
    monkeypatch.chdir(tmp_path)
    made = logging.config.DictConfigurator(config).configure_formatter(config["formatters"]["json"])
    record = logging.LogRecord("prefect.flow_runs", logging.ERROR, "", 0, "two\nlines", (), None)
    assert json.loads(made.format(record))["message"] == "two\nlines"
    used = {name for name, handler in config["handlers"].items() if handler.get("formatter") == "json"}
    assert used == {"console", "debug"}, "every handler that writes to a stream"


FEEDS = """\
defaults: {beat: news, category: NEWS}
models:
  strong: {model: big-1, base_url: 'https://models.example/v1', key_variable: STRONG_KEY}
beats: {news: {vocabulary: [NEWS]}}
feeds:
  - key: paid
    name: Paid
    url: https://ada:in-url@paid.example/feed
    access: {headers: {X-Api-Key: $PAID_KEY}}
"""


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    (tmp_path / "feeds.yaml").write_text(FEEDS)
    (tmp_path / ".env").write_text("STRONG_KEY=of-a-model\nPAID_KEY=of-a-feed\n")
    monkeypatch.chdir(tmp_path)
    for name in ("COPYDESK_FEEDS", "STRONG_KEY", "PAID_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


MESSAGE = "of-a-model of-a-feed in-url"


@pytest.mark.usefixtures("folder")
def test_prefects_loggers_show_no_secret_that_feeds_yaml_names() -> None:
    record = logging.LogRecord("prefect.flow_runs", logging.ERROR, "", 0, MESSAGE, (), None)
    assert json.loads(PrefectJsonFormatter().format(record))["message"] == "*** *** ***"


def test_prefects_loggers_work_without_a_valid_feeds_yaml(folder: Path) -> None:
    (folder / "feeds.yaml").write_text("feeds: 1")
    record = logging.LogRecord("prefect.flow_runs", logging.ERROR, "", 0, "started", (), None)
    assert json.loads(PrefectJsonFormatter().format(record))["message"] == "started"


@pytest.mark.parametrize("name", ["copydesk.desk", "uvicorn.error"])
def test_without_a_log_a_process_that_serves_prints_no_secret(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(sys, "stderr", stream := io.StringIO())
    read = load_settings({}, folder)
    start_logging(read, serves=True, secrets=secrets_named(read, load_feeds(read.feeds_file)))
    try:
        raise ValueError(MESSAGE)
    except ValueError:
        logging.getLogger(name).exception("failed: %s", MESSAGE)
    first, *_, last = stream.getvalue().splitlines()
    assert first == f"ERROR {name}: failed: *** *** ***"
    assert last == "ValueError: *** *** ***"
