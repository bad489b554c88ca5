import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from pipeline.articles.article import Article, Sentiment
from pipeline.domain.errors import LLMError
from pipeline.llm.capabilities import RequestMode
from pipeline.llm.chat import Attempt, Message, ModelOptions, build_request
from pipeline.rewrite.article_schema import WireArticle, WireSectionText, parse_response
from pipeline.rewrite.sentence_repair import WireRepairs
from tests.fakes.model_server import article
from tests.pipeline.rewrite.sources import BEAT, source

GOOD = json.dumps(article())
SUPPORTED = {
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "description",
    "title",
}


def nodes(schema: Any) -> list[dict[str, Any]]:
    """Every schema object below and including this one."""
    result = [schema]
    for child in (*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()):
        result += nodes(child)
    return result + (nodes(schema["items"]) if "items" in schema else [])


def response_format(model: type[BaseModel] = WireArticle) -> dict[str, Any]:
    messages: list[Message] = [{"role": "system", "content": ""}]
    format_: dict[str, Any] = build_request(messages, model, Attempt(RequestMode(), 100), ModelOptions())[
        "response_format"
    ]
    return format_


@pytest.mark.parametrize("shape", [WireArticle, WireSectionText, WireRepairs])
def test_the_schema_stays_inside_strict_structured_output(shape: type[BaseModel]) -> None:
    format_ = response_format(shape)
    assert format_["json_schema"]["strict"] is True
    for node in nodes(format_["json_schema"]["schema"]):
        assert set(node) <= SUPPORTED | {"$ref", "$defs"}
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])


def test_the_schema_has_no_place_for_a_url() -> None:
    names = {
        name
        for node in nodes(response_format()["json_schema"]["schema"])
        for name in node.get("properties", {})
    }
    assert len(names) == 11
    assert not [name for name in names if "url" in name or "link" in name]


def test_a_good_answer_becomes_an_article() -> None:
    read = parse_response(GOOD, source(title="Output  rises\n"), BEAT)
    assert read.title == "Output rises"
    assert read.sections[0].heading == "Output rises in May"
    assert read.impact == ("Supply may grow a little.",)
    assert (read.category, read.tags, read.sentiment, read.language) == (
        "BTC",
        ("BTC",),
        Sentiment.NEUTRAL,
        "en",
    )


@pytest.mark.parametrize(
    "wrapped",
    [
        f"```json\n{GOOD}\n```",
        f"```\n{GOOD}```",
        f"Here is the article:\n```json\n{GOOD}\n```\nAnything else?",
        f"<think>Maybe {{a}}\nor ```b```</think>\n{GOOD}",
        f"thoughts without a beginning</think>{GOOD}",
        f"<think>one</think>```json\n{GOOD}\n```",
        f"\ufeff\n{GOOD}\n",
    ],
)
def test_wrappings_around_the_json_are_taken_off(wrapped: str) -> None:
    assert parse_response(wrapped, source(), BEAT) == parse_response(GOOD, source(), BEAT)


