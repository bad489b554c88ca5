"""Writes quotation marks around what a `blockquote` quotes, and formulas as text.

Rules of the reader from version 2 on. Pure, linear time.
"""

import re

from pipeline.feeds.html_pieces import HtmlPieces, attribute_value, decode_references

_OPENING = ('"', "“", "„", "«", "‘", "'", "‚", "‹", "「", "『", "”", "»")
_BEGINNINGS = "[(¿¡…$€£@"
"""What else a sentence begins with; code begins with other signs."""
_PAIRS = {'"': '"', "“": "”", "„": "“", "«": "»", "「": "」", "『": "』"}
_CLOSING = ('"', "”", "“", "»", "’", "」", "』")
_SIGNATURE = re.compile(r"\s*(?:[—–―]|--|-\s?(?=\S)|-\s{0,9}\Z)")
"""A dash before a name, which may be a link of its own."""
_EMBED = re.compile(
    r"tweet|instagram|bluesky|mastodon|toot|threads|tiktok|fb-|facebook|telegram", re.IGNORECASE
)
_OTHERS = frozenset(("table", "ul", "ol", "li", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "img", "figure"))
"""Elements of a passage that is more than a quotation."""
_BREAKS = frozenset(("p", "/p", "div", "/div", "br", "cite", "footer", "/footer"))
_MAX_CHARS = 1_500
"""Characters of the longest passage that is marked. Chosen, not measured."""
_ADDRESS = re.compile(r"\s*https?://\S+\s*")
_MIN_OTHER_CHARS = 40
"""Characters beside a blockquote below which it is the layout of the text. Chosen, not measured."""
_MAX_SIGNATURE_CHARS = 150
_MAX_TAGS = 500
"""Tags of a formula before its TeX. Chosen, not measured."""


def is_quoted(before: str, after: str) -> bool:
    """Return whether quotation marks stand right before and after."""
    return decode_references(before).rstrip()[-1:] in _OPENING and bool(decode_references(after).strip())


def write_block_quotations(split: HtmlPieces, texts: list[str]) -> None:
    """Write quotation marks at both ends of each passage between tags of `blockquote`.

    Passages of one quotation, which has its marks at its beginning and its end, get none between.
    """
    total = sum(map(len, map(str.strip, texts)))
    depth, start, is_embed, is_open = 0, 0, False, False
    for at, name in enumerate(split.names):
        if name not in ("blockquote", "/blockquote"):
            continue
        if depth:
            places = range(start + 1, at + 1)
            if not is_open:
                is_open = _opens_quotation(texts, places)
                _mark(split, texts, places, total, is_embed=is_embed)
            else:
                is_open = not _closes_quotation(texts, places)
        elif any(map(str.strip, texts[start + 1 : at + 1])):
            is_open = False
        depth = max(0, depth + (1 if name == "blockquote" else -1))
        start = at
        is_embed = name == "blockquote" and bool(
            _EMBED.search(attribute_value(split.attributes[at], "class") or "")
        )


def _opens_quotation(texts: list[str], places: range) -> bool:
    """Return whether a passage begins with a quotation mark, and the next passage may have its other half."""
    passage = decode_references("".join(texts[at] for at in places)).strip()
    closing = _PAIRS.get(passage[:1])
    if closing is None:
        return False
    return passage.count(closing) % 2 == 1 if closing == '"' else passage.count(closing) == 0


def _closes_quotation(texts: list[str], places: range) -> bool:
    return decode_references("".join(texts[at] for at in places)).rstrip(" \n\t.,")[-1:] in _CLOSING


def _mark(split: HtmlPieces, texts: list[str], places: range, total: int, *, is_embed: bool) -> None:
    """Write the marks into the first and the last text of a passage that are not its signature."""
    filled = [at for at in places if decode_references(texts[at]).strip()]
    if not filled or not _OTHERS.isdisjoint(split.names[places.start : places.stop - 1]):
        return
    if sum(len(texts[at].strip()) for at in filled) > min(_MAX_CHARS, total - _MIN_OTHER_CHARS):
        return
    signature = next((at for at in filled[1:] if _is_signature(split.names, texts, at)), None)
    spoken = [at for at in filled if signature is None or at < signature]
    if is_embed and signature is not None:
        spoken = _without_links(split.names, texts, spoken)
    first = decode_references(texts[spoken[0]]).lstrip()[:1] if spoken else ""
    if not first or first in _OPENING or not (first.isalnum() or first in _BEGINNINGS):
        return
    if decode_references(texts[spoken[-1]]).rstrip(" \n\t.,")[-1:] in _CLOSING:
        return
    if len(spoken) == 1 and _ADDRESS.fullmatch(texts[spoken[0]]):
        return
    texts[spoken[0]] = '"' + texts[spoken[0]].lstrip()
    texts[spoken[-1]] = texts[spoken[-1]].rstrip() + '"'


def _is_signature(names: list[str], texts: list[str], at: int) -> bool:
    """Return whether a text says who is quoted: it begins with a dash after a break, or stands in `cite`."""
    before = _names_before(names, texts, at)
    if "cite" in before or "footer" in before:
        return True
    text = decode_references(texts[at])
    return (
        bool(_SIGNATURE.match(text)) and len(text) <= _MAX_SIGNATURE_CHARS and not _BREAKS.isdisjoint(before)
    )


def _names_before(names: list[str], texts: list[str], at: int) -> set[str]:
    """Return the names of the tags between a text and the text before it."""
    start = at - 1
    while start > 0 and not decode_references(texts[start]).strip():
        start -= 1
    return set(names[start:at])


def _without_links(names: list[str], texts: list[str], spoken: list[int]) -> list[int]:
    """Return the places of what a post says, without the addresses of its pictures, which are taken out."""
    for at in spoken[1:]:
        if names[at - 1] == "a" and "/" in texts[at] and " " not in texts[at].strip():
            texts[at] = ""
    return [at for at in spoken if texts[at]]


def write_formulas(names: list[str], attributes: list[str], texts: list[str]) -> None:
    """Write the formulas of MathML as text: by their TeX where they have it, else with `^` and `/`."""
    opened: list[tuple[str, int, int]] = []  # name, its place, and the children that are closed
    for at, name in enumerate(names):
        if name == "annotation" and "tex" in attributes[at].lower():
            _keep_only(names, texts, at)
        if opened and name[:1] == "/" and name[1:] == opened[-1][0]:
            opened.pop()
            if opened:
                parent, place, children = opened[-1]
                opened[-1] = (parent, place, children + 1)
                if children == 0 and (sign := _BETWEEN.get(parent)) and texts[at].strip():
                    texts[at + 1] = sign + texts[at + 1].lstrip()
        elif name == "math" or (opened and name and name[0] != "/" and not attributes[at].endswith("/")):
            opened.append((name, at, 0))


_BETWEEN = {"msup": "^", "mfrac": "/"}


def _keep_only(names: list[str], texts: list[str], annotation: int) -> None:
    """Take out all texts of the formula around an annotation but its own."""
    start = annotation
    while start > max(0, annotation - _MAX_TAGS) and names[start] != "math":
        start -= 1
    if names[start] == "math":
        texts[start + 1 : annotation + 1] = [""] * (annotation - start)
