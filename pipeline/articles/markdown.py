"""Markdown of articles: hostile text made safe for site generators, plain text, and a body's sections. Pure.

`safe_markdown` escapes whatever could begin raw HTML, a template tag, a directive, a heading, a code fence or
a link other than to http(s). It does so in any context, since Markdown parsers differ in their contexts. The
rendered text stays the same except for a space within `{{`. Code is escaped too: backticks are shown.
"""

import html
import re
from typing import NamedTuple

from pipeline.domain.errors import ReviewError

_LINE_END = re.compile("\r\n?|[\x85\u2028\u2029\x0b\x0c]")
_CONTROL = re.compile("[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")
_BACKSLASH_PAIRS = r"(?<!\\)((?:\\\\)*)"
"""Pairs of backslashes: what follows is not escaped."""
_BLOCK_START = r"^((?:[ \t>]|[-*+][ \t]|[0-9]{1,9}[.)][ \t])*)"
"""A line's beginning: indentation, quotation and list markers before a block."""
_URL = r"https?://(?:[^\s()<>{}\[\]\\\"'`]|\([^\s()<>{}\[\]\\\"'`]*\))+"

_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE | re.ASCII | re.IGNORECASE), replacement)
    for pattern, replacement in (
        # An entity would be a brace again in the rendered page, where Vue looks for `{{`.
        (r"&(?:#0*123|#x0*7b|lbrace|lcub);", "{"),
        # Template tags of Hugo, Jekyll, Eleventy, Vue: read before Markdown is, so no backslash helps.
        (r"\{(?=\\*[{%#<])", "{ "),
        # Attributes and directives of kramdown, expressions of MDX.
        (_BACKSLASH_PAIRS + r"\{", r"\1\\{"),
        # Raw HTML, autolinks, `<%`, `<?`, `--8<--`. An entity, since not every parser knows `\<`.
        (_BACKSLASH_PAIRS + r"\\?<(?=[a-z/!?%-])", r"\1&lt;"),
        (r":(?=:)", r":\\"),
        (_BACKSLASH_PAIRS + r"`", r"\1\\`"),
        (r"^(?: {4,}[ \t]*| *\t[ \t]*)", "   "),
        (_BLOCK_START + r"(?=#|~~~|=+[ \t]*$|-+[ \t]*$)", r"\1\\"),
        # Links: inline ones to http(s) stay, definitions go, and with them every reference.
        (rf"\]\((?!{_URL}\))", r"]\\("),
        (r"\]:", r"]\\:"),
    )
)

_IMAGE_OR_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_MARKER = re.compile(_BLOCK_START, re.MULTILINE)
_MARKERS = re.compile(r"\A(?:(?:[-*+>•]|#{1,6})(?: |\Z))+")
_EMPHASIS = re.compile(r"(?<![\\\w*_])(\*\*|__|\*|_)(?=\S)(.+?)(?<=\S)\1(?![\w*_])")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


def without_controls(text: str) -> str:
    """Return `text` without control characters and byte order marks; every kind of line end is one `LF`."""
    return _CONTROL.sub("", _LINE_END.sub("\n", text))


def safe_markdown(text: str) -> str:
    """Return `text` with everything escaped that a site generator might act on. Idempotent.

    Ordinary text is unchanged: prices, `a < b`, `AT&T`, emphasis, lists, quotations, links to http(s).
    """
    text = without_controls(text)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text.strip("\n")


def safe_line(text: str) -> str:
    """Return `text` as safe Markdown in one line, without heading and bullet markers."""
    return safe_markdown(_MARKERS.sub("", " ".join(text.split())))


def plain_text(markdown: str) -> str:
    """Return the text of Markdown in one line, without markup."""
    text = _MARKER.sub("", markdown)
    text = _EMPHASIS.sub(r"\2", _IMAGE_OR_LINK.sub(r"\1", text))
    return " ".join(html.unescape(_ESCAPE.sub(r"\1", text)).split())


_LINE = re.compile(
    r"^(?:(?P<fence> {0,3}(?:```|~~~))|##[ \t]+(?P<heading>[^\r\n]*?)(?:[ \t]+#+)?[ \t]*)(?=\r?$)", re.M
)


class Section(NamedTuple):
    """A section; its text is body[start:end], from after its heading's line to the next heading."""

    heading: str
    start: int
    end: int
    line: int
    """Where the line of the heading begins."""


def sections(body: str) -> list[Section]:
    """Return the sections of a body, by their `##` headings outside code blocks."""
    headings, fenced = [], False
    for line in _LINE.finditer(body):
        if line["fence"]:
            fenced = not fenced
        elif not fenced:
            headings.append((line["heading"], line.start(), line.end()))
    ends = [*(start for _, start, _ in headings), len(body)][1:]
    return [
        Section(heading, behind, end, line)
        for (heading, line, behind), end in zip(headings, ends, strict=True)
    ]


def find_section(body: str, heading: str) -> Section:
    """Return the section called `heading`, in any case. Raises ReviewError that names the existing ones."""
    existing = sections(body)
    for section in existing:
        if section.heading.casefold() == heading.strip().casefold():
            return section
    names = ", ".join(f'"{section.heading}"' for section in existing) or "none"
    raise ReviewError(f'the draft has no section "{heading}"; it has {names}', section=heading)


def section_text(body: str, section: Section) -> str:
    """Return a section's text without surrounding white space."""
    return body[section.start : section.end].strip()


def replace_section(body: str, section: Section, text: str) -> str:
    """Return the body with a section's text replaced and every other byte unchanged."""
    old = body[section.start : section.end]
    inner = old.strip()
    if not inner:
        tail = "\n\n" if section.end < len(body) else "\n"
        return f"{body[: section.start]}\n\n{text.strip()}{tail}{body[section.end :]}"
    begin = section.start + old.index(inner)
    return body[:begin] + text.strip() + body[begin + len(inner) :]
