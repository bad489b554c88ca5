"""Kind `front-matter`: keys that are missing or of a type that a static site generator cannot use."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from unicodedata import normalize

from pipeline.articles.article import Sentiment
from pipeline.checks.claims import CLAIM_CHECKS
from pipeline.checks.document import DraftDocument
from pipeline.checks.injection.calls_to_action import check_calls_to_action
from pipeline.checks.injection.check import check_contact_details, check_headline
from pipeline.checks.injection.non_article import check_language, check_markers, check_non_article
from pipeline.checks.injection.source_index import index_source
from pipeline.checks.overlap import KIND as OVERLAP
from pipeline.checks.overlap import check_overlap
from pipeline.checks.prompt_examples import check_examples, note_examples
from pipeline.checks.structure import check_artifacts
from pipeline.checks.tokens import CheckInput, TokenizedText
from pipeline.domain.alt_text import has_cover, is_headline
from pipeline.domain.models import Beat, Source
from pipeline.domain.reviews import Finding, Front, Place, Severity
from pipeline.domain.text import without_elements

KIND = "front-matter"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[0-2]\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
"""Source: RFC 3339, section 5.6, with a capital T and Z."""
_WORD_OR_FIGURE = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+|[$€£¥%]")
_REQUIRED = ("title", "publishedAt", "lang", "category", "tags")
_SENTIMENTS = ", ".join(Sentiment)
_MAX_SHOWN_CHARS = 40
"""Of a value in a message. Chosen, not measured."""


def check_front_matter(metadata: Mapping[str, Any], beat: Beat, published: datetime) -> list[Finding]:
    """Return a blocking finding for each key that is missing or invalid.

    A term outside the beat's vocabulary, which may have changed since, only warns. `published` is the
    source's time, which messages show as an example.
    """
    example_time = f"{published:%Y-%m-%dT%H:%M:%SZ}"
    missing = [_missing(key, example_time) for key in _REQUIRED if key not in metadata]
    wrong = [
        message
        for key, validate in _VALIDATORS.items()
        if key in metadata and (message := validate(key, metadata[key])) is not None
    ]
    times = [
        f"{key} {_shown(metadata[key])} is no time; write {example_time}"
        for key in ("publishedAt", "updatedAt")
        if key in metadata and not _is_time(metadata[key])
    ]
    blocking = [
        Finding(kind=KIND, severity=Severity.BLOCK, message=f"{message}.", field="front matter", firm=True)
        for message in (*missing, *wrong, *times)
    ]
    return [*blocking, *_outside_vocabulary(metadata, beat)]


def _missing(key: str, example_time: str) -> str:
    example = {"title": "write one", "publishedAt": f"write {example_time}", "lang": "write one such as en"}
    return f"{key} is missing; {example.get(key, 'write it')}"


def _is_time(value: object) -> bool:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _text(key: str, value: object) -> str | None:
    if isinstance(value, str):
        return None if value.strip() else f"{key} is empty; write one"
    if value is None:
        return f"{key} is empty; write one"
    many = isinstance(value, list | dict)
    return f"{key} {_shown(value)} is no text; write {'one alone' if many else 'it in quotes'}"


def _optional_text(key: str, value: object) -> str | None:
    return None if isinstance(value, str) else _text(key, value)


def _language(key: str, value: object) -> str | None:
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*", value):
        return None
    problem = "is empty" if value in (None, "") else f"{_shown(value)} is no language"
    return f"{key} {problem}; write a code such as en"


def _texts(key: str, value: object) -> str | None:
    if isinstance(value, list) and all(isinstance(text, str) and text.strip() for text in value):
        return None
    return f"{key} {_shown(value)} is no list of words; write each on a line of its own behind `- `"


def _number(key: str, value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return None
    return f"{key} {_shown(value)} is no whole number; write 0 for none"


def _boolean(key: str, value: object) -> str | None:
    return None if isinstance(value, bool) else f"{key} {_shown(value)} is neither true nor false; write true"


def _sentiment(key: str, value: object) -> str | None:
    if isinstance(value, str) and value in set(Sentiment):
        return None
    return f"{key} {_shown(value)} is none of {_SENTIMENTS}; write one of them"


def _mapping(key: str, value: object) -> str | None:
    if isinstance(value, dict):
        return None
    return f"{key} {_shown(value)} is no mapping; write its keys below it, or take it out"


_VALIDATORS: dict[str, Callable[[str, object], str | None]] = {
    "title": _text,
    "description": _optional_text,
    "lang": _language,
    "category": _text,
    "tags": _texts,
    "stickyWeight": _number,
    "sentiment": _sentiment,
    "score": _number,
    "coverImage": _mapping,
    "draft": _boolean,
}


def _outside_vocabulary(metadata: Mapping[str, Any], beat: Beat) -> Iterator[Finding]:
    """Yield a warning for each key with terms that the beat's vocabulary does not have."""
    for key in ("category", "tags") if beat.vocabulary else ():
        value = metadata.get(key)
        terms = value if isinstance(value, list) else [value]
        unlisted = [term for term in terms if isinstance(term, str) and term not in beat.vocabulary]
        if unlisted:
            vocabulary = ", ".join(beat.vocabulary)
            message = f"{key} {', '.join(map(_shown, unlisted))} is not in the vocabulary: {vocabulary}."
            yield Finding(kind=KIND, severity=Severity.WARN, message=message, field="front matter")


