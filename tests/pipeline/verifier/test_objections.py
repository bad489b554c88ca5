import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.llm.capabilities import RequestMode
from pipeline.llm.chat import Attempt, ModelOptions, build_request
from pipeline.verifier.objections import ErrorKind, ParsedAnswer, WireObjections, parse_answer
from tests.pipeline.verifier.drafts import objection


def parse(text: str) -> ParsedAnswer:
    return parse_answer(text, notes=[])


def test_an_answer_is_a_list_of_objections() -> None:
    answer = json.dumps(
        {"objections": [objection(3, "will", "may close", "may"), objection(6, "since 1998")]}
    )
    first, second = parse(answer).objections
    assert first == (3, ErrorKind.CONTRADICTED, "will", "may close", "may")
    assert second == (6, ErrorKind.NOT_STATED, "since 1998", "", "")


@pytest.mark.parametrize(
    "text",
    [
        '{"objections": []}',
        "[]",
        "```json\n[]\n```",
        '<think>None.</think>{"objections": []}',
        "<think>None.</think>[]",
        "<think>None.</think>\n[]",
    ],
)
def test_an_empty_list_objects_to_nothing(text: str) -> None:
    assert parse(text) == ParsedAnswer(())


@pytest.mark.parametrize("error", ["Not stated", "NOT_STATED", "not-stated"])
def test_spellings_of_a_verdict_and_missing_texts_are_read(error: str) -> None:
    entry = {"sentence": "2", "error": error, "wrong": "in\nMay", "source": None, "reason": "because"}
    assert parse(json.dumps([entry])).objections == ((2, ErrorKind.NOT_STATED, "in May", "", ""),)


@pytest.mark.parametrize(
    "form", ["Two errors:\n```json\n[%s, %s]\n```", "%s\n%s", "<think>[{}]</think>[%s, %s]"]
)
def test_objections_are_read_whatever_stands_around_them(form: str) -> None:
    entries = json.dumps(objection(3, "will")), json.dumps(objection(4, "rose"))
    assert [each.sentence for each in parse(form % entries).objections] == [3, 4]


def test_a_malformed_entry_is_counted_and_does_not_spoil_the_others() -> None:
    answer = parse(json.dumps([objection(1, "a"), "b", {"sentence": "one"}, None]))
    assert len(answer.objections) == 1
    assert answer.malformed == 3


@pytest.mark.parametrize(
    "text", ["", "All sentences are right.", "{}", '{"objections": "none"}', '["a", 2]', "null", "7"]
)
def test_what_is_no_list_of_objections_is_an_error(text: str) -> None:
    answer = parse(text)
    assert answer.problem
    assert not answer.objections


def test_the_schema_is_strict_and_short() -> None:
    body = build_request([], WireObjections, Attempt(RequestMode(), 100), ModelOptions())
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["required"] == ["objections"]
    assert schema["additionalProperties"] is False
    entry = schema["$defs"]["WireObjection"]
    assert entry["required"] == ["sentence", "error", "wrong", "source", "fix"]
    assert entry["additionalProperties"] is False
    assert "title" not in json.dumps(schema)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["objections", "sentence", "error", "wrong", "source", "fix"]), inner
        )
    ),
    max_leaves=12,
)


@given(st.one_of(st.text(max_size=60), JSON.map(json.dumps)))
def test_no_answer_raises_anything(text: str) -> None:
    answer = parse(text)
    assert all(isinstance(each.sentence, int) and "\n" not in each.wrong for each in answer.objections)
