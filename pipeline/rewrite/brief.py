"""The offline brief: no model, a starting point that an editor can use, never passing for a rewrite."""

from urllib.parse import quote, urlsplit

from pipeline.brieftext import BriefWords, brief_words
from pipeline.models import Article, Beat, Provenance, Section, Sentiment, Source
from pipeline.rewrite.facts import find_facts
from pipeline.rewrite.text import cut, encodable, headline, one_line, sentences

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
    words = brief_words(source.language)
    text = encodable(source.item.text[:100_000])
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


def _attribution(source: Source, title: str, words: BriefWords) -> str:
    pattern = words.by if source.item.author else words.without_author
    link = _link(title, source.item.link)
    feed, author = (one_line(encodable(name or "")) for name in (source.feed_name, source.item.author))
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
    return f"[{label}]({quote(encodable(url or ''), safe=':/?#@!$&*+,;=%~', errors='replace')})"


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
    return " ".join(kept) + " …" if kept else cut(sentence, QUOTED_WORDS * _LETTERS_A_WORD // 2)


def _facts(text: str, language: str, words: BriefWords) -> str:
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
