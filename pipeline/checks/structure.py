"""Kinds `form` (sections, a model's remarks, template syntax, repetition, length) and `brief`."""

import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

from pipeline.articles.markdown import Section
from pipeline.checks.document import DraftDocument
from pipeline.checks.language_tables import A, W, any_of, language_table
from pipeline.checks.tokens import TokenizedText
from pipeline.domain.models import Beat
from pipeline.domain.placeholders import PLACEHOLDERS, brief_labels
from pipeline.domain.reviews import Finding, Front, Severity
from pipeline.domain.text import UNSPACED


def check_structure(document: DraftDocument) -> tuple[Finding, ...]:
    """Return findings about sections: missing or empty ones block, repeated or misplaced ones warn.

    A section of opinion may be missing where the beat does not require it.
    """
    present = {section.heading.casefold() for section in document.sections}
    optional = _optional_headings(document.beat)
    missing = [
        _block(f'The section "{name}" is missing.')
        for name in document.beat.headings
        if name.casefold() not in present and name not in optional
    ]
    empty = [
        _block(f'The section "{section.heading}" is empty.', document.span(section.line, section.start))
        for section in document.sections
        if not document.visible.text[section.start : section.end].strip(" \t\r\n-*>#")
    ]
    return (*missing, *empty, *_repeated_headings(document), *_misplaced(document))


def _optional_headings(beat: Beat) -> set[str]:
    """Return the fixed headings that an article of the beat may lack."""
    headings = beat.headings._asdict()
    return {headings[name] for name in ("from_author", "impact") if name not in beat.required_sections}


def _repeated_headings(document: DraftDocument) -> Iterator[Finding]:
    names: set[str] = set()
    for section in document.sections:
        name = section.heading.casefold()
        if name in names:
            message = f'The heading "{section.heading}" appears twice: rename or remove one.'
            yield _warn(message, document, section)
        names.add(name)


def _misplaced(document: DraftDocument) -> Iterator[Finding]:
    """Yield a finding about the first misplaced section: overview first, author's view and impact last."""
    fixed = document.beat.headings
    names = list(dict.fromkeys(section.heading.casefold() for section in document.sections))
    overview, *last = (name.casefold() for name in fixed)
    first = [name for name in names if name == overview]
    middle = [name for name in names if name != overview and name not in last]
    expected = [*first, *middle, *(name for name in last if name in names)]
    misplaced = next((name for name, other in zip(names, expected, strict=True) if name != other), None)
    section = next((each for each in document.sections if each.heading.casefold() == misplaced), None)
    if section is not None:
        order = f'"{fixed.overview}" comes first, "{fixed.from_author}" and "{fixed.impact}" last'
        message = f'The section "{section.heading}" is in the wrong place: {order}.'
        yield _warn(message, document, section)


def _block(message: str, span: tuple[int, int] | None = None) -> Finding:
    return Finding(kind="form", severity=Severity.BLOCK, message=message, span=span)


def _warn(message: str, document: DraftDocument, section: Section) -> Finding:
    span = document.span(section.line, section.start)
    return Finding(kind="form", severity=Severity.WARN, message=message, span=span)


_BRIEF_PLACEHOLDER = re.compile("|".join(re.escape(text) for text in PLACEHOLDERS))


def check_brief(document: DraftDocument, front: Front | None, language: str) -> tuple[Finding, ...]:
    """Return a blocking finding for each placeholder of an offline brief that the body still has.

    A brief of a beat that requires no section of opinion has none: the list of the source's facts stands for
    them.
    """
    placeholders = [match.span() for match in _BRIEF_PLACEHOLDER.finditer(document.body)]
    if placeholders or not front or not front.is_brief or document.beat.required_sections:
        message = "This is a placeholder for an editor's text: replace it, or redraft with a model."
        return tuple(_brief(message, span) for span in placeholders)
    facts = brief_labels(language).facts.casefold()
    message = "No model has rewritten the source: write the article in place of this list, or redraft."
    lists = (section for section in document.sections if section.heading.casefold() == facts)
    return tuple(_brief(message, document.span(section.line, section.start)) for section in lists)


