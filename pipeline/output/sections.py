"""A body's sections: where each stands, and one replaced with every other byte unchanged. Pure."""

import re
from typing import NamedTuple

from pipeline.errors import ReviewError

_LINE = re.compile(r"^(?:(?P<fence> {0,3}(?:```|~~~))|##[ \t]+(?P<heading>[^\r\n]*?)[ \t]*)(?=\r?$)", re.M)


class Part(NamedTuple):
    """A section, and where its text stands: from behind its heading's line to the next heading."""

    heading: str
    start: int
    end: int


def parts(body: str) -> list[Part]:
    """Return the sections of a body, by their `##` headings outside of code."""
    found, fenced = [], False
    for line in _LINE.finditer(body):
        if line["fence"]:
            fenced = not fenced
        elif not fenced:
            found.append((line["heading"], line.start(), line.end()))
    ends = [*(start for _, start, _ in found), len(body)][1:]
    return [Part(heading, behind, end) for (heading, _, behind), end in zip(found, ends, strict=True)]


def part(body: str, heading: str) -> Part:
    """Return the section called `heading`, whatever its case. Raises ReviewError naming those there are."""
    every = parts(body)
    for one in every:
        if one.heading.casefold() == heading.strip().casefold():
            return one
    names = ", ".join(f'"{one.heading}"' for one in every) or "none"
    raise ReviewError(f'the draft has no section "{heading}"; it has {names}', section=heading)


def text_of(body: str, one: Part) -> str:
    """Return a section's text without the white space around it."""
    return body[one.start : one.end].strip()


def replaced(body: str, one: Part, text: str) -> str:
    """Return the body with a section's text replaced; the white space around it stays, too."""
    old = body[one.start : one.end]
    inner = old.strip()
    if not inner:
        tail = "\n\n" if one.end < len(body) else "\n"
        return f"{body[: one.start]}\n\n{text.strip()}{tail}{body[one.end :]}"
    begin = one.start + old.index(inner)
    return body[:begin] + text.strip() + body[begin + len(inner) :]
