"""Subscription lists of other readers: OPML 2.0 in, YAML to add to feeds.yaml and OPML out. No I/O.

Format: https://opml.org/spec2.opml. A list comes from anywhere, so a document type, and with it every
entity of its own, is refused.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

import yaml
from slugify import slugify

from pipeline.domain.errors import ConfigError
from pipeline.domain.models import Beat, FeedConfig, FrozenModel, normalize_feed_url

LARGEST = 10_000_000
"""Bytes; about fifty thousand feeds."""
DEEPEST = 64

# What XML and YAML both carry, without marks that reverse the reading direction.
_UNWRITABLE = re.compile(
    "[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)


class OutlineFeed(FrozenModel):
    """One feed of a subscription list."""

    title: str
    """One line; the feed's host where the list has no name for it."""
    url: str
    categories: tuple[str, ...] = ()
    """Titles of the outlines around it, outermost first."""
    language: str | None = None


class Subscribed(Protocol):
    """What is subscribed to already; `pipeline.config.Subscriptions` is one."""

    @property
    def feeds(self) -> tuple[FeedConfig, ...]:
        """Feeds in the file's order."""

    @property
    def beats(self) -> Mapping[str, Beat]:
        """Beats by key."""


def read_opml(data: bytes, name: str = "the OPML file") -> tuple[list[OutlineFeed], list[str]]:
    """Return the feeds in an OPML file, in its order, and a sentence on each outline that was left out.

    Raises ConfigError, naming `name` and the line, where the bytes are no OPML.
    """
    if len(data) > LARGEST:
        raise ConfigError(f"{name} is larger than {LARGEST:,} bytes; split it", file=name)
    reader = _Reader(name)
    try:
        reader.parser.Parse(data, True)
    except expat.ExpatError as error:
        raise reader.error(f"not XML ({expat.errors.messages[error.code]})", error.lineno) from error
    except (LookupError, ValueError) as error:
        raise reader.error("in an encoding that is not known here; save it as UTF-8") from error
    if not reader.feeds:
        reader.notes.append(f"{name} has no feed in it")
    return reader.feeds, reader.notes


