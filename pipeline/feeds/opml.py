"""Reads and writes OPML 2.0 subscription lists, and converts them to YAML for feeds.yaml. No I/O.

Format: https://opml.org/spec2.opml. The file is hostile input: a document type (DTD) and thus any entity of
its own is refused.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

import yaml
from slugify import slugify

from pipeline.config import Subscriptions
from pipeline.domain.errors import ConfigError
from pipeline.domain.models import Beat, FeedConfig, FrozenModel
from pipeline.domain.urls import normalize_feed_url, without_userinfo
from pipeline.feeds.entries import language_of

MAX_BYTES = 10_000_000
"""Bytes; about fifty thousand feeds. Chosen, not measured."""
MAX_DEPTH = 64
"""Nested elements. Chosen, not measured."""

_DEFAULT_LANGUAGE = "en"

# All but what both XML and YAML can contain; also marks that change the reading direction.
_UNWRITABLE_CHARS = re.compile(
    "[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)


class OutlineFeed(FrozenModel):
    """One feed of a subscription list."""

    title: str
    """One line; the feed's host if the list has no title for it."""
    url: str
    categories: tuple[str, ...] = ()
    """Titles of the enclosing outlines, outermost first."""
    language: str | None = None


def read_opml(data: bytes, name: str = "the OPML file") -> tuple[list[OutlineFeed], list[str]]:
    """Return the feeds of an OPML file in order, and a note on each outline that was left out.

    Raises ConfigError with `name` and the line when the bytes are no OPML.
    """
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{name} is larger than {MAX_BYTES:,} bytes; split it", file=name)
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
    """Collects feeds from expat's events without building a tree, so memory does not grow with depth."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.feeds: list[OutlineFeed] = []
        self.notes: list[str] = []
        self.open_titles: list[str] = []
        """Titles of the open outlines, `""` for other open elements."""
        self.urls: set[str] = set()
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
        if not self.open_titles and tag.lower() != "opml":
            raise self.error(f"<{clean_line(tag)[:40]}> instead of <opml>")
        if len(self.open_titles) >= MAX_DEPTH:
            raise self.error(f"nested more than {MAX_DEPTH} deep")
        values = {key.lower(): clean_line(value) for key, value in attributes.items()}
        is_outline = tag.lower() == "outline"
        if is_outline and ("xmlurl" in values or values.get("type", "").lower() in {"rss", "include"}):
            self.feed(values)
        self.open_titles.append((values.get("text") or values.get("title") or "") if is_outline else "")

    def end(self, _: str) -> None:
        self.open_titles.pop()

    def feed(self, values: dict[str, str]) -> None:
        url = values.get("xmlurl", "")
        address = normalize_feed_url(url)
        title = values.get("text") or values.get("title") or (address or "").partition("/")[0]
        if address is None or address in self.urls:
            reason = "is listed twice" if address else "has no http(s) address"
            line = self.parser.CurrentLineNumber
            self.notes.append(f"{self.name}:{line}: {title[:80] or 'an outline'} {reason}; left out")
            return
        self.urls.add(address)
        categories = tuple(filter(None, self.open_titles)) or _category_path(values.get("category", ""))
        self.feeds.append(
            OutlineFeed(title=title, url=url, categories=categories, language=values.get("language") or None)
        )


def _category_path(attribute: str) -> tuple[str, ...]:
    """Return the first category of the attribute `category`, `/Money/Coins,/Law`: used without folders."""
    return tuple(filter(None, map(str.strip, attribute.partition(",")[0].split("/"))))


def clean_line(text: str) -> str:
    """Return `text` on one line, without characters that XML or YAML cannot contain."""
    return " ".join(_UNWRITABLE_CHARS.sub("", " ".join(text.split())).split())


def to_yaml(outlines: Sequence[OutlineFeed], existing: Subscriptions | None = None) -> str:
    """Return YAML for feeds.yaml that subscribes to `outlines`.

    With `existing`, it is lines to add under `feeds:`, and feeds that are subscribed to already are comments.
    Without it, it is a complete feeds.yaml. Folders are categories; those that the vocabulary of a beat lacks
    are named in a comment at the beginning.
    """
    existing_keys = {normalize_feed_url(feed.url): feed.key for feed in existing.feeds} if existing else {}
    used_keys = (
        {key for feed in existing.feeds for key in (feed.key, *feed.previous_keys)} if existing else set()
    )
    parts = [_head_of_addition(outlines, existing) if existing else _head(outlines)]
    for outline in outlines:
        key = existing_keys.get(normalize_feed_url(outline.url))
        if key:
            parts.append(f"  # {clean_line(outline.title)} is subscribed to already, as {key}\n")
        else:
            parts.append(_entry(outline, _new_key(outline, used_keys), existing))
    return "".join(parts)


def _head(outlines: Sequence[OutlineFeed]) -> str:
    beats = {
        "news": {"market": "market", "vocabulary": sorted({_category(outline, None) for outline in outlines})}
    }
    head = _dump({"defaults": {"beat": "news", "language": _DEFAULT_LANGUAGE}, "beats": beats})
    return f"{head}feeds:\n" if outlines else f"{head}feeds: []\n"


def _head_of_addition(outlines: Sequence[OutlineFeed], existing: Subscriptions) -> str:
    lines = ["# Add these lines at the end of feeds.yaml, under feeds:"]
    for beat in existing.beats.values():
        own = [outline for outline in outlines if _beat(outline, existing) == beat]
        used = dict.fromkeys(_category(outline, beat, existing.feeds) for outline in own)
        if missing := [name for name in used if beat.vocabulary and name not in beat.vocabulary]:
            lines.append(f"# Add to the vocabulary of beat {beat.key}: {', '.join(missing)}")
    return "".join(f"{line}\n" for line in lines)


def _new_key(outline: OutlineFeed, used_keys: set[str]) -> str:
    host = (normalize_feed_url(outline.url) or "").partition("/")[0]
    stem = slugify(outline.title, max_length=48) or slugify(host, max_length=48) or "feed"
    key, number = stem, 2
    while key in used_keys:
        key, number = f"{stem}-{number}", number + 1
    used_keys.add(key)
    return key


def _entry(outline: OutlineFeed, key: str, existing: Subscriptions | None) -> str:
    beat = _beat(outline, existing)
    entry = {"key": key, "name": clean_line(outline.title), "url": outline.url}
    if beat:
        entry["beat"] = beat.key
    entry["category"] = _category(outline, beat, existing.feeds if existing else ())
    language = language_of(outline.language or "")
    if language and (existing or language != _DEFAULT_LANGUAGE):
        entry["language"] = language
    text = _dump([entry])
    return "".join(f"  {line}\n" for line in text.splitlines())


def _beat(outline: OutlineFeed, existing: Subscriptions | None) -> Beat | None:
    """Return the first beat whose key is the title of an enclosing outline, else the first beat."""
    if existing is None or not existing.beats:
        return None
    named = [slugify(title) for title in outline.categories]
    return next((existing.beats[name] for name in named if name in existing.beats), None) or next(
        iter(existing.beats.values())
    )


def _category(outline: OutlineFeed, beat: Beat | None, feeds: Iterable[FeedConfig] = ()) -> str:
    """Return the innermost folder in the beat's vocabulary, else the innermost, else the usual category.

    A folder that is called like the beat is none of its categories.
    """
    folders = [slugify(title).upper() for title in reversed(outline.categories)]
    names = [name for name in folders if name and (beat is None or name != beat.key.upper())]
    if beat is None or not beat.vocabulary:
        return next(iter(names), "NEWS")
    terms = {slugify(term).upper(): term for term in beat.vocabulary}
    usual = Counter(feed.category for feed in feeds if feed.beat == beat.key).most_common(1)
    fallback = usual[0][0] if usual else beat.vocabulary[0]
    return next((terms[name] for name in names if name in terms), next(iter(names), fallback))


def _dump(value: object) -> str:
    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1_000_000)
    return str(text)


def write_opml(feeds: Iterable[FeedConfig]) -> str:
    """Return an OPML 2.0 file of `feeds`: a folder for each category, within one for each beat if several."""
    beats: dict[str, dict[str, list[FeedConfig]]] = {}
    for feed in feeds:
        beats.setdefault(feed.beat, {}).setdefault(clean_line(feed.category), []).append(feed)
    by_beat = {
        beat: "".join(_group(category, members) for category, members in groups.items())
        for beat, groups in beats.items()
    }
    body = "".join(
        f"    <outline text={_quoted(beat)}>\n{folders}    </outline>\n" if len(beats) > 1 else folders
        for beat, folders in by_beat.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0">\n'
        f"  <head><title>Copydesk subscriptions</title></head>\n  <body>\n{body}  </body>\n</opml>\n"
    )


def _group(category: str, feeds: Iterable[FeedConfig]) -> str:
    rows = "".join(
        f'      <outline type="rss" text={_quoted(feed.name)} title={_quoted(feed.name)} '
        f"xmlUrl={_quoted(without_userinfo(feed.url))} language={_quoted(feed.language)}/>\n"
        for feed in feeds
    )
    return f"    <outline text={quoteattr(category)}>\n{rows}    </outline>\n"


def _quoted(text: str) -> str:
    return quoteattr(clean_line(text))
