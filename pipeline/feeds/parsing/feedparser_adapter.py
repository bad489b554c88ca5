"""Runs feedparser over a feed's XML: its handlers know what every element of every format means.

Not `feedparser.parse`: that hands over text in pieces of a line, which doubles the time, guesses a charset
that is known here, and leaves no place for limits where its handlers take quadratic time.
"""

from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple, TypeAlias
from xml.parsers import expat
from xml.sax.xmlreader import AttributesNSImpl

from feedparser.api import LooseFeedParser, StrictFeedParser

Node: TypeAlias = dict[str, Any]
"""An element as feedparser describes it."""

SPACES: dict[str, str] = {prefix: uri for uri, prefix in StrictFeedParser.namespaces.items() if prefix}
"""The namespaces that prefixes mostly stand for."""
_BUFFER = 1 << 18
"""Bytes of text that are handed over at once."""
_BETWEEN = "\x01"
"""Divides an element's namespace, name and prefix: no XML has this character."""
_NO_MEMORY = expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]
_DEEPEST = 1000
"""Elements within each other: no feed is as deep."""
_ATTRIBUTES = 200
"""Attributes of an element that are read: each is looked for among all of them."""
_NAMESPACES = 200
"""Namespaces of a feed that are told apart: feedparser looks through all of them at every element."""
_TAGS = 200
"""Categories of an item that are kept: each is compared with all others."""
_AUTHOR = 200
"""Characters of an author's text that are read: feedparser looks for an address in it, in quadratic time."""
_TROUBLE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What feedparser was seen to raise on broken documents; none of it says more than "malformed"."""


class Elements(NamedTuple):
    """What feedparser found: a format's name ("" for none), the feed's own elements, and its items'."""

    version: str
    feed: Node
    entries: list[Node]


def parse_strict(text: str) -> Elements | None:
    """Read XML that has no document type; None where it is not well-formed. Raises MemoryError."""
    handlers = _Strict("", None, "utf-8")
    parser = expat.ParserCreate(None, _BETWEEN)
    parser.namespace_prefixes = True
    parser.buffer_size = _BUFFER
    parser.buffer_text = True
    parser.StartElementHandler = handlers.started
    parser.EndElementHandler = handlers.ended
    parser.CharacterDataHandler = handlers.handle_data
    parser.StartNamespaceDeclHandler = handlers.startPrefixMapping
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        if error.code == _NO_MEMORY:
            raise MemoryError from error
        return None
    except _TROUBLE:
        return None
    return _found(handlers)


def parse_lenient(text: str) -> Elements:
    """Read what looks like XML, as well as it goes."""
    handlers = _Loose("", None, "utf-8", {})
    try:
        handlers.feed(text)
    except _TROUBLE:
        return Elements("", {}, [])
    return _found(handlers)


def _found(handlers: Any) -> Elements:  # noqa: ANN401 - feedparser has no types
    return Elements(handlers.version, handlers.feeddata, handlers.entries)


class _Params(dict[str, Any]):
    """What is known of the text being read: asked for at every piece, copied at every end."""

    def __deepcopy__(self, memo: object) -> Node:
        return dict(self)


class _Limited:
    """What both of feedparser's parsers share: no repairs of markup, and limits."""

    resolve_relative_uris = False
    sanitize_html = False

    def push_content(self, *about: Any) -> None:  # noqa: ANN401
        super().push_content(*about)  # type: ignore[misc]
        self.contentparams: Node = _Params(self.contentparams)

    def track_namespace(self, prefix: str | None, uri: str) -> None:
        if len(self.namespaces_in_use) < _NAMESPACES:  # type: ignore[attr-defined]
            super().track_namespace(prefix, uri)  # type: ignore[misc]

    def _add_tag(self, *about: Any) -> None:  # noqa: ANN401
        if len(dict.get(self._get_context(), "tags") or ()) < _TAGS:  # type: ignore[attr-defined]
            super()._add_tag(*about)  # type: ignore[misc]

    def _sync_author_detail(self, key: str = "author") -> None:
        context = self._get_context()  # type: ignore[attr-defined]
        author = dict.get(context, key)
        if isinstance(author, str) and len(author) > _AUTHOR:
            context[key] = author[:_AUTHOR]
        super()._sync_author_detail(key)  # type: ignore[misc]


class _Loose(_Limited, LooseFeedParser):  # type: ignore[misc]
    """feedparser's reader of broken XML."""


class _Strict(_Limited, StrictFeedParser):  # type: ignore[misc]
    """feedparser's reader of XML, called by expat without xml.sax between them."""

    def __init__(self, *about: Any) -> None:  # noqa: ANN401
        super().__init__(*about)
        self.contentparams = _Params()

    def started(self, name: str, attributes: dict[str, str]) -> None:
        """Take a start tag as expat writes it. Raises ValueError where it is nested too deep."""
        if self.depth > _DEEPEST:
            raise ValueError
        values: dict[tuple[str | None, str], str] = {}
        names: dict[tuple[str | None, str], str] = {}
        for each, value in islice(attributes.items(), _ATTRIBUTES):
            pair, names_as = _named(each)
            values[pair], names[pair] = value, names_as
        self.startElementNS(_named(name)[0], None, AttributesNSImpl(values, names))

    def ended(self, name: str) -> None:
        """Take an end tag as expat writes it."""
        self.endElementNS(_named(name)[0], None)


@lru_cache(4096)
def _named(name: str) -> tuple[tuple[str | None, str], str]:
    """Return the namespace and name within it, and the name as written, of what expat calls `name`."""
    space, _, local = name.partition(_BETWEEN)
    if not local:
        return (None, name), name
    local, _, prefix = local.partition(_BETWEEN)
    return (space, local), f"{prefix}:{local}" if prefix else local
