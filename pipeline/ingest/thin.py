"""Whether a text is enough to be rewritten: neither too short nor cut off. Pure."""

import re

_ELLIPSIS = r"(?:…|\.\s?\.\s?\.|\. \. \.)"
_TRAILERS = re.compile(
    r"(?:^|\n|\s)(?:"
    r"the post .{1,400}? (?:first )?appeared (?:first )?on .{1,120}"
    r"|(?:read|view|see) (?:more|the (?:full|whole|original) (?:story|article|post)|full (?:story|article))"
    r"(?: (?:on|at|here|in) .{0,120})?"
    r"|continue reading.{0,300}|keep reading.{0,60}|click here to read.{0,120}|learn more"
    r"|weiterlesen.{0,200}|lire la suite.{0,200}|leer más.{0,200}|читать (?:далее|полностью).{0,200}"
    r")\W{0,12}\Z"
    r"|\n(?:comments|permalink|share this)\W{0,12}\Z",
    re.IGNORECASE | re.DOTALL,
)
_MORE = re.compile(
    r"(?:continue reading|read (?:more|on|the (?:rest|full|whole))|keep reading|click here to read"
    r"|\(more\W{0,3}\)|\[more\]|weiterlesen|lire la suite|leer más|читать (?:далее|полностью))",
    re.IGNORECASE,
)
_CUT = re.compile(
    rf"(?:\[\s?(?:{_ELLIPSIS}|&hellip;)\s?\]|\(\s?{_ELLIPSIS}\s?\)|{_ELLIPSIS}|\[\+\d+ chars\]|\+\d+ chars"
    r"|\(more\W{0,3}\)|\[more\])[\s»›>→]{0,5}\Z",
    re.IGNORECASE,
)
_ENDS = re.compile(r"[.!?:;…。！？؟।:;。”\"'’»)\]}›*|–—_~/]\W*\Z")
_LONG = 150
"""Characters from which a text that ends without a sentence's end counts as cut: headlines have none."""
_LAST = 80
"""Characters of a last line that ends as no line of a list or a signature would."""
_LAST_WORDS = """the a an of to in on at for by with and or but that which who as from into its their his her
is are was were has have had will would der die das und le la les et el los de du des"""
_DANGLING = frozenset(_LAST_WORDS.split())
_FAREWELLS = ("thanks,", "regards,", "cheers,", "yours,", "love,")


def stripped(text: str) -> str:
    """Return a text without what follows it in feeds: where it appeared first, where to read on."""
    while True:
        shorter = _TRAILERS.sub("", text).rstrip()
        if shorter == text.rstrip() or not shorter:
            return text.strip() if not shorter else shorter.strip()
        text = shorter


def shortfall(text: str, min_chars: int) -> str | None:
    """Return why a text is not to be rewritten, with the figure; None where it is enough.

    Too thin: fewer than `min_chars` characters. Cut: it ends in an ellipsis, asks to read on elsewhere, or
    breaks off within a sentence.
    """
    body = stripped(text)
    if len(body) < min_chars or not body:
        return f"thin source: {len(body):,} of {min_chars:,} characters"
    if _CUT.search(body):
        return f"cut source: it breaks off after {len(body):,} characters"
    if len(body) < len(text.strip()) and _MORE.search(text[len(body) :]) and not _ENDS.search(body):
        return f"cut source: it breaks off after {len(body):,} characters, and goes on elsewhere"
    if _broken_off(body):
        return f"cut source: its last sentence is not whole, after {len(body):,} characters"
    return None


def _broken_off(body: str) -> bool:
    """Tell whether a long text ends amid a sentence, with a word that none ends with or a comma."""
    if len(body) < _LONG or _ENDS.search(body):
        return False
    last = body.rpartition("\n")[2]
    if len(last) < _LAST or last.startswith("- "):
        return False
    word = last.split()[-1].casefold()
    return (word.endswith(",") and word not in _FAREWELLS) or word in _DANGLING
