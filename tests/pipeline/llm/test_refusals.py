"""Refusals in the words of many servers, and what they mean."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.errors import FailureCause
from pipeline.llm.error_body import read_error
from pipeline.llm.refusal import Advice, Scope
from pipeline.llm.refusals import REFUSALS, understand

LINES = (Path(__file__).parent / "refusals.jsonl").read_text("utf-8").splitlines()
EXAMPLES = [json.loads(line) for line in LINES]
"""Cause, server, status and body: invented, with the form and the decisive words of that server."""


@pytest.mark.parametrize(
    ("cause", "status", "body"),
    [pytest.param(cause, *example, id=f"{cause} {server}") for cause, server, *example in EXAMPLES],
)
@pytest.mark.parametrize("as_text", [True, False], ids=["text", "parsed"])
def test_a_refusal_is_understood(cause: str, status: int, body: Any, as_text: bool) -> None:
    text = body if isinstance(body, str) or not as_text else json.dumps(body)
    assert understand(read_error(status, text)).cause == cause


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("This model only support stream mode, please enable the stream parameter.", Advice.STREAM),
        ("acme-1 requires streaming: stream must be set to true.", Advice.STREAM),
        ("current user api does not support http call.", Advice.STREAM),
        ("parameter.enable_thinking must be set to false for non-streaming calls", Advice.THINKING),
        ("parameter.enable_thinking only support stream call", Advice.THINKING),
    ],
)
def test_a_model_that_only_streams_is_not_usable(message: str, advice: Advice) -> None:
    refusal = understand(read_error(400, {"error": {"message": message}}))
    assert (refusal.cause, refusal.scope, refusal.advice) == (FailureCause.MODEL, Scope.RUN, advice)


def test_every_provider_has_a_row_of_its_own_for_each_meaning() -> None:
    meanings = [(row.provider, row.cause, row.statuses, row.codes, row.words, row.page) for row in REFUSALS]
    assert len(set(meanings)) == len(meanings)
    assert all(code == code.lower() for row in REFUSALS for code in row.codes), (
        "codes are compared in lower case"
    )


def test_every_row_is_the_first_that_matches_an_example() -> None:
    found = [understand(read_error(status, body)) for _, _, status, body in EXAMPLES]
    assert [row for row in REFUSALS if row not in found] == []


@pytest.mark.parametrize("body", ["", "<html></html>", "?"])
def test_every_status_has_a_meaning(body: str) -> None:
    assert all(understand(read_error(status, body)) for status in range(100, 1000))


def test_the_words_of_a_gateway_give_way_to_those_inside() -> None:
    raw = json.dumps({"error": {"message": "The real reason", "code": "model_not_found"}})
    gateway = {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw, "provider": "A"}}
    error = read_error(400, {"error": gateway})
    assert error.message == "The real reason"
    assert "model_not_found" in error.codes


def test_a_validation_error_names_its_field_and_does_not_quote_the_request() -> None:
    body = {
        "detail": [
            {"loc": ["body", "seed"], "msg": "not permitted", "type": "extra", "input": "Invalid API key"}
        ]
    }
    assert read_error(422, body).message == "body.seed: not permitted"


FIELDS = st.sampled_from(["error", "message", "code", "detail", "raw", "headers", "loc", "msg", "x"])
BODIES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS, inner),
)


@given(st.integers(100, 599), BODIES)
def test_any_body_is_read(status: int, body: Any) -> None:
    error = read_error(status, body)
    assert len(error.message) <= 2000
    assert understand(error)


@pytest.mark.parametrize("body", ["[" * 100_000, '{"error": ' * 5000, '"' * 9, "\ud800", b"bytes", 5])
def test_a_broken_body_is_read(body: Any) -> None:
    assert understand(read_error(400, body)).cause is FailureCause.FORMAT
