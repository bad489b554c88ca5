"""Splits HTML of any quality into text and tags, in time proportional to its length.

Not html.parser: in the Python versions that we support, it takes quadratic time on unclosed comments,
quotes and tags (CVE-2025-6069), and a feed's content is hostile. One expression does it all, because a loop
over tags costs more than reading the rest of a feed. Each of its repeats is possessive, and each of its ways
ends in a match: what was read once is not read again.

HTML of any quality to plain text: paragraphs divided by blank lines, list items as lines with `- `.

Tags become marks within the text, and the marks lines; so what is done for every tag is done by whole lists.
"""

import html
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from pipeline.feeds.text_cleanup import clean, collapsed, fix_mojibake, is_mojibake, normalize_space

_SPLITTER = r"""
    <(?:
        (?=[sStT])(?i:script|style|textarea|title)\b[^>]*+(?<!/)>  # they hold no markup
            .*?(?:</(?i:script|style|textarea|title)\b[^>]*+(?:>|\Z)|\Z)
        | (/?[a-zA-Z][a-zA-Z0-9:_-]{0,40}+) ( @ ) (?:>|\Z)
        | !--(?:>|->|.*?(?:-->|\Z))
        | [!?][^>]*+(?:>|\Z)
    )"""
_QUOTED = r"""[^>=]*+ (?:=\s{0,9}+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))?+ [^>=]*+)*+"""
_TAGS = re.compile(_SPLITTER.replace("@", _QUOTED), re.VERBOSE | re.DOTALL)
_UNQUOTED_TAGS = re.compile(_SPLITTER.replace("@", "[^>]*+"), re.VERBOSE | re.DOTALL)
_END = "\x04"
"""Stands behind the text: where it is gone, something that never closes took it."""
_CDATA = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)
_ATTRIBUTE = re.compile(r"""([^\s=/>"']+)(?:\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_REFERENCE = re.compile(r"&(?:#[xX][0-9a-fA-F]++;?|#[0-9]++;?|[a-zA-Z][a-zA-Z0-9]{1,31}+;?)")


class Pieces(NamedTuple):
    """Texts, and what stands between them: tags' names, `/` before those that close, and attributes.

    There is one text more than names. Texts and attributes are as written, names are in lower case;
    a comment, a declaration, a script or a style has the name "".
    """

    texts: list[str]
    names: list[str]
    attributes: list[str]


def pieces(source: str) -> Pieces:
    """Split HTML."""
    if "<![CDATA[" in source:
        source = _CDATA.sub(lambda found: html.escape(found[1], quote=False), source)
    end = source.rfind(">") + 1  # behind it, no tag can be complete
    if not end:
        return Pieces([source], [], [])
    head = source[:end] + _END
    found: list[str | None] = _TAGS.split(head)
    if (found[-1] or "")[-1:] != _END:  # a quote that never closes: once is an error, more would be an attack
        found = _UNQUOTED_TAGS.split(head)
    found[-1] = (found[-1] or "").removesuffix(_END) + source[end:]
    return Pieces(
        [text or "" for text in found[::3]],
        [name.lower() if name else "" for name in found[1::3]],
        [written or "" for written in found[2::3]],
    )


def opening(source: str, name: str) -> Iterator[str]:
    """Yield the attributes of the tags of that name which open."""
    if f"<{name}" not in source and f"<{name.upper()}" not in source:
        return
    for found in _TAGS.finditer(source):
        if found[1] and found[1].lower() == name:
            yield found[2]


def attribute(written: str, name: str) -> str | None:
    """Return an attribute's value, "" where it has none, None where it is missing."""
    for match in _ATTRIBUTE.finditer(written[:8192]):
        if match[1].lower() == name:
            return decoded(match[2] or match[3] or match[4] or "")
    return None


def decoded(text: str) -> str:
    """Return text with its character references replaced."""
    return _REFERENCE.sub(_character, text) if "&" in text else text


def _character(reference: re.Match[str]) -> str:
    written = reference[0]
    # int() refuses thousands of digits, and no such character exists.
    return _decode_reference(written) if len(written) < 40 else "\ufffd"


@lru_cache(4096)
def _decode_reference(reference: str) -> str:
    return html.unescape(reference)


_PARAGRAPH, _LINE, _ITEM, _ITEM_END = "\x01\x02\x03\x05"
# fmt: off
_PARAGRAPHS = (
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl",
    "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "main", "menu", "nav", "ol", "p", "pre", "section", "summary", "table", "ul",
)
_LISTS = frozenset(("ul", "ol", "menu"))
_MARKS = (
    {name: _PARAGRAPH for each in _PARAGRAPHS for name in (each, f"/{each}")}
    | dict.fromkeys(("br", "tr", "caption", "option"), _LINE)
    | dict.fromkeys(("td", "th", "/td", "/th"), " ")
    | {"li": _ITEM, "/li": _ITEM_END}
)
_DROPPED = frozenset((
    "button", "canvas", "embed", "iframe", "noscript", "object", "select", "svg", "template",
))
_SHOWN_ALONE = _DROPPED - {"noscript"}
# Never closed, so that hiding one hides nothing else.
_VOID = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
))
# fmt: on
_CONCEALED = re.compile(
    r"display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}(?:hidden|collapse)|color\s{0,9}:\s{0,9}transparent"
    r"|(?:font-size|opacity)\s{0,9}:\s{0,9}0(?:\.0{0,9})?(?:px|em|rem|pt|%)?\s{0,9}(?:[;!]|$)",
    re.IGNORECASE,
)
_CONCEALING = ("none", "font-size", "opacity", "collapse", "transparent")
_NEWLINE = re.compile(r"\n|&#(?:0{0,9}10|[xX]0{0,9}[aA]);")
_BREAKS = re.compile("[\x01-\x03\x05][\x01-\x03\x05 ]*")
_SEGMENTS = re.compile("([\n\x01-\x03\x05]+)")


