"""Looks up words and addresses of a draft in its source."""

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from itertools import islice, takewhile
from urllib.parse import unquote, urlsplit

from pipeline.checks.document import visible_text
from pipeline.checks.language_tables import any_of
from pipeline.checks.source_texts import PREPARED, source_metadata
from pipeline.domain.models import Source

_MAX_CHARS = 200_000
"""Of a source's text, the rest is ignored. Chosen, not measured."""
_PLATFORMS = frozenset((
    "bit.ly", "bsky.app", "discord.com", "discord.gg", "facebook.com", "feedburner.com",
    "feedproxy.google.com", "feeds.feedburner.com", "github.com", "google.com", "instagram.com",
    "linkedin.com", "medium.com", "news.google.com", "news.ycombinator.com", "reddit.com",
    "sites.google.com", "t.co", "t.me", "tiktok.com", "tinyurl.com", "twitter.com", "vk.com", "x.com",
    "youtu.be", "youtube.com",
))  # fmt: skip
"""Hosts where anybody may publish, so that an address there is not the publisher's."""
_REQUEST = any_of(
    "visit|click|tap|join|subscribe|download|install|check(?:ing)? out|head (?:over )?to|go(?:ing)? to",
    "sign(?:ing)? up|regist(?:er|ering) (?:at|on|with|via)|contact|reach out|write to",
    "message us|follow us|dm|log ?in",
    r"(?:link|point|direct)(?:s|ing)? to|refer(?:ring)? to|redirect\w{0,5}|promot\w{1,4}|advertis\w{1,4}",
    "more (?:at|info|information|details)|(?:read|see|learn|find out) more|send|deposit|insert|include",
    r"claim(?:ing)? (?:your|their|the|a|it)|donat\w{1,4} (?:to|at|via)",
    "your (?:reply|response|answer|article|output|summary|message|text)",
    "besuchen|jetzt|klicken|visita|haga clic|cliquez|visitez",
)
_CONTEXT_CHARS = 120
"""Before a name in which a request is searched; after it, half of them. Chosen, not measured."""
_MAX_PLACES = 20
"""Occurrences of a name that are examined. Chosen, not measured."""
_MIN_LABEL_CHARS = 5
"""Letters of a site's label that may abbreviate a name: fewer fit by chance. Chosen, not measured."""
_MAX_NAMES = 500
"""Names of the source that are compared with a site. Chosen, not measured."""
_NAME = re.compile(r"[A-Z]\w{1,20}(?: [A-Z]\w{1,20}){1,5}")
_REFERENCES = ("see ", "siehe ", "voir ", "véase ")
"""What is before an address to which a text refers its reader."""
_NAME_CHAR = re.compile(r"[\w@-]")


