"""Converts HTML of any quality to plain text in linear time, with paragraphs, lines and lists (`- `).

Not html.parser: in the supported Python versions it takes quadratic time on unclosed comments, quotes and
tags (CVE-2025-6069), and a feed's content is hostile. One regular expression splits the HTML, because a
Python loop over tags costs more than the rest of parsing a feed. Its repeats are possessive, and its
alternatives always end in a match, so nothing is read twice. Tags then become marks (control characters) in
the text, and marks become line breaks.
"""

import html
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from pipeline.feeds.reader import READER
from pipeline.feeds.text_cleanup import collapse_spaces, fix_mojibake, is_clean, is_mojibake, normalize_space

_SPLITTER = r"""
    <(?:
        (?=[sStT])(?i:script|style|textarea|title)\b[^>]*+(?<!/)>  # contain no markup
            .*?(?:</(?i:script|style|textarea|title)\b[^>]*+(?:>|\Z)|\Z)
        | (/?[a-zA-Z][a-zA-Z0-9:_-]{0,40}+) ( @ ) (?:>|\Z)
        | !--(?:>|->|.*?(?:-->|\Z))
        | [!?][^>]*+(?:>|\Z)
    )"""
_QUOTED = r"""[^>=]*+ (?:=\s{0,9}+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))?+ [^>=]*+)*+"""
_TAGS = re.compile(_SPLITTER.replace("@", _QUOTED), re.VERBOSE | re.DOTALL)
_UNQUOTED_TAGS = re.compile(_SPLITTER.replace("@", "[^>]*+"), re.VERBOSE | re.DOTALL)
_END = "\x04"
"""Added at the end: if it is missing from the last text, an unclosed quote has consumed it."""
_CDATA = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)
_ATTRIBUTE = re.compile(r"""([^\s=/>"']+)(?:\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_REFERENCE = re.compile(r"&(?:#[xX][0-9a-fA-F]++;?|#[0-9]++;?|[a-zA-Z][a-zA-Z0-9]{1,31}+;?)")


class HtmlPieces(NamedTuple):
    """Texts, and the names and attributes of the tags between them; there is one text more than tags.

    Texts and attributes are as written. Names are in lower case, those of closing tags with `/` in front;
    a comment, a declaration, a script or a style has the name "".
    """

    texts: list[str]
    names: list[str]
    attributes: list[str]


def split_html(source: str) -> HtmlPieces:
    """Return HTML split at its tags."""
    if "<![CDATA[" in source:
        source = _CDATA.sub(lambda match: html.escape(match[1], quote=False), source)
    end = source.rfind(">") + 1  # after it, no tag can be complete
    if not end:
        return HtmlPieces([source], [], [])
    head = source[:end] + _END
    parts: list[str | None] = _TAGS.split(head)
    if (parts[-1] or "")[-1:] != _END:  # an unclosed quote: split again without quotes
        parts = _UNQUOTED_TAGS.split(head)
    parts[-1] = (parts[-1] or "").removesuffix(_END) + source[end:]
    return HtmlPieces(
        [text or "" for text in parts[::3]],
        [name.lower() if name else "" for name in parts[1::3]],
        [attributes or "" for attributes in parts[2::3]],
    )


def opening_tags(source: str, name: str) -> Iterator[str]:
    """Yield the attributes of each opening tag of that name."""
    if f"<{name}" not in source and f"<{name.upper()}" not in source:
        return
    for tag in _TAGS.finditer(source):
        if tag[1] and tag[1].lower() == name:
            yield tag[2]


def attribute_value(attributes: str, name: str) -> str | None:
    """Return an attribute's value, "" if it has none, None if the attribute is missing."""
    for match in _ATTRIBUTE.finditer(attributes[:8192]):
        if match[1].lower() == name:
            return decode_references(match[2] or match[3] or match[4] or "")
    return None


def decode_references(text: str) -> str:
    """Return text with its character references replaced."""
    return _REFERENCE.sub(_reference_text, text) if "&" in text else text


def _reference_text(reference: re.Match[str]) -> str:
    text = reference[0]
    # int() raises for thousands of digits, and no such character exists.
    return _decode_reference(text) if len(text) < 40 else "\ufffd"


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
_DROPPED_WITHOUT_SCRIPTS = _DROPPED - {"noscript"}
# Void elements have no content, so hiding one hides no text.
_VOID_ELEMENTS = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
))
# fmt: on
_HIDING_STYLE = re.compile(
    r"display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}(?:hidden|collapse)|color\s{0,9}:\s{0,9}transparent"
    r"|(?:font-size|opacity)\s{0,9}:\s{0,9}0(?:\.0{0,9})?(?:px|em|rem|pt|%)?\s{0,9}(?:[;!]|$)",
    re.IGNORECASE,
)
_HIDING_WORDS = ("none", "font-size", "opacity", "collapse", "transparent")
_NEWLINE = re.compile(r"\n|&#(?:0{0,9}10|[xX]0{0,9}[aA]);")
_BREAKS = re.compile("[\x01-\x03\x05][\x01-\x03\x05 ]*")
_SEGMENTS = re.compile("([\n\x01-\x03\x05]+)")


