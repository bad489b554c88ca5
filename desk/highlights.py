"""Marks in a text where findings are: put into the text's tokens, so that no mark can break the page.

Where a mark begins or ends, a character of a private plane is put into the Markdown; the rule that renders a
text token turns it into an element. What stands in an address or in code has no marks.
"""

import re
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from html import escape
from typing import Any, NamedTuple

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from desk.markdown import LONGEST, parser, safe

_FIRST, _LAST = 0xF0000, 0xFFFFD
_SENTINELS = re.compile("[\U000f0000-\U000ffffd]")
_ENCODED = re.compile(r"%F3%B[0-9A-F]%[89AB][0-9A-F]%[89AB][0-9A-F]", re.IGNORECASE)
_LEAD = re.compile(r"[ \t]*(?:(?:>|#{1,6}(?=[ \t])|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t]))[ \t]*)*")
_MOST = 2_000
"""Marks in one text: a page with more is a wall of colour."""


class Highlight(NamedTuple):
    """A place in a text that a finding is about; half-open, in characters."""

    number: int
    """Of the finding."""
    start: int
    end: int
    level: str
    """block, warn, note, fine (answered for), fact (borne out), evidence or ground (of a fact)."""
    anchor: str
    """Where links to it lead."""


Env = MutableMapping[str, Any]
"""What goes from one piece of a text to the next: the boundaries, the open marks, the anchors set."""
_RANK = ("block", "warn", "note", "fine", "evidence", "fact", "ground")


class _Boundary(NamedTuple):
    at: int
    opens: bool
    mark: Highlight


def highlight_markdown(body: str, marks: Iterable[Highlight]) -> str:
    """Return a body as HTML with its marks."""
    body = _SENTINELS.sub("\ufffd", body[:LONGEST])
    boundaries = _boundaries(body, marks)
    text = _with_sentinels(body, boundaries)
    made = parser()
    made.add_render_rule("text", _text_rule)
    env: Env = {"boundaries": boundaries, "open": {}, "seen": set()}
    tokens = made.parse(text, env)
    _strip(tokens)
    return safe(str(made.renderer.render(tokens, made.options, env)))


def highlight_text(text: str, marks: Iterable[Highlight]) -> str:
    """Return a plain text as paragraphs of HTML with its marks."""
    text = _SENTINELS.sub("\ufffd", text[:LONGEST])
    boundaries = _boundaries(text, marks)
    env: Env = {"boundaries": boundaries, "open": {}, "seen": set()}
    paragraphs = re.split(r"\n\s*\n", _with_sentinels(text, boundaries))
    return safe("".join(f"<p>{_pieces(one, env)}</p>" for one in paragraphs if one.strip()))


def highlight_line(text: str, marks: Iterable[Highlight]) -> str:
    """Return a plain text in one line as HTML with its marks."""
    text = _SENTINELS.sub("\ufffd", text[:LONGEST])
    boundaries = _boundaries(text, marks)
    env: Env = {"boundaries": boundaries, "open": {}, "seen": set()}
    return safe(_pieces(_with_sentinels(text, boundaries), env))


def _boundaries(text: str, marks: Iterable[Highlight]) -> list[_Boundary]:
    """Return where marks begin and end, in order; empty ones and those out of the text are left out."""
    found = []
    for mark in list(marks)[:_MOST]:
        start, end = _trimmed(text, max(0, mark.start), min(len(text), mark.end))
        if start < end:
            found += [_Boundary(start, True, mark), _Boundary(end, False, mark)]
    # What ends at a place ends before anything begins there.
    return sorted(found, key=lambda one: (one.at, one.opens, one.mark.number))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a span without white space at its ends, and behind the signs that begin a block."""
    while start < end and text[end - 1].isspace():
        end -= 1
    while start < end and text[start].isspace():
        start += 1
    if text.startswith("](", end - 1):  # within a link's own signs it would be a link no more
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
    """Take the sentinels out of addresses and code."""
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
    """Return a piece of text as HTML; which marks are open goes from one piece to the next."""
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
    seen: set[str] = env["seen"]
    if mark.anchor in seen:
        return ""
    seen.add(mark.anchor)
    return f'<span id="{escape(mark.anchor)}" class="anchor"></span>'


def _run(text: str, marks: Iterable[Highlight]) -> str:
    listed = list(marks)
    if not text or not listed:
        return escape(text)
    level = min((mark.level for mark in listed), key=_RANK.index)
    numbers = " ".join(dict.fromkeys(str(mark.number) for mark in listed))
    return f'<mark class="{level}" data-f="{numbers}">{escape(text)}</mark>'
