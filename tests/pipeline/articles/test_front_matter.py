"""Files read and written byte for byte, and files that are not articles."""

from pathlib import Path
from typing import Any

import frontmatter as python_frontmatter
import pytest

from pipeline.articles.article import Sentiment
from pipeline.articles.front_matter import FrontMatterHandler, dumps, loads
from pipeline.domain.errors import OutputError

GOLDEN = (Path(__file__).parent / "golden.md").read_bytes().decode()


def test_reading_and_writing_gives_the_same_bytes() -> None:
    assert dumps(*loads(GOLDEN)) == GOLDEN


def test_values_keep_their_types() -> None:
    metadata, body = loads(GOLDEN)
    assert metadata["publishedAt"] == "2026-03-02T09:15:00.000Z"
    assert metadata["externalId"] == "4815162342008150"
    assert metadata["score"] == 0
    assert metadata["draft"] is True
    assert metadata["tags"] == ["ETH", "BUSINESS"]
    assert list(metadata["source"]) == ["name", "key", "type"]
    assert body.startswith("## Overview\n\nHarbour")
    assert body.endswith("limits.\n")


@pytest.mark.parametrize(
    "body", ["", "\n", "text without an end", "\n\n  indented\n\n\n", "a\r\nb\r\n", "---\nnot a fence\n---\n"]
)
def test_the_body_is_unchanged(body: str) -> None:
    assert loads(dumps({"title": "x"}, body)) == ({"title": "x"}, body)


@pytest.mark.parametrize("text", ["\ufeff" + GOLDEN, GOLDEN.replace("\n", "\r\n")], ids=["bom", "crlf"])
def test_an_editors_byte_order_mark_and_line_ends_are_tolerated(text: str) -> None:
    assert loads(text)[0] == loads(GOLDEN)[0]


def test_python_frontmatter_uses_the_handler() -> None:
    post = python_frontmatter.loads(GOLDEN, handler=FrontMatterHandler())
    assert post.metadata == loads(GOLDEN)[0]
    with pytest.raises(OutputError):
        python_frontmatter.loads("---\ntitle: open", handler=FrontMatterHandler())


@pytest.mark.parametrize(
    "plain",
    ["2026-02-05", "2026-02-05T21:10:09.000Z", "no", "y", "08", "0o17", "0x1f", "1e3", "1_000", "12:30", "=",
     ".inf", "12345678901234567890"],
)  # fmt: skip
def test_what_readers_type_differently_stays_text(plain: str) -> None:
    assert loads(f"---\nvalue: {plain}\n---\n")[0] == {"value": plain}


@pytest.mark.parametrize(
    ("plain", "value"),
    [("0", 0), ("-12", -12), ("1.5", 1.5), ("true", True), ("False", False), ("null", None), ("~", None),
     ("", None), ("[a, 1]", ["a", 1]), ("{a: 1}", {"a": 1}), ("[]", []), ("{}", {})],
)  # fmt: skip
def test_what_readers_agree_on_is_typed(plain: str, value: object) -> None:
    metadata, body = loads(f"---\nvalue: {plain}\n---\nbody")
    assert metadata == {"value": value}
    assert type(metadata["value"]) is type(value)
    assert loads(dumps(metadata, body)) == (metadata, body)


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("", "does not begin", 1),
        ("## Overview\n", "does not begin", 1),
        ("\n---\ntitle: x\n---\n", "does not begin", 1),
        ("---\ntitle: x\n", "no line `---` that ends", 1),
        ("---\ntitle: x\n----\n", "no line `---` that ends", 1),
        ("---\n---\nbody", "without keys", 2),
        ("---\n- a\n---\n", "without keys", 2),
        ("---\ntitle: x\ntitle: y\n---\n", "'title' is written twice", 3),
        ("---\na: &x 1\nb: *x\n---\n", "alias", 3),
        ("---\na: 1\nb: 'open\n---\n", "unexpected end", 4),
        ("---\na: b: c\n---\n", "mapping values are not allowed", 2),
        ("---\na: 1\nb: \x07\n---\n", "special characters", 3),
        ("---\na: !!python/name:os.system\n---\n", "tag", 2),
        ("---\na: !!int x\n---\n", "not YAML", None),
        ("---\n1: x\n---\n", "key is not text", 2),
        ("---\na: " + "[" * 5000 + "\n---\n", "nested too deeply", None),
    ],
)
def test_a_file_that_is_no_article_is_named_with_its_line(text: str, words: str, line: int | None) -> None:
    with pytest.raises(OutputError, match=words) as caught:
        loads(text, path="drafts/x.md")
    assert caught.value.message.startswith("drafts/x.md ")
    assert "\n" not in caught.value.message
    assert caught.value.context["line"] == line
    assert caught.value.context["path"] == "drafts/x.md"


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, 2**60, {1: "x"}, object()])
def test_what_cannot_be_written_alike_is_refused(value: Any) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        dumps({"value": value}, "")


def test_a_shared_list_is_written_twice() -> None:
    shared = ["a"]
    assert dumps({"x": shared, "y": shared}, "") == "---\nx:\n  - a\n'y':\n  - a\n---\n"


def test_keys_named_like_arguments_of_the_library_are_keys() -> None:
    metadata = {"content": "c", "handler": "h", "metadata": "m"}
    assert loads(dumps(metadata, "b")) == (metadata, "b")


def test_an_enumeration_is_written_as_its_text() -> None:
    assert dumps({"sentiment": Sentiment.NEGATIVE}, "") == "---\nsentiment: NEGATIVE\n---\n"


def test_lone_surrogates_are_replaced_and_pairs_joined() -> None:
    text = dumps({"title": "a\ud800b \ud83d\ude80"}, "c\udfff\ud83d\ude80")
    assert loads(text) == ({"title": "a\ufffdb \U0001f680"}, "c\ufffd\U0001f680")
    assert text.encode()