def test_bare_line_breaks_in_strings_are_read() -> None:
    raw = GOOD.replace("Example Corp mined 1,250 coins.", "One.\n\nTwo.")
    assert parse_response(raw, source(), BEAT).sections[0].body == "One.\n\nTwo."


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"overview": "  "}, "overview is empty"),
        ({"from_author": ""}, "from_author is empty"),
        ({"impact": []}, "impact has no entries"),
        ({"impact": ["", "- "]}, "impact has no entries"),
        ({"sections": []}, "it has 0 sections"),
        ({"sections": [{"heading": "x", "body": ""}]}, "it has 0 sections with a text"),
        ({"overview": "## Overview"}, "overview is empty"),
        ({"sections": 5}, "sections"),
    ],
)
def test_what_is_wrong_with_an_answer_is_named(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(LLMError, match=reason) as caught:
        parse_response(json.dumps(article(**changes)), source(), BEAT)
    assert caught.value.retry
    assert "\n" not in caught.value.message


def section(heading: str, body: str) -> dict[str, str]:
    return {"heading": heading, "body": body}


def put_right(**changes: object) -> tuple[Article, list[str]]:
    notes: list[str] = []
    return parse_response(json.dumps(article(**changes)), source(), BEAT, notes=notes), notes


LONG = "word " * 20
SLIPS: list[tuple[list[dict[str, str]], list[tuple[str, str]]]] = [
    ([section("A", "1."), section("a ", "2.")], [("A", "1.\n\n2.")]),
    ([section("A", "1."), section("A", "1.")], [("A", "1.")]),
    ([section(name, name) for name in "ABCDE"], [("A", "A"), ("B", "B"), ("C", "C\n\nD\n\nE")]),
    ([section("OVERVIEW", "1."), section("B", "2.")], [("B", "1.\n\n2.")]),
    ([section("B", "2."), section("## From  author:", "3.")], [("B", "2.\n\n3.")]),
    ([section("A", ""), section("B", "2.")], [("B", "2.")]),
    ([section("From author", article()["from_author"]), section("B", "2.")], [("B", "2.")]),
    ([section("Impact on the crypto market", "Two rose. One fell.")], [("Two rose", "Two rose. One fell.")]),
    ([section(" ## ", LONG)], [("word " * 11 + "word…", LONG.strip())]),
    ([section("A", "# A\n\n1.\n\n### More\n2. #3")], [("A", "1.\n\nMore\n2. #3")]),
]


@pytest.mark.parametrize(("answered", "expected"), SLIPS)
def test_sections_are_put_right_by_rule(
    answered: list[dict[str, str]], expected: list[tuple[str, str]]
) -> None:
    read, notes = put_right(sections=answered)
    assert [(one.heading, one.body) for one in read.sections] == expected
    assert notes


def test_other_slips_are_put_right_by_rule() -> None:
    read, notes = put_right(
        overview="One.\n\n## Overview\n\nTwo.",
        impact="- A may.\n- B could.\n-",
        tags="",
        link="https://x.org",
    )
    assert read.overview == "One.\n\nTwo."
    assert read.impact == ("A may.", "B could.")
    assert read.tags == ("BTC",)
    assert notes[0] == "unknown keys ignored: link"
    assert "headings inside a text removed" in notes


def test_a_missing_sentiment_is_neutral_and_missing_words_are_the_feeds() -> None:
    answer = {key: value for key, value in article().items() if key not in {"category", "tags", "sentiment"}}
    read = parse_response(json.dumps(answer), source(), BEAT)
    assert (read.category, read.tags, read.sentiment) == ("BTC", ("BTC",), Sentiment.NEUTRAL)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        ("<think>only thoughts</think>", "it is empty"),
        ("Sorry.", "it is not JSON"),
        (GOOD[:-20], "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[]", "the whole"),
        ("null", "the whole"),
        ("{}", "overview"),
    ],
)
def test_what_is_no_answer_is_named(text: str, reason: str) -> None:
    with pytest.raises(LLMError, match=reason) as caught:
        parse_response(text, source(), BEAT)
    assert caught.value.retry


def test_words_outside_the_vocabulary_do_not_get_in() -> None:
    answer = json.dumps(
        article(category="MOON", tags=["eth ", "MOON", "ETH", "MINING"], sentiment="positive")
    )
    read = parse_response(answer, source(), BEAT)
    assert read.category == "BTC"
    assert read.tags == ("BTC", "ETH", "MINING")
    assert read.sentiment is Sentiment.POSITIVE


def test_list_marks_and_heading_marks_are_taken_off() -> None:
    answer = article(impact=["- One.", "2. Two."], sections=[{"heading": "## A **bold**", "body": "x"}])
    read = parse_response(json.dumps(answer), source(), BEAT)
    assert read.impact == ("One.", "Two.")
    assert read.sections[0].heading == "A **bold"


def test_lone_surrogates_become_question_marks() -> None:
    read = parse_response(json.dumps(article(overview="a\ud800", impact=["b\udfff"])), source(), BEAT)
    assert (read.overview, read.impact) == ("a?", ("b?",))


@settings(max_examples=60, deadline=None)
@given(
    st.text()
    | st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(st.text(), inner)).map(json.dumps)
)
def test_any_other_text_is_a_model_error(text: str) -> None:
    with pytest.raises(LLMError):
        parse_response(text, source(), BEAT)
