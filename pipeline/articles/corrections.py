"""Corrections of published articles: entries of front matter, and the section that tells readers. Pure.

The section is rendered from the front matter, so a text that is exactly this is known to be ours.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple

from pipeline.articles.markdown import plain_text, safe_line, sections, without_controls
from pipeline.articles.yaml_dump import replace_unwritable
from pipeline.domain.correction_labels import CorrectionLabels, correction_labels, day_text
from pipeline.domain.sentence_diff import changed_sentences
from pipeline.domain.text import ends_sentence, one_line, truncate, utc_iso, whole_sentences, without_elements

NOTE_KEY = "correction"
"""Key of a draft: what an editor wants readers to be told when its revision is approved."""
LIST_KEY = "corrections"
RETRACTED_KEY = "retracted"
_RETRACTED = "retracted"
"""What an entry says that a retracted article is, in every language."""
_MAX_ENTRIES = 8
"""Changed sentences of one correction that are shown. Chosen, not measured."""
_MAX_SENTENCE_CHARS = 500
"""Of a sentence in an entry. Chosen, not measured."""
_BLOCK = re.compile(r"\n[ \t]*\n|\n(?=[ \t]*(?:[-*+>#]|\d{1,3}[.)])[ \t])|\n(?=[ \t]*>)")
_HEADING = re.compile(r"\A\s{0,3}#{1,6}[ \t]+")
_TEMPLATE = re.compile(r"\{(?=[{%#<])")
"""Beginning of a template's tag, which some generators read in front matter, too."""


class Correction(NamedTuple):
    """An entry of `corrections`: what a sentence was and is, why, and who approved it."""

    at: str
    """Time of the approval, as front matter writes it."""
    was: str
    now: str
    note: str
    by: str

    @property
    def as_mapping(self) -> dict[str, str]:
        """The entry with its keys in their order."""
        return {"at": self.at, "was": self.was, "is": self.now, "note": self.note, "by": self.by}


def line_for_readers(text: str) -> str:
    """Return a text as one line that YAML can hold, without HTML elements and template tags."""
    line = one_line(without_controls(replace_unwritable(text)))
    return _TEMPLATE.sub("{ ", without_elements(line))


def corrections_of(metadata: Mapping[str, Any]) -> tuple[Correction, ...]:
    """Return the entries of an article's `corrections`; what is no entry is left out."""
    listed = metadata.get(LIST_KEY)
    entries = listed if isinstance(listed, list) else []
    return tuple(
        Correction(*(str(entry.get(key) or "") for key in ("at", "was", "is", "note", "by")))
        for entry in entries
        if isinstance(entry, dict)
    )


def changes_between(
    before: tuple[Mapping[str, Any], str], after: tuple[Mapping[str, Any], str], *, follows: bool
) -> list[tuple[str, str]]:
    """Return the sentences that differ between two articles, as (was, is); empty for none.

    Each is a pair of front matter and body without the section of corrections. `follows`: both descriptions
    are the beginning of the Overview, so their changes are those of the body.
    """
    keys = ("title",) if follows else ("title", "description")
    lines = [
        tuple(line_for_readers(str(front.get(key) or "")) for front in (before[0], after[0])) for key in keys
    ]
    old, new = _sentences(before[1]), _sentences(after[1])
    pairs = [(was, now) for was, now in lines if was != now]
    pairs += [
        ("" if was is None else old[was], "" if now is None else new[now])
        for was, now in changed_sentences(old, new)
    ]
    return list(dict.fromkeys(_shortened(*pair) for pair in pairs))


def _shortened(was: str, now: str) -> tuple[str, str]:
    """Return both sentences cut at the most characters, whole where that would hide how they differ."""
    cut = truncate(was, _MAX_SENTENCE_CHARS), truncate(now, _MAX_SENTENCE_CHARS)
    return (was, now) if cut[0] == cut[1] else cut


def _sentences(body: str) -> list[str]:
    blocks = (plain_text(_HEADING.sub("", block)) for block in _BLOCK.split(body))
    texts = (sentence for block in blocks for sentence in whole_sentences(block))
    return [line for text in texts if (line := line_for_readers(text))]


def entries_for(
    changes: Sequence[tuple[str, str]], note: str, by: str, at: datetime, language: str
) -> tuple[Correction, ...]:
    """Return the entries of one correction; beyond the most that are shown, one says how many there are.

    A note about a change of no sentence, such as another cover, is an entry of its own.
    """
    moment, why = utc_iso(at), line_for_readers(note)
    listed = changes[:_MAX_ENTRIES] or ([("", "")] if why else [])
    entries = [Correction(moment, was, now, why, by) for was, now in listed]
    if len(changes) > _MAX_ENTRIES:
        more = correction_labels(language).more.format(count=len(changes) - _MAX_ENTRIES)
        entries.append(Correction(moment, "", "", more, by))
    return tuple(entries)


