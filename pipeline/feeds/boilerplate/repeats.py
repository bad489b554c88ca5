"""Finds boilerplate by what repeats: lines that most texts of a feed share. Pure.

See docs/decisions/0017-boilerplate.md. In a line, the titles of its item and of its feed are replaced before
it is compared, so that a footer that names the story is one line in all items.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from pydantic import Field

from pipeline.domain.models import FrozenModel, Item
from pipeline.feeds.pages.completeness import is_cut

_MIN_TEXTS = 5
"""Texts of a document in which a line stands at least. Chosen, not measured."""
_MIN_SHARE = 0.6
"""Part of a document's texts in which it stands at least. Chosen, not measured."""
_MAX_CHARS = 600
"""Characters of the longest line that counts. Chosen, not measured."""
_MAX_KNOWN = 60
"""Lines of one feed that are kept. Chosen, not measured."""
_MIN_TITLE_CHARS = 6
_TITLE, _FEED = "{title}", "{feed}"
_OWN = re.compile(r"""\d|["“”„«»「」『』]|(?:\A|\s)['‘‚]\S""")
"""A figure or a quotation: such a line is never boilerplate."""
_SIGNATURE = re.compile(r"[-–—~]{1,3} ?[^\W\d_][\w.]{0,20}(?: [^\W\d_][\w.]{0,20}){0,2}[;,.]?")
"""A dash and a name: who signs all texts of a feed signs this one."""
_MAX_HEADING_WORDS = 6
_TITLE_CASE = re.compile(r"[^\W\d_a-z].*[^\W_]")
"""A line that begins with a capital letter and has no mark at its end."""
_LETTERS = re.compile(r"[^\W\d_]")
_UNSPACED = re.compile("[\u3040-\u30ff\u4e00-\u9fff\u0e00-\u0e7f]")
"""Scripts whose words have no spaces between them."""
_INTRODUCES = (":", "?", "：", "？")
"""The end of a line that belongs to what follows it."""


class Repeated(FrozenModel):
    """A line that was taken out of a document's texts."""

    line: str
    """As `repeats.py` compares it: `{title}` and `{feed}` stand for the titles."""
    texts: int
    """Number of the texts that it was taken out of."""


class CleanedItems(FrozenModel):
    """A document's items without the lines that they repeat."""

    items: tuple[Item, ...]
    repeated: tuple[Repeated, ...] = ()
    boilerplate: tuple[str, ...] = ()
    """What is taken out of the feed's texts from now on."""
    before: dict[str, str] = Field(default_factory=dict)
    """Content hashes by guid as the document was read before, where a line that is new was taken out."""


def take_out_repeats(
    feed_title: str, items: Sequence[Item], boilerplate: Collection[str] = ()
) -> CleanedItems:
    """Return a document's items without the lines that most of its texts share, or that `boilerplate` has."""
    if not boilerplate and len({item.text for item in items}) < _MIN_TEXTS:
        return CleanedItems(items=tuple(items))
    keyed = {(item.title, item.text): _keys(item.text, item.title, feed_title) for item in items if item.text}
    counts = _counts(keyed)
    min_count = max(_MIN_TEXTS, _MIN_SHARE * len({text for _, text in keyed}))
    common = (key for key, count in counts.items() if count >= min_count and key not in boilerplate)
    new = sorted(filter(_is_boilerplate, common), key=lambda key: (-counts[key], key))
    lines = (*boilerplate, *new)[:_MAX_KNOWN]
    if not any(key in counts for key in lines):
        return CleanedItems(items=tuple(items), boilerplate=tuple(boilerplate))
    cleaned = [_clean(item, feed_title, lines) for item in items]
    before = {}
    for item, now in zip(items, cleaned, strict=True) if new else ():
        earlier = _clean(item, feed_title, boilerplate)
        if earlier.text != now.text:
            before[item.guid] = earlier.content_hash
    taken = _taken(items, cleaned, feed_title)
    return CleanedItems(
        items=tuple(cleaned),
        repeated=tuple(Repeated(line=key, texts=taken[key]) for key in lines if taken[key]),
        boilerplate=lines,
        before=before,
    )


