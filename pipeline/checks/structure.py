"""Kind `form`: sections that are missing, empty, there twice or in another order than every article has.

Kind `brief`: a placeholder of the offline brief still stands where an editor's text belongs.

Kind `form`: what a model left behind, and what a site generator would act on.

Kind `form`: sentences that say what another one said, and articles far longer than their source.
"""

import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

from pipeline.checks.document import DraftDocument
from pipeline.checks.languages import A, W, any_of, language_table
from pipeline.checks.tokens import TokenizedText
from pipeline.domain.models import Beat
from pipeline.domain.placeholders import PLACEHOLDERS
from pipeline.domain.reviews import Finding, Severity

_SECTION = re.compile(r"^##[ \t]+(?P<heading>[^\r\n]*)", re.M)


def check_structure(body: str, beat: Beat) -> tuple[Finding, ...]:
    """Return findings about a body's sections: blocking ones about what is missing or empty."""
    sections = list(_SECTION.finditer(body))
    required = (beat.overview, beat.from_author, f"{beat.impact} {beat.market}")
    present = {_named(section).casefold() for section in sections}
    missing = [
        _block(f'The section "{name}" is missing.') for name in required if name.casefold() not in present
    ]
    ends = [section.start() for section in sections[1:]] + [len(body)]
    empty = [
        _block(f'The section "{_named(section)}" is empty.', section.span())
        for section, end in zip(sections, ends, strict=False)
        if not body[section.end() : end].strip(" \t\r\n-*>#")
    ]
    return (*missing, *empty, *_twice(sections), *_misplaced(sections, required))


def _named(section: re.Match[str]) -> str:
    return section["heading"].rstrip(" \t")


def _twice(sections: Sequence[re.Match[str]]) -> Iterator[Finding]:
    known: set[str] = set()
    for section in sections:
        name = _named(section).casefold()
        if name in known:
            yield _warn(f'The heading "{_named(section)}" stands twice: rename or remove one.', section)
        known.add(name)


def _misplaced(sections: Sequence[re.Match[str]], required: tuple[str, str, str]) -> Iterator[Finding]:
    """Yield what stands elsewhere: the overview comes first, the author's view and the impact last."""
    names = list(dict.fromkeys(_named(section).casefold() for section in sections))
    overview, *last = (name.casefold() for name in required)
    wanted = [name for name in names if name != overview and name not in last]
    wanted = [*([overview] if overview in names else []), *wanted, *(name for name in last if name in names)]
    strayed = next((name for name, right in zip(names, wanted, strict=True) if name != right), None)
    if strayed is not None:
        section = next(one for one in sections if _named(one).casefold() == strayed)
        order = f'"{required[0]}" comes first, "{required[1]}" and "{required[2]}" last'
        yield _warn(f'The section "{_named(section)}" stands in the wrong place: {order}.', section)


def _block(message: str, span: tuple[int, int] | None = None) -> Finding:
    return Finding(kind="form", severity=Severity.BLOCK, message=message, span=span)


def _warn(message: str, section: re.Match[str]) -> Finding:
    return Finding(kind="form", severity=Severity.WARN, message=message, span=section.span())


_STANDING = re.compile("|".join(re.escape(text) for text in PLACEHOLDERS))


def check_brief(body: str) -> tuple[Finding, ...]:
    """Return a blocking finding for each placeholder sentence that the body still holds."""
    return tuple(
        Finding(
            kind="brief",
            severity=Severity.BLOCK,
            message="This sentence holds the place of an editor's text: replace it, or redraft with a model.",
            span=standing.span(),
            firm=True,
        )
        for standing in _STANDING.finditer(body)
    )


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
_MAX_ARTIFACTS = 20


def check_artifacts(page: DraftDocument, source: str, language: str) -> list[Finding]:
    """Return findings about talk that is no article, placeholders, and signs that generators read.

    What the source says, too, is reported; and what is quoted is somebody else's talk.
    """
    found = [*_acted_on(page.body), *_placeholders(page)]
    for code in dict.fromkeys((_EVERYWHERE, language)):
        if talk := _talk(code):
            found += islice(_talked(page, source.casefold(), talk), _MAX_ARTIFACTS)
    return found


@lru_cache(maxsize=32)
def _talk(language: str) -> tuple[re.Pattern[str], re.Pattern[str]] | None:
    """Return what a model says of its work, and the first words of its notes."""
    told = language_table(language, "form")
    if told is None:
        return None
    notes = "|".join(map(re.escape, told["notes"]))
    noted = re.compile(rf"^[ \t>*(-]{{0,8}}(?P<note>(?:{notes})\s?:)", re.IGNORECASE | re.MULTILINE)
    return any_of(*(one.replace("{A}", A).replace("{W}", W) for one in told["leftovers"])), noted


