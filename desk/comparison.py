"""Two versions of a draft as one article: what was removed and what was added, marked in the text. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Any, NamedTuple

from desk.highlights import MAX_CHARS, Piece, markdown_parser, render_markdown, sanitize, word_diff
from pipeline.articles.front_matter import loads
from pipeline.domain.errors import OutputError
from pipeline.domain.sentence_diff import aligned

_BLOCK_START = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)]|>|#{1,6})[ \t]")
_MARKER = re.compile(r"(?P<heading>#{1,6})[ \t]+|(?P<item>[-*+]|\d{1,9}[.)])[ \t]+|(?P<quotation>>)[ \t]?")
_SHOWN_FIELDS = ("title", "description", "tags")


class Line(NamedTuple):
    """A line of the article's head."""

    label: str
    pieces: list[Piece]


class Comparison(NamedTuple):
    """What a page shows of two texts."""

    lines: tuple[Line, ...]
    """Title, description, tags and the cover's alternative text, as far as there are any."""
    body: str
    """HTML with `ins` and `del`."""
    front: list[Piece]
    """The word diff of the front matter."""
    same: bool


def compare_texts(old: str, new: str) -> Comparison:
    """Compare two files; one whose front matter cannot be read is compared as a body."""
    (old_front, before, old_body), (new_front, after, new_body) = _parts(old), _parts(new)
    texts = [(label, _line(before, label), _line(after, label)) for label in (*_SHOWN_FIELDS, "alt text")]
    return Comparison(
        tuple(Line(label.capitalize(), word_diff(*pair)) for label, *pair in texts if any(pair)),
        compare_bodies(old_body, new_body),
        word_diff(old_front, new_front),
        old == new,
    )


def _parts(text: str) -> tuple[str, dict[str, Any], str]:
    """Return front matter as text and as values, and the body."""
    try:
        metadata, body = loads(text)
    except OutputError:
        return "", {}, text
    return text.removesuffix(body).strip().strip("-").strip(), metadata, body


def _line(metadata: dict[str, Any], label: str) -> str:
    if label == "alt text":
        cover = metadata.get("coverImage")
        return str(cover.get("alt") or "") if isinstance(cover, dict) else ""
    value = metadata.get(label)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")


def compare_bodies(old: str, new: str) -> str:
    """Return a Markdown body as safe HTML, with what differs from an older one in `ins` and `del`.

    Paragraphs, headings and list items are compared word by word with the one that they were. Those that did
    not change are rendered together, so that lists and tables stay whole.
    """
    before, after = _blocks(old[:MAX_CHARS]), _blocks(new[:MAX_CHARS])
    old_texts, new_texts = [block.text for block in before], [block.text for block in after]
    groups = groupby(aligned(old_texts, new_texts), lambda pair: _is_same(pair, old_texts, new_texts))
    html = []
    for same, pairs in groups:
        places = list(pairs)
        if same:
            first, last = after[places[0][1] or 0], after[places[-1][1] or 0]
            html.append(render_markdown(new[first.start : last.end]))
        else:
            html.append("".join(_changed(places, old_texts, new_texts)))
    return "".join(html)


class _Block(NamedTuple):
    """A paragraph, a heading or a list item; `text` is body[start:end]."""

    text: str
    start: int
    end: int


def _blocks(body: str) -> list[_Block]:
    spans: list[tuple[int, int]] = []
    end, is_open = 0, False
    for line in body.splitlines(keepends=True):
        start, end = end, end + len(line)
        if not line.strip():
            is_open = False
            continue
        if is_open and not _BLOCK_START.match(line):
            spans[-1] = spans[-1][0], start + len(line.rstrip())
        else:
            spans.append((start, start + len(line.rstrip())))
        is_open = not line.startswith("#")
    return [_Block(body[start:end], start, end) for start, end in spans]


def _is_same(pair: tuple[int | None, int | None], old: Sequence[str], new: Sequence[str]) -> bool:
    return pair[0] is not None and pair[1] is not None and old[pair[0]] == new[pair[1]]


def _changed(
    places: Iterable[tuple[int | None, int | None]], old: Sequence[str], new: Sequence[str]
) -> Iterator[str]:
    """Yield the HTML of changed blocks; items that follow one another are one list."""
    rendered = [
        block
        for before, after in places
        for block in _marked("" if before is None else old[before], "" if after is None else new[after])
    ]
    for is_item, items in groupby(rendered, lambda block: block.startswith("<li>")):
        html = "".join(items)
        yield f"<ul>{html}</ul>" if is_item else html


def _marked(old: str, new: str) -> Iterator[str]:
    """Yield the HTML of one changed block, or of two if it is another kind of block."""
    kind, before = _kind(old)
    new_kind, after = _kind(new)
    if old and new and kind != new_kind:
        yield from (*_marked(old, ""), *_marked("", new))
        return
    tag = new_kind if new else kind
    pieces = "".join(map(_piece, word_diff(before, after)))
    yield f"<blockquote><p>{pieces}</p></blockquote>" if tag == "blockquote" else f"<{tag}>{pieces}</{tag}>"


def _kind(block: str) -> tuple[str, str]:
    """Return the element of a block, and its text without the marker."""
    marker = _MARKER.match(block)
    if marker is None:
        return "p", block
    name = "blockquote" if marker["quotation"] else "li" if marker["item"] else f"h{len(marker['heading'])}"
    return name, block[marker.end() :]


def _piece(piece: Piece) -> str:
    """Return a piece as safe HTML; Markdown that begins in one piece and ends in another stays as it is."""
    if not piece.text.strip():
        inner = escape(piece.text)
    else:
        inner = sanitize(markdown_parser().renderInline(piece.text))
    tags = {"same": "", "gone": "del", "new": "ins"}
    tag = tags[piece.kind]
    return f"<{tag}>{inner}</{tag}>" if tag else inner