def _taken(items: Sequence[Item], cleaned: Sequence[Item], feed_title: str) -> Counter[str]:
    """Return the number of different texts that each line was taken out of."""
    changed = {
        item.text: (item, now) for item, now in zip(items, cleaned, strict=True) if item.text != now.text
    }
    taken = Counter[str]()
    for item, now in changed.values():
        before, after = (
            Counter(filter(None, _keys(each.text, item.title, feed_title))) for each in (item, now)
        )
        taken.update((before - after).keys())
    return taken


def _counts(keyed: dict[tuple[str, str], list[str | None]]) -> Counter[str]:
    """Return the number of different texts that each line stands in."""
    texts: dict[str, set[str]] = {}
    for (_, text), keys in keyed.items():
        texts.setdefault(text, set()).update(filter(None, keys))
    return Counter(key for keys in texts.values() for key in keys)


def _keys(text: str, title: str, feed_title: str) -> list[str | None]:
    """Return each line as it is compared; None for one that is none, too long, or introduces what follows."""
    return [_key(line, title, feed_title) for line in text.split("\n")]


def _key(line: str, title: str, feed_title: str) -> str | None:
    if not line or len(line) > _MAX_CHARS or line.endswith(_INTRODUCES):
        return None
    for written, placeholder in ((title, _TITLE), (feed_title, _FEED)):
        if len(written) >= _MIN_TITLE_CHARS and written in line:
            line = line.replace(written, placeholder)
    return line


def _is_boilerplate(key: str) -> bool:
    """Return whether a repeated line may be boilerplate: not a title, and with no figure and no quotation."""
    is_own = _OWN.search(key) or _SIGNATURE.fullmatch(key)
    return key not in (_TITLE, _FEED) and not is_own and len(_LETTERS.findall(key)) > 2


def _clean(item: Item, feed_title: str, boilerplate: Collection[str]) -> Item:
    if not item.text or not boilerplate:
        return item
    text = _without(item.text, item.title, feed_title, boilerplate)
    summary = _without(item.summary, item.title, feed_title, boilerplate)
    if text == item.text and summary == item.summary:
        return item
    cut = is_cut(item.text) and not is_cut(text)
    changed = {"text": text, "summary": "" if summary == text else summary}
    return item.model_copy(update=changed | ({"excerpt": "cut"} if cut else {}))


def _without(text: str, title: str, feed_title: str, boilerplate: Collection[str]) -> str:
    """Return a text without known lines at its ends, and without those within it that stand alone."""
    lines = text.split("\n")
    is_known = [key in boilerplate for key in _keys(text, title, feed_title)]
    if not any(is_known):
        return text
    ends = set(_run(lines, is_known, range(len(lines))))
    ends.update(_run(lines, is_known, range(len(lines) - 1, -1, -1)))
    taken = {
        at
        for at, line in enumerate(lines)
        if is_known[at] and (at in ends or (_stands_alone(lines, at) and _is_phrase(line)))
    }
    first = next((at for at, line in enumerate(lines) if line and at not in taken), len(lines))
    left = [
        line
        for at, line in enumerate(lines)
        if at not in taken or (at > first and _is_heading(lines, at, taken))
    ]
    remaining = re.sub(r"\n{3,}", "\n\n", "\n".join(left)).strip()
    return remaining or text


def _is_heading(lines: list[str], at: int, taken: Collection[int]) -> bool:
    """Return whether a line is a heading: its longer words have capitals, and text that stays follows."""
    words = lines[at].split()
    if len(words) > _MAX_HEADING_WORDS or not _TITLE_CASE.fullmatch(lines[at]):
        return False
    follower = next((each for each in range(at + 1, len(lines)) if lines[each]), None)
    return follower is not None and follower not in taken and all(len(w) < 4 or w[0].isupper() for w in words)


def _run(lines: list[str], is_known: list[bool], order: range) -> Iterator[int]:
    """Yield the known lines from one end on, up to the first other line."""
    for at in order:
        if lines[at] and not is_known[at]:
            return
        if lines[at] and (_is_phrase(lines[at]) or _stands_alone(lines, at)):
            yield at


def _stands_alone(lines: list[str], at: int) -> bool:
    return not any(lines[max(0, at - 1) : at]) and not any(lines[at + 1 : at + 2])


def _is_phrase(line: str) -> bool:
    """Return whether a line has more than one word, which may be a heading."""
    return len(line.removeprefix("- ").split()) > 1 or (len(line) > 6 and bool(_UNSPACED.search(line)))