def _brief(message: str, span: tuple[int, int]) -> Finding:
    return Finding(kind="brief", severity=Severity.BLOCK, message=message, span=span, firm=True)


_FALLBACK_LANGUAGE = "en"
"""Models make remarks in English whatever the language of the article."""
_PLACEHOLDER = re.compile(
    r"\[(?:insert|add|your|name|date|source|link|url|company|amount|figure|number|quote|author|title|todo|tbd|tbc"
    r"|xx+|citation|einfügen|hier|datum|quelle|betrag|zahl|zitat)\b[^\[\]\n]{0,80}\](?!\()"
    r"|[<‹](?:insert|add|your|name|date|company|amount)\b[^<>‹›\n]{0,80}[>›]"
    r"|\b(?-i:TODO|TBD|TKTK|FIXME|XXX)\b",
    re.IGNORECASE,
)
_TEMPLATE_SYNTAX = re.compile(
    r"\{\{|\{%|\{<|\{#|^:{3,}|(?<!\S)::[a-z]{1,40}\{|^::[a-z]|^(?:---|\+\+\+)[ \t]*\r?$|<!--\s{0,5}more",
    re.MULTILINE,
)
_PLACEHOLDER_SIGNS = ("[", "<", "‹", "TODO", "TBD", "TKTK", "FIXME", "XXX")
_TEMPLATE_SIGNS = ("{", "::", "---", "+++", "<!--")
"""What each match of these two expressions has: texts without it need no search."""
_MAX_ARTIFACTS = 20
"""Findings of each kind. Chosen, not measured."""


def check_artifacts(document: DraftDocument, source: str, language: str) -> list[Finding]:
    """Return findings about a model's remarks, placeholders, and template syntax of site generators.

    A remark that the source has too, or that is quoted, is part of the news.
    """
    findings = [*_template_syntax(document.body), *_placeholders(document)]
    for code in dict.fromkeys((_FALLBACK_LANGUAGE, language)):
        if patterns := _remark_patterns(code):
            findings += islice(_model_remarks(document, source.casefold(), patterns), _MAX_ARTIFACTS)
    return findings


@lru_cache(maxsize=32)
def _remark_patterns(language: str) -> tuple[re.Pattern[str], re.Pattern[str]] | None:
    """Return the patterns of a model's remarks about its work, and of labels such as "Note:"."""
    table = language_table(language, "form")
    if table is None:
        return None
    notes = "|".join(map(re.escape, table["notes"]))
    note_pattern = re.compile(rf"^[ \t>*(-]{{0,8}}(?P<note>(?:{notes})\s?:)", re.IGNORECASE | re.MULTILINE)
    phrases = (phrase.replace("{A}", A).replace("{W}", W) for phrase in table["leftovers"])
    return any_of(*phrases), note_pattern


def _model_remarks(
    document: DraftDocument, source: str, patterns: tuple[re.Pattern[str], re.Pattern[str]]
) -> Iterator[Finding]:
    phrases, notes = patterns
    for match in phrases.finditer(document.text):
        if match[0].casefold() not in source and not document.is_quoted(match.start()):
            yield _artifact(
                f"{_shown(match)} is a model's remark about its work: remove it.", document, match
            )
    for match in notes.finditer(document.text):
        span = document.span(*match.span("note"))
        message = f'"{match["note"]}" is a note to editors: remove it.'
        yield Finding(kind="form", severity=Severity.WARN, message=message, span=span)


def _placeholders(document: DraftDocument) -> Iterator[Finding]:
    if not any(sign in document.text for sign in _PLACEHOLDER_SIGNS):
        return
    for match in islice(_PLACEHOLDER.finditer(document.text), _MAX_ARTIFACTS):
        yield _artifact(f"{_shown(match)} is a placeholder: replace it.", document, match)


