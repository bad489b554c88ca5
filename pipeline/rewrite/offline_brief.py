"""Writes the offline brief: a draft without a model, with a quotation and lists of dates, figures and names.

The lists are precise rather than complete: every entry is in the text as it is listed. Each pattern scans a
bounded text once, so the time is linear in its length.
"""

import re
from collections import Counter
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from pipeline.articles.article import Article, Section, Sentiment
from pipeline.domain.model_calls import Provenance
from pipeline.domain.models import Beat, Source
from pipeline.domain.placeholders import BriefLabels, brief_labels
from pipeline.domain.text import headline, one_line, replace_surrogates, sentence_ends, sentences, truncate

MAX_SCANNED_CHARS = 20_000
"""Characters of a text that are scanned for facts. Chosen, not measured."""

_CONTEXT_CHARS = 45
"""Characters of context on each side of a fact. Chosen, not measured."""
_MONTHS = (
    r"(?:Jan(?:uary|uar)?|Feb(?:ruary|ruar)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|O[ck]t(?:ober)?|Nov(?:ember)?|De[cz](?:ember)?|März|Mai|Juni|Juli"
    r"|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre"
    r"|janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre)"
)
_DATE = re.compile(
    r"\b\d{4}-\d{2}-\d{2}\b"
    r"|\d{4}年(?:\d{1,2}月)?(?:\d{1,2}日)?|\d{1,2}月\d{1,2}日"
    rf"|\b{_MONTHS}\.? \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?\b"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th|er|\.)? (?:de )?{_MONTHS}\b(?:,? (?:de )?\d{{4}}\b)?"
    rf"|\b{_MONTHS} (?:de )?\d{{4}}\b"
    r"|\bQ[1-4] \d{4}\b"
    r"|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b"
    # A year alone only after such a word: 2000 may be a count.
    r"|(?:(?<=\b[Ii]n )|(?<=\b[Bb]y )|(?<=\b[Ss]ince )|(?<=\b[Uu]ntil )|(?<=\b[Ff]rom )|(?<=\b[Ss]eit )"
    r"|(?<=\b[Ee]n )|(?<=\b[Dd]epuis )|(?<=\b[Dd]esde ))(?:19|20)\d{2}\b(?![.,]\d|%)"
)
_CURRENCY = r"(?:(?:US|A|C|HK)?\$|[€£¥₹₽₿₩])"
_UNIT = (
    r"(?:%|‰|°[CF]?|[€£¥₹₽₿₩]|percent\b|per cent\b|Prozent\b|por ciento\b|pour cent\b"
    r"|(?:thousand|million|billion|trillion|Tausend|Millionen|Milliarden|mil|millones|millions|milliards)\b"
    r"|(?:bn|[kKmMBT]|[kMGT]Wh?|[kMGT]B|[EPT]H/s|[A-Z]{3,5})\b|(?:Mrd|Mio)\.|[Ee]uros?\b|[Dd]ol(?:lars?|ares)\b|dólares\b|[万億亿兆만억조](?:円|元|원)?|円|元|원|美元)"
)
_NUMBER = re.compile(
    r"(?<![A-Za-z\d_.,:])\d{1,2}:\d{2}(?::\d{2})?(?![\d:])(?: ?[ap]\.?m\b\.?| Uhr\b)?|"  # a time is one fact
    rf"(?<![A-Za-z\d_])(?:{_CURRENCY}[ \u00a0]?)?\d+(?:[.,’'\u00a0\u202f]\d+)*(?:[- \u00a0]?{_UNIT}){{0,2}}"
)
_WORD = re.compile(r"(?:[^\W\d_]\.){2,}|[^\W\d_][\w’'&-]*(?:\.(?=\w)[\w’'&-]+)*")
_NAME_JOINER = re.compile(r"[ \u00a0](?:(?:of|de|del|da|di|von|van) )?")
_CONTRACTION = re.compile(r"['’](?:m|ll|re|ve|d|t)\b")
_OPENING_MARKS = "\"'“”‘’«»(["


class KeyFacts(NamedTuple):
    """The facts of a text, each kind in the text's order and without duplicates."""

    numbers: tuple[tuple[str, str], ...]
    """A figure with its unit, and its context."""
    names: tuple[str, ...]
    dates: tuple[tuple[str, str], ...]
    """A date as the text writes it, and its context."""