def _shown(value: object) -> str:
    """Return a value as a message shows it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        text = f"[{', '.join(map(str, value))}]"
    elif isinstance(value, dict):
        text = f"{{{', '.join(map(str, value))}}}"
    else:
        return '""' if value is None else _quoted(str(value))
    return text if len(text) <= _MAX_SHOWN_CHARS else f"{text[: _MAX_SHOWN_CHARS - 1]}…"


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    return f'"{line if len(line) <= _MAX_SHOWN_CHARS else line[: _MAX_SHOWN_CHARS - 1] + "…"}"'


class FrontMatterText(NamedTuple):
    """A title, a description or the alt text of a cover."""

    field: Place
    text: str
    from_source: bool
    """It is the publisher's own title, or alt text. Its claims need no check, its addresses do."""


def front_matter_texts(front: Front, source: Source | None) -> list[FrontMatterText]:
    """Return the texts of front matter to check, without empty ones.

    A description that is the beginning of the Overview is left out, since it is checked with the body.
    """
    title, description = front.text("title"), front.text("description")
    texts = [FrontMatterText("title", title, _is_source_title(title, source))]
    if not front.follows:
        texts.append(FrontMatterText("description", description, _is_source_title(description, source)))
    alt = front.text("alt")
    texts.append(FrontMatterText("alt", alt, _is_source_alt(alt, source)))
    return [line for line in texts if line.text.strip()]


def check_front_matter_text(
    source: Source | None, source_tokens: TokenizedText, line: FrontMatterText, beat: Beat
) -> list[Finding]:
    """Return findings about a text; `source_tokens` are the source's text followed by its metadata."""
    document = DraftDocument(line.text, beat)
    index, visible = index_source(source) if source else None, document.visible
    findings = [*check_markers(index, visible, line.text)]
    if source is None or index is None:
        return findings
    findings += check_calls_to_action(index, visible)
    if line.from_source:
        return [*findings, *check_headline(index, visible)]
    case = CheckInput(document.tokens, source_tokens, source.language, source.item.published_local)
    claims = [finding for check in CLAIM_CHECKS for finding in check(case)]
    claims = list(note_examples(claims, document.tokens, beat.example_texts))
    claims += check_examples(document.tokens, source_tokens, beat.example_texts)
    claims += check_overlap(document.tokens, source_tokens, beat.checks, document.links)
    # Findings without a span (a language that is not checked) are reported with the body.
    placed_claims = [document.to_body(finding, len(source.item.text)) for finding in claims if finding.span]
    return [
        *findings,
        *check_contact_details(index, visible, "image description" if line.field == "alt" else line.field),
        *check_non_article(index, visible, labels=line.field != "title"),
        *check_language(index, visible, source.language),
        *placed_claims,
        *check_artifacts(document, source_tokens.text, source.language),
    ]


def as_alt_text(findings: list[Finding]) -> list[Finding]:
    """Return the findings about an alt text: it tells of a picture, so what the source lacks only warns.

    Notes are left out: that the writer counted "two men" is what such a text is for.
    """
    return [
        finding.model_copy(update={"severity": Severity.WARN}) if finding.kind in _SOURCE_KINDS else finding
        for finding in findings
        if finding.severity is not Severity.NOTE or finding.kind not in _SOURCE_KINDS
    ]


_SOURCE_KINDS = frozenset(("figure", "place", "date", "name", "quotation", "pair", OVERLAP))
"""Kinds of findings that compare a text with its source."""


def check_alt_text(front: Front, source: Source | None) -> list[Finding]:
    """Return a warning if the cover has no alt text, or a headline for one."""
    if not has_cover(front.metadata):
        return []
    alt = front.text("alt")
    if not alt.strip():
        return [Finding(kind="form", severity=Severity.WARN, message=_NO_ALT, field="alt")]
    titles = (front.text("title"), source.item.title if source else "")
    if not is_headline(alt, *titles):
        return []
    return [
        Finding(kind="form", severity=Severity.WARN, message=_HEADLINE_ALT, field="alt", span=(0, len(alt)))
    ]


_NO_ALT = "The image has no description for readers who cannot see it: write what it shows."
_HEADLINE_ALT = "The description of the image is the headline: write what the image shows."


def check_own_title(front: Front, source: Source | None, beat: Beat) -> list[Finding]:
    """Return a warning if the title has the words of the source's, which the beat does not want.

    An offline brief has the source's title.
    """
    title = front.text("title")
    if source is None or front.is_brief or beat.titles == "source":
        return []
    if not _is_source_title(title, source):
        return []
    message = (
        "This is the source's title: write a headline of your own (`titles: source` in the beat allows it)."
    )
    return [Finding(kind=OVERLAP, severity=Severity.WARN, message=message, span=(0, len(title)))]


def _is_source_title(text: str, source: Source | None) -> bool:
    """Tell whether a text has the words and figures of the source's title, whatever its punctuation."""
    title, words = source.item.title if source else "", _words_and_numbers(text)
    return bool(words) and any(words == _words_and_numbers(each) for each in (title, without_elements(title)))


def _is_source_alt(text: str, source: Source | None) -> bool:
    """Tell whether an alt text has the words of the publisher's for the same item."""
    alt, words = (source.item.image_alt if source else None) or "", _words_and_numbers(text)
    return bool(words) and words == _words_and_numbers(without_elements(alt))


def _words_and_numbers(text: str) -> list[str]:
    return _WORD_OR_FIGURE.findall(normalize("NFC", text).casefold())
