"""Converts HTML of any quality to plain text in linear time, with paragraphs, lines and lists (`- `).

Tags become marks (control characters) in the text, and marks become line breaks.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from pipeline.feeds.boilerplate.markup import drop_boilerplate
from pipeline.feeds.escapes import unwrap
from pipeline.feeds.html_pieces import (
    HtmlPieces,
    attribute_value,
    decode_references,
    split_html,
)
from pipeline.feeds.meaning import (
    HIDING_HINTS,
    LINE_THROUGH,
    SECOND_COPIES,
    keep_meaning,
    struck_elements,
)
from pipeline.feeds.reader import READER
from pipeline.feeds.text_cleanup import collapse_spaces, fix_mojibake, is_clean, is_mojibake, normalize_space

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
    if reader >= 2:
        html = unwrap(html)
    if "<" not in html:
        return _layout(decode_references(html))
    split = split_html(html)
    present = set(split.names)
    dropped = _DROPPED if reader < 2 else _DROPPED | struck_elements(split.names)
    if not present.isdisjoint(dropped) or _may_hide(split.attributes, reader):
        visible = _visible_pieces(split, dropped, reader)
        # No scripts run here: `noscript` is the text if there is no other.
        split = (
            visible
            if "noscript" not in present or any(map(str.strip, visible.texts))
            else _visible_pieces(split, dropped - {"noscript"}, reader)
        )
    if reader >= 2:
        split = keep_meaning(drop_boilerplate(split))
    if "pre" in present:
        split = _mark_preformatted(split)
    marks = _list_marks(split.names) if not present.isdisjoint(_LISTS) else _marks(split.names)
    joined = [""] * (2 * len(marks) + 1)
    joined[::2], joined[1::2] = split.texts, marks
    return _layout(decode_references("".join(joined)))


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


def _may_hide(attributes: list[str], reader: int) -> bool:
    """Return whether any element may be hidden: a fast check."""
    joined = "\n".join(attributes).lower()
    if "style" in joined and "&" in joined:
        joined = decode_references(joined)
    if reader >= 2 and any(word in joined for word in HIDING_HINTS):
        return True
    return "hidden" in joined or ("style" in joined and any(marker in joined for marker in _HIDING_WORDS))


def _visible_pieces(split: HtmlPieces, dropped: frozenset[str], reader: int) -> HtmlPieces:
    """Return the pieces without hidden elements and those whose names are in `dropped`."""
    texts, names, attributes_left = [split.texts[0]], [], []
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
            attributes_left.append("")
            continue
        if name == plain and _is_hidden(name, attributes, dropped, reader):
            hidden, depth = name, 1
        texts.append("" if hidden else text)
        names.append("" if hidden else name)
        attributes_left.append("" if hidden else attributes)
    return HtmlPieces(texts, names, attributes_left)


def _is_hidden(name: str, attributes: str, dropped: frozenset[str], reader: int) -> bool:
    """Return whether an opening tag starts an element that a browser does not show as text."""
    if name in _VOID_ELEMENTS or attributes.endswith("/"):
        return False
    if name in dropped:
        return True
    lower = attributes.lower()
    if reader >= 2 and (("line-through" in lower and LINE_THROUGH.search(lower)) or _is_second_copy(lower)):
        return True
    if "hidden" not in lower and "style" not in lower:
        return False
    style = attribute_value(attributes, "style")
    return attribute_value(attributes, "hidden") is not None or bool(style and _HIDING_STYLE.search(style))


def _is_second_copy(attributes: str) -> bool:
    return any(word in attributes for word in HIDING_HINTS) and bool(
        SECOND_COPIES.search(attribute_value(attributes, "class") or "")
    )


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
