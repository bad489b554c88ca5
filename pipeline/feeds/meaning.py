"""Markup that carries meaning, as plain text: exponents, quotations, table columns, numbers of lists, emoji.

Rules of the reader from version 2 on. Pure, linear time.
"""

import html
import re
from collections.abc import Iterator

from pipeline.feeds.html_pieces import HtmlPieces, attribute_value, decode_references, split_html

_STRUCK = frozenset(("del", "s", "strike"))
"""Elements whose text the publisher took back."""
SECOND_COPIES = re.compile(
    r"(?<![\w-])(?:screen-reader-text|sr-only|visually-hidden|katex-html|sharedaddy|jp-relatedposts)(?![\w-])"
)
"""Classes of elements that repeat what stands beside them, or are for screen readers alone."""
LINE_THROUGH = re.compile(r"text-decoration[^;]{0,80}line-through", re.IGNORECASE)
HIDING_HINTS = (
    "line-through", "screen-reader-text", "sr-only", "visually-hidden", "katex-html", "sharedaddy",
    "jp-related",
)  # fmt: skip
"""What attributes of such elements contain: a fast check."""
_MEANINGFUL = frozenset(("q", "sup", "sub", "td", "th", "ol", "img"))
_BLOCKS = frozenset(("p", "div", "table", "ul", "ol", "li", "blockquote", "h1", "h2", "h3", "h4", "br"))
_INLINE = frozenset(("q", "sup", "sub"))
_LOOKS = frozenset(("i", "em", "b", "strong", "var", "span", "mi", "mn"))
_CELLS = ("td", "th")
_SUPERSCRIPTS = str.maketrans("0123456789+-−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_EXPONENT = re.compile(r"[+−-]?\d{1,4}|n")
_NOTE = re.compile(r"\[?(?:\d{1,3}|[a-z*†‡§])(?:,\s?\d{1,3})*\]?")
_UNLINKED_NOTE = re.compile(r"\[[^\]]{1,9}\]|(?:\d{1,3}|[*†‡§]{1,3})(?:,\s?\d{1,3})*")
"""Not a letter: "XIX<sup>e</sup>", "n<sup>o</sup>"."""
_VARIABLE = re.compile(r"[i-kpqtx-z]")
"""A letter that is an exponent, and no end of an ordinal number."""
_BASE = re.compile(r"(?:\d|[)\]])\Z|(?<![^\W\d_])[^\W\d_]{1,3}\Z")
_SHORT_BASE = re.compile(r"(?<![^\W_])[0-9a-z]\Z")
"""What an exponent follows: a number, a bracket, or the few letters of a unit or symbol."""
_SLASHES = ("/", "⁄", "∕")
_SLASH = re.compile(r"\s?[/⁄∕]\s?")
_PICTURES = re.compile(r"emoji|smiley|latex|math|tex\b", re.IGNORECASE)
_ESCAPED_MARKUP = re.compile(
    r"&lt;/(?:p|div|ul|ol|li|h[1-6]|blockquote)\s{0,9}&gt;|&lt;a\s{1,9}href", re.IGNORECASE
)
_MIN_ESCAPED = 3
"""Ends of other elements that show as much: a text that has one of them mentions it. Chosen, not measured."""
_CDATA = re.compile(r"\s*<!\[CDATA\[(.*)\]\]>\s*", re.DOTALL)
_SHORTCODES = re.compile(
    r"\[embed\b[^\]\n]{0,200}\][^\[\n]{0,500}\[/embed\]"
    r"|\[/?(?:caption|gallery|embed|video|audio|playlist|vc_\w{1,40}|et_pb_\w{1,40}|contact-form-7)"
    r"(?:\s[^\]\n]{0,500})?\]"
)


def unwrap(source: str) -> str:
    """Return HTML without an escaping too many, and without shortcodes of WordPress."""
    if "<![CDATA[" in source and (whole := _CDATA.fullmatch(source)):
        source = whole[1]
    if (
        "<" not in source
        and (count := source.count("&lt;/"))
        and (count >= _MIN_ESCAPED or _ESCAPED_MARKUP.search(source))
    ):
        source = html.unescape(source)
    return _SHORTCODES.sub("", source) if "[" in source else source


def struck_elements(names: list[str]) -> frozenset[str]:
    """Return the names of struck-out elements; one that is not closed would hide the rest, and is left."""
    present = _STRUCK.intersection(names)
    return frozenset(name for name in present if names.count(name) == names.count(f"/{name}"))


def keep_meaning(split: HtmlPieces) -> HtmlPieces:
    """Return the pieces with the meaning of their tags written into the texts."""
    present = _MEANINGFUL.intersection(split.names)
    if not present:
        return split
    texts = list(split.texts)
    if "img" in present:
        _write_pictures(split, texts)
    if present & {"sup", "sub"}:
        _write_scripts(split, texts)
    if "q" in present:
        _write_quotations(split.names, texts)
    if "ol" in present:
        _write_numbers(split, texts)
    if present & {"td", "th"}:
        _write_columns(split, texts)
    return split._replace(texts=texts)


def write_inline_meaning(source: str) -> str:
    """Return the HTML of a page with the meaning of exponents, quotations and struck-out text in its texts.

    For a page's article is found by a library that drops these elements or splits lines at them.
    """
    split = split_html(source)
    struck = struck_elements(split.names)
    written = struck | _INLINE
    if written.isdisjoint(split.names):
        return source
    texts = list(split.texts)
    for start, end in _elements(split.names, tuple(struck)):
        texts[start + 1 : end + 1] = [""] * (end - start)
    _write_scripts(split._replace(texts=texts), texts)
    _write_quotations(split.names, texts)
    tags = [
        "" if not name or name.removeprefix("/") in written else f"<{name}{attributes}>"
        for name, attributes in zip(split.names, split.attributes, strict=True)
    ]
    joined = [""] * (len(texts) + len(tags))
    joined[::2], joined[1::2] = texts, tags
    return "".join(joined)


def _write_quotations(names: list[str], texts: list[str]) -> None:
    for at, name in enumerate(names):
        if name == "q":
            texts[at + 1] = '"' + texts[at + 1].lstrip()
        elif name == "/q":
            texts[at] = texts[at].rstrip() + '"'


def _write_pictures(split: HtmlPieces, texts: list[str]) -> None:
    for at, (name, attributes) in enumerate(zip(split.names, split.attributes, strict=True)):
        if name != "img" or (
            attributes.isascii() and "&" not in attributes and not _PICTURES.search(attributes)
        ):
            continue
        alt = (attribute_value(attributes, "alt") or "").strip()
        sign = 0 < len(alt) <= 8 and not any(map(str.isalnum, alt)) and not alt.isascii()
        if sign or (alt and _PICTURES.search(attribute_value(attributes, "class") or "")):
            texts[at + 1] = html.escape(alt, quote=False) + texts[at + 1]


def _write_scripts(split: HtmlPieces, texts: list[str]) -> None:
    """Write exponents, indices and fractions, and take marks of footnotes out."""
    for start, end in _elements(split.names, ("sup", "sub")):
        inner = range(start + 1, end + 1)
        content = decode_references("".join(texts[at] for at in inner)).strip()
        before = _text_before(split.names, texts, start)
        linked = "a" in split.names[start:end]
        if split.names[start] == "sub":
            written = _index(content, before)
        elif not linked and content.isdigit() and _is_fraction(split.names, texts, end, before):
            written = f" {content}" if before[-1:].isdigit() else content
        else:
            written = _power(content, before, linked)
        for at in inner:
            texts[at] = ""
        texts[start + 1] = html.escape(written, quote=False)


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
    """Write the numbers of ordered lists before the first text of each item."""
    counts: list[int | None] = []  # of the lists that are open; None: not ordered
    pending = ""
    for at, (name, attributes) in enumerate(zip(split.names, split.attributes, strict=True)):
        if name == "ol":
            start = (attribute_value(attributes, "start") or "1").strip()
            counts.append(_number(start, 1))
        elif name in ("ul", "menu"):
            counts.append(None)
        elif name in ("/ol", "/ul", "/menu") and counts:
            counts.pop()
        elif name == "li":
            pending = ""
            if counts and (count := counts[-1]) is not None:
                count = _number(attribute_value(attributes, "value") or "", count)
                pending, counts[-1] = f"{count}. ", count + 1
        if pending and texts[at + 1].strip():
            texts[at + 1] = pending + texts[at + 1].lstrip()
            pending = ""


def _number(written: str, default: int) -> int:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 7 else default


def _write_columns(split: HtmlPieces, texts: list[str]) -> None:
    """Write `|` between the cells of rows without blocks, and `-` into empty ones."""
    for start, end in _rows(split.names):
        names = split.names[start:end]
        cells = [start + at for at, name in enumerate(names) if name in _CELLS]
        if len(cells) < 2 or not _BLOCKS.isdisjoint(names):
            continue
        for cell, follower in zip(cells, [*cells[1:], end], strict=True):
            if not "".join(texts[cell + 1 : follower + 1]).strip():
                texts[cell + 1] = "-"
            if cell != cells[0]:
                texts[cell + 1] = "| " + texts[cell + 1].lstrip()


def _rows(names: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last index of each row: from `tr` to the next `tr` or the row's end."""
    start = None
    for at, name in enumerate(names):
        if name in ("tr", "/tr", "/table", "table"):
            if start is not None:
                yield start, at
            start = at if name == "tr" else None


def _elements(names: list[str], tags: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Yield the indices of the opening and closing tags of elements without one of the same name inside."""
    start: dict[str, int] = {}
    for at, name in enumerate(names):
        if name in tags:
            start[name] = at
        elif name[:1] == "/" and name[1:] in start:
            yield start.pop(name[1:]), at