class SourceIndex:
    """The texts and links of a source, prepared lazily; look-ups are cached."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._contained: dict[str, bool] = {}
        self._reported: dict[str, bool] = {}
        self._mentioned: dict[str, bool] = {}
        self._named: dict[str, bool] = {}

    @cached_property
    def visible(self) -> str:
        """The visible text of the source with its title, author, summary, categories and feeds."""
        texts = (self._source.item.text[:_MAX_CHARS], *source_metadata(self._source))
        return visible_text("\n".join(texts)).text

    @cached_property
    def folded(self) -> str:
        """The visible text, normalised by `folded`."""
        return folded(self.visible)

    @cached_property
    def _links(self) -> frozenset[str]:
        item = self._source.item
        guid = item.guid if item.guid.startswith(("http://", "https://")) else ""
        links = (item.link, item.canonical, guid, *(credit.url for credit in self._source.also))
        return frozenset(_host_and_path(link) for link in links if link)

    @cached_property
    def _hosts(self) -> frozenset[str]:
        return frozenset(link.partition("/")[0] for link in self._links)

    def contains(self, words: str) -> bool:
        """Tell whether the source has these words, ignoring case and white space."""
        if words not in self._contained:
            self._contained[words] = folded(words) in self.folded
        return self._contained[words]

    def is_own(self, address: str) -> bool:
        """Tell whether an address is one of the item's links, or the home page of its publisher."""
        place = _host_and_path(address)
        host, _, path = place.partition("/")
        if place in self._links:
            return True
        return not path and host not in _PLATFORMS and any(_is_in_domain(own, host) for own in self._hosts)

    def is_feed_name(self, text: str) -> bool:
        """Tell whether a text is the name of a feed that has the item, or begins it: "Yup Dot Com"."""
        names = (self._source.feed_name, *(credit.name for credit in self._source.also))
        return any(f"{folded(name)}:".startswith((f"{folded(text)}:", f"{folded(text)} ")) for name in names)

    def is_same_host(self, address: str) -> bool:
        """Tell whether an address is another page on the publisher's host."""
        host = _host_and_path(address).partition("/")[0]
        return host in self._hosts and host not in _PLATFORMS

    def reports_name(self, name: str) -> bool:
        """Tell whether the source reports about a name in this spelling, and nowhere asks to go there.

        A reported name is in the title or occurs twice; a planted one usually occurs once.
        """
        if name not in self._reported:
            text = self.visible
            places = list(islice(_places(name, text), _MAX_PLACES))
            is_prominent = len(places) > 1 or name in self._source.item.title
            self._reported[name] = is_prominent and not any(asks_reader(text, *place) for place in places)
        return self._reported[name]

    def mentions_name(self, name: str) -> bool:
        """Tell whether the source has a name in any spelling, and nowhere asks to go there."""
        folded_name = name.lower()
        if folded_name not in self._mentioned:
            text = self._lowered
            places = list(islice(_places(folded_name, text), _MAX_PLACES))
            self._mentioned[folded_name] = bool(places) and not any(
                asks_reader(text, *place) or text.endswith(_REFERENCES, 0, place[0]) for place in places
            )
        return self._mentioned[folded_name]

    def is_named_site(self, site: str) -> bool:
        """Tell whether a site of the source's text is called after somebody whom the source names.

        The first label has the letters of a name (`goldengate.com`), or the beginnings of its words
        (`gogaruco.com`: Golden Gate Ruby Conference).
        """
        label = site.lower().removeprefix("www.").partition(".")[0]
        if len(label) < _MIN_LABEL_CHARS or not self.contains(site):
            return False
        if label not in self._named:
            self._named[label] = any(_abbreviates(label, name.lower().split()) for name in self._names)
        return self._named[label]

    @cached_property
    def _names(self) -> tuple[str, ...]:
        """The names of several words in the source: its first ones of words with a capital."""
        return tuple(match[0] for match in islice(_NAME.finditer(self.visible), _MAX_NAMES))

    @cached_property
    def _lowered(self) -> str:
        lowered = self.visible.lower()
        return lowered if len(lowered) == len(self.visible) else self.visible


@lru_cache(maxsize=PREPARED)
def index_source(source: Source) -> SourceIndex:
    """Return the index of a source; the parts of a draft share it."""
    return SourceIndex(source)


def _abbreviates(label: str, words: list[str]) -> bool:
    """Tell whether a label consists of the beginnings of words, one after the other."""
    for first in range(len(words) - 1):
        rest = label
        for word in words[first:]:
            shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(rest, word, strict=False)))
            if not shared:
                break
            rest = rest[shared:]
        if not rest:
            return True
    return False


def _places(name: str, text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of a name in a text as whole words."""
    start = text.find(name)
    while start >= 0:
        end = start + len(name)
        if not (_NAME_CHAR.match(text, start - 1) if start else None) and not _NAME_CHAR.match(text, end):
            yield start, end
        start = text.find(name, end)


def asks_reader(text: str, start: int, end: int) -> bool:
    """Tell whether words around a span ask somebody to do something with it."""
    before, after = text[max(0, start - _CONTEXT_CHARS) : start], text[end : end + _CONTEXT_CHARS // 2]
    return _REQUEST.search(f"{before} {after}") is not None


def folded(text: str) -> str:
    """Return a text with case folded, single spaces and straight apostrophes."""
    return " ".join(text.casefold().replace("’", "'").split())


def _host_and_path(address: str) -> str:
    """Return host, path and query of an address without `www.`; empty if it cannot be parsed."""
    bare = address if "//" in address[:24] else f"//{address}"
    try:
        parts = urlsplit(bare)
        host = (parts.hostname or "").removeprefix("www.").rstrip(".")
    except ValueError:
        return ""
    query = f"?{parts.query}" if parts.query else ""
    return host + unquote(f"{parts.path.rstrip('/')}{query}", errors="replace")


def _is_in_domain(own: str, host: str) -> bool:
    return bool(host) and (own == host or own.endswith(f".{host}"))
