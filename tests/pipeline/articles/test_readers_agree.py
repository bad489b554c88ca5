"""Every YAML reader reads the same values from Copydesk's front matter.

PyYAML always; js-yaml 3 and 4 and yaml 2 where node is there (`npm ci` in tests/readers).
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.articles.front_matter import dumps, loads
from pipeline.articles.yaml_dump import replace_unwritable

READERS = Path(__file__).parents[2] / "readers"
SPECIAL = [
    "y", "n", "no", "on", "off", "~", "null", "Null", "08", "017", "0o17", "0x1f", "0b1", "1e3", "1.e3",
    "1,000", "1_000", "12:30", "1:2:3.4", ".inf", "-.INF", "+.inf", ".nan", "=", "<<", "true", "FALSE", "---",
    "...", "-", "?", ":", ",", "[", "]", "{", "}", "#", "&", "*", "!", "|", ">", "'", '"', "%", "@", "`",
    "\\", "{{", "+1", "-0", ".", "_", "2026-02-05", "0.", "0.0", "9e", "1e",
]  # fmt: skip
ODD = [
    *"\n\r\t\0\a\x1b\x7f\x85\xa0\u200b\u2003\u2028\u2029\u3000\ufeff\ufffe\ufffd🚀é \ud800\udfff",
    ": ", " #", "\r\n", "\n\n", "\n---\n", "\n...\n", "  ", "…", "a", "B", "1", "-", "'", '"',
]  # fmt: skip
TEXT = st.one_of(
    st.sampled_from(SPECIAL),
    st.text(st.characters(), max_size=40),
    st.lists(st.one_of(st.sampled_from(SPECIAL + ODD), st.text(max_size=4)), max_size=12).map("".join),
    st.text("0123456789+-.,:_eExXoObBtTzZ ", min_size=1, max_size=12),
)


class Node:
    """The JavaScript readers, in one process for all documents."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, **request: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert isinstance(answer, dict)
        return answer


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is missing: the JavaScript readers of front matter were not asked")
    if not (READERS / "node_modules" / "js-yaml3").is_dir():
        pytest.skip("tests/readers/node_modules is missing: run `npm ci` there, or `make test`")
    with subprocess.Popen(
        [program, "read.mjs"], cwd=READERS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Node(process)


def article(title: str, description: str) -> dict[str, Any]:
    return {
        "title": title,
        "description": description,
        "externalId": "0123456789012345",
        "source": {"name": description, "url": "https://example.org/?a=1&b=%20#c"},
        "tags": [title, "BTC"],
        "score": 0,
        "draft": True,
        "none": None,
        "empty": [],
        title or "key": description,
        "last": title,
    }


def cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return {replace_unwritable(key): cleaned(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [cleaned(inner) for inner in value]
    return replace_unwritable(value) if isinstance(value, str) else value


def front(text: str) -> str:
    """Return the YAML up to the next line `---`, as a simple splitter finds it."""
    return text.removeprefix("---\n").split("\n---\n", 1)[0]


@settings(max_examples=300, deadline=None)
@given(TEXT, TEXT, TEXT)
def test_python_reads_what_was_meant(title: str, description: str, body: str) -> None:
    meant = cleaned(article(title, description))
    text = dumps(article(title, description), body)
    text.encode()
    assert loads(text) == (meant, replace_unwritable(body))
    assert dumps(*loads(text)) == text
    assert yaml.safe_load(front(text)) == meant


@settings(max_examples=300, deadline=None)
@given(title=TEXT, description=TEXT, body=TEXT)
def test_javascript_reads_what_was_meant(node: Node, title: str, description: str, body: str) -> None:
    text = dumps(article(title, description), body)
    meant = cleaned(article(title, description))
    for reader, value in node.ask(text=front(text)).items():
        assert value == meant, reader


@settings(max_examples=300, deadline=None)
@given(text=TEXT.filter(lambda text: "\n" not in text))
def test_the_style_is_js_yamls_or_quoted(node: Node, text: str) -> None:
    ours = front(dumps({"title": text}, "")) + "\n"
    theirs = node.ask(dump={"title": replace_unwritable(text)})["text"]
    assert ours in (theirs, "title: '" + theirs.removeprefix("title: ").removesuffix("\n") + "'\n")


def test_ordinary_articles_are_written_as_js_yaml_writes_them(node: Node) -> None:
    golden = (Path(__file__).parent / "golden.md").read_text(encoding="utf-8")
    metadata, _ = loads(golden)
    metadata["note"] = "two\n\nlines: of text"
    metadata["odd"] = ["tab\tbed", "🚀", "a\xa0b", "no", "12:30", "it's", "a # b", "", 'q"']
    assert front(dumps(metadata, "")) + "\n" == node.ask(dump=metadata)["text"]
