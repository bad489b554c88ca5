"""What a source says, put in a form in which a body's words can be looked up."""

import re
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from urllib.parse import unquote, urlsplit

from pipeline.checks.languages import any_of
from pipeline.checks.visible_text import visible_text
from pipeline.domain.models import Source

_READ = 200_000
"""Characters of a source that are looked at."""
_PLATFORMS = frozenset((
    "bit.ly", "bsky.app", "discord.com", "discord.gg", "facebook.com", "feedburner.com",
    "feedproxy.google.com", "feeds.feedburner.com", "github.com", "google.com", "instagram.com",
    "linkedin.com", "medium.com", "news.google.com", "news.ycombinator.com", "reddit.com",
    "sites.google.com", "t.co", "t.me", "tiktok.com", "tinyurl.com", "twitter.com", "vk.com", "x.com",
    "youtu.be", "youtube.com",
))  # fmt: skip
"""Hosts that belong to nobody's newsroom: an address there leads to anybody."""
_PLEA = any_of(
    "visit|click|tap|join|subscribe|download|install|check(?:ing)? out|head (?:over )?to|go(?:ing)? to",
    "sign(?:ing)? up|regist(?:er|ering) (?:at|on|with|via)|contact|reach out|write to",
    "message us|follow us|dm|log ?in",
    r"(?:link|point|direct)(?:s|ing)? to|refer(?:ring)? to|redirect\w{0,5}|promot\w{1,4}|advertis\w{1,4}",
    "more (?:at|info|information|details)|(?:read|see|learn|find out) more|send|deposit|insert|include",
    r"claim(?:ing)? (?:your|their|the|a|it)|donat\w{1,4} (?:to|at|via)",
    "your (?:reply|response|answer|article|output|summary|message|text)",
    "besuchen|jetzt|klicken|visita|haga clic|cliquez|visitez",
)
_NEAR = 120
"""Characters in front of a name in which something is asked for; behind it, half of them."""
_MOST = 20
_PART = re.compile(r"[\w@-]")


class SourceIndex:
    """The texts of a source, read when they are first asked for."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._said: dict[str, bool] = {}
        self._named: dict[str, bool] = {}

    @cached_property
    def shown(self) -> str:
        """Everything that the source says, as its readers see it."""
        item, also = self._source.item, self._source.also
        said = (item.title, item.author or "", item.summary, *item.categories, self._source.feed_name)
        texts = (item.text[:_READ], *said, *(credit.name for credit in also))
        return visible_text("\n".join(text for text in texts if text)).text

    @cached_property
    def folded(self) -> str:
        """The same in one case, with one space for all white space, and straight apostrophes."""
        return folded(self.shown)

    @cached_property
    def _links(self) -> frozenset[str]:
        item = self._source.item
        guid = item.guid if item.guid.startswith(("http://", "https://")) else ""
        links = (item.link, item.canonical, guid, *(credit.url for credit in self._source.also))
        return frozenset(_place(link) for link in links if link)

    @cached_property
    def _hosts(self) -> frozenset[str]:
        return frozenset(link.partition("/")[0] for link in self._links)

    def says(self, words: str) -> bool:
        """Tell whether the source has these words, whatever their case and the white space between them."""
        if words not in self._said:
            self._said[words] = folded(words) in self.folded
        return self._said[words]

    def is_own(self, address: str) -> bool:
        """Tell whether an address is the item's own, or just names its publisher's site."""
        place = _place(address)
        host, _, path = place.partition("/")
        if place in self._links:
            return True
        return not path and host not in _PLATFORMS and any(_belongs(own, host) for own in self._hosts)

    def is_near(self, address: str) -> bool:
        """Tell whether an address is another page of the publisher's own site."""
        host = _place(address).partition("/")[0]
        return host in self._hosts and host not in _PLATFORMS

    def names(self, word: str) -> bool:
        """Tell whether the source tells of a word in this spelling, and nowhere asks anybody to go there.

        What it tells of stands in its headline, or more than once: what is planted stands once.
        """
        if word not in self._named:
            places = list(islice(_places(word, self.shown), _MOST))
            told = len(places) > 1 or word in self._source.item.title
            self._named[word] = told and not any(asks_reader(self.shown, *place) for place in places)
        return self._named[word]


def _places(word: str, text: str) -> Iterator[tuple[int, int]]:
    """Yield where a word stands in a text by itself."""
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        if not (_PART.match(text, start - 1) if start else None) and not _PART.match(text, end):
            yield start, end
        start = text.find(word, end)


def asks_reader(text: str, start: int, end: int) -> bool:
    """Tell whether words around a place ask somebody to do something with it."""
    return _PLEA.search(text[max(0, start - _NEAR) : start] + " " + text[end : end + _NEAR // 2]) is not None


def folded(text: str) -> str:
    """Return a text for comparing."""
    return " ".join(text.casefold().replace("’", "'").split())


def _place(address: str) -> str:
    """Return host and path of an address, the parts by which a reader tells where it leads."""
    bare = address if "//" in address[:24] else f"//{address}"
    try:
        parts = urlsplit(bare)
        host = (parts.hostname or "").removeprefix("www.").rstrip(".")
    except ValueError:
        return ""
    query = f"?{parts.query}" if parts.query else ""
    return host + unquote(f"{parts.path.rstrip('/')}{query}", errors="replace")


def _belongs(own: str, host: str) -> bool:
    return bool(host) and (own == host or own.endswith(f".{host}"))