def _template_syntax(body: str) -> Iterator[Finding]:
    """Yield template syntax of the raw body: site generators expand it before they parse Markdown."""
    if not any(sign in body for sign in _TEMPLATE_SIGNS):
        return
    for match in islice(_TEMPLATE_SYNTAX.finditer(body), _MAX_ARTIFACTS):
        is_rule = match[0].strip() in ("---", "+++")
        message = f"{_shown(match)} is syntax that site generators act on: remove it."
        severity = Severity.WARN if is_rule else Severity.BLOCK
        yield Finding(kind="form", severity=severity, message=message, span=match.span(), firm=not is_rule)


def _artifact(message: str, document: DraftDocument, match: re.Match[str]) -> Finding:
    return _block(message, document.span(*match.span()))


def _shown(match: re.Match[str]) -> str:
    return f'"{" ".join(match[0].split())[:60]}"'


# The thresholds below are chosen, not measured.
_MIN_SENTENCE_WORDS = 8
"""Shorter sentences are not compared."""
_MIN_SHARED_PART = 0.8
"""Part of a sentence's content words that must be in one earlier sentence for a repetition."""
_MIN_LETTERS = 4
"""Of a content word; a figure always is one."""
_MIN_CONTENT_WORDS = 5
"""A sentence with fewer is not compared."""
_MAX_CANDIDATES = 20
"""Earlier sentences that are compared for each shared word, the nearest ones."""
_MAX_REPEATS = 20
_MAX_RATIO, _FREE_WORDS = 1.5, 100
"""An article may have this many words for each of the source's, and this many more."""
_SAMPLE_CHARS = 500


def check_repetition(draft: TokenizedText, listed: Sequence[tuple[int, int]] = ()) -> list[Finding]:
    """Return a warning for each sentence whose content words are mostly in one earlier sentence.

    Sentences that begin in `listed` spans are ignored.
    """
    places = [place for place in draft.sentences if not any(start <= place[0] < end for start, end in listed)]
    sentences = [(place, _content_words(draft, place)) for place in places]
    counts = Counter(word for _, words in sentences for word in words)
    earlier: dict[str, deque[int]] = defaultdict(lambda: deque(maxlen=_MAX_CANDIDATES))
    findings: list[Finding] = []
    for number, (place, words) in enumerate(sentences):
        if len(words) < _MIN_CONTENT_WORDS or len(findings) >= _MAX_REPEATS:
            continue
        # At most one word in five may be missing, so an earlier sentence has one of the rarest words.
        rarest = sorted(words, key=counts.__getitem__)[: int(len(words) * (1 - _MIN_SHARED_PART)) + 1]
        candidates = {other for word in rarest for other in earlier[word]}
        min_shared = _MIN_SHARED_PART * len(words)
        if any(len(words.keys() & sentences[other][1].keys()) >= min_shared for other in candidates):
            message = "This repeats an earlier sentence: remove one of the two."
            findings.append(Finding(kind="form", severity=Severity.WARN, message=message, span=place))
        for word in words:
            earlier[word].append(number)
    return findings


def _content_words(draft: TokenizedText, place: tuple[int, int]) -> dict[str, None]:
    """Return the content words of a sentence, each once and in their order; none for a short sentence."""
    first, behind = draft.between(*place)
    words = draft.folded[first:behind] if behind - first >= _MIN_SENTENCE_WORDS else ()
    return dict.fromkeys(word for word in words if len(word) >= _MIN_LETTERS or word[0].isdigit())


def check_length(draft: TokenizedText, source: TokenizedText) -> list[Finding]:
    """Return a warning if a draft has far more words than its source."""
    count, limit = len(draft.words), _MAX_RATIO * len(source.words) + _FREE_WORDS
    if count <= limit or _unspaced(draft) or _unspaced(source):
        return []
    counts = f"The article has {count} words, its source {len(source.words)}"
    message = f"{counts}: cut what the source does not bear out."  # the finding's key depends on it
    return [Finding(kind="form", severity=Severity.WARN, message=message)]


def _unspaced(tokens: TokenizedText) -> bool:
    """Tell whether a text has no spaces between words, so that its words cannot be counted."""
    text = tokens.text[:_SAMPLE_CHARS]
    return len(UNSPACED.findall(text)) > len(text) / 5