def with_section(body: str, heading: str, entries: Sequence[Correction], language: str) -> str:
    """Return a body with the section about its corrections at its end."""
    if not entries:
        return body
    gap = "\n" if body.endswith("\n") else "\n\n"
    return f"{body}{gap}## {safe_line(heading)}\n\n{_section_text(entries, language)}\n"


def section_start(metadata: Mapping[str, Any], body: str) -> int | None:
    """Return where the section about corrections begins in a body, whatever its heading; None without one.

    Its text is exactly what the front matter's `corrections` says: any other text is part of the article.
    """
    entries, parts = corrections_of(metadata), sections(body)
    if not entries or not parts:
        return None
    text = _section_text(entries, str(metadata.get("lang") or ""))
    return parts[-1].line if body[parts[-1].start :].strip() == text else None


def article_part(metadata: Mapping[str, Any], body: str) -> str:
    """Return a body up to the section about its corrections, which quotes what was wrong."""
    return body[: section_start(metadata, body)]


def without_section(metadata: Mapping[str, Any], body: str) -> str:
    """Return a body without the section about its corrections."""
    start = section_start(metadata, body)
    return body if start is None else body[:start].rstrip("\n") + "\n"


def _section_text(entries: Sequence[Correction], language: str) -> str:
    """Return the text of the section: a paragraph for each correction, and a list of what changed."""
    labels = correction_labels(language)
    groups = groupby(entries, key=lambda entry: entry.at)
    return "\n\n".join("\n\n".join(_blocks(list(group), labels)) for _, group in groups)


def _blocks(entries: Sequence[Correction], labels: CorrectionLabels) -> Iterator[str]:
    notes = list(dict.fromkeys(_sentence(entry.note) for entry in entries if entry.note))
    yield safe_line(" ".join([labels.on.format(date=_day(labels, entries[0].at)), *notes]))
    lines = [safe_line(text) for entry in entries if (text := _change(entry, labels))]
    if lines:
        yield "\n".join(f"- {line}" for line in lines)


def _change(entry: Correction, labels: CorrectionLabels) -> str:
    if entry.was and entry.now:
        return labels.changed.format(was=entry.was, now=entry.now)
    if entry.was:
        return labels.removed.format(was=entry.was)
    return labels.added.format(now=entry.now) if entry.now else ""


def _sentence(text: str) -> str:
    return text if ends_sentence(text) else f"{text}."


def _day(labels: CorrectionLabels, at: str) -> str:
    try:
        return day_text(labels, datetime.fromisoformat(at).astimezone(UTC))
    except (ValueError, OverflowError):
        return one_line(at)


def retracted_article(
    metadata: Mapping[str, Any], note: str, by: str, at: datetime
) -> tuple[dict[str, Any], str]:
    """Return front matter and body of the notice in place of an approved article.

    It keeps what names and classifies the article. The cover goes, and so does every sentence.
    """
    language, title = str(metadata.get("lang") or ""), str(metadata.get("title") or "")
    labels, moment, why = correction_labels(language), utc_iso(at), line_for_readers(note)
    entry = Correction(moment, title, _RETRACTED, why, by)
    front = {key: value for key, value in metadata.items() if key not in (*_LAST_KEYS, "coverImage")}
    notice = _notice(labels, moment, why)
    front |= {
        "title": labels.retracted_title.format(title=title),
        "description": line_for_readers(labels.notice.format(date=_day(labels, moment))),
        "updatedAt": moment,
        "review": {"by": by, "at": moment, "note": why},
        LIST_KEY: [each.as_mapping for each in (*corrections_of(metadata), entry)],
        RETRACTED_KEY: {"at": moment, "by": by, "note": why},
    }
    return front, notice


_LAST_KEYS = ("review", LIST_KEY, RETRACTED_KEY)


def _notice(labels: CorrectionLabels, at: str, note: str) -> str:
    sentences = [labels.notice.format(date=_day(labels, at)), labels.reason.format(note=_sentence(note))]
    return safe_line(" ".join(sentences)) + "\n"


def is_retraction(metadata: Mapping[str, Any], body: str) -> bool:
    """Tell whether a text is exactly the notice that its front matter says."""
    notice = metadata.get(RETRACTED_KEY)
    if not isinstance(notice, dict):
        return False
    labels = correction_labels(str(metadata.get("lang") or ""))
    return body == _notice(labels, str(notice.get("at") or ""), str(notice.get("note") or ""))
