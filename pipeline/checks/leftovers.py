"""Kind `form`: what a model left behind, and what a site generator would act on."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from pipeline.checks.page import Page
from pipeline.checks.phrases import A, W, any_of
from pipeline.checks.tables import table
from pipeline.models import Finding, Severity

_EVERYWHERE = "en"
"""Models fall back into this language."""
_PLACEHOLDER = re.compile(
    r"\[(?:insert|add|your|name|date|source|link|url|company|amount|figure|number|quote|author|title|todo|tbd|tbc"
    r"|xx+|citation|einfügen|hier|datum|quelle|betrag|zahl|zitat)\b[^\[\]\n]{0,80}\](?!\()"
    r"|[<‹](?:insert|add|your|name|date|company|amount)\b[^<>‹›\n]{0,80}[>›]"
    r"|\b(?-i:TODO|TBD|TKTK|FIXME|XXX)\b",
    re.IGNORECASE,
)
_ACTED_ON = re.compile(
    r"\{\{|\{%|\{<|\{#|^:{3,}|(?<!\S)::[a-z]{1,40}\{|^::[a-z]|^(?:---|\+\+\+)[ \t]*\r?$|<!--\s{0,5}more",
    re.MULTILINE,
)
_MOST = 20


def check_leftovers(page: Page, source: str, language: str) -> list[Finding]:
    """Return findings about talk that is no article, placeholders, and signs that generators read.

    What the source says, too, is reported; and what is quoted is somebody else's talk.
    """
    found = [*_acted_on(page.body), *_placeholders(page)]
    for code in dict.fromkeys((_EVERYWHERE, language)):
        if talk := _talk(code):
            found += islice(_talked(page, source.casefold(), talk), _MOST)
    return found


@lru_cache(maxsize=32)
def _talk(language: str) -> tuple[re.Pattern[str], re.Pattern[str]] | None:
    """Return what a model says of its work, and the first words of its notes."""
    told = table(language, "form")
    if told is None:
        return None
    notes = "|".join(map(re.escape, told["notes"]))
    noted = re.compile(rf"^[ \t>*(-]{{0,8}}(?P<note>(?:{notes})\s?:)", re.IGNORECASE | re.MULTILINE)
    return any_of(*(one.replace("{A}", A).replace("{W}", W) for one in told["leftovers"])), noted


def _talked(page: Page, source: str, talk: tuple[re.Pattern[str], re.Pattern[str]]) -> Iterator[Finding]:
    said, noted = talk
    for found in said.finditer(page.text):
        if found[0].casefold() not in source and not page.quotes(found.start()):
            yield _finding(Severity.BLOCK, f"{_shown(found)} is a model's talk: remove it.", page, found)
    for found in noted.finditer(page.text):
        span = page.span(*found.span("note"))
        why = f'"{found["note"]}" speaks to editors: remove it.'
        yield Finding(kind="form", severity=Severity.WARN, message=why, span=span)


def _placeholders(page: Page) -> Iterator[Finding]:
    for found in islice(_PLACEHOLDER.finditer(page.text), _MOST):
        yield _finding(
            Severity.BLOCK, f"{_shown(found)} holds the place of something: write that.", page, found
        )


def _acted_on(body: str) -> Iterator[Finding]:
    """Yield signs of the body itself: escapes help little, since generators read them before Markdown is."""
    for found in islice(_ACTED_ON.finditer(body), _MOST):
        rule = found[0].strip() in ("---", "+++")
        said = f"{_shown(found)} means something to site generators: take it out."
        severity = Severity.WARN if rule else Severity.BLOCK
        yield Finding(kind="form", severity=severity, message=said, span=found.span(), firm=not rule)


def _finding(severity: Severity, said: str, page: Page, found: re.Match[str]) -> Finding:
    return Finding(kind="form", severity=severity, message=said, span=page.span(*found.span()))


def _shown(found: re.Match[str]) -> str:
    return f'"{" ".join(found[0].split())[:60]}"'
