"""Sections: puts the topical sections of an answer right by rule, instead of asking the model again. Pure.

No word of a body is lost and none is added; headings that cannot stand are.
"""

import re
from collections.abc import Collection, Iterable

from pipeline.articles.article import Section
from pipeline.domain.models import Beat
from pipeline.domain.text import one_line, replace_surrogates, sentences, truncate

MAX_SECTIONS = 3
"""As the prompt asks for."""
_MAX_HEADING_CHARS = 60
"""Characters of a heading that is taken from its text. Chosen, not measured."""
_HEADING = re.compile(r"^ {0,3}#{1,6}(?:[ \t]+(?P<words>.*))?$", re.MULTILINE)


def put_right_sections(
    answered: Iterable[tuple[str, str]], elsewhere: Collection[str], beat: Beat, notes: list[str]
) -> tuple[Section, ...]:
    """Return at most MAX_SECTIONS sections with headings of their own, from pairs of heading and body.

    A section without a heading that can stand joins its neighbour, as does one beyond the last. Sections
    without a text are left out, and those that repeat one of the texts that stand `elsewhere`.
    """
    fixed = {heading.casefold() for heading in beat.headings}
    other_texts = {one_line(text) for text in elsewhere}
    sections: list[tuple[str, str]] = []
    for raw, text in answered:
        heading = one_line(replace_surrogates(raw)).strip("#*_ :")
        body = without_headings(replace_surrogates(text), beat, notes, heading)
        if not body or (heading.casefold() in fixed and one_line(body) in other_texts):
            notes.append(f"section without a text of its own left out: {heading[:60]}")
            continue
        _add(sections, "" if heading.casefold() in fixed else heading, body, notes)
    return tuple(Section(heading=heading, body=body) for heading, body in _named(sections, notes))


def without_headings(text: str, beat: Beat | None, notes: list[str], heading: str = "") -> str:
    """Return a text without Markdown headings: their words stay, unless they only name the section."""
    if "#" not in text:
        return text.strip()
    names = {heading.casefold(), *(map(str.casefold, beat.headings) if beat else ())}

    def plain(line: re.Match[str]) -> str:
        words = (line["words"] or "").strip("#*_ \t:")
        return "" if words.casefold() in names else words

    plain_text = re.sub(r"\n{3,}", "\n\n", _HEADING.sub(plain, text)).strip()
    if plain_text != text.strip():
        notes.append("headings inside a text removed")
    return plain_text


def _add(sections: list[tuple[str, str]], heading: str, body: str, notes: list[str]) -> None:
    """Add a section, or its body to the section that it belongs to."""
    same = [at for at, (name, _) in enumerate(sections) if name.casefold() == heading.casefold()]
    if same:
        notes.append(f"sections of one heading joined: {heading[:60]}")
    elif sections and (not heading or len(sections) == MAX_SECTIONS):
        notes.append(f"section joined with the one before it: {heading[:60]}")
        same = [len(sections) - 1]
    if not same:
        sections.append((heading, body))
        return
    name, before = sections[same[0]]
    sections[same[0]] = (name, before if body in before else f"{before}\n\n{body}")


def _named(sections: list[tuple[str, str]], notes: list[str]) -> list[tuple[str, str]]:
    """Return sections of which also the first has a heading: the next one's, or the beginning of its text."""
    if not sections or sections[0][0]:
        return sections
    (_, body), *others = sections
    if others:
        notes.append("section without a heading joined with the next one")
        (heading, following), *rest = others
        return [(heading, f"{body}\n\n{following}"), *rest]
    notes.append("heading taken from the text")
    return [(truncate(one_line(sentences(body)[0]), _MAX_HEADING_CHARS).rstrip(". "), body)]
