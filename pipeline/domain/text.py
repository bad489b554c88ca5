"""Pure functions on text: redacted URLs, sentences, truncation, and the removal of HTML elements."""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from urllib.parse import urlsplit

from pipeline.domain.models import Source
from pipeline.domain.urls import without_userinfo


def redact_url(url: str) -> str:
    """Return a URL for a message: one line of at most 300 characters, without password and query."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    except ValueError:
        return repr(without_userinfo(url)[:80])
    shown = f"{parts.scheme}://{host}{parts.path}" + ("?…" if parts.query else "")
    return "".join(char if char.isprintable() else "�" for char in shown)[:300]


def url_host(url: str) -> str:
    """Return the host of a URL for a message."""
    try:
        return urlsplit(url).hostname or redact_url(url)
    except ValueError:
        return redact_url(url)


_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Dra|Prof|Sen|Rep|Gov|Gen|Col|Lt|Sgt|Capt|St|Jr|Sr|Sra|vs|Inc|Ltd|Corp|Co|Bros|Jan"
    r"|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|approx|est|bzw|ca|Mrd|Mio|Tsd"
    r"|(?P<numbered>No|Nr|[Nn]úm|[Aa]rt|Abs))|\b[^\W\d_]|[ap]\.m)\.\Z"
)
_ABBREVIATION_CHARS = 8
"""At least the longest one, its full stop and the character before it."""
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?:\s+|$)|[。！？।॥؟۔]+[」』”’)]*\s*|\n\s*\n")


def replace_surrogates(text: str) -> str:
    """Return the text with lone surrogates as `?`: UTF-8 cannot encode them."""
    return text.encode("utf-8", "replace").decode()


def one_line(text: str) -> str:
    """Return the text with every run of white space as one space."""
    return " ".join(text.split())


def is_abbreviated(text: str, at: int) -> bool:
    """Tell whether a full stop at an offset belongs to a title, an initial or another abbreviation.

    "No." and "art." are abbreviations before a number, and words elsewhere.
    """
    match = _ABBREVIATION.search(text[max(0, at - _ABBREVIATION_CHARS) : at + 1])
    if match is None or match["numbered"] is None:
        return match is not None
    return text[at + 1 : at + 3].strip()[:1].isdigit()


def sentence_ends(text: str, start: int = 0, end: int | None = None) -> Iterator[int]:
    """Yield the offsets in [start, end) at which a sentence or paragraph ends, white space included.

    A full stop after a title, an initial or an abbreviated month ends no sentence.
    """
    for stop in _SENTENCE_END.finditer(text, start, len(text) if end is None else end):
        if not is_abbreviated(text, stop.start()):
            yield stop.end()


def sentences(paragraph: str) -> list[str]:
    """Return the sentences of a paragraph with their white space: joined, they are the paragraph."""
    bounds = [0, *sentence_ends(paragraph), len(paragraph)]
    return [paragraph[low:high] for low, high in pairwise(bounds) if high > low]


_ORDINAL_END = re.compile(r"(?<![\d.,$€£])\d{1,2}\.\s*\Z")

_DAY_BEHIND_MONTH = re.compile(
    r"\b(?:(?:Jan|Febr)(?:uary)?|Feb|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|Oct(?:ober)?|(?:Nov|Dec)(?:ember)?)\.? \d{1,2}\.\s*\Z"
)


def ends_in_ordinal(sentence: str) -> bool:
    """Tell whether a full stop may be that of a day or an ordinal: "am 10. Februar", not "on May 3."."""
    return bool(_ORDINAL_END.search(sentence[-6:])) and not _DAY_BEHIND_MONTH.search(sentence[-16:])


def whole_sentences(paragraph: str) -> list[str]:
    """Return the sentences of a paragraph, stripped; a full stop after a day's number ends none.

    German writes "am 10. Februar". Two sentences that a number divides become one, which is the smaller harm.
    """
    joined: list[str] = []
    for sentence in sentences(paragraph):
        if joined and ends_in_ordinal(joined[-1]):
            joined[-1] += sentence
        else:
            joined.append(sentence)
    return [text for sentence in joined if (text := sentence.strip())]


_CLOSING = "\"'”’»«“‘›)]*_"
"""Marks that may follow the punctuation at a sentence's end."""
_TERMINAL = ".!?…。！？।॥؟۔"


def ends_sentence(text: str) -> bool:
    """Tell whether a text ends with a sentence's final punctuation, quotation marks behind it left out."""
    return text.rstrip().rstrip(_CLOSING).endswith(tuple(_TERMINAL))


UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""Letters of scripts without spaces between words: Thai, Lao, Burmese, Khmer, kana, Han."""
_UNMARKED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
"""Thai, Lao, Burmese and Khmer."""


def ends_without_mark(text: str) -> bool:
    """Tell whether a text ends in a script that ends no sentence with a mark."""
    return _UNMARKED.search(text[-3:]) is not None


def truncate(text: str, limit: int) -> str:
    """Return at most `limit` characters of the text, cut at a word and with `…` where it was longer."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    at_word = head if text[limit - 1].isspace() else head.rpartition(" ")[0]
    return (at_word.rstrip() or head) + "…"


def headline(source: Source) -> str:
    """Return the source's title, or the first 100 characters of its text; empty where it has neither."""
    title = one_line(replace_surrogates(source.item.title))
    return title or truncate(one_line(replace_surrogates(source.item.text[:400])), 100)


