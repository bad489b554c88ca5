"""Plain text for front matter in which no browser finds an element, whether a site's template escapes or not.

Markup is taken out: elements that are closed, tags with attributes, comments, and scripts with what they
hold. A tag that a text only speaks of ("The <script> tag explained") stays, between single guillemets: a
template that does not escape would run `<`, and one that does would show its readers `&lt;`.
"""

import re

_QUOTED = r"""[\s/](?>[^<>"']|"[^"<]*"|'[^'<]*')*"""
_TAG = re.compile(rf"<(?P<close>/?)(?P<name>[a-zA-Z][^\s/><]*)(?P<rest>(?:{_QUOTED}|[\s/][^<>]*)?)>")
_WHOLE = {
    "<!--": re.compile("--!?>"),
    **{
        f"<{name}": re.compile(rf"</{name}(?:[\s/][^<>]*)?>", re.IGNORECASE)
        for name in ("script", "style", "iframe", "template")
    },
}
"""What is taken out with all that it holds, and how each of them ends."""
_BEGINS = re.compile(r"(<!--)|(<(?:script|style|iframe|template))(?:[\s/][^<>]*)?>", re.IGNORECASE)
_INLINE = frozenset((
    "a", "abbr", "b", "big", "cite", "code", "del", "em", "font", "i", "ins", "kbd", "mark", "q", "s",
    "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var",
))  # fmt: skip
"""Elements that may stand within a word."""
_KNOWN = _INLINE | {
    "address", "area", "article", "aside", "audio", "base", "blockquote", "body", "br", "button",
    "canvas", "caption", "center", "col", "dd", "details", "dialog", "div", "dl", "dt", "embed",
    "fieldset", "figcaption", "figure", "footer", "form", "frame", "frameset", "h1", "h2", "h3", "h4",
    "h5", "h6", "head", "header", "hr", "html", "iframe", "img", "input", "label", "legend", "li",
    "link", "main", "map", "marquee", "math", "meta", "nav", "noscript", "object", "ol", "option", "p",
    "param", "picture", "pre", "script", "section", "select", "source", "style", "summary", "svg",
    "table", "tbody", "td", "template", "textarea", "tfoot", "th", "thead", "title", "tr", "track",
    "ul", "video", "wbr",
}  # fmt: skip
_BARE = frozenset((
    "allowfullscreen", "async", "autofocus", "autoplay", "checked", "compact", "contenteditable",
    "controls", "default", "defer", "disabled", "download", "draggable", "formnovalidate", "hidden",
    "inert", "ismap", "itemscope", "loop", "multiple", "muted", "nomodule", "noshade", "novalidate",
    "nowrap", "open", "playsinline", "popover", "readonly", "required", "reversed", "selected",
))  # fmt: skip
"""Attributes that may stand without a value."""
_UNSEEN = r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]*"
_OPENS = re.compile(rf"<(?={_UNSEEN}[a-zA-Z/!?_:.])")
_LAST = re.compile(rf"<(?={_UNSEEN}\s*\Z)")
"""What a parser may take for the beginning of an element or a comment, also where it drops characters."""
_CLOSED = re.compile(r"<([a-zA-Z/!?_:.][^<>]*)>")


def without_elements(text: str) -> str:
    """Return `text` without markup, and in one line where there was any; done twice, it changes nothing."""
    if not _OPENS.search(text) and not _LAST.search(text):
        return text
    plain = _without_whole(text)
    tags = list(_TAG.finditer(plain))
    paired = _pairs(tags)
    pieces, done = [], 0
    for at, tag in enumerate(tags):
        if at in paired or _is_markup(tag, plain):
            pieces += [plain[done : tag.start()], "" if tag["name"].lower() in _INLINE else " "]
            done = tag.end()
    return " ".join(_inert("".join([*pieces, plain[done:]])).split())


def _without_whole(text: str) -> str:
    """Return a text without comments, scripts and the like; one that does not end is left for its tags."""
    pieces, done, endless = [], 0, set()
    for begins in _BEGINS.finditer(text):
        kind = (begins[1] or begins[2]).lower()
        if begins.start() < done or kind in endless:
            continue
        ends = _WHOLE[kind].search(text, begins.end())
        if ends is None:
            endless.add(kind)
            continue
        pieces += [text[done : begins.start()], " "]
        done = ends.end()
    return "".join([*pieces, text[done:]])


def _pairs(tags: list[re.Match[str]]) -> set[int]:
    """Return the numbers of the tags that open or close an element which has both."""
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
    """Tell whether a tag without a partner does something, rather than being spoken of.

    It has attributes, is closed in itself, or stands against a word though its name is one of HTML's. Words
    that are no attributes ("if a<b and c>d") are a text's own.
    """
    if "=" in tag["rest"] or tag["rest"].endswith("/"):
        return True
    if not _BARE.issuperset(tag["rest"].lower().split()):
        return False
    beside = text[max(0, tag.start() - 1) : tag.start()] + text[tag.end() : tag.end() + 1]
    return tag["name"].lower() in _KNOWN and any(char.isalnum() for char in beside)


def _inert(text: str) -> str:
    """Return text without a `<` that begins anything: a tag's is a guillemet, else a space follows."""
    # What a template puts behind the text must not become the name of a tag either.
    return _LAST.sub("‹", _OPENS.sub("< ", _CLOSED.sub(r"‹\1›", text)))