class _Reader:
    """Collects feeds while expat walks the file; keeps no tree, so depth and size cost little."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.feeds: list[OutlineFeed] = []
        self.notes: list[str] = []
        self.open: list[str] = []
        """Titles of the open outlines, `""` for other elements."""
        self.seen: set[str] = set()
        self.parser = expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end

    def error(self, what: str, line: int | None = None) -> ConfigError:
        line = line or self.parser.CurrentLineNumber
        fix = "export the subscriptions from your reader again, as OPML"
        return ConfigError(f"{self.name}:{line}: {what}; {fix}", file=self.name, line=line)

    def doctype(self, *_: object) -> None:
        raise self.error("has a document type, which is refused as it can hide other files")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self.open and tag.lower() != "opml":
            raise self.error(f"<{clean(tag)[:40]}> instead of <opml>")
        if len(self.open) >= DEEPEST:
            raise self.error(f"nested more than {DEEPEST} deep")
        said = {key.lower(): clean(value) for key, value in attributes.items()}
        is_outline = tag.lower() == "outline"
        if is_outline and ("xmlurl" in said or said.get("type", "").lower() in {"rss", "include"}):
            self.feed(said)
        self.open.append((said.get("text") or said.get("title") or "") if is_outline else "")

    def end(self, _: str) -> None:
        self.open.pop()

    def feed(self, said: dict[str, str]) -> None:
        url = said.get("xmlurl", "")
        address = normalize_feed_url(url)
        title = said.get("text") or said.get("title") or (address or "").partition("/")[0]
        if address is None or address in self.seen:
            why = "is listed twice" if address else "has no http(s) address"
            line = self.parser.CurrentLineNumber
            self.notes.append(f"{self.name}:{line}: {title[:80] or 'an outline'} {why}; left out")
            return
        self.seen.add(address)
        categories = tuple(filter(None, self.open))
        self.feeds.append(
            OutlineFeed(title=title, url=url, categories=categories, language=said.get("language") or None)
        )


def clean(text: str) -> str:
    """Return `text` on one line, without characters that XML or YAML cannot carry."""
    return " ".join(_UNWRITABLE.sub("", " ".join(text.split())).split())


def to_yaml(outlines: Sequence[OutlineFeed], existing: Subscribed | None = None) -> str:
    """Return the YAML that subscribes to `outlines`: lines to add under `feeds:`, or a whole file.

    With `existing`, feeds that it has already are comments. Without, the answer is a complete feeds.yaml.
    """
    known = {normalize_feed_url(feed.url): feed.key for feed in existing.feeds} if existing else {}
    taken = {key for feed in existing.feeds for key in (feed.key, *feed.previous_keys)} if existing else set()
    parts = ["# Add these lines at the end of feeds.yaml, under feeds:\n" if existing else _head(outlines)]
    for outline in outlines:
        key = known.get(normalize_feed_url(outline.url))
        if key:
            parts.append(f"  # {clean(outline.title)} is subscribed to already, as {key}\n")
        else:
            parts.append(_entry(outline, _new_key(outline, taken), existing))
    return "".join(parts)


def _head(outlines: Sequence[OutlineFeed]) -> str:
    beats = {
        "news": {"market": "market", "vocabulary": sorted({_category(outline, None) for outline in outlines})}
    }
    head = _dump({"defaults": {"beat": "news", "language": "en"}, "beats": beats})
    return f"{head}feeds:\n" if outlines else f"{head}feeds: []\n"


def _new_key(outline: OutlineFeed, taken: set[str]) -> str:
    host = (normalize_feed_url(outline.url) or "").partition("/")[0]
    stem = slugify(outline.title, max_length=48) or slugify(host, max_length=48) or "feed"
    key, number = stem, 2
    while key in taken:
        key, number = f"{stem}-{number}", number + 1
    taken.add(key)
    return key


def _entry(outline: OutlineFeed, key: str, existing: Subscribed | None) -> str:
    beat = _beat(outline, existing)
    entry = {"key": key, "name": clean(outline.title), "url": outline.url}
    if beat:
        entry["beat"] = beat.key
    entry["category"] = _category(outline, beat, existing.feeds if existing else ())
    text = _dump([entry])
    return "".join(f"  {line}\n" for line in text.splitlines())


def _beat(outline: OutlineFeed, existing: Subscribed | None) -> Beat | None:
    """Return the beat that an outer outline names, or else the first of the file."""
    if existing is None or not existing.beats:
        return None
    named = [slugify(title) for title in outline.categories]
    return next((existing.beats[name] for name in named if name in existing.beats), None) or next(
        iter(existing.beats.values())
    )


def _category(outline: OutlineFeed, beat: Beat | None, feeds: Iterable[FeedConfig] = ()) -> str:
    """Return the innermost outline's title that is in the vocabulary, or else the beat's usual category."""
    words = [slugify(title, separator="-").upper() for title in reversed(outline.categories)]
    if beat is None or not beat.vocabulary:
        return next(filter(None, words), "NEWS")
    usual = Counter(feed.category for feed in feeds if feed.beat == beat.key).most_common(1)
    fallback = usual[0][0] if usual else beat.vocabulary[0]
    return next((word for word in words if word in beat.vocabulary), fallback)


def _dump(value: object) -> str:
    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1_000_000)
    return str(text)


def write_opml(feeds: Iterable[FeedConfig]) -> str:
    """Return an OPML 2.0 file with `feeds`, one outline around the feeds of each category."""
    groups: dict[str, list[FeedConfig]] = {}
    for feed in feeds:
        groups.setdefault(clean(feed.category), []).append(feed)
    body = "".join(_group(category, members) for category, members in groups.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0">\n'
        f"  <head><title>Copydesk subscriptions</title></head>\n  <body>\n{body}  </body>\n</opml>\n"
    )


def _group(category: str, feeds: Iterable[FeedConfig]) -> str:
    rows = "".join(
        f'      <outline type="rss" text={quoteattr(clean(feed.name))} title={quoteattr(clean(feed.name))} '
        f"xmlUrl={quoteattr(clean(feed.url))} language={quoteattr(clean(feed.language))}/>\n"
        for feed in feeds
    )
    return f"    <outline text={quoteattr(category)}>\n{rows}    </outline>\n"