def find_facts(text: str, *, nouns_capitalised: bool = False, limit: int = 12) -> KeyFacts:
    """Return at most `limit` facts of each kind from the first MAX_SCANNED_CHARS of a text.

    `nouns_capitalised` is for German, where one capitalised word is not yet a name.
    """
    text = text[:MAX_SCANNED_CHARS]
    dates = list(_DATE.finditer(text))
    date_positions = _positions(dates)
    numbers = [figure for figure in _NUMBER.finditer(text) if figure.start() not in date_positions]
    return KeyFacts(
        numbers=_in_context(text, numbers, limit),
        names=tuple(_names(text, date_positions | _positions(numbers), nouns_capitalised)[:limit]),
        dates=_in_context(text, dates, limit),
    )


def _positions(matches: list[re.Match[str]]) -> set[int]:
    return {position for match in matches for position in range(*match.span())}


def _in_context(text: str, matches: list[re.Match[str]], limit: int) -> tuple[tuple[str, str], ...]:
    contexts: dict[str, str] = {}
    for match in matches:
        fact = " ".join(match[0].split())
        if fact not in contexts:
            contexts[fact] = _context(text, *match.span())
        if len(contexts) == limit:
            break
    return tuple(contexts.items())


def _context(text: str, start: int, end: int) -> str:
    """Return the words around a span, inside its sentence, with `…` where they are cut."""
    low, high = max(0, start - _CONTEXT_CHARS), min(len(text), end + _CONTEXT_CHARS)
    before, after = low > 0, high < len(text)
    begins = list(sentence_ends(text, low, start))
    stop = next(sentence_ends(text, end, high), None)
    if begins:
        low, before = begins[-1], False
    elif before:
        low = 1 + text.find(" ", low, start) or low
    if stop is not None:
        high, after = stop, False
    elif after:
        high = max(text.rfind(" ", end, high), end) if " " in text[end:high] else high
    return f"{'…' * before}{' '.join(text[low:high].split())}{'…' * after}"


class _Run(NamedTuple):
    """A sequence of capitalised words."""

    words: list[str]
    opens_sentence: bool
    """It begins a sentence, where any word is capitalised."""


def _names(text: str, excluded: set[int], nouns_capitalised: bool) -> list[str]:
    lower_case = {word[0] for word in _WORD.finditer(text) if word[0][0].islower()}
    runs = _runs(text, excluded)
    counts = Counter(_name(run.words) for run in runs)
    names: dict[str, None] = {}
    for run in runs:
        words = run.words[1:] if run.opens_sentence and run.words[0].lower() in lower_case else run.words
        name = _name(words)
        certain = not run.opens_sentence or words is not run.words or len(words) > 1 or counts[name] > 1
        if (
            len(name) > 1
            and certain
            and not (len(words) == 1 and _is_common_word(name, lower_case, nouns_capitalised))
        ):
            names[name] = None
    return list(names)


def _is_common_word(word: str, lower_case: set[str], nouns_capitalised: bool) -> bool:
    return word.lower() in lower_case or (nouns_capitalised and not word.isupper())


def _runs(text: str, excluded: set[int]) -> list[_Run]:
    runs: list[_Run] = []
    last: int | None = None
    for word in _WORD.finditer(text):
        capital = word[0][0].isupper() and word.start() not in excluded and not _CONTRACTION.search(word[0])
        between = "" if last is None else text[last : min(word.start(), last + 7)]
        if capital and between == ". " and _takes_full_stop(runs[-1].words[-1]):
            runs[-1].words[-1] += "."
            runs[-1].words.append(word[0])
        elif capital and _NAME_JOINER.fullmatch(between):
            runs[-1].words.append(f"{between.strip()} {word[0]}".strip())
        elif capital:
            runs.append(_Run([word[0]], _opens_sentence(text, word.start())))
        last = word.end() if capital else last
    return runs


def _takes_full_stop(word: str) -> bool:
    """Tell whether a full stop after the word belongs to it: an initial or a title."""
    return len(word) == 1 or word in {"Dr", "Mr", "Mrs", "Ms", "Prof", "Sen", "Rep", "Gov", "Gen", "St"}


def _opens_sentence(text: str, start: int) -> bool:
    before = text[max(0, start - 6) : start].rstrip(_OPENING_MARKS)
    bare = before.rstrip()
    return not bare or "\n" in before[len(bare) :] or bare.rstrip(_OPENING_MARKS)[-1:] in ".!?…:。"


def _name(words: list[str]) -> str:
    name = " ".join(words)
    return re.sub(r"[’']s?$", "", name).rstrip("-&")


