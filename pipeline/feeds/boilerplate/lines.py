"""Finds boilerplate by lists of whole lines (lines.toml), and what lines say of whose a text is.

Rules of the reader from version 2 on. Pure, linear time.
"""

import re
import tomllib
from functools import cache
from importlib import resources
from itertools import takewhile
from typing import Any, NamedTuple

from pipeline.feeds.boilerplate.alternatives import Alternatives
from pipeline.feeds.boilerplate.doubles import without_doubled_beginning

_MAX_LINE_CHARS = 900
"""Characters of the longest line that is held against the lists. Chosen, not measured."""
_MAX_RELATED_CHARS = 200
"""Characters of the title of a related story, with the words before it. Chosen, not measured."""
_MAX_LABEL_CHARS = 320
"""Characters of the longest label: the terms of a sign-up. Chosen, not measured."""
_MAX_HEADING_CHARS, _MAX_TITLE_CHARS = 60, 140
"""Characters of a heading above titles of other stories, and of one of them. Chosen, not measured."""
_MAX_TITLES = 50
"""Titles below a heading that are read: keeps the work linear. Chosen, not measured."""
_VERBS = frozenset((
    "read", "watch", "listen", "recommended", "more", "read more", "see more", "keep reading", "explore more",
    "leer más", "lea más", "lee más", "sigue leyendo", "lees meer", "lees verder", "leggi di più",
    "leia mais",
    "veja mais", "les mer", "läs mer", "læs mere", "czytaj dalej", "czytaj więcej", "okumaya devam",
    "lue lisää",
    "baca selengkapnya", "xem thêm", "더 읽기", "mehr dazu", "más información", "saiba mais",
))  # fmt: skip
"""Words that may head a list of the story itself, or say that it goes on elsewhere."""
_LAST_LINES = 4
"""Lines at the end of a text, blank ones not counted, that may say whose it is. Chosen, not measured."""
_END = r"[\s.!…:。]{0,9}"
_CLOSED = (".", "!", "?")
_SEPARATORS = frozenset(":：|»→–—")
"""What stands between such words and the title."""
_SENTENCE_ENDS = (".", ";", ",", ":", "。")
_URL = re.compile(r"https?://|www\.", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://\S{1,500}")
_NAME = r"[^\W\d_][\w.’'-]{0,30}(?: [^\W\d_][\w.’'-]{0,30}){1,3}"
_CAPITALS = 2
"""Words in capitals from which a name is written in capitals; one may be an abbreviation."""
_VOWEL = re.compile("[AEIOUY]|[^\x00-\x7f]")
"""What a word in capitals has that is no abbreviation such as BBC or JK."""


class ArticleText(NamedTuple):
    """A text without the lines of the lists, and what they said."""

    text: str
    author: str | None = None
    credit: str | None = None
    """Whose text it is: an agency, or where it was published first."""
    rights: str | None = None
    """A line of its rights, as written."""


class _Lines(NamedTuple):
    """A list of whole lines."""

    pattern: Alternatives
    """Of those that differ from most lines in their first letters, so that it is fast to try."""
    with_words: tuple[tuple[str, re.Pattern[str]], ...]
    """The others, with words that they have in small letters."""

    def match(self, line: str) -> re.Match[str] | None:
        """Return the match of a whole line."""
        if match := self.pattern.fullmatch(line):
            return match
        if not self.with_words:
            return None
        lower = line.lower()
        matches = (pattern.fullmatch(line) for words, pattern in self.with_words if words in lower)
        return next(filter(None, matches), None)


class _Patterns(NamedTuple):
    mentions: _Lines
    labels: _Lines
    rights: _Lines
    filed: re.Pattern[str]
    related: re.Pattern[str]
    heading: Alternatives
    captions: re.Pattern[str]
    byline: re.Pattern[str]
    prefix: re.Pattern[str]
    place_line: re.Pattern[str]
    last_agency: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    lists = tomllib.loads((resources.files(__package__) / "lines.toml").read_text(encoding="utf-8"))
    agencies = "|".join(map(re.escape, lists["agencies"]))
    any_of = {
        name: "|".join(lists[name]) for name in ("related", "captions", "published", "bylines", "prefixes")
    }
    return _Patterns(
        mentions=_lines(lists, "mentions"),
        labels=_lines(lists, "labels"),
        rights=_lines(lists, "rights"),
        filed=re.compile("|".join(lists["filed"]), re.IGNORECASE),
        related=re.compile(
            rf"(?:[^\w\s]{{1,3}}\s?)?(?:{any_of['related']})(?:\s?[:：|»→]|\s[–—])\s?.+", re.IGNORECASE
        ),
        heading=Alternatives(lists["related"], _END),
        captions=_whole(f"{any_of['captions']}|{any_of['published']}"),
        byline=re.compile(rf"(?i:{any_of['bylines']})[ :]{{1,2}}(?P<name>{_NAME})(?:[,|/–—-] ?.{{1,60}})?"),
        prefix=re.compile(rf"\A(?:{any_of['prefixes']}):? (?={_NAME})", re.IGNORECASE),
        place_line=re.compile(rf"[^\n.!?]{{2,60}}?\((?P<agency>{agencies})\)\s?[-–—:]"),
        last_agency=re.compile(rf"[(\[](?P<agency>{agencies})(?:[/,] ?[\w .]{{1,40}})?[)\]]\s*\Z"),
    )


def _lines(lists: dict[str, Any], name: str) -> _Lines:
    # Each mention has a group of its own for the credit.
    patterns = [each.replace("?P<credit>", "") for each in lists[name]]
    others = lists.get(f"{name}_with", {})
    with_words = tuple((words, _whole(pattern)) for words, pattern in others.items())
    return _Lines(Alternatives(patterns, _END), with_words)


def _whole(patterns: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{patterns}){_END}", re.IGNORECASE)


def read_lines(text: str) -> ArticleText:
    """Return a text without lines of adverts, sign-ups, related stories and rights, and what they said.

    A text that has no other lines is returned as it is.
    """
    patterns = _patterns()
    text = without_doubled_beginning(text)
    lines = text.split("\n")
    last, links = _start_of_last_lines(lines), _related_lists(lines, patterns)
    left: list[str] = []
    has_begun = False
    author = credit = rights = None
    for at, line in enumerate(lines):
        bare = line.removeprefix("- ").strip()
        is_label = at in links or (bare and not has_begun and _is_caption(bare, patterns))
        if not is_label and bare and (at >= last or not has_begun) and len(bare) <= _MAX_LINE_CHARS:
            is_label, named = _mention(bare, patterns)
            credit = credit or named
            if not is_label and at >= last and left and not left[-1] and patterns.filed.fullmatch(bare):
                is_label = True
            elif not is_label and at >= last and left and patterns.rights.match(bare):
                is_label, rights = True, rights or bare
            elif not is_label and not has_begun and (name := _byline(bare, patterns)):
                is_label, author = True, author or name
        if is_label or (
            bare and len(bare) <= _MAX_LABEL_CHARS and _is_label(bare, patterns, _is_row(lines, at))
        ):
            continue
        left.append(line)
        has_begun = has_begun or any(map(str.isalnum, line))
    if len(left) == len(lines):
        return ArticleText(text, credit=_agency(text, patterns))
    remaining = re.sub(r"\n{3,}", "\n\n", "\n".join(left)).strip()
    if not remaining:
        return ArticleText(text)
    return ArticleText(remaining, author and clean_author(author), credit or _agency(text, patterns), rights)


def article_summary(summary: str, text: str, reader: int) -> str:
    """Return a summary without such lines, "" where it repeats the text; version 1 takes it as it is."""
    if reader < 2 or not summary:
        return summary
    cleaned = read_lines(summary).text
    return "" if cleaned == text else cleaned


def _start_of_last_lines(lines: list[str]) -> int:
    filled = 0
    for at in range(len(lines) - 1, -1, -1):
        filled += bool(lines[at].strip())
        if filled == _LAST_LINES:
            return at
    return 0


def _mention(line: str, patterns: _Patterns) -> tuple[bool, str | None]:
    """Return whether a line says where its text stands, and whose the text is if it names that."""
    match = patterns.mentions.match(line)
    named = (
        next((each.partition(". ")[0].strip(" .") for each in match.groups() if each), None)
        if match
        else None
    )
    if named and not _is_name(named):  # a sentence about another text
        return False, None
    return bool(match), named


def _is_caption(line: str, patterns: _Patterns) -> bool:
    return len(line) <= _MAX_LABEL_CHARS and patterns.captions.fullmatch(line) is not None


def _is_label(line: str, patterns: _Patterns, is_row: bool) -> bool:
    return patterns.labels.match(line) is not None or (not is_row and _is_related(line, patterns))


def _related_lists(lines: list[str], patterns: _Patterns) -> frozenset[int]:
    """Return the places of headings such as "Related stories", and of the titles below them."""
    related: set[int] = set()
    filled = [at for at, line in enumerate(lines) if line.strip()]
    for place, at in enumerate(filled):
        bare = lines[at].strip()
        if (
            len(bare) > _MAX_HEADING_CHARS
            or bare.rstrip(": .…").casefold() in _VERBS
            or not patterns.heading.fullmatch(bare)
        ):
            continue
        titles: list[int] = []
        for below in filled[place + 1 : place + 1 + _MAX_TITLES]:
            is_item = lines[below].startswith("- ")
            if not _is_title(lines[below]) or (titles and not is_item):
                break
            titles.append(below)
            if not is_item:
                titles.extend(_rest_of_paragraph(lines, at, below))
                break
        if titles or place + 1 == len(filled):
            related.update((at, *titles))
    return frozenset(related)


def _rest_of_paragraph(lines: list[str], heading: int, first: int) -> range:
    """Return the places of further titles, where the heading and all titles are lines of one paragraph."""
    paragraph = list(takewhile(str.strip, lines[first : first + _MAX_TITLES]))
    is_list = first == heading + 1 and all(map(_is_title, paragraph))
    return range(first + 1, first + len(paragraph) if is_list else first + 1)


def _is_title(line: str) -> bool:
    if "://" in line and _ADDRESS.fullmatch(line.removeprefix("- ")):
        return True
    return len(line) <= _MAX_TITLE_CHARS and not line.rstrip().endswith((*_SENTENCE_ENDS, "?", "!", '"', "”"))


def _is_related(line: str, patterns: _Patterns) -> bool:
    """Return whether a line is a few words and the title of another story: no sentence, and no address."""
    if (
        len(line) > _MAX_RELATED_CHARS
        or not any(sign in line for sign in _SEPARATORS)
        or line.endswith(_SENTENCE_ENDS)
        or _URL.search(line)
    ):
        return False
    return patterns.related.fullmatch(line) is not None


def _is_row(lines: list[str], at: int) -> bool:
    """Return whether a line is a row of a table: a line beside it has columns too."""
    return "|" in lines[at] and any(
        "|" in line for line in lines[max(0, at - 1) : at] + lines[at + 1 : at + 2]
    )


def _byline(line: str, patterns: _Patterns) -> str | None:
    """Return the name of a byline; None for a sentence such as "By World War II, …"."""
    match = patterns.byline.fullmatch(line)
    if match is None or (match.end() > match.end("name") and line.endswith(_CLOSED)):
        return None
    return match["name"] if _is_name(match["name"]) else None


def _is_name(name: str) -> bool:
    """Return whether the longer words of a name begin with capitals; a site's address is a name too."""
    words = [word.lstrip("\"'“‘«([@") for word in name.split() if len(word) > 3]
    return all(not word or word[0].isupper() or not word[0].isalnum() or "." in word[1:-1] for word in words)


def _agency(text: str, patterns: _Patterns) -> str | None:
    match = patterns.place_line.match(text[:200]) or patterns.last_agency.search(text[-80:])
    return match["agency"] if match else None


def clean_author(name: str) -> str:
    """Return an author's name without "By", and in small letters where it is written in capitals."""
    bare = _patterns().prefix.sub("", name.strip(), count=1)
    words = bare.split()
    if len(words) >= _CAPITALS and bare.upper() == bare != bare.lower():
        bare = " ".join(word.title() if _VOWEL.search(word) else word for word in words)
    return bare
