"""Front matter as an approval writes it: without HTML, with attested keys and a current description."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.articles.markdown import section_text, sections
from pipeline.articles.render import first_sentence, make_description
from pipeline.domain.models import Beat
from pipeline.domain.reviews import Finding, Front, Severity
from pipeline.domain.text import without_elements

_KIND = "front-matter"
_ATTESTED = {
    "externalId": "it names the article for ever",
    "source": "attribution is part of every article",
    "ai": "readers are told who wrote the article",
}
"""Keys that an editor cannot change, and why."""
_MUTABLE_AI_KEY = "checks"
"""The key of `ai` that may change with every edit."""
_HTML_FREE_KEYS = ("title", "description", "source", "coverImage")
_DISTINCTIVE_KEYS = frozenset(("externalId", "ai", "source", "publishedAt", "stickyWeight", "sentiment"))
"""Keys by which Copydesk's front matter is recognised."""


def front_of(
    metadata: Mapping[str, Any],
    body: str,
    beat: Beat,
    *,
    before: str | None = None,
    origin: Mapping[str, Any] | None = None,
) -> Front:
    """Return a file's front matter as an approval would write it.

    `before` is the body of the last stored version: a description that was taken from its Overview is
    updated to the new Overview. `origin` is the front matter that Copydesk wrote last: its attested keys are
    restored. The article is Copydesk's own where `origin` is given or where it has one of its keys.
    Idempotent.
    """
    approved, notes = dict(metadata), []
    for key in _HTML_FREE_KEYS:
        if key in approved and (clean := _without_html(approved[key])) != approved[key]:
            approved[key] = clean
            notes.append(_note(f"{key} has HTML; approval takes it out"))
    for key, why in _ATTESTED.items():
        if origin and (attested := _attested(key, approved.get(key), origin.get(key))) is not None:
            approved = _insert_key(approved, key, attested, list(origin))
            notes.append(_note(f"{key} is not as the ledger has it; approval puts it back, since {why}"))
    description = approved.get("description")
    if "description" in approved and description in (None, ""):
        approved["description"] = description = overview_start(body, beat) or description
    elif isinstance(description, str) and before is not None:
        approved["description"] = description = following(description, before, body, beat)
    return Front(
        metadata=approved,
        follows=is_overview_start(description, body, beat),
        is_ours=origin is not None or not _DISTINCTIVE_KEYS.isdisjoint(metadata),
        notes=tuple(notes),
    )


def is_overview_start(description: object, body: str, beat: Beat) -> bool:
    """Tell whether a description was taken from the Overview, or from a brief's second paragraph.

    It is their first 180 characters or their first sentence.
    """
    return isinstance(description, str) and bool(description) and _place(description, body, beat) is not None


def overview_start(body: str, beat: Beat) -> str:
    """Return the description of a body: the beginning of its Overview, empty where it has none."""
    return next((starts[0] for starts in _overview_starts(body, beat)), "")


def following(description: str, old_body: str, body: str, beat: Beat) -> str:
    """Return the description of a changed body: updated where it was taken from the old Overview."""
    place = _place(description, old_body, beat)
    if place is None or is_overview_start(description, body, beat):
        return description
    new_starts = _overview_starts(body, beat)
    # A brief's description leaves out the line that names its source, while that line is unchanged.
    named = place[0] and _attribution(old_body, beat) == _attribution(body, beat)
    if not new_starts:
        return description
    beginning, sentence = new_starts[-1] if named else new_starts[0]
    return (place[1] and sentence) or beginning


def _place(description: str, body: str, beat: Beat) -> tuple[int, int] | None:
    """Return which paragraph a description was taken from, and whether (1) as its first sentence."""
    for paragraph, starts in enumerate(_overview_starts(body, beat)):
        if description in starts:
            return paragraph, starts.index(description)
    return None


def _overview_starts(body: str, beat: Beat) -> list[tuple[str, str]]:
    """Return the descriptions that the Overview, and then its second paragraph, begin with.

    Each is a pair: the first 180 characters, and the first sentence, empty where that is longer.
    """
    overviews = list(_overviews(body, beat))
    return [
        (start, first_sentence(part))
        for text in overviews[:1]
        for part in (text, text.partition("\n\n")[2])
        if (start := make_description(part))
    ]


def _attribution(body: str, beat: Beat) -> str:
    return next((text.partition("\n\n")[0] for text in _overviews(body, beat)), "")


def _overviews(body: str, beat: Beat) -> Iterator[str]:
    body = body.replace("\r\n", "\n")
    for section in sections(body):
        if section.heading.casefold() == beat.overview.casefold():
            yield section_text(body, section)


def _without_html(value: object) -> Any:  # noqa: ANN401 - of YAML
    if isinstance(value, str):
        return without_elements(value)
    if isinstance(value, dict):
        return {key: _without_html(inner) for key, inner in value.items()}
    return [_without_html(inner) for inner in value] if isinstance(value, list) else value


def _attested(key: str, current: object, recorded: object) -> object | None:
    """Return the value that replaces the one of an attested key; None where it may stay."""
    recorded = _without_html(recorded)
    if not isinstance(recorded, dict):
        return recorded if recorded not in (None, current) else None
    added = current if isinstance(current, dict) else {}
    if all(
        added.get(name) == value for name, value in recorded.items() if (key, name) != ("ai", _MUTABLE_AI_KEY)
    ):
        return None
    return recorded | {
        name: value for name, value in added.items() if name not in recorded or name == _MUTABLE_AI_KEY
    }


def _insert_key(metadata: dict[str, Any], key: str, value: object, order: list[str]) -> dict[str, Any]:
    """Return front matter with a key; a missing key is inserted at its place in `order`."""
    if key in metadata:
        return {**metadata, key: value}
    names, place = list(metadata), order.index(key)
    before = [number for number, name in enumerate(names) if name in order[:place]]
    after = [number for number, name in enumerate(names) if name in order[place + 1 :]]
    at = after[0] if after else before[-1] + 1 if before else len(names)
    head = {name: metadata[name] for name in names[:at]}
    return {**head, key: value, **{name: metadata[name] for name in names[at:]}}


def _note(message: str) -> Finding:
    return Finding(kind=_KIND, severity=Severity.NOTE, message=f"{message}.", field="front matter")