def html_to_text(html: str, reader: int = READER) -> str:
    """Return the text of HTML that people see, with mojibake repaired. Never raises; linear time.

    Scripts, styles, comments, hidden elements and invisible characters are removed. `reader` is the version
    of the rules.
    """
    if "<" not in html:
        return _layout(decode_references(html))
    split = split_html(html)
    present = set(split.names)
    if not present.isdisjoint(_DROPPED) or _may_hide(split.attributes):
        visible = _visible_pieces(split, _DROPPED)
        # No scripts run here: `noscript` is the text if there is no other.
        split = (
            visible
            if "noscript" not in present or any(map(str.strip, visible.texts))
            else _visible_pieces(split, _DROPPED_WITHOUT_SCRIPTS)
        )
    if "pre" in present:
        split = _mark_preformatted(split)
    marks = _list_marks(split.names) if not present.isdisjoint(_LISTS) else _marks(split.names)
    joined = [""] * (2 * len(marks) + 1)
    joined[::2], joined[1::2] = split.texts, marks
    return _layout(decode_references("".join(joined)))


def first_image(html: str) -> str | None:
    """Return the URL of the first image as written, or None; tracking pixels and data URLs do not count."""
    for attributes in opening_tags(html, "img"):
        source = (attribute_value(attributes, "src") or "").strip()
        sizes = {(attribute_value(attributes, side) or "").strip() for side in ("width", "height")}
        if source and sizes.isdisjoint(("0", "1")) and not source.lower().startswith("data:"):
            return source
    return None


def _marks(names: list[str]) -> list[str]:
    mark = _MARKS.get
    return [mark(name, "") for name in names]


def _list_marks(names: list[str]) -> list[str]:
    """Return the marks of tags, with nested lists: inner lists are no paragraphs of their own."""
    marks, depth = _marks(names), 0
    for at, name in enumerate(names):
        if name.removeprefix("/") in _LISTS:
            outer = max(0, depth - 1) if name[0] == "/" else depth
            depth = outer if name[0] == "/" else depth + 1
            marks[at] = _ITEM_END if outer else _PARAGRAPH
    return marks


def _mark_preformatted(split: HtmlPieces) -> HtmlPieces:
    """Return the pieces with line breaks within `pre` as marks."""
    texts, depth = list(split.texts), 0
    for at, name in enumerate(split.names):
        if name in ("pre", "/pre"):
            depth = max(0, depth + (-1 if name[0] == "/" else 1))
        if depth:
            texts[at + 1] = _NEWLINE.sub(_LINE, texts[at + 1])
    return split._replace(texts=texts)


def _may_hide(attributes: list[str]) -> bool:
    """Return whether any element may be hidden: a fast check."""
    joined = "\n".join(attributes).lower()
    if "style" in joined and "&" in joined:
        joined = decode_references(joined)
    return "hidden" in joined or ("style" in joined and any(marker in joined for marker in _HIDING_WORDS))


def _visible_pieces(split: HtmlPieces, dropped: frozenset[str]) -> HtmlPieces:
    """Return the pieces without hidden elements and those whose names are in `dropped`."""
    texts, names = [split.texts[0]], []
    hidden, depth = "", 0
    for text, name, attributes in zip(split.texts[1:], split.names, split.attributes, strict=True):
        plain = name.removeprefix("/")
        if hidden == plain == "p" and name == "p":  # a paragraph ends where the next one begins
            hidden = ""
        if hidden:
            depth += (plain == hidden) * (-1 if name != plain else 1)
            hidden = hidden if depth else ""
            texts.append("" if depth else text)
            names.append("")
            continue
        if name == plain and _is_hidden(name, attributes, dropped):
            hidden, depth = name, 1
        texts.append("" if hidden else text)
        names.append("" if hidden else name)
    return HtmlPieces(texts, names, [])


def _is_hidden(name: str, attributes: str, dropped: frozenset[str]) -> bool:
    """Return whether an opening tag starts an element that a browser does not show as text."""
    if name in _VOID_ELEMENTS or attributes.endswith("/"):
        return False
    if name in dropped:
        return True
    lower = attributes.lower()
    if "hidden" not in lower and "style" not in lower:
        return False
    style = attribute_value(attributes, "style")
    return attribute_value(attributes, "hidden") is not None or bool(style and _HIDING_STYLE.search(style))


def _layout(text: str) -> str:
    """Return text with its marks replaced by line breaks, repaired and cleaned."""
    if is_mojibake(text):
        text = "".join(_fix_segments(text))
    text = collapse_spaces(text) + _ITEM_END
    for mark in (_PARAGRAPH, _LINE, _ITEM, _ITEM_END):
        text = text.replace(f" {mark}", mark)
    lines = _BREAKS.sub(_replace_marks, text).strip()
    return lines if is_clean(lines) else normalize_space(lines)


def _fix_segments(text: str) -> Iterator[str]:
    for at, segment in enumerate(_SEGMENTS.split(text)):
        yield segment if at % 2 else fix_mojibake(segment)


def _replace_marks(match: re.Match[str]) -> str:
    marks = match[0]
    return _line_breaks(marks) if len(marks) < 40 else _line_breaks.__wrapped__(marks)


@lru_cache(4096)
def _line_breaks(marks: str) -> str:
    """Return the line breaks of a run of marks; marks right after a new `- ` add none."""
    breaks, fresh = 0, False
    for mark in marks:
        if mark == _ITEM:
            breaks, fresh = max(breaks, 1), True
        elif mark == _ITEM_END:
            breaks, fresh = max(breaks, 1), False
        elif not fresh:
            breaks += {_PARAGRAPH: 2, _LINE: 1}.get(mark, 0)
    return "\n\n"[:breaks] + "- " * fresh