def _talked(
    page: DraftDocument, source: str, talk: tuple[re.Pattern[str], re.Pattern[str]]
) -> Iterator[Finding]:
    said, noted = talk
    for found in said.finditer(page.text):
        if found[0].casefold() not in source and not page.quotes(found.start()):
            yield _finding(Severity.BLOCK, f"{_shown(found)} is a model's talk: remove it.", page, found)
    for found in noted.finditer(page.text):
        span = page.span(*found.span("note"))
        why = f'"{found["note"]}" speaks to editors: remove it.'
        yield Finding(kind="form", severity=Severity.WARN, message=why, span=span)


def _placeholders(page: DraftDocument) -> Iterator[Finding]:
    for found in islice(_PLACEHOLDER.finditer(page.text), _MAX_ARTIFACTS):
        yield _finding(
            Severity.BLOCK, f"{_shown(found)} holds the place of something: write that.", page, found
        )


def _acted_on(body: str) -> Iterator[Finding]:
    """Yield signs of the body itself: escapes help little, since generators read them before Markdown is."""
    for found in islice(_ACTED_ON.finditer(body), _MAX_ARTIFACTS):
        rule = found[0].strip() in ("---", "+++")
        said = f"{_shown(found)} means something to site generators: take it out."
        severity = Severity.WARN if rule else Severity.BLOCK
        yield Finding(kind="form", severity=severity, message=said, span=found.span(), firm=not rule)


def _finding(severity: Severity, said: str, page: DraftDocument, found: re.Match[str]) -> Finding:
    return Finding(kind="form", severity=severity, message=said, span=page.span(*found.span()))


def _shown(found: re.Match[str]) -> str:
    return f'"{" ".join(found[0].split())[:60]}"'


_LEAST = 8
"""Words of a sentence from which on it is compared."""
_SHARED = 0.8
"""Part of a sentence's telling words which, standing in one earlier sentence, makes it a repetition."""
_TELLING = 4
"""Letters of a word that says something; figures always do."""
_FEWEST = 5
"""Telling words without which a sentence is not compared."""
_LAST = 20
"""Earlier sentences with a word in common that are looked at: the nearest ones."""
_MAX_REPEATS = 20
_RATIO, _ROOM = 1.5, 100
"""Words for each of the source's, and words besides, which an article may have."""
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_COUNTED = 500
"""Characters of a text that tell whether its words have spaces between them."""


def check_repetition(draft: TokenizedText, listed: Sequence[tuple[int, int]] = ()) -> list[Finding]:
    """Return a warning for each sentence most of whose telling words stood in one earlier sentence.

    What stands in the `listed` places is no sentence that is told.
    """
    told = [place for place in draft.sentences if not any(one <= place[0] < end for one, end in listed)]
    sentences = [(place, _telling(draft, place)) for place in told]
    often = Counter(word for _, words in sentences for word in words)
    earlier: dict[str, deque[int]] = defaultdict(lambda: deque(maxlen=_LAST))
    found: list[Finding] = []
    for number, (place, words) in enumerate(sentences):
        if len(words) < _FEWEST or len(found) >= _MAX_REPEATS:
            continue
        # At the most one word in five may be missing, so that one of the rarest is there.
        rare = sorted(words, key=often.__getitem__)[: int(len(words) * (1 - _SHARED)) + 1]
        near = {other for word in rare for other in earlier[word]}
        if any(len(words.keys() & sentences[other][1].keys()) >= _SHARED * len(words) for other in near):
            said = "This says again what a sentence before said: leave one of the two out."
            found.append(Finding(kind="form", severity=Severity.WARN, message=said, span=place))
        for word in words:
            earlier[word].append(number)
    return found


def _telling(draft: TokenizedText, place: tuple[int, int]) -> dict[str, None]:
    """Return the words of a sentence that say something, each once and in their order."""
    first, behind = draft.between(*place)
    words = draft.folded[first:behind] if behind - first >= _LEAST else ()
    return dict.fromkeys(word for word in words if len(word) >= _TELLING or word[0].isdigit())


def check_length(draft: TokenizedText, source: TokenizedText) -> list[Finding]:
    """Return a warning where a draft has far more words than its source has matter for."""
    told, given = len(draft.words), len(source.words)
    if told <= _RATIO * given + _ROOM or _unspaced(draft) or _unspaced(source):
        return []
    said = f"The article has {told} words, its source {given}: cut what the source does not bear out."
    return [Finding(kind="form", severity=Severity.WARN, message=said)]


def _unspaced(reading: TokenizedText) -> bool:
    """Tell whether a text is written without spaces, so that its words cannot be counted."""
    text = reading.text[:_COUNTED]
    return len(_UNSPACED.findall(text)) > len(text) / 5
