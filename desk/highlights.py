"""Articles and sources as safe HTML, with marks where findings are; the word diff of two texts.

Markdown is rendered without raw HTML and images, and the result is sanitized again. A mark starts and ends
with a sentinel, a private-use character in the Markdown; the render rule of text tokens replaces both with
elements, so a mark cannot break the page. URLs and code have no marks.
"""

import re
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from difflib import SequenceMatcher
from functools import cache
from html import escape
from typing import Any, Literal, NamedTuple

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

MAX_CHARS = 200_000
"""Characters of a text that are rendered; the rest is left out. Source: chosen, not measured."""
_TAGS = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "mark", "ol", "p",
    "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href"},
    "mark": {"class", "data-f"},
    "span": {"id", "class"},
    "ol": {"start"},
}
_FIRST = 0xF0000
_SENTINELS = re.compile("[\U000f0000-\U000ffffd]")
_ENCODED = re.compile(r"%F3%B[0-9A-F]%[89AB][0-9A-F]%[89AB][0-9A-F]", re.IGNORECASE)
_LEAD = re.compile(r"[ \t]*(?:(?:>|#{1,6}(?=[ \t])|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t]))[ \t]*)*")
_MAX_MARKS = 2_000
"""Marks in one text; further ones are left out. Source: chosen, not measured."""


class Highlight(NamedTuple):
    """A span of a text to be marked: half-open, in characters."""

    number: int
    """Number of the finding or claim on the page."""
    start: int
    end: int
    level: str
    """block, warn, note, fine (dismissed), fact (supported claim), evidence, ground (evidence of a fact)."""
    anchor: str = ""
    """Element id that links point to; empty for none."""


Env = MutableMapping[str, Any]
"""State between the text tokens of one document: the boundaries, the open marks, the anchors already set."""
_RANK = ("block", "warn", "note", "fine", "evidence", "fact", "ground")


class _Boundary(NamedTuple):
    at: int
    opens: bool
    mark: Highlight


@cache
def markdown_parser() -> MarkdownIt:
    """Return the parser of CommonMark with tables and strikethrough: it escapes HTML and loads no image."""
    return _new_parser()


@cache
def _marking_parser() -> MarkdownIt:
    """Return a parser that renders marks: their state is in the `env` of each call."""
    parser = _new_parser()
    parser.add_render_rule("text", _text_rule)
    return parser


def _new_parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")


def sanitize(html: str) -> str:
    """Return HTML with only the elements and attributes of an article, and http(s) links."""
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https"},
        link_rel="nofollow noopener noreferrer",
    )


def render_markdown(body: str) -> str:
    """Return a Markdown body as HTML, without marks."""
    return sanitize(str(markdown_parser().render(body[:MAX_CHARS])))


def highlight_markdown(body: str, marks: Iterable[Highlight]) -> str:
    """Return a Markdown body as HTML with marks."""
    body = _SENTINELS.sub("\ufffd", body[:MAX_CHARS])
    boundaries = _boundaries(body, marks)
    text = _with_sentinels(body, boundaries)
    markdown = _marking_parser()
    env: Env = {"boundaries": boundaries, "open": {}, "anchors": set()}
    tokens = markdown.parse(text, env)
    _strip(tokens)
    return sanitize(str(markdown.renderer.render(tokens, markdown.options, env)))


def highlight_inline(text: str, marks: Iterable[Highlight]) -> str:
    """Return a part of a paragraph in Markdown as HTML with marks, without a block around it."""
    text = _SENTINELS.sub("\ufffd", text[:MAX_CHARS])
    boundaries = _boundaries(text, marks)
    markdown = _marking_parser()
    env: Env = {"boundaries": boundaries, "open": {}, "anchors": set()}
    tokens = markdown.parseInline(_with_sentinels(text, boundaries), env)
    _strip(tokens)
    return sanitize(str(markdown.renderer.render(tokens, markdown.options, env)))


def highlight_text(text: str, marks: Iterable[Highlight]) -> str:
    """Return a plain text as paragraphs of HTML with marks."""
    text = _SENTINELS.sub("\ufffd", text[:MAX_CHARS])
    boundaries = _boundaries(text, marks)
    env: Env = {"boundaries": boundaries, "open": {}, "anchors": set()}
    paragraphs = re.split(r"\n\s*\n", _with_sentinels(text, boundaries))
    return sanitize("".join(f"<p>{_pieces(text, env)}</p>" for text in paragraphs if text.strip()))


def highlight_line(text: str, marks: Iterable[Highlight]) -> str:
    """Return a plain text of one line as HTML with marks."""
    text = _SENTINELS.sub("\ufffd", text[:MAX_CHARS])
    boundaries = _boundaries(text, marks)
    env: Env = {"boundaries": boundaries, "open": {}, "anchors": set()}
    return sanitize(_pieces(_with_sentinels(text, boundaries), env))