def html_to_text(html: str) -> str:
    """Return what a reader would see of a piece of HTML, repaired. Never raises; takes linear time.

    Scripts, styles, comments and hidden elements are dropped, and so are characters that cannot be seen.
    """
    if "<" not in html:
        return _laid_out(decoded(html))
    split = pieces(html)
    present = set(split.names)
    if not present.isdisjoint(_DROPPED) or _may_conceal(split.attributes):
        seen = _shown(split, _DROPPED)
        # Nothing runs scripts here: where that is all, what stands in for them is the text.
        split = (
            seen
            if "noscript" not in present or any(map(str.strip, seen.texts))
            else _shown(split, _SHOWN_ALONE)
        )
    if "pre" in present:
        split = _verbatim(split)
    marks = _list_marks(split.names) if not present.isdisjoint(_LISTS) else _marks(split.names)
    joined = [""] * (2 * len(marks) + 1)
    joined[::2], joined[1::2] = split.texts, marks
    return _laid_out(decoded("".join(joined)))


def first_image(html: str) -> str | None:
    """Return the address of the first picture as written, or None; counting pixels do not count."""
    for written in opening(html, "img"):
        source = (attribute(written, "src") or "").strip()
        sizes = {(attribute(written, side) or "").strip() for side in ("width", "height")}
        if source and sizes.isdisjoint(("0", "1")) and not source.lower().startswith("data:"):
            return source
    return None


def _marks(names: list[str]) -> list[str]:
    mark = _MARKS.get
    return [mark(name, "") for name in names]


def _list_marks(names: list[str]) -> list[str]:
    """Return the marks where lists may stand in lists: the inner ones are no paragraphs of their own."""
    marks, depth = _marks(names), 0
    for at, name in enumerate(names):
        if name.removeprefix("/") in _LISTS:
            outer = max(0, depth - 1) if name[0] == "/" else depth
            depth = outer if name[0] == "/" else depth + 1
            marks[at] = _ITEM_END if outer else _PARAGRAPH
    return marks


def _verbatim(split: Pieces) -> Pieces:
    """Mark the line breaks that count."""
    texts, depth = list(split.texts), 0
    for at, name in enumerate(split.names):
        if name in ("pre", "/pre"):
            depth = max(0, depth + (-1 if name[0] == "/" else 1))
        if depth:
            texts[at + 1] = _NEWLINE.sub(_LINE, texts[at + 1])
    return split._replace(texts=texts)


def _may_conceal(attributes: list[str]) -> bool:
    """Tell cheaply whether any tag could be hidden."""
    written = "\n".join(attributes).lower()
    if "style" in written and "&" in written:
        written = decoded(written)
    return "hidden" in written or ("style" in written and any(word in written for word in _CONCEALING))


def _shown(split: Pieces, dropped: frozenset[str]) -> Pieces:
    """Leave out the elements that a browser would not show as text, and those of the names in `dropped`."""
    texts, names = [split.texts[0]], []
    hidden, depth = "", 0
    for text, name, written in zip(split.texts[1:], split.names, split.attributes, strict=True):
        plain = name.removeprefix("/")
        if hidden == plain == "p" and name == "p":  # a paragraph ends where the next one begins
            hidden = ""
        if hidden:
            depth += (plain == hidden) * (-1 if name != plain else 1)
            hidden = hidden if depth else ""
            texts.append("" if depth else text)
            names.append("")
            continue
        if name == plain and _conceals(name, written, dropped):
            hidden, depth = name, 1
        texts.append("" if hidden else text)
        names.append("" if hidden else name)
    return Pieces(texts, names, [])


def _conceals(name: str, written: str, dropped: frozenset[str]) -> bool:
    """Tell whether an opening tag begins something that a browser would not show as text."""
    if name in _VOID or written.endswith("/"):
        return False
    if name in dropped:
        return True
    lower = written.lower()
    if "hidden" not in lower and "style" not in lower:
        return False
    style = attribute(written, "style")
    return attribute(written, "hidden") is not None or bool(style and _CONCEALED.search(style))


def _laid_out(text: str) -> str:
    """Return marked text in lines."""
    if is_mojibake(text):
        text = "".join(_repaired(text))
    text = collapsed(text) + _ITEM_END
    for mark in (_PARAGRAPH, _LINE, _ITEM, _ITEM_END):
        text = text.replace(f" {mark}", mark)
    lines = _BREAKS.sub(_lines, text).strip()
    return lines if clean(lines) else normalize_space(lines)


def _repaired(text: str) -> Iterator[str]:
    for at, segment in enumerate(_SEGMENTS.split(text)):
        yield segment if at % 2 else fix_mojibake(segment)


def _lines(found: re.Match[str]) -> str:
    marks = found[0]
    return _meant(marks) if len(marks) < 40 else _meant.__wrapped__(marks)


@lru_cache(4096)
def _meant(marks: str) -> str:
    """Return the line breaks that a run of marks means; those that follow a fresh `- ` do not count."""
    breaks, fresh = 0, False
    for mark in marks:
        if mark == _ITEM:
            breaks, fresh = max(breaks, 1), True
        elif mark == _ITEM_END:
            breaks, fresh = max(breaks, 1), False
        elif not fresh:
            breaks += {_PARAGRAPH: 2, _LINE: 1}.get(mark, 0)
    return "\n\n"[:breaks] + "- " * fresh
