"""Runs feedparser's element handlers over a feed's XML, with limits against hostile documents.

Not `feedparser.parse`: it passes on text line by line, which doubles the time, guesses the charset again, and
has no limits where its handlers take quadratic time. The limits below are chosen, not measured.
"""

import time
from functools import lru_cache
from itertools import islice
from typing import Any, ClassVar, NamedTuple, TypeAlias
from xml.parsers import expat
from xml.sax.xmlreader import AttributesNSImpl

from feedparser.api import LooseFeedParser, StrictFeedParser
from feedparser.datetimes import _parse_date

from pipeline.feeds.rights.rsl import NAMESPACE

Node: TypeAlias = dict[str, Any]
"""An element as feedparser describes it."""

NAMESPACES: dict[str, str] = {prefix: uri for uri, prefix in StrictFeedParser.namespaces.items() if prefix}
"""Common prefixes to their namespaces. Source: feedparser."""
RSL_TERMS = "rsl_terms"
"""Key of an element's terms of RSL: (element, type, text, `url` of its `content`), in order."""
MEDIA_DESCRIPTION, MEDIA_TITLE = "media_description", "media_title"
"""Keys of a `media:content` for its own description and title, which feedparser takes for the entry's."""
_MAX_TERMS = 100
"""Terms of RSL of an element that are read."""
_BUFFER_BYTES = 1 << 18
"""Bytes of text that expat passes on at once."""
_SEPARATOR = "\x01"
"""Separates an element's namespace, name and prefix: illegal in XML, so in none of them."""
_NO_MEMORY = expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]
_MAX_DEPTH = 1000
"""Nested elements."""
_MAX_ATTRIBUTES = 200
"""Attributes of an element that are read: feedparser takes quadratic time."""
_MAX_NAMESPACES = 200
"""Namespaces of a feed that are tracked: feedparser searches all of them at every element."""
_MAX_TAGS = 200
"""Categories of an item that are read: feedparser compares each with all others."""
_MAX_AUTHOR_CHARS = 200
"""Characters of an author that are read: feedparser searches an email address in quadratic time."""
_MAX_MEDIA_CHARS = 2_000
"""Characters of a medium's own description that are read: one sentence."""
_C1 = [chr(code) for code in range(0x80, 0xA0)]
"""Characters that feedparser takes for those of Windows-1252."""
_ROOTS = frozenset(("feed", "rss", "rdf:RDF"))
"""Elements whose language is that of the feed."""
_SCOPES = frozenset(("xml:base", "base", "xml:lang", "lang"))
"""Attributes that hold for the elements inside, too."""
_IMAGE_TAGS = frozenset(("title", "link", "description", "url", "href", "width", "height"))
_INPUT_TAGS = frozenset(("title", "link", "description", "name"))
_PARSER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""Errors that feedparser raises on broken documents; all mean "malformed"."""


class Elements(NamedTuple):
    """feedparser's result: the format ("" if unknown), the feed's own elements, and those of its entries."""

    version: str
    feed: Node
    entries: list[Node]


def parse_strict(text: str) -> Elements | None:
    """Return the elements of XML without a document type, None if it is not well-formed.

    Raises MemoryError when expat runs out of memory.
    """
    handlers = _StrictParser("", None, "utf-8")
    parser = expat.ParserCreate(None, _SEPARATOR)
    parser.namespace_prefixes = True
    parser.buffer_size = _BUFFER_BYTES
    parser.buffer_text = True
    parser.StartElementHandler = handlers.on_start
    parser.EndElementHandler = handlers.on_end
    parser.CharacterDataHandler = handlers.handle_data
    parser.StartNamespaceDeclHandler = handlers.startPrefixMapping
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        if error.code == _NO_MEMORY:
            raise MemoryError from error
        return None
    except _PARSER_ERRORS:
        return None
    return _elements(handlers)


def parse_date_tuple(raw: str) -> time.struct_time | None:
    """Return a date as feedparser reads it, in UTC; None if it cannot."""
    try:
        parsed: time.struct_time | None = _parse_date(raw)
    except _PARSER_ERRORS:
        return None
    return parsed


def parse_lenient(text: str) -> Elements:
    """Return the elements that feedparser's lenient parser finds in XML that is not well-formed."""
    handlers = _LenientParser("", None, "utf-8", {})
    try:
        handlers.feed(text)
    except _PARSER_ERRORS:
        return Elements("", {}, [])
    return _elements(handlers)


def _elements(handlers: Any) -> Elements:  # noqa: ANN401 - feedparser has no types
    return Elements(handlers.version, handlers.feeddata, handlers.entries)


