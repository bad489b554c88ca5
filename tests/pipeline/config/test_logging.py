"""The log: one line per entry, as text or JSON, with run, feed and item and redacted secrets."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from pipeline.config import Settings
from pipeline.config.logging import JsonFormatter, RedactingFormatter, configure_logging

KEY = 'sk-"quoted"-key'


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    ours = logging.getLogger("copydesk")
    before = (list(ours.handlers), ours.level, ours.propagate)
    yield
    ours.handlers, ours.propagate = before[0], before[2]
    ours.setLevel(before[1])


def settings(log: Any, folder: Path = Path("/tmp")) -> Settings:
    return Settings(
        base=folder, feeds_file=folder, output=folder, log=log, api_key=SecretStr(KEY),
        database_url="postgresql+psycopg://ada:p%40ss-word@db.example/ledger",
        hooks={"COPYDESK_HOOK_B": SecretStr("https://hooks.example/very/secret")},
    )  # fmt: skip


def logged(log: Any, message: str, **about: str) -> str:
    stream = io.StringIO()
    configure_logging(settings(log), stream)
    configure_logging(settings(log), stream)
    logging.getLogger("copydesk.items").info(message, extra=about)
    return stream.getvalue()


def test_a_json_entry_names_run_feed_and_item() -> None:
    [line] = logged("json", "drafted", run="r1", feed="one", item="0011").splitlines()
    entry = json.loads(line)
    assert entry.pop("at").endswith("+00:00")
    assert entry == {
        "level": "info",
        "logger": "copydesk.items",
        "message": "drafted",
        "run": "r1",
        "feed": "one",
        "item": "0011",
    }


def test_a_text_entry_is_one_line() -> None:
    [line] = logged("text", "two\nlines", feed="one").splitlines()
    assert line.endswith("INFO two lines feed=one")


def test_nothing_is_logged_by_default() -> None:
    assert logged(None, "drafted") == ""


@pytest.mark.parametrize("log", ["text", "json"])
def test_no_secret_is_logged(log: str) -> None:
    output = logged(log, f"{KEY} p@ss-word p%40ss-word https://hooks.example/very/secret", item=KEY)
    for secret in (KEY, json.dumps(KEY)[1:-1], "p@ss-word", "p%40ss-word", "very/secret"):
        assert secret not in output
    assert output.count("***") == 5


@given(st.text(min_size=1, max_size=40), st.text(max_size=80))
@example('"', "a")
@example("e", "message")
def test_no_text_breaks_a_line_of_json(secret: str, message: str) -> None:
    record = logging.LogRecord("copydesk", logging.INFO, "", 0, message, (), None)
    assert "\n" not in JsonFormatter(()).format(record)
    assert json.loads(JsonFormatter(()).format(record))["message"] == message
    assert json.loads(JsonFormatter([secret]).format(record))["message"] == message.replace(secret, "***")
    assert "\n" not in RedactingFormatter([secret]).format(record)
