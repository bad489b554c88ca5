"""Tells listings by title, address and text: advertisements of jobs, and lists of links with comments. Pure.

Words and shares: chosen, and tried on real feeds.
"""

import re

_LINKS_TITLE = re.compile(
    r"\W{0,3}(?:(?:daily|weekly|weekend|sunday|friday|today['’]s|this week['’]s) )?"
    r"(?:links?(?: love| round-?up| dump| list)?|linkdump|bookmarks)"
    r"(?:\W{0,3}\Z|:| (?:for|of the (?:day|week))\b)",
    re.IGNORECASE,
)
_MIN_ITEMS, _MIN_ITEMS_SHARE = 3, 0.4
"""Items of a list of links, and their part of its lines: others are comments. Chosen, not measured."""
_JOB_URL = re.compile(r"//(?:jobs?|careers?)\.|/(?:jobs?|careers?)/[^/]", re.IGNORECASE)
_JOB_WORDS = tuple(
    re.compile(words, re.IGNORECASE | re.MULTILINE)
    for words in (
        r"\bto apply\b|\bapply (?:now|here|online|via|by|at)\b|jetzt bewerben|interested\?"
        r"|send (?:us )?(?:your |a )?(?:resume|cv)",
        r"\b(?:is|are|am) (?:looking for|seeking|hiring)\b|\bwe seek\b|\bseeks? (?:candidates|an?)\b"
        r"|wir suchen|\bcandidates\b",
        r"^\W{0,3}(?:location|salary|compensation|requirements|responsibilities|benefits|standort|gehalt)\b"
        r"|years?['’]? (?:of )?experience|benefits include|full-time (?:position|or)"
        r"|\bskills (?:you(?: will|['’]ll)? need|required)|\bright to work\b|\d\+ years\b",
    )
)
_MIN_JOB_SIGNS = 2
"""Signs of a job advertisement in its text, beside its address."""


def listing_kind(title: str, link: str, text: str) -> str | None:
    """Return what an item lists: "a list of links" or "a job advertisement"; None if it may be an article."""
    if _LINKS_TITLE.match(title) and _is_list(text):
        return "a list of links"
    if (
        ("job" in link or "career" in link)
        and _JOB_URL.search(link)
        and sum(bool(words.search(text)) for words in _JOB_WORDS) >= _MIN_JOB_SIGNS
    ):
        return "a job advertisement"
    return None


def _is_list(text: str) -> bool:
    lines = [line for line in text.split("\n") if line]
    items = sum(line.startswith("- ") for line in lines)
    return items >= max(_MIN_ITEMS, _MIN_ITEMS_SHARE * len(lines))
