"""Front matter as an approval writes it: no HTML, what the ledger attests, a description that follows."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.articles.markdown import section_text, sections
from pipeline.articles.render import make_description
from pipeline.domain.models import Beat, Finding, Front, Severity
from pipeline.domain.plain_text import without_elements

_KIND = "front-matter"
_ATTESTED = {
    "externalId": "it names the article for ever",
    "source": "attribution is part of every article",
    "ai": "readers are told who wrote the article",
}
"""Keys that an editor cannot change, and why."""
_COUNTED = "checks"
"""The one key of `ai` that changes with every edit."""
_CLEANED = ("title", "description", "source", "coverImage")
_OURS = frozenset(("externalId", "ai", "source", "publishedAt", "stickyWeight", "sentiment"))
"""Keys that no other front matter is likely to have."""


def front_of(
    metadata: Mapping[str, Any],
    body: str,
    beat: Beat,
    *,
    before: str | None = None,
    origin: Mapping[str, Any] | None = None,
) -> Front:
    """Return a file's front matter as an approval would write it.

    It is an article's of ours where the ledger knows it, or where it has one of our keys. `before` is the
    body that the ledger has for the last text: a description that was the beginning of its Overview follows
    the Overview. `origin` is the front matter that Copydesk wrote last: what it attests is put back. Done
    again with its own result, it changes nothing.
    """
    told, notes = dict(metadata), []
    for key in _CLEANED:
        if key in told and (clean := _cleaned(told[key])) != told[key]:
            told[key] = clean
            notes.append(_note(f"{key} has HTML; approval takes it out"))
    for key, why in _ATTESTED.items():
        if origin and (right := _attested(key, told.get(key), origin.get(key))) is not None:
            told = _with(told, key, right, list(origin))
            notes.append(_note(f"{key} is not as the ledger has it; approval puts it back, since {why}"))
    description = told.get("description")
    if "description" in told and description in (None, ""):
        told["description"] = description = overview_start(body, beat) or description
    elif isinstance(description, str) and before is not None:
        told["description"] = description = following(description, before, body, beat)
    return Front(
        metadata=told,
        follows=is_overview_start(description, body, beat),
        is_ours=origin is not None or not _OURS.isdisjoint(metadata),
        notes=tuple(notes),
    )


def is_overview_start(description: object, body: str, beat: Beat) -> bool:
    """Tell whether a description is cut from the Overview of a body; a brief's, behind its source's name."""
    return isinstance(description, str) and bool(description) and description in _starts(body, beat)


def overview_start(body: str, beat: Beat) -> str:
    """Return the description that a body gives by itself; empty where it has no Overview."""
    return next(iter(_starts(body, beat)), "")


def following(description: str, old_body: str, body: str, beat: Beat) -> str:
    """Return the description of a changed body: one that was cut from the Overview is cut from it anew."""
    olds = _starts(old_body, beat)
    if description not in olds or is_overview_start(description, body, beat):
        return description
    news = _starts(body, beat)
    # A brief's stays behind the line that names its source, as long as that line stands.
    named = olds.index(description) and _attribution(old_body, beat) == _attribution(body, beat)
    return (news[-1] if named else news[0]) if news else description


def _starts(body: str, beat: Beat) -> list[str]:
    found = list(_overviews(body, beat))
    return [
        start
        for text in found[:1]
        for part in (text, text.partition("\n\n")[2])
        if (start := make_description(part))
    ]


def _attribution(body: str, beat: Beat) -> str:
    return next((text.partition("\n\n")[0] for text in _overviews(body, beat)), "")


def _overviews(body: str, beat: Beat) -> Iterator[str]:
    body = body.replace("\r\n", "\n")
    for one in sections(body):
        if one.heading.casefold() == beat.overview.casefold():
            yield section_text(body, one)


def _cleaned(value: object) -> Any:  # noqa: ANN401 - as it came
    if isinstance(value, str):
        return without_elements(value)
    if isinstance(value, dict):
        return {key: _cleaned(inner) for key, inner in value.items()}
    return [_cleaned(inner) for inner in value] if isinstance(value, list) else value


def _attested(key: str, theirs: object, ours: object) -> object | None:
    """Return what is to stand in the place of a key's value; None where it may stay."""
    ours = _cleaned(ours)
    if not isinstance(ours, dict):
        return ours if ours not in (None, theirs) else None
    added = theirs if isinstance(theirs, dict) else {}
    if all(added.get(name) == value for name, value in ours.items() if (key, name) != ("ai", _COUNTED)):
        return None
    return ours | {name: value for name, value in added.items() if name not in ours or name == _COUNTED}


def _with(metadata: dict[str, Any], key: str, value: object, order: list[str]) -> dict[str, Any]:
    """Return front matter with a key; a missing one comes before those behind it in `order`."""
    if key in metadata:
        return {**metadata, key: value}
    names, place = list(metadata), order.index(key)
    known = [number for number, name in enumerate(names) if name in order[:place]]
    behind = [number for number, name in enumerate(names) if name in order[place + 1 :]]
    at = behind[0] if behind else known[-1] + 1 if known else len(names)
    told = {name: metadata[name] for name in names[:at]}
    return {**told, key: value, **{name: metadata[name] for name in names[at:]}}


def _note(said: str) -> Finding:
    return Finding(kind=_KIND, severity=Severity.NOTE, message=f"{said}.", field="front matter")
