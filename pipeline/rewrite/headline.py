"""The title and the description of an article, put right by rule: nothing here costs a second request."""

import re

from pipeline.articles.markdown import plain_text
from pipeline.articles.render import MAX_DESCRIPTION_CHARS
from pipeline.domain.models import Beat, Source
from pipeline.domain.text import (
    ends_sentence,
    ends_without_mark,
    headline,
    one_line,
    replace_surrogates,
    whole_sentences,
)

MAX_TITLE_CHARS = 140
"""Longest title of its own that an article has. Chosen, not measured."""
_MIN_SHOUTED_LETTERS = 12
"""A shorter title in capitals may be a few abbreviations. Chosen, not measured."""
_MAX_CAPITALS = 0.7
"""Part of a title's letters in capitals from which on it shouts. Chosen, not measured."""
_ORDINAL = re.compile(r"\d{1,3}\. ")
"""Part of a name ("1. FC"), not the marker of a list."""
_QUOTES = ('"', '"'), ("“", "”"), ("„", "“"), ("«", "»"), ("»", "«")


def article_title(answered: str, source: Source, beat: Beat) -> str:
    """Return the title of an article: the model's own, or the source's where that is needed.

    A final full stop, marks of Markdown and quotation marks around the whole are removed. Of several
    sentences the first one is taken. A title that is empty, too long or in capitals is unusable.
    """
    if beat.titles == "source":
        return headline(source)
    title = _clean(answered)
    if len(title) > MAX_TITLE_CHARS:
        title = whole_sentences(title)[0].removesuffix(".")
    is_usable = 0 < len(title) <= MAX_TITLE_CHARS and not _shouts(title)
    return title if is_usable else headline(source)


def article_description(answered: str) -> str:
    """Return the description of an article, one whole sentence; empty where the answer has none that fits.

    Of several sentences the first one that fits is taken, without markup.
    """
    text = _plain(answered)
    if len(text) <= MAX_DESCRIPTION_CHARS and ends_without_mark(text):
        return text
    fitting = (each for each in whole_sentences(text) if len(each) <= MAX_DESCRIPTION_CHARS)
    return next((each for each in fitting if ends_sentence(each)), "")


def _plain(answered: str) -> str:
    """Return an answer in one line, without markup; an ordinal at its beginning is no marker of a list."""
    answer = one_line(replace_surrogates(answered))
    ordinal = _ORDINAL.match(answer)
    first = ordinal[0] if ordinal else ""
    return first + plain_text(answer[len(first) :])


def _clean(answered: str) -> str:
    title = _plain(answered).strip("#*_ ")
    for opening, closing in _QUOTES:
        inner = title[1:-1]
        if title.startswith(opening) and title.endswith(closing) and not {opening, closing} & set(inner):
            title = inner.strip()
    is_abbreviation = title[-3:-2] in (".", " ") and title[-2].isalpha()  # "in the U.S.", "Plan B."
    return title if title.endswith("..") or is_abbreviation else title.removesuffix(".")


def _shouts(title: str) -> bool:
    letters = [char for char in title if char.isupper() or char.islower()]
    capitals = sum(char.isupper() for char in letters)
    return len(letters) >= _MIN_SHOUTED_LETTERS and capitals >= _MAX_CAPITALS * len(letters)
