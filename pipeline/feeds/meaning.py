"""Markup that carries meaning, as plain text: exponents, quotations, table columns, numbers of lists, emoji.

Rules of the reader from version 2 on. Pure, linear time.
"""

import html
import re
from collections.abc import Iterator

from pipeline.feeds.block_quotations import is_quoted, write_block_quotations, write_formulas
from pipeline.feeds.html_pieces import (
    HtmlPieces,
    attribute_value,
    decode_references,
    small_number,
    split_html,
)

_STRUCK = frozenset(("del", "s", "strike"))
"""Elements whose text the publisher took back."""
SECOND_COPIES = re.compile(
    r"(?<![\w-])(?:screen-?reader(?:[-_]?(?:text|only))?|sr-only|assistive-text|show-for-sr|a11y-hidden"
    r"|(?:[\w-]{1,12}-)?visually-?hidden|(?:u-)?hidden-?visually|element-invisible"
    r"|katex-html|sharedaddy|jp-relatedposts|strike-?through|line-through)(?![\w-])",
    re.IGNORECASE,
)
"""Classes of elements that are struck out, repeat what stands beside them, or for screen readers."""
LINE_THROUGH = re.compile(r"text-decoration[^;]{0,80}line-through", re.IGNORECASE)
HIDING_HINTS = (
    "line-through", "strikethrough", "strike-through", "screen-reader", "screenreader", "sr-only", "for-sr",
    "assistive-text", "a11y-hidden", "visually-hidden", "visuallyhidden", "hiddenvisually", "hidden-visually",
    "element-invisible", "katex-html", "sharedaddy", "jp-related",
)  # fmt: skip
"""What attributes of such elements contain: a fast check."""
_MEANINGFUL = frozenset(("q", "blockquote", "math", "sup", "sub", "td", "th", "ol", "img"))
_BLOCKS = frozenset(("p", "div", "table", "ul", "ol", "li", "blockquote", "h1", "h2", "h3", "h4", "br"))
_CELL_BLOCKS = frozenset(("p", "div", "br"))
_MAX_CELL_CHARS = 100
"""Characters of a cell with paragraphs in a table of data; longer ones are layout. Chosen, not measured."""
_MAX_CELL_LINES = 3
"""Lines of such a cell, in a row of several columns, or like one without lines. Chosen, not measured."""
_INLINE = frozenset(("q", "sup", "sub"))
_LOOKS = frozenset(("i", "em", "b", "strong", "var", "span", "mi", "mn"))
_CELLS = ("td", "th")
_SUPERSCRIPTS = str.maketrans("0123456789+-−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_EXPONENT = re.compile(r"[+−-]?\d{1,4}|n")
_NOTE_CLASS = re.compile(r"foot|note|reference|\bref\b|\bfn|cite", re.IGNORECASE)
_NOTE = re.compile(r"\[?(?:\d{1,3}|[a-z*†‡§])(?:,\s?\d{1,3})*\]?")
_UNLINKED_NOTE = re.compile(r"\[[^\]]{1,9}\]|(?:\d{1,3}|[*†‡§]{1,3})(?:,\s?\d{1,3})*")
"""Not a letter: "XIX<sup>e</sup>", "n<sup>o</sup>"."""
_VARIABLE = re.compile(r"[i-kpqtx-z]")
"""A letter that is an exponent, and no end of an ordinal number."""
_BASE = re.compile(r"(?:\d|[)\]])\Z|(?<![^\W\d_])[^\W\d_]{1,3}\Z")
_SHORT_BASE = re.compile(r"(?<![^\W_])[0-9a-z]\Z")
"""What an exponent follows: a number, a bracket, or the few letters of a unit or symbol."""
_STOPS = (".", "!", "?", "”")
_SLASHES = ("/", "⁄", "∕")
_SLASH = re.compile(r"\s?[/⁄∕]\s?")
_PICTURES = re.compile(r"emoji|smiley|latex|math|tex\b", re.IGNORECASE)
_BACK_LINK = re.compile("[(\\[]?[↩↵⏎⤴↑^][\ufe0e\ufe0f]?\\d{0,2}[)\\]]?")
_MAX_BACK_LINK_TAGS = 6
"""Tags of a link back to a footnote's mark, whose number may be raised. Chosen, not measured."""
_FORMULA_URL = re.compile(r"latex(?:\.php|\.codecogs)?[?./]|/math/render/", re.IGNORECASE)


def struck_elements(names: list[str]) -> frozenset[str]:
    """Return the names of struck-out elements; one that is not closed would hide the rest, and is left."""
    present = _STRUCK.intersection(names)
    return frozenset(name for name in present if names.count(name) == names.count(f"/{name}"))


def keep_meaning(split: HtmlPieces) -> HtmlPieces:
    """Return the pieces with the meaning of their tags written into the texts."""
    present = _MEANINGFUL.intersection(split.names)
    if not present:
        return split
    texts, names = list(split.texts), list(split.names)
    if "math" in present:
        write_formulas(names, split.attributes, texts)
    if "img" in present:
        _write_pictures(split, texts)
    if present & {"ol", "sup"}:
        _take_out_back_links(split, texts)
    if present & {"sup", "sub"}:
        _write_scripts(split, texts)
    if "q" in present:
        _write_quotations(split.names, texts)
    if "blockquote" in present:
        write_block_quotations(split, texts)
    if "ol" in present:
        _write_numbers(split, texts)
    if present & {"td", "th"}:
        _write_columns(names, texts)
    return split._replace(texts=texts, names=names)


def write_inline_meaning(source: str) -> str:
    """Return the HTML of a page with the meaning of exponents, quotations and struck-out text in its texts.

    For a page's article is found by a library that drops these elements or splits lines at them.
    """
    split = split_html(source)
    struck = struck_elements(split.names)
    written = struck | _INLINE
    styled = "line-through" in source or "strikethrough" in source
    if not styled and (written | {"blockquote"}).isdisjoint(split.names):
        return source
    texts = list(split.texts)
    spans = _elements(split.names, ("span", "font", "p"), nested=True) if styled else ()
    taken_back = [span for span in spans if _is_struck(split.attributes[span[0]])]
    hidden = {at for span in taken_back for at in span}
    for start, end in (*_elements(split.names, tuple(struck)), *taken_back):
        texts[start + 1 : end + 1] = [""] * (end - start)
    _write_scripts(split._replace(texts=texts), texts)
    _write_quotations(split.names, texts)
    write_block_quotations(split, texts)
    tags = [
        "" if not name or at in hidden or name.removeprefix("/") in written else f"<{name}{attributes}>"
        for at, (name, attributes) in enumerate(zip(split.names, split.attributes, strict=True))
    ]
    joined = [""] * (len(texts) + len(tags))
    joined[::2], joined[1::2] = texts, tags
    return "".join(joined)


def _is_struck(attributes: str) -> bool:
    return bool(
        LINE_THROUGH.search(attributes) or "strikethrough" in (attribute_value(attributes, "class") or "")
    )


def _write_quotations(names: list[str], texts: list[str]) -> None:
    for start, end in _elements(names, ("q",), nested=True):
        if is_quoted(texts[start], texts[end + 1]):
            continue
        texts[start + 1] = '"' + texts[start + 1].lstrip()
        texts[end] = texts[end].rstrip() + '"'


def _write_pictures(split: HtmlPieces, texts: list[str]) -> None:
    for at, (name, attributes) in enumerate(zip(split.names, split.attributes, strict=True)):
        if name != "img" or (
            attributes.isascii() and "&" not in attributes and not _PICTURES.search(attributes)
        ):
            continue
        alt = (attribute_value(attributes, "alt") or "").strip()
        sign = 0 < len(alt) <= 8 and not any(map(str.isalnum, alt)) and not alt.isascii()
        source = attribute_value(attributes, "src") or ""
        if sign or (
            alt
            and (_PICTURES.search(attribute_value(attributes, "class") or "") or _FORMULA_URL.search(source))
        ):
            texts[at + 1] = html.escape(alt, quote=False) + texts[at + 1]


def _take_out_back_links(split: HtmlPieces, texts: list[str]) -> None:
    """Take out the arrows by which footnotes lead back to their marks in the text."""
    for start, end in _elements(split.names, ("a",)):
        if end - start > _MAX_BACK_LINK_TAGS or "#" not in (
            attribute_value(split.attributes[start], "href") or ""
        ):
            continue
        inner = slice(start + 1, end + 1)
        if _BACK_LINK.fullmatch(decode_references("".join(texts[inner])).strip()):
            texts[inner] = [""] * (end - start)


def _write_scripts(split: HtmlPieces, texts: list[str]) -> None:
    """Write exponents, indices and fractions, and take marks of footnotes out."""
    for start, end in _elements(split.names, ("sup", "sub")):
        inner = range(start + 1, end + 1)
        content = decode_references("".join(texts[at] for at in inner)).strip()
        before = _text_before(split.names, texts, start)
        linked = _is_note(split, start, end)
        if split.names[start] == "sub":
            written = _index(content, before)
        elif not linked and content.isdigit() and _is_fraction(split.names, texts, end, before):
            written = f" {content}" if before[-1:].isdigit() else content
        else:
            written = _power(content, before, linked)
        for at in inner:
            texts[at] = ""
        texts[start + 1] = html.escape(written, quote=False)
        if not written and before.rstrip()[-1:] in _STOPS and texts[end + 1].startswith("."):
            texts[end + 1] = texts[end + 1][1:]  # a full stop before the mark and one after it


def _is_note(split: HtmlPieces, start: int, end: int) -> bool:
    return "a" in split.names[start:end] or bool(_NOTE_CLASS.search(split.attributes[start]))


def _text_before(names: list[str], texts: list[str], at: int) -> str:
    """Return the last text before a tag, also where it stands in an element: `<i>x</i><sup>2</sup>`."""
    first = max(0, at - 4)
    while at > first and not texts[at] and names[at - 1].removeprefix("/") in _LOOKS:
        at -= 1
    return decode_references(texts[at])


def _is_fraction(names: list[str], texts: list[str], end: int, before: str) -> bool:
    """Return whether a number that ends there is a numerator: a slash and the denominator follow."""
    after = decode_references(texts[end + 1])
    slash = _SLASH.match(after)
    if slash is None:
        return False
    if slash.end() == len(after) and names[end + 1 : end + 2] == ["sub"]:
        return True
    return after[slash.end() : slash.end() + 1].isdigit() and not before.endswith("10")


def _power(content: str, before: str, linked: bool) -> str:
    if not linked and _EXPONENT.fullmatch(content) and _BASE.search(before[-4:]):
        return content.translate(_SUPERSCRIPTS)
    if not linked and _VARIABLE.fullmatch(content) and _SHORT_BASE.search(before[-2:]):
        return f"^{content}"
    is_digit = before[-1:].isdigit()
    if (linked and _NOTE.fullmatch(content)) or (
        _UNLINKED_NOTE.fullmatch(content) and not (is_digit and content.isdigit())
    ):
        return ""
    if is_digit and any(map(str.isdigit, content)):
        return f"^({content})"
    return content


def _index(content: str, before: str) -> str:
    is_index = content.isdigit() and len(content) < 3 and before.rstrip()[-1:] not in _SLASHES
    return content.translate(_SUBSCRIPTS) if is_index else content


def _write_numbers(split: HtmlPieces, texts: list[str]) -> None:
    """Write the numbers of ordered lists before the first text of each item: `2.1.` in a list within a list.

    Inner lists are not indented in the text, so that their numbers alone show where they belong.
    """
    counts: list[int | None] = []  # of the lists that are open; None: not ordered
    pending = ""
    for at, (name, attributes) in enumerate(zip(split.names, split.attributes, strict=True)):
        if name == "ol":
            counts.append(small_number(attribute_value(attributes, "start"), 1))
        elif name in ("ul", "menu"):
            counts.append(None)
        elif name in ("/ol", "/ul", "/menu") and counts:
            counts.pop()
        elif name == "li":
            pending = ""
            if counts and (count := counts[-1]) is not None:
                count = small_number(attribute_value(attributes, "value"), count)
                pending, counts[-1] = f"{_outer_number(counts)}{count}. ", count + 1
        if pending and texts[at + 1].strip():
            texts[at + 1] = pending + texts[at + 1].lstrip()
            pending = ""


def _outer_number(counts: list[int | None]) -> str:
    """Return the number of the item that a list stands in, "" if that list has no numbers."""
    return f"{outer - 1}." if len(counts) > 1 and (outer := counts[-2]) else ""


def _write_columns(names: list[str], texts: list[str]) -> None:
    """Write `|` between the cells of rows of short cells, and `-` into empty ones."""
    rows = [(start, end) for start, end in _rows(names) if sum(map(names[start:end].count, _CELLS)) > 1]
    plain = {
        sum(map(names[start:end].count, _CELLS))
        for start, end in rows
        if _BLOCKS.isdisjoint(names[start:end])
    }
    for start, end in rows:
        cells = [at for at in range(start, end) if names[at] in _CELLS]
        bounds = list(zip(cells, [*cells[1:], end], strict=True))
        if not _BLOCKS.isdisjoint(names[start:end]):
            max_lines = _MAX_CELL_LINES if len(cells) > 2 or len(cells) in plain else 1
            if len(rows) < 2 or not all(
                _is_short(names[cell:follower], texts[cell + 1 : follower + 1], max_lines)
                for cell, follower in bounds
            ):
                continue
            _join_lines(names, texts, range(start, end))
        for cell, follower in bounds:
            if not decode_references("".join(texts[cell + 1 : follower + 1])).strip():
                texts[cell + 1] = "-"
            if cell != cells[0]:
                texts[cell + 1] = "| " + texts[cell + 1].lstrip()


def _join_lines(names: list[str], texts: list[str], row: range) -> None:
    """Take the tags that begin lines out of a row's cells; lines with words are divided by `;`."""
    last = ""  # the character before, in the same cell
    for at in row:
        name, text = names[at], texts[at + 1]
        if name in _CELLS:
            last = ""
        elif name.removeprefix("/") in _CELL_BLOCKS:
            is_word = last.isalnum() and text.lstrip()[:1].isalnum()
            names[at], texts[at + 1] = "", f"{';' * is_word} {text}"
            texts[at] = texts[at].rstrip()
        last = decode_references(text).rstrip()[-1:] or last


def _is_short(names: list[str], texts: list[str], max_lines: int) -> bool:
    """Return whether a cell with paragraphs belongs to a table of data: its lines are short and few."""
    if any(name.removeprefix("/") in _BLOCKS - _CELL_BLOCKS for name in names):
        return False
    filled = [text for text in texts if decode_references(text).strip()]
    return sum(map(len, filled)) <= _MAX_CELL_CHARS and _lines(names, texts) <= max_lines


def _lines(names: list[str], texts: list[str]) -> int:
    """Return the number of lines with text of a cell."""
    lines, fresh = 0, True
    for name, text in zip(names, texts, strict=True):
        fresh = fresh or name.removeprefix("/") in _CELL_BLOCKS
        if decode_references(text).strip():
            lines, fresh = lines + fresh, False
    return lines


def _rows(names: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last index of each row: from `tr` to the next `tr` or the row's end."""
    start = None
    for at, name in enumerate(names):
        if name in ("tr", "/tr", "/table", "table"):
            if start is not None:
                yield start, at
            start = at if name == "tr" else None


def _elements(names: list[str], tags: tuple[str, ...], *, nested: bool = False) -> Iterator[tuple[int, int]]:
    """Yield the indices of the opening and closing tags of elements.

    Those with one of the same name inside are left out if not `nested`.
    """
    starts: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        if name in tags:
            starts.setdefault(name, []).append(at)
        elif name[:1] == "/" and (opened := starts.get(name[1:])):
            yield opened.pop(), at
            if not nested:
                opened.clear()