_QUOTED = r"""[\s/](?>[^<>"']|"[^"<]*"|'[^'<]*')*"""
_TAG = re.compile(rf"<(?P<close>/?)(?P<name>[a-zA-Z][^\s/><]*)(?P<rest>(?:{_QUOTED}|[\s/][^<>]*)?)>")
_REMOVED_BLOCKS = {
    "<!--": re.compile("--!?>"),
    **{
        f"<{name}": re.compile(rf"</{name}(?:[\s/][^<>]*)?>", re.IGNORECASE)
        for name in ("script", "style", "iframe", "template")
    },
}
"""Start of each block that is removed with its content, and the pattern of its end."""
_BLOCK_START = re.compile(r"(<!--)|(<(?:script|style|iframe|template))(?:[\s/][^<>]*)?>", re.IGNORECASE)
_INLINE_ELEMENTS = frozenset((
    "a", "abbr", "b", "big", "cite", "code", "del", "em", "font", "i", "ins", "kbd", "mark", "q", "s",
    "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var",
))  # fmt: skip
"""Elements that can be inside a word; any other one is replaced by a space."""
_HTML_ELEMENTS = _INLINE_ELEMENTS | {
    "address", "area", "article", "aside", "audio", "base", "blockquote", "body", "br", "button",
    "canvas", "caption", "center", "col", "dd", "details", "dialog", "div", "dl", "dt", "embed",
    "fieldset", "figcaption", "figure", "footer", "form", "frame", "frameset", "h1", "h2", "h3", "h4",
    "h5", "h6", "head", "header", "hr", "html", "iframe", "img", "input", "label", "legend", "li",
    "link", "main", "map", "marquee", "math", "meta", "nav", "noscript", "object", "ol", "option", "p",
    "param", "picture", "pre", "script", "section", "select", "source", "style", "summary", "svg",
    "table", "tbody", "td", "template", "textarea", "tfoot", "th", "thead", "title", "tr", "track",
    "ul", "video", "wbr",
}  # fmt: skip
_VALUELESS_ATTRIBUTES = frozenset((
    "allowfullscreen", "async", "autofocus", "autoplay", "checked", "compact", "contenteditable",
    "controls", "default", "defer", "disabled", "download", "draggable", "formnovalidate", "hidden",
    "inert", "ismap", "itemscope", "loop", "multiple", "muted", "nomodule", "noshade", "novalidate",
    "nowrap", "open", "playsinline", "popover", "readonly", "required", "reversed", "selected",
))  # fmt: skip
"""Attributes that need no value."""
_INVISIBLE = r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]*"
_ELEMENT_START = re.compile(rf"<(?={_INVISIBLE}[a-zA-Z/!?_:.])")
_LAST_ANGLE = re.compile(rf"<(?={_INVISIBLE}\s*\Z)")
"""What a parser may take for the beginning of an element or a comment, also where it drops characters."""
_CLOSED_TAG = re.compile(r"<([a-zA-Z/!?_:.][^<>]*)>")


def without_elements(text: str) -> str:
    """Return `text` without HTML elements, in one line where it had any. Idempotent.

    Elements that are closed, tags with attributes, comments and scripts are removed. A tag that the text only
    mentions ("The <script> tag explained") stays, between single guillemets: a site template that does not
    escape would run `<`, and one that escapes would show `&lt;`. So no browser finds an element in the text.
    """
    if not _ELEMENT_START.search(text) and not _LAST_ANGLE.search(text):
        return text
    plain = _without_blocks(text)
    tags = list(_TAG.finditer(plain))
    paired = _pairs(tags)
    pieces, done = [], 0
    for at, tag in enumerate(tags):
        if at in paired or _is_markup(tag, plain):
            pieces += [plain[done : tag.start()], "" if tag["name"].lower() in _INLINE_ELEMENTS else " "]
            done = tag.end()
    return " ".join(_without_angles("".join([*pieces, plain[done:]])).split())


def _without_blocks(text: str) -> str:
    """Return text without comments, scripts and other removed blocks; a block without an end stays."""
    pieces, done, unclosed = [], 0, set()
    for start in _BLOCK_START.finditer(text):
        kind = (start[1] or start[2]).lower()
        if start.start() < done or kind in unclosed:
            continue
        end = _REMOVED_BLOCKS[kind].search(text, start.end())
        if end is None:
            unclosed.add(kind)
            continue
        pieces += [text[done : start.start()], " "]
        done = end.end()
    return "".join([*pieces, text[done:]])


def _pairs(tags: list[re.Match[str]]) -> set[int]:
    """Return the indexes of the tags that open or close an element which has both."""
    opened: dict[str, list[int]] = {}
    paired: set[int] = set()
    for at, tag in enumerate(tags):
        waiting = opened.setdefault(tag["name"].lower(), [])
        if not tag["close"]:
            waiting.append(at)
        elif waiting:
            paired |= {waiting.pop(), at}
    return paired


def _is_markup(tag: re.Match[str], text: str) -> bool:
    """Tell whether an unpaired tag is markup, rather than a tag that the text mentions.

    Markup has attributes, closes itself, or is an HTML element right beside a letter or digit. Words that
    are no attributes ("if a<b and c>d") are part of the text.
    """
    if "=" in tag["rest"] or tag["rest"].endswith("/"):
        return True
    if not _VALUELESS_ATTRIBUTES.issuperset(tag["rest"].lower().split()):
        return False
    neighbours = text[max(0, tag.start() - 1) : tag.start()] + text[tag.end() : tag.end() + 1]
    return tag["name"].lower() in _HTML_ELEMENTS and any(char.isalnum() for char in neighbours)


def _without_angles(text: str) -> str:
    """Return text in which no `<` starts an element: a tag gets guillemets, any other `<` a space."""
    # What a site template writes after the text must not become a tag name either.
    return _LAST_ANGLE.sub("‹", _ELEMENT_START.sub("< ", _CLOSED_TAG.sub(r"‹\1›", text)))


def utc_iso(moment: datetime) -> str:
    """Return `YYYY-MM-DDTHH:MM:SS.mmmZ`, the form of every time in front matter."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
