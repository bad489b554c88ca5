"""Edit one sentence of a draft in place: a span of one field's text is replaced. Pure."""

import re
from typing import Any, Literal, NamedTuple, get_args

from pipeline.articles.front_matter import loads
from pipeline.articles.sentence_diff import moved
from pipeline.domain.errors import OutputError, ReviewError
from pipeline.services.edit import DraftEdit, edit_of

Field = Literal["title", "description", "body", "alt", "tags"]
"""The fields of an article that are edited in place."""
_LEAD = re.compile(r"[ \t]*(?:(?:>|#{1,6}|[-*+]|\d{1,9}[.)])(?:[ \t]+|$))*")
"""What a line may have before its text: indentation, markers of quotations, headings and list items."""


class Span(NamedTuple):
    """A sentence in the text of a field; `start` and `end` are character offsets, half-open."""

    field: Field
    start: int
    end: int


class SentenceEdit(NamedTuple):
    """The edit of a whole draft that replaces a sentence, and where the new sentence is."""

    edit: DraftEdit
    text: str
    """The field's new text."""
    span: Span


def span_of(field: str, start: str, end: str) -> Span:
    """Return the span that a form names. Raises ReviewError."""
    named = next((name for name in get_args(Field) if name == field), None)
    if named is None:
        names = ", ".join(get_args(Field))
        raise ReviewError(
            f"{field[:40]!r} is no field that is edited in place; it is one of {names}", field="field"
        )
    if not (start.isdecimal() and end.isdecimal() and len(start) < 9 and len(end) < 9):
        raise ReviewError("the place of the sentence is missing; load the page again", field="start")
    return Span(named, int(start), int(end))


def field_text(text: str, field: Field) -> str:
    """Return a field of a draft's text as it is edited. Raises ReviewError."""
    try:
        metadata, body = loads(text)
    except OutputError as error:
        raise ReviewError(f"{error.message}; restore a version that can be read, or fix the file") from error
    return _text(metadata, body, field)


def replace_sentence(text: str, span: Span, before: str, after: str) -> SentenceEdit:
    """Replace the words `before`, which stand at a span of a draft's text, with `after`.

    Without words the sentence is deleted, and with the last one of a line its marker. If the words are not at
    the span, but once elsewhere in the field, they are replaced there. Raises ReviewError.
    """
    old = field_text(text, span.field)
    start, end = _place(old, span, before)
    if span.field == "body":
        after = after if "\r\n" not in old else after.replace("\n", "\r\n")
    else:
        after = " ".join(after.split())
    if start == end and after.strip() and span.field == "body":
        lead, tail = _surroundings(old, start)
        after = after.strip()
        new = f"{old[:start]}{lead}{after}{tail}{old[end:]}"
        start += len(lead)
    elif after.strip():
        start, end, after = _unpadded(old, start, end, after)
        new = old[:start] + after + old[end:]
    else:
        start, end = _with_space(old, start, end)
        new, after = old[:start] + old[end:], ""
    return SentenceEdit(_edit(text, span.field, new), new, Span(span.field, start, start + len(after)))


def span_in(new_text: str, edit: SentenceEdit) -> Span:
    """Return where an edited sentence is in the field's text as it was saved."""
    field, start, end = edit.span
    at = moved(start, edit.text, new_text)
    words = edit.text[start:end]
    if new_text[at : at + len(words)] != words:
        places = [match.start() for match in re.finditer(re.escape(words), new_text)] if words else []
        at = min(places, key=lambda place: abs(place - at), default=at)
    return Span(field, at, min(at + len(words), len(new_text)))


def _place(old: str, span: Span, before: str) -> tuple[int, int]:
    """Return where the words `before` are in a field's text. Raises ReviewError."""
    words = before.replace("\n", "\r\n") if "\r\n" in old else before
    if old[span.start : span.end] == words:
        return span.start, span.end
    if words.strip() and old.count(words) == 1:
        return old.index(words), old.index(words) + len(words)
    raise ReviewError("the sentence is not at that place; load the page again", field="before")


def _unpadded(old: str, start: int, end: int, after: str) -> tuple[int, int, str]:
    """Return a span and its new words without the white space that surrounds both."""
    words = old[start:end]
    lead, tail = len(words) - len(words.lstrip()), len(words) - len(words.rstrip())
    if words.strip():
        start, end = start + lead, end - tail
    return start, end, after.strip()


def _surroundings(old: str, at: int) -> tuple[str, str]:
    """Return what goes before and after a sentence that is written where one was deleted."""
    line, eol = old.rfind("\n", 0, at) + 1, "\r\n" if "\r\n" in old else "\n"
    before, after = old[line:at], old[at:].partition("\n")[0]
    if before:
        ends_here = not after or after[0].isspace()
        return "" if before[-1].isspace() else " ", "" if ends_here else " "
    if after.startswith("#"):
        return "", 2 * eol
    if after.strip():
        return _marker(after), eol if _marker(after) else " "
    return _marker(old[:line].rstrip("\r\n").rpartition("\n")[2]), eol


def _marker(line: str) -> str:
    """Return the markers of a list item or a quotation with which a line begins."""
    lead = _LEAD.match(line)
    return "" if lead is None or "#" in lead[0] else lead[0]


def _with_space(old: str, start: int, end: int) -> tuple[int, int]:
    """Return the span that goes with a sentence: with the space after it; its line if it is alone."""
    line = max(old.rfind("\n", 0, start), old.rfind("\r", 0, start)) + 1
    stop = re.compile(r"\r?\n|\Z").search(old, end)
    line_end = len(old) if stop is None else stop.start()
    marker = _LEAD.match(old, line, start)
    alone = marker is not None and marker.end() >= start and not old[end:line_end].strip()
    if not alone:
        spaces = re.compile(r"[ \t]*").match(old, end)
        after = end if spaces is None else spaces.end()
        if after < line_end:
            return start, after
        return len(old[line:start].rstrip()) + line, line_end
    return _whole_line(old, line, line_end if stop is None else stop.end())


def _whole_line(old: str, line: int, end: int) -> tuple[int, int]:
    """Return the span of a line; with an empty line, where one was before and one is after it."""
    blank = re.compile(r"[ \t]*(?:\r?\n)")
    before_blank = line == 0 or re.search(r"(?:\A|\n)[ \t]*\r?\n\Z", old[:line]) is not None
    after = blank.match(old, end)
    if before_blank and after is not None:
        return line, after.end()
    return line, end


def _text(metadata: dict[str, Any], body: str, field: Field) -> str:
    if field == "body":
        return body
    if field == "tags":
        tags = metadata.get("tags")
        return ", ".join(str(tag) for tag in tags) if isinstance(tags, list) else ""
    if field == "alt":
        cover = metadata.get("coverImage")
        if not isinstance(cover, dict):
            raise ReviewError("the draft has no cover image, so it has no alt text", field="alt")
        return str(cover.get("alt") or "")
    return str(metadata.get(field) or "")


def _edit(text: str, field: Field, new: str) -> DraftEdit:
    """Return the edit of a draft's text that changes one field."""
    if field == "tags":
        return edit_of(text, tags=tuple(tag for tag in map(str.strip, new.split(",")) if tag))
    return edit_of(text, **{field: new})