class _Params(dict[str, Any]):
    """feedparser's parameters of the current text. It deep-copies them often, and a plain copy is faster."""

    def __deepcopy__(self, memo: object) -> Node:
        return dict(self)


class _Text(str):
    """A text of an element. feedparser reads it letter by letter for C1 characters, which few texts have."""

    __slots__ = ()

    def translate(self, table: Any) -> str:  # noqa: ANN401
        """Return the text with C1 characters translated."""
        return super().translate(table) if any(char in self for char in _C1) else str(self)


class _Limited:
    """Limits, no sanitizing and no dates, for both of feedparser's parsers."""

    resolve_relative_uris = False
    sanitize_html = False
    namespaces: ClassVar = StrictFeedParser.namespaces | {NAMESPACE: "rsl"}
    _matchnamespaces: ClassVar[dict[str, str]] = {}  # of feedparser, which fills it from `namespaces`
    _rsl_scope = ""
    _in_media = 0
    _in_group = 0

    def _end_published(self) -> None:
        self.pop("published")  # type: ignore[attr-defined]

    def _end_updated(self) -> None:
        self.pop("updated")  # type: ignore[attr-defined]

    def _end_created(self) -> None:
        self.pop("created")  # type: ignore[attr-defined]

    _end_issued = _end_pubdate = _end_published
    _end_modified = _end_lastbuilddate = _end_updated

    def push_content(self, *about: Any) -> None:  # noqa: ANN401
        super().push_content(*about)  # type: ignore[misc]
        self.contentparams: Node = _Params(self.contentparams)

    def track_namespace(self, prefix: str | None, uri: str) -> None:
        if len(self.namespaces_in_use) < _MAX_NAMESPACES:  # type: ignore[attr-defined]
            super().track_namespace(prefix, uri)  # type: ignore[misc]

    def _add_tag(self, *about: Any) -> None:  # noqa: ANN401
        if len(dict.get(self._get_context(), "tags") or ()) < _MAX_TAGS:  # type: ignore[attr-defined]
            super()._add_tag(*about)  # type: ignore[misc]

    def _sync_author_detail(self, key: str = "author") -> None:
        context = self._get_context()  # type: ignore[attr-defined]
        author = dict.get(context, key)
        if isinstance(author, str) and len(author) > _MAX_AUTHOR_CHARS:
            context[key] = author[:_MAX_AUTHOR_CHARS]
        super()._sync_author_detail(key)  # type: ignore[misc]

    def _start_media_content(self, attributes: Node) -> None:
        super()._start_media_content(attributes)  # type: ignore[misc]
        self._in_media += 1

    def _end_media_content(self) -> None:
        self._in_media -= 1

    def _start_media_group(self, attributes: Node) -> None:
        super()._start_media_group(attributes)  # type: ignore[misc]
        self._in_group += 1

    def _end_media_group(self) -> None:
        self._in_group -= 1

    def _end_media_description(self) -> None:
        self._note_media_text(MEDIA_DESCRIPTION)
        super()._end_media_description()  # type: ignore[misc]

    def _end_media_title(self) -> None:
        self._note_media_text(MEDIA_TITLE)
        super()._end_media_title()  # type: ignore[misc]

    def _note_media_text(self, key: str) -> None:
        """Store the text of the element that ends with the last media:content, whether inside or behind it.

        Behind one in a group, it is about the whole group, such as a video with its preview.
        """
        contents = dict.get(self._get_context(), "media_content")  # type: ignore[attr-defined]
        stack = self.elementstack  # type: ignore[attr-defined]
        if contents and stack and (self._in_media or not self._in_group):
            contents[-1].setdefault(key, "".join(map(str, stack[-1][2]))[:_MAX_MEDIA_CHARS])

    def _rsl_term(self, element: str, kind: str = "", text: str = "") -> None:
        terms = dict.setdefault(self._get_context(), RSL_TERMS, [])  # type: ignore[attr-defined]
        if len(terms) < _MAX_TERMS:
            terms.append((element, kind, text, self._rsl_scope))

    def _start_rsl_content(self, attributes: Node) -> None:
        self._rsl_scope = attributes.get("url", "")

    def _end_rsl_content(self) -> None:
        self._rsl_scope = ""

    def _start_rsl_license(self, _attributes: Node) -> None:
        self._rsl_term("license")

    def _start_rsl_payment(self, attributes: Node) -> None:
        self._rsl_term("payment", attributes.get("type", ""))

    def _start_rsl_permits(self, attributes: Node) -> None:
        self._rsl_type = attributes.get("type", "")
        self.push("rsl_uses", 0)  # type: ignore[attr-defined]

    _start_rsl_prohibits = _start_rsl_permits

    def _end_rsl_permits(self) -> None:
        self._rsl_term("permits", self._rsl_type, self.pop("rsl_uses") or "")  # type: ignore[attr-defined]

    def _end_rsl_prohibits(self) -> None:
        self._rsl_term("prohibits", self._rsl_type, self.pop("rsl_uses") or "")  # type: ignore[attr-defined]