def _boundaries(text: str, marks: Iterable[Highlight]) -> list[_Boundary]:
    """Return the starts and ends of marks in order, without empty marks and those outside the text."""
    boundaries = []
    for mark in list(marks)[:_MAX_MARKS]:
        start, end = _trimmed(text, max(0, mark.start), min(len(text), mark.end))
        if start < end:
            boundaries += [_Boundary(start, True, mark), _Boundary(end, False, mark)]
    # At one position, ends come before starts.
    return sorted(boundaries, key=lambda boundary: (boundary.at, boundary.opens, boundary.mark.number))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a span without white space at its ends and without the markers that begin a block."""
    while start < end and text[end - 1].isspace():
        end -= 1
    while start < end and text[start].isspace():
        start += 1
    if text.startswith("](", end - 1):  # a sentinel between `]` and `(` would break the link
        end -= 1
    line = text.rfind("\n", 0, start) + 1
    lead = _LEAD.match(text, line)
    return (max(start, lead.end()) if lead else start), end


def _with_sentinels(text: str, boundaries: Sequence[_Boundary]) -> str:
    pieces, done = [], 0
    for number, boundary in enumerate(boundaries):
        pieces += [text[done : boundary.at], chr(_FIRST + number)]
        done = boundary.at
    return "".join([*pieces, text[done:]])


def _strip(tokens: Iterable[Token]) -> None:
    """Remove the sentinels from URLs and code."""
    for token in tokens:
        token.attrs = {
            name: _ENCODED.sub("", _SENTINELS.sub("", value)) if isinstance(value, str) else value
            for name, value in token.attrs.items()
        }
        if token.type in {"code_inline", "fence", "code_block"}:
            token.content = _SENTINELS.sub("", token.content)
        token.info = _SENTINELS.sub("", token.info)
        _strip(token.children or ())


def _text_rule(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, env: Env
) -> str:
    return _pieces(tokens[index].content, env)


def _pieces(text: str, env: Env) -> str:
    """Return a part of a text as HTML; `env` keeps which marks are open between calls."""
    return "".join(_runs(text, env))


def _runs(text: str, env: Env) -> Iterator[str]:
    opened: dict[tuple[int, int], Highlight] = env["open"]
    done = 0
    for sentinel in _SENTINELS.finditer(text):
        yield _run(text[done : sentinel.start()], opened.values())
        done = sentinel.end()
        boundary: _Boundary = env["boundaries"][ord(sentinel[0]) - _FIRST]
        key = (boundary.mark.number, boundary.mark.start)
        if boundary.opens:
            opened[key] = boundary.mark
            yield _anchor(boundary.mark, env)
        else:
            opened.pop(key, None)
    yield _run(text[done:], opened.values())


def _anchor(mark: Highlight, env: Env) -> str:
    anchors: set[str] = env["anchors"]
    if not mark.anchor or mark.anchor in anchors:
        return ""
    anchors.add(mark.anchor)
    return f'<span id="{escape(mark.anchor)}" class="anchor"></span>'


def _run(text: str, marks: Iterable[Highlight]) -> str:
    listed = list(marks)
    if not text or not listed:
        return escape(text)
    level = min((mark.level for mark in listed), key=_RANK.index)
    numbers = " ".join(dict.fromkeys(str(mark.number) for mark in listed))
    return f'<mark class="{level}" data-f="{numbers}">{escape(text)}</mark>'


_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")
_MAX_TOKENS = 4_000
"""Longest changed passage that is compared word by word, in tokens; a longer one is shown whole.

Source: chosen, not measured: the comparison takes quadratic time.
"""

Kind = Literal["same", "gone", "new"]


class Piece(NamedTuple):
    """A part of the text that is in both texts, or in one of them."""

    kind: Kind
    text: str


def word_diff(before: str, after: str) -> list[Piece]:
    """Return pieces in order: same and gone join to `before`, same and new join to `after`."""
    return _joined(_by_lines(before.splitlines(keepends=True), after.splitlines(keepends=True)))


def _by_lines(before: Sequence[str], after: Sequence[str]) -> Iterator[Piece]:
    """Yield pieces; differing lines are compared word by word."""
    for tag, start, end, new_start, new_end in SequenceMatcher(
        a=before, b=after, autojunk=False
    ).get_opcodes():
        old, new = "".join(before[start:end]), "".join(after[new_start:new_end])
        if tag == "equal":
            yield Piece("same", old)
        else:
            yield from _by_words(old, new)


def _by_words(before: str, after: str) -> Iterator[Piece]:
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    if len(old) > _MAX_TOKENS or len(new) > _MAX_TOKENS:
        yield from (Piece("gone", before), Piece("new", after))
        return
    for _tag, start, end, new_start, new_end in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if old[start:end] == new[new_start:new_end]:
            yield Piece("same", "".join(old[start:end]))
        else:
            yield Piece("gone", "".join(old[start:end]))
            yield Piece("new", "".join(new[new_start:new_end]))


def _joined(pieces: Iterator[Piece]) -> list[Piece]:
    """Return pieces without empty ones, with neighbours of one kind joined."""
    joined: list[Piece] = []
    for piece in pieces:
        if not piece.text:
            continue
        if joined and joined[-1].kind == piece.kind:
            joined[-1] = Piece(piece.kind, joined[-1].text + piece.text)
        else:
            joined.append(piece)
    return joined