BRIEF = Provenance(rewritten=False, model="offline", prompt=None)
"""The provenance of a brief."""

MAX_QUOTED_WORDS = 60
"""Words of the quotation. Chosen, not measured."""
_LETTERS_PER_WORD = 10
"""A longer word counts as several, because some scripts write no spaces. Chosen, not measured."""
_MAX_QUOTE_SCAN_CHARS = 4_000
"""More than the longest quotation, in characters."""


def write_brief(source: Source, beat: Beat) -> Article:
    """Return the brief of a source: an attributed quotation, lists of facts, and two placeholders.

    Pure; raises nothing for any source.
    """
    labels = brief_labels(source.language)
    text = replace_surrogates(source.item.text[:100_000])
    title = headline(source) or labels.untitled
    return Article(
        title=title,
        overview="\n\n".join((_attribution(source, title, labels), *_quotation(text))),
        sections=(Section(heading=labels.facts, body=_facts(text or title, source.language, labels)),),
        from_author=labels.from_author,
        impact=(labels.impact,),
        category=source.category,
        tags=_tags(source, beat),
        sentiment=Sentiment.NEUTRAL,
        language=source.language,
    )


def _attribution(source: Source, title: str, labels: BriefLabels) -> str:
    pattern = labels.by if source.item.author else labels.without_author
    link = _link(title, source.item.link)
    feed, author = (
        one_line(replace_surrogates(name or "")) for name in (source.feed_name, source.item.author)
    )
    return pattern.format(feed=feed, author=author, link=link)


def _link(title: str, url: str | None) -> str:
    """Return a Markdown link, or only the title when the item has no http(s) link."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return title
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return title
    label = title.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    # Characters that could end the target are escaped; existing escapes stay.
    return f"[{label}]({quote(replace_surrogates(url or ''), safe=':/?#@!$&*+,;=%~', errors='replace')})"


def _quotation(text: str) -> tuple[str, ...]:
    """Return the first sentences as one blockquote, verbatim, with the source's paragraphs."""
    budget = MAX_QUOTED_WORDS
    paragraphs: list[str] = []
    for paragraph in _paragraphs(text[:_MAX_QUOTE_SCAN_CHARS]):
        quoted: list[str] = []
        for sentence in sentences(paragraph):
            cost = _cost(sentence)
            if cost > budget and (paragraphs or quoted):
                return _blockquote([*paragraphs, "".join(quoted).strip()])
            quoted.append(_cut(sentence, budget))
            budget -= cost
        paragraphs.append("".join(quoted).strip())
    return _blockquote(paragraphs)


def _paragraphs(text: str) -> list[str]:
    return [paragraph for part in text.split("\n\n") if (paragraph := one_line(part))]


def _blockquote(paragraphs: list[str]) -> tuple[str, ...]:
    lines = [f"> {paragraph}" for paragraph in paragraphs if paragraph]
    return ("\n>\n".join(lines),) if lines else ()


def _cost(sentence: str) -> int:
    return sum(1 + (len(word) - 1) // _LETTERS_PER_WORD for word in sentence.split())


def _cut(sentence: str, budget: int) -> str:
    """Return the sentence; if it is longer than the budget (words), cut it after a word and add `…`."""
    if _cost(sentence) <= budget:
        return sentence
    words: list[str] = []
    for word in sentence.split():
        budget -= _cost(word)
        if budget < 0:
            break
        words.append(word)
    return " ".join(words) + " …" if words else truncate(sentence, MAX_QUOTED_WORDS * _LETTERS_PER_WORD // 2)


def _facts(text: str, language: str, labels: BriefLabels) -> str:
    facts = find_facts(text, nouns_capitalised=language.lower().startswith("de"))
    groups = (
        (labels.numbers, [f"**{figure}**: {context}" for figure, context in facts.numbers]),
        (labels.names, list(facts.names)),
        (labels.dates, [f"**{date}**: {context}" for date, context in facts.dates]),
    )
    lists = [
        "\n".join((f"{label}:", "", *(f"- {entry}" for entry in entries)))
        for label, entries in groups
        if entries
    ]
    return "\n\n".join(lists) or labels.nothing


def _tags(source: Source, beat: Beat) -> tuple[str, ...]:
    tags = [name for label in source.item.categories if (name := label.strip().upper()) in beat.vocabulary]
    return tuple(dict.fromkeys((source.category, *tags)))