class _LenientParser(_Limited, LooseFeedParser):  # type: ignore[misc]
    """feedparser's parser of broken XML."""


class _StrictParser(_Limited, StrictFeedParser):  # type: ignore[misc]
    """feedparser's parser of well-formed XML, called by expat without xml.sax."""

    decls: dict[str, str]
    intextinput: int
    inimage: int

    def __init__(self, *about: Any) -> None:  # noqa: ANN401
        super().__init__(*about)
        self.contentparams = _Params()

    @staticmethod
    def decode_entities(_element: str, data: str) -> str:
        """Return a text as it is: expat read its references."""
        return data if data.isascii() else _Text(data)

    def on_start(self, name: str, attributes: dict[str, str]) -> None:
        """Handle a start tag of expat. Raises ValueError when it is nested too deeply."""
        if self.depth > _MAX_DEPTH:
            raise ValueError
        tag = _known_tag(name)
        if tag is None or any(_SEPARATOR in each for each in attributes):
            self._handle_in_namespace(name, attributes)
            return
        declared, self.decls = self.decls, {}
        for each, value in islice(attributes.items(), _MAX_ATTRIBUTES):
            declared[each.lower()] = value
        self.unknown_starttag(tag, list(declared.items()))

    def _handle_in_namespace(self, name: str, attributes: dict[str, str]) -> None:
        values: dict[tuple[str | None, str], str] = {}
        names: dict[tuple[str | None, str], str] = {}
        for each, value in islice(attributes.items(), _MAX_ATTRIBUTES):
            pair, written_name = _split_name(each)
            values[pair], names[pair] = value, written_name
        self.startElementNS(_split_name(name)[0], None, AttributesNSImpl(values, names))

    def unknown_starttag(self, tag: str, attrs: list[tuple[str, str]]) -> None:
        """Handle a start tag as feedparser does, which joins a URL and reads namespaces for every element.

        That is needed for few: inside inline markup, and where a base, language or namespace is declared.
        """
        written = dict(map(self._normalize_attributes, attrs))
        if (
            self.incontent
            or self.baseuri
            or tag in _ROOTS
            or not _SCOPES.isdisjoint(written)
            or any(each.startswith("xmlns") for each in written)
        ):
            super().unknown_starttag(tag, attrs)
            return
        self.depth += 1
        self.basestack.append(self.baseuri)
        self.langstack.append(self.lang)
        prefix, _, suffix = tag.partition(":") if ":" in tag else ("", "", tag)
        prefix = self.namespacemap.get(prefix, prefix)
        if not prefix:
            self.intextinput = self.intextinput if suffix in _INPUT_TAGS else 0
            self.inimage = self.inimage if suffix in _IMAGE_TAGS else 0
        self._call_handler(f"{prefix}_{suffix}" if prefix else suffix, written)

    def _call_handler(self, name: str, written: dict[str, str]) -> None:
        """Call the handler of an element, or store the element as feedparser does without one."""
        try:
            getattr(self, f"_start_{name}")(written)
        except AttributeError:
            if written:
                self._get_context()[name] = written
            else:
                self.push(name, 1)

    def on_end(self, name: str) -> None:
        """Handle an end tag of expat."""
        tag = _known_tag(name)
        if tag is None:
            self.endElementNS(_split_name(name)[0], None)
        else:
            self.unknown_endtag(tag)


_PREFIXES = {uri.lower(): prefix for uri, prefix in _Limited.namespaces.items()}


@lru_cache(4096)
def _known_tag(name: str) -> str | None:
    """Return feedparser's name of an element of expat; None in a namespace that it does not know."""
    (namespace, local), _ = _split_name(name)
    prefix = _PREFIXES.get((namespace or "").lower())
    if prefix is None or local.lower() in ("math", "svg"):
        return None
    return f"{prefix}:{local}".lower() if prefix else local.lower()


@lru_cache(4096)
def _split_name(name: str) -> tuple[tuple[str | None, str], str]:
    """Return ((namespace, local name), name with prefix) of a name of expat."""
    namespace, _, local = name.partition(_SEPARATOR)
    if not local:
        return (None, name), name
    local, _, prefix = local.partition(_SEPARATOR)
    return (namespace, local), f"{prefix}:{local}" if prefix else local
