"""Picks dates, figures and names out of plain text, for a list that an editor works from.

Careful rather than complete: what is listed stands in the text as it is listed. Each pattern scans
once over a bounded text, so the time is linear in its length.

The offline brief: no model, a starting point that an editor can use, never passing for a rewrite.
"""

import re
from collections import Counter
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from pipeline.domain.models import Article, Beat, Provenance, Section, Sentiment, Source
from pipeline.domain.placeholders import BriefLabels, brief_labels
from pipeline.domain.text import headline, one_line, replace_surrogates, sentence_ends, sentences, truncate

SCANNED = 20_000
"""Characters of a text that are looked at."""

_AROUND = 45
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
    # A bare year only after a word that announces one: 2000 may count anything.
    r"|(?:(?<=\b[Ii]n )|(?<=\b[Bb]y )|(?<=\b[Ss]ince )|(?<=\b[Uu]ntil )|(?<=\b[Ff]rom )|(?<=\b[Ss]eit )"
    r"|(?<=\b[Ee]n )|(?<=\b[Dd]epuis )|(?<=\b[Dd]esde ))(?:19|20)\d{2}\b(?![.,]\d|%)"
)
_CURRENCY = r"(?:(?:US|A|C|HK)?\$|[€£¥₹₽₿₩])"
_UNIT = (
    r"(?:%|‰|°[CF]?|[€£¥₹₽₿₩]|percent\b|per cent\b|Prozent\b|por ciento\b|pour cent\b"
    r"|(?:thousand|million|billion|trillion|Tausend|Millionen|Milliarden|mil|millones|millions|milliards)\b"
    r"|(?:bn|[kKmMBT]|[kMGT]Wh?|[kMGT]B|[EPT]H/s|[A-Z]{3,5})\b|(?:Mrd|Mio)\.|[Ee]uros?\b|[Dd]ol(?:lars?|ares)\b|dólares\b|[万億亿兆만억조](?:円|元|원)?|円|元|원|美元)"
)
_FIGURE = re.compile(
    rf"(?<![A-Za-z\d_])(?:{_CURRENCY}[ \u00a0]?)?\d+(?:[.,’'\u00a0\u202f]\d+)*(?:[- \u00a0]?{_UNIT}){{0,2}}"
)
_WORD = re.compile(r"(?:[^\W\d_]\.){2,}|[^\W\d_][\w’'&-]*(?:\.(?=\w)[\w’'&-]+)*")
_BETWEEN = re.compile(r"[ \u00a0](?:(?:of|de|del|da|di|von|van) )?")
_CONTRACTED = re.compile(r"['’](?:m|ll|re|ve|d|t)\b")
_OPENERS = "\"'“”‘’«»(["


class KeyFacts(NamedTuple):
    """What was found, each in the order of the text and without repetition."""

    figures: tuple[tuple[str, str], ...]
    """A figure with its unit, and the words around it."""
    names: tuple[str, ...]
    dates: tuple[tuple[str, str], ...]
    """A date as the text writes it, and the words around it."""


def find_facts(text: str, *, nouns_capitalised: bool = False, most: int = 12) -> KeyFacts:
    """Return at most `most` facts of each kind from the beginning of a text.

    `nouns_capitalised` is for German: there one capital letter alone makes no name.
    """
    text = text[:SCANNED]
    dates = list(_DATE.finditer(text))
    dated = _places(dates)
    figures = [figure for figure in _FIGURE.finditer(text) if figure.start() not in dated]
    return KeyFacts(
        figures=_in_context(text, figures, most),
        names=tuple(_names(text, dated | _places(figures), nouns_capitalised)[:most]),
        dates=_in_context(text, dates, most),
    )


def _places(found: list[re.Match[str]]) -> set[int]:
    return {place for match in found for place in range(*match.span())}


def _in_context(text: str, found: list[re.Match[str]], most: int) -> tuple[tuple[str, str], ...]:
    first: dict[str, str] = {}
    for match in found:
        fact = " ".join(match[0].split())
        if fact not in first:
            first[fact] = _around(text, *match.span())
        if len(first) == most:
            break
    return tuple(first.items())


def _around(text: str, start: int, end: int) -> str:
    """Return the words around a span, inside its sentence, with `…` where they were cut."""
    low, high = max(0, start - _AROUND), min(len(text), end + _AROUND)
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
    """Capitalised words that follow each other."""

    words: list[str]
    opens: bool
    """It begins a sentence, where every word has a capital."""


def _names(text: str, inside: set[int], nouns_capitalised: bool) -> list[str]:
    ordinary = {word[0] for word in _WORD.finditer(text) if word[0][0].islower()}
    runs = _runs(text, inside)
    often = Counter(_name(run.words) for run in runs)
    found: dict[str, None] = {}
    for run in runs:
        words = run.words[1:] if run.opens and run.words[0].lower() in ordinary else run.words
        name = _name(words)
        certain = not run.opens or words is not run.words or len(words) > 1 or often[name] > 1
        if len(name) > 1 and certain and not (len(words) == 1 and _plain(name, ordinary, nouns_capitalised)):
            found[name] = None
    return list(found)


def _plain(word: str, ordinary: set[str], nouns_capitalised: bool) -> bool:
    return word.lower() in ordinary or (nouns_capitalised and not word.isupper())


