"""Text of models and feeds as Markdown that no site generator takes for anything else.

Nothing is rendered or parsed: whatever could begin raw HTML, a template tag, a directive, a heading, a fence
or a link elsewhere than to http(s) is broken, in any context, so that no parser's idea of the context counts.
What readers see stays the same but for a space within `{{`. Code is not a part of news: backticks are shown.

A body's sections: where each stands, and one replaced with every other byte unchanged. Pure.
"""

import html
import re
from typing import NamedTuple

from pipeline.domain.errors import ReviewError

_LINE_END = re.compile("\r\n?|[\x85\u2028\u2029\x0b\x0c]")
_CONTROL = re.compile("[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")
_PAIRS = r"(?<!\\)((?:\\\\)*)"
"""Whole pairs of backslashes: what follows is not escaped."""
_START = r"^((?:[ \t>]|[-*+][ \t]|[0-9]{1,9}[.)][ \t])*)"
"""A line's beginning: indentation, quotations and list markers that a block may stand in."""
_URL = r"https?://(?:[^\s()<>{}\[\]\\\"'`]|\([^\s()<>{}\[\]\\\"'`]*\))+"

_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE | re.ASCII | re.IGNORECASE), replacement)
    for pattern, replacement in (
        # A brace by its number would be one again in the rendered page, where Vue looks for `{{`.
        (r"&(?:#0*123|#x0*7b|lbrace|lcub);", "{"),
        # Template tags of Hugo, Jekyll, Eleventy, Vue: read before Markdown is, so no backslash helps.
        (r"\{(?=\\*[{%#<])", "{ "),
        # Attributes and directives of kramdown, expressions of MDX.
        (_PAIRS + r"\{", r"\1\\{"),
        # Raw HTML, autolinks, `<%`, `<?`, `--8<--`. An entity, since not every parser knows `\<`.
        (_PAIRS + r"\\?<(?=[a-z/!?%-])", r"\1&lt;"),
        (r":(?=:)", r":\\"),
        (_PAIRS + r"`", r"\1\\`"),
        (r"^(?: {4,}[ \t]*| *\t[ \t]*)", "   "),
        (_START + r"(?=#|~~~|=+[ \t]*$|-+[ \t]*$)", r"\1\\"),
        # Links: inline ones to http(s) stay, definitions go, and with them every reference.
        (rf"\]\((?!{_URL}\))", r"]\\("),
        (r"\]:", r"]\\:"),
    )
)

_IMAGE_OR_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_MARKER = re.compile(_START, re.MULTILINE)
_MARKERS = re.compile(r"\A(?:(?:[-*+>•]|#{1,6})(?: |\Z))+")
_EMPHASIS = re.compile(r"(?<![\\\w*_])(\*\*|__|\*|_)(?=\S)(.+?)(?<=\S)\1(?![\w*_])")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


def without_controls(text: str) -> str:
    """Return `text` without control characters and byte order marks; every kind of line end is one `LF`."""
    return _CONTROL.sub("", _LINE_END.sub("\n", text))


def safe_markdown(text: str) -> str:
    """Return `text` with everything broken that a generator might act on; done twice, it changes nothing.

    Ordinary text is left alone: prices, `a < b`, `AT&T`, emphasis, lists, quotations, links to http(s).
    """
    text = without_controls(text)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text.strip("\n")


def safe_line(text: str) -> str:
    """Return `text` as safe Markdown in one line, without a heading's or a bullet's marker."""
    return safe_markdown(_MARKERS.sub("", " ".join(text.split())))


def plain_text(markdown: str) -> str:
    """Return the words of a piece of Markdown in one line."""
    text = _MARKER.sub("", markdown)
    text = _EMPHASIS.sub(r"\2", _IMAGE_OR_LINK.sub(r"\1", text))
    return " ".join(html.unescape(_ESCAPE.sub(r"\1", text)).split())


_LINE = re.compile(r"^(?:(?P<fence> {0,3}(?:```|~~~))|##[ \t]+(?P<heading>[^\r\n]*?)[ \t]*)(?=\r?$)", re.M)


class Section(NamedTuple):
    """A section, and where its text stands: from behind its heading's line to the next heading."""

    heading: str
    start: int
    end: int


def sections(body: str) -> list[Section]:
    """Return the sections of a body, by their `##` headings outside of code."""
    found, fenced = [], False
    for line in _LINE.finditer(body):
        if line["fence"]:
            fenced = not fenced
        elif not fenced:
            found.append((line["heading"], line.start(), line.end()))
    ends = [*(start for _, start, _ in found), len(body)][1:]
    return [Section(heading, behind, end) for (heading, _, behind), end in zip(found, ends, strict=True)]


def find_section(body: str, heading: str) -> Section:
    """Return the section called `heading`, whatever its case. Raises ReviewError naming those there are."""
    every = sections(body)
    for one in every:
        if one.heading.casefold() == heading.strip().casefold():
            return one
    names = ", ".join(f'"{one.heading}"' for one in every) or "none"
    raise ReviewError(f'the draft has no section "{heading}"; it has {names}', section=heading)


def section_text(body: str, one: Section) -> str:
    """Return a section's text without the white space around it."""
    return body[one.start : one.end].strip()


def replace_section(body: str, one: Section, text: str) -> str:
    """Return the body with a section's text replaced; the white space around it stays, too."""
    old = body[one.start : one.end]
    inner = old.strip()
    if not inner:
        tail = "\n\n" if one.end < len(body) else "\n"
        return f"{body[: one.start]}\n\n{text.strip()}{tail}{body[one.end :]}"
    begin = one.start + old.index(inner)
    return body[:begin] + text.strip() + body[begin + len(inner) :]