def _runs(text: str, inside: set[int]) -> list[_Run]:
    runs: list[_Run] = []
    last: int | None = None
    for word in _WORD.finditer(text):
        capital = word[0][0].isupper() and word.start() not in inside and not _CONTRACTED.search(word[0])
        between = "" if last is None else text[last : min(word.start(), last + 7)]
        if capital and between == ". " and _dotted(runs[-1].words[-1]):
            runs[-1].words[-1] += "."
            runs[-1].words.append(word[0])
        elif capital and _BETWEEN.fullmatch(between):
            runs[-1].words.append(f"{between.strip()} {word[0]}".strip())
        elif capital:
            runs.append(_Run([word[0]], _opens(text, word.start())))
        last = word.end() if capital else last
    return runs


def _dotted(word: str) -> bool:
    """Say whether a full stop behind the word belongs to it: an initial or a title."""
    return len(word) == 1 or word in {"Dr", "Mr", "Mrs", "Ms", "Prof", "Sen", "Rep", "Gov", "Gen", "St"}


def _opens(text: str, start: int) -> bool:
    before = text[max(0, start - 6) : start].rstrip(_OPENERS)
    bare = before.rstrip()
    return not bare or "\n" in before[len(bare) :] or bare.rstrip(_OPENERS)[-1:] in ".!?…:。"


def _name(words: list[str]) -> str:
    name = " ".join(words)
    return re.sub(r"[’']s?$", "", name).rstrip("-&")


BRIEF = Provenance(rewritten=False, model="offline", prompt=None)
"""Who wrote a brief."""

QUOTED_WORDS = 60
_LETTERS_A_WORD = 10
"""A longer word costs as much as several: scripts without spaces have words, too."""
_HEAD = 4_000


def write_brief(source: Source, beat: Beat) -> Article:
    """Return the brief of a source: attributed quotation, its facts as lists, and two placeholders.

    Pure, and raises nothing, whatever the source holds.
    """
    words = brief_labels(source.language)
    text = replace_surrogates(source.item.text[:100_000])
    title = headline(source) or words.untitled
    return Article(
        title=title,
        overview="\n\n".join((_attribution(source, title, words), *_quotation(text))),
        sections=(Section(heading=words.facts, body=_facts(text or title, source.language, words)),),
        from_author=words.from_author,
        impact=(words.impact,),
        category=source.category,
        tags=_tags(source, beat),
        sentiment=Sentiment.NEUTRAL,
        language=source.language,
    )


def _attribution(source: Source, title: str, words: BriefLabels) -> str:
    pattern = words.by if source.item.author else words.without_author
    link = _link(title, source.item.link)
    feed, author = (
        one_line(replace_surrogates(name or "")) for name in (source.feed_name, source.item.author)
    )
    return pattern.format(feed=feed, author=author, link=link)


def _link(title: str, url: str | None) -> str:
    """Return a Markdown link, or the title alone where the item has no http(s) link."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return title
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return title
    label = title.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    # Whatever could end the target early is escaped; what is escaped already stays.
    return f"[{label}]({quote(replace_surrogates(url or ''), safe=':/?#@!$&*+,;=%~', errors='replace')})"


def _quotation(text: str) -> tuple[str, ...]:
    """Return the leading sentences as one blockquote, verbatim, a paragraph each as in the source."""
    budget = QUOTED_WORDS
    paragraphs: list[str] = []
    for paragraph in _paragraphs(text[:_HEAD]):
        taken: list[str] = []
        for sentence in sentences(paragraph):
            cost = _cost(sentence)
            if cost > budget and (paragraphs or taken):
                return _blockquote([*paragraphs, "".join(taken).strip()])
            taken.append(_fitting(sentence, budget))
            budget -= cost
        paragraphs.append("".join(taken).strip())
    return _blockquote(paragraphs)


def _paragraphs(text: str) -> list[str]:
    return [paragraph for part in text.split("\n\n") if (paragraph := one_line(part))]


def _blockquote(paragraphs: list[str]) -> tuple[str, ...]:
    kept = [f"> {paragraph}" for paragraph in paragraphs if paragraph]
    return ("\n>\n".join(kept),) if kept else ()


def _cost(sentence: str) -> int:
    return sum(1 + (len(word) - 1) // _LETTERS_A_WORD for word in sentence.split())


def _fitting(sentence: str, budget: int) -> str:
    """Return the sentence, cut at a word with `…` where it alone is longer than the budget."""
    if _cost(sentence) <= budget:
        return sentence
    kept: list[str] = []
    for word in sentence.split():
        budget -= _cost(word)
        if budget < 0:
            break
        kept.append(word)
    return " ".join(kept) + " …" if kept else truncate(sentence, QUOTED_WORDS * _LETTERS_A_WORD // 2)


def _facts(text: str, language: str, words: BriefLabels) -> str:
    facts = find_facts(text, nouns_capitalised=language.lower().startswith("de"))
    groups = (
        (words.figures, [f"**{figure}**: {around}" for figure, around in facts.figures]),
        (words.names, list(facts.names)),
        (words.dates, [f"**{date}**: {around}" for date, around in facts.dates]),
    )
    lists = [
        "\n".join((f"{label}:", "", *(f"- {entry}" for entry in found))) for label, found in groups if found
    ]
    return "\n\n".join(lists) or words.nothing


def _tags(source: Source, beat: Beat) -> tuple[str, ...]:
    known = [name for label in source.item.categories if (name := label.strip().upper()) in beat.vocabulary]
    return tuple(dict.fromkeys((source.category, *known)))
