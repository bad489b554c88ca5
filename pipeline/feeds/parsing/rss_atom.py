"""Converts feedparser's elements of RSS 0.9x to 2.0, RDF and Atom to entries."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from pipeline.domain.models import Credit
from pipeline.feeds.article_signs import is_link_list
from pipeline.feeds.boilerplate.doubles import without_title
from pipeline.feeds.boilerplate.lines import ArticleText, article_summary, clean_author, read_lines
from pipeline.feeds.entries import Entry, Media, language_of, media_of, origin_of, unique_values
from pipeline.feeds.escapes import decode_plain
from pipeline.feeds.html_pieces import small_number
from pipeline.feeds.html_text import html_to_text
from pipeline.feeds.parsing.dates import DateReader, ParsedDate, date_fields
from pipeline.feeds.parsing.feedparser_adapter import (
    MEDIA_DESCRIPTION,
    MEDIA_TITLE,
    RSL_TERMS,
    Elements,
    Node,
    parse_date_tuple,
)
from pipeline.feeds.pictures import Picture, chosen_picture, description
from pipeline.feeds.reader import FIRST_READER, READER
from pipeline.feeds.rights.declaration import Declaration, reservation
from pipeline.feeds.rights.directives import is_license_link
from pipeline.feeds.rights.rsl import Term, applicable, refusals
from pipeline.feeds.text_cleanup import clean_plain_text, one_line
from pipeline.feeds.urls import absolute_url


class XmlFeed(NamedTuple):
    """A feed's title, website and entries, cache lifetime in seconds, and the URL of older items."""

    title: str
    home: str | None
    entries: list[Entry]
    ttl_s: float | None = None
    older: str | None = None
    wordpress: bool = False
    declared: Declaration = Declaration()
    """What its own elements declare about the use of its texts."""


_OLDER_RELATIONS = ("prev-archive", "next")
"""Link relations of older items (RFC 5005 sections 4 and 3); archives first, as they lose no items."""
_RELATION_PREFIX = "http://www.iana.org/assignments/relation/"
"""A relation with this prefix is the same relation (RFC 4287 section 4.2.7.2)."""
_WORDPRESS = ("wordpress.org", "wordpress.com")
_PERIODS_S = {"hourly": 3600.0, "daily": 86_400.0, "weekly": 604_800.0, "monthly": 2_592_000.0}
"""Update periods in seconds. Source: the syndication module of RSS 1.0."""


_DATES = ("published", "updated", "created")


def read_xml_feed(elements: Elements, url: str, dates: DateReader, reader: int = READER) -> XmlFeed:
    """Return a feed's data and entries; `url` is its final URL, `reader` the version of the rules."""
    feed, version = elements.feed, elements.version
    home = absolute_url(_get(feed, "link"), url)
    author = _author(feed, reader) if version.startswith("atom") else None
    feed_language = _get(feed, "language")
    terms = _terms(feed)
    entries = [
        _entry(each, home or url, version, author, feed_language, dates, reader, terms)
        for each in elements.entries
    ]
    return XmlFeed(
        _title(feed, version, reader),
        home,
        entries,
        _ttl_s(feed),
        _older_url(feed, url),
        _is_wordpress(feed),
        _declared(feed, url),
    )


def _declared(feed: Node, url: str) -> Declaration:
    """Return the licences that a feed links to. Its own RSL is for single items, see `_reserved`."""
    links = (
        absolute_url(_get(link, "href"), url)
        for link in _dicts(feed, "links")
        if is_license_link(_get(link, "rel"), _get(link, "type"))
    )
    licenses = tuple(filter(None, links))
    return Declaration(place="the feed", licenses=licenses) if licenses else Declaration()


def _reserved(each: Node, link: str | None, of_feed: list[Term]) -> str | None:
    """Return what the RSL of an entry and of its feed reserves, as far as it is about the entry's page."""
    places = {"the feed": of_feed, "the feed's item": _terms(each)}
    return reservation(
        Declaration(place=place, refusals=refusals(applicable(terms, link or "")))
        for place, terms in places.items()
        if terms
    )


def _terms(holder: Node) -> list[Term]:
    terms = dict.get(holder, RSL_TERMS)
    return [Term(*each) for each in terms] if isinstance(terms, list) else []


def _older_url(feed: Node, url: str) -> str | None:
    """Return the URL of a feed's older items."""
    links = [(_relation(link), absolute_url(_get(link, "href"), url)) for link in _dicts(feed, "links")]
    urls = (link for name in _OLDER_RELATIONS for relation, link in links if relation == name)
    return next(filter(None, urls), None)


def _relation(link: Node) -> str:
    return _get(link, "rel").strip().lower().removeprefix(_RELATION_PREFIX)


def _is_wordpress(feed: Node) -> bool:
    generator = _get(feed, "generator") + " " + _get(dict.get(feed, "generator_detail"), "href")
    return any(name in generator.lower() for name in _WORDPRESS)


def _ttl_s(feed: Node) -> float | None:
    """Return the cache lifetime in seconds: `ttl` (minutes), or the syndication module's period."""
    minutes = small_number(_get(feed, "ttl"), -1)
    if minutes >= 0:
        return minutes * 60.0
    period = _PERIODS_S.get(_get(feed, "sy_updateperiod").strip().lower())
    return None if period is None else period / (small_number(_get(feed, "sy_updatefrequency"), 1) or 1)


def _entry(
    each: Node,
    base: str,
    version: str,
    author: str | None,
    feed_language: str,
    dates: DateReader,
    reader: int,
    terms: list[Term],
) -> Entry:
    guid = _get(each, "id")
    link = _link(each, base) or (absolute_url(guid, "") if dict.get(each, "guidislink") else None)
    contents = dict.fromkeys(_contents(each, version))
    if reader >= 2 and _get(each, "yt_videoid"):  # a description of a video is plain text with lines
        contents = dict.fromkeys((value, markup and "<" in value) for value, markup in contents)
    text, summary = _texts(contents, reader)
    title = _title(each, version, reader)
    article = read_lines(without_title(text, title)) if reader >= 2 else ArticleText(text)
    author = _author(each, reader) or article.author or author
    image, image_alt = chosen_picture(
        _declared_pictures(each), (value for value, markup in contents if markup), link or base
    )
    published, updated = (_date(each, name, dates) for name in ("published", "updated"))
    return Entry(
        guid=guid,
        link=link,
        title=title,
        text=article.text,
        summary=article_summary(summary, article.text, reader),
        author=author,
        **date_fields(
            published or _date(each, "created", dates),
            updated,
            dates.unread_among(*(_get(each, name) for name in _DATES)),
        ),
        image=image,
        image_alt=image_alt,
        image_licence=_image_licence(each),
        media=_media(each),
        language=language_of(_get(each, "language"), feed_language),
        categories=unique_values(
            [one_line(_get(tag, "label") or _get(tag, "term"), 100) for tag in _dicts(each, "tags")]
        ),
        reserved=_reserved(each, link, terms),
        origin=_origin(each, link or base),
        link_list=any(is_link_list(value, text) for value, markup in contents if markup),
        credit=_source_name(each) or article.credit,
        rights=one_line(_get(each, "rights"), 300) or article.rights,
    )


def _get(holder: object, name: str) -> str:
    """Return a text of feedparser, "" if it is missing. Not its own `get`, which returns other keys, too."""
    value: object = dict.get(holder, name) if isinstance(holder, dict) else None
    return value if isinstance(value, str) else ""


def _dicts(holder: Node, name: str) -> list[Any]:
    values = dict.get(holder, name)
    return [each for each in values if isinstance(each, dict)] if isinstance(values, list) else []


def _date(each: Node, name: str, dates: DateReader) -> ParsedDate | None:
    return dates.read(_get(each, name), parse_date_tuple)


def _title(holder: Node, version: str, reader: int) -> str:
    title = _get(holder, "title")
    detail = dict.get(holder, "title_detail") or {}
    content_type = _get(detail, "type") or "text/plain"
    # RSS has no text types, and its titles often contain `&amp;amp;` or tags.
    if content_type != "text/plain" or (not version.startswith("atom") and "&" in title):
        title = html_to_text(title, reader)
    elif reader >= 2:
        title = decode_plain(title)
    return one_line(title)


def _contents(each: Node, version: str) -> Iterator[tuple[str, bool]]:
    """Yield the texts of an entry, each with True if it is markup."""
    details = _dicts(each, "content")
    summary = dict.get(each, "summary_detail")
    if isinstance(summary, dict):
        details = [*details, summary]
    elif _get(each, "summary") not in [
        _get(detail, "value") for detail in details
    ]:  # else it is a copy of one
        details = [*details, {"value": _get(each, "summary"), "type": "text/html"}]
    for detail in details:
        content_type = _get(detail, "type")
        if value := _get(detail, "value"):
            yield value, content_type != "text/plain" or not version.startswith("atom") or _is_tagged(value)


def _is_tagged(value: str) -> bool:
    """Return whether a text is markup though Atom's `type` does not say so: a common mistake."""
    return value.startswith("<") and value.endswith(">")


def _texts(contents: Iterable[tuple[str, bool]], reader: int) -> tuple[str, str]:
    """Return the longest text, and the shortest if it differs, else "".

    Feeds have teaser and full text in either order.
    """
    converted = [
        html_to_text(value, reader)
        if markup
        else clean_plain_text(decode_plain(value) if reader >= 2 else value)
        for value, markup in contents
    ]
    texts = [text for text in converted if text]
    # Of two of one length, the first: feedparser puts the one with paragraphs first.
    longest, shortest = max(texts, key=len, default=""), min(texts, key=len, default="")
    return longest, shortest if shortest != longest else ""


def _media(each: Node) -> Media | None:
    if _get(each, "yt_videoid"):
        return "video"
    files = [
        (_get(link, "type"), _get(link, "href")) for link in _dicts(each, "links") if _is_enclosure(link)
    ]
    files += [
        (_get(media, "medium") or _get(media, "type"), _get(media, "url"))
        for media in _dicts(each, "media_content")
    ]
    return media_of(files)


def _is_enclosure(link: Node) -> bool:
    return _get(link, "rel") == "enclosure"


def _link(each: Node, base: str) -> str | None:
    """Return the URL of an entry's page: the original one if FeedBurner replaced it."""
    alternates = [link for link in _dicts(each, "links") if _get(link, "rel") in ("", "alternate")]
    candidates = [
        absolute_url(_get(each, "feedburner_origlink"), ""),  # must be absolute
        _get(each, "link"),
        *(_get(link, "href") for link in alternates),
    ]
    return next(filter(None, (absolute_url(candidate, base) for candidate in candidates)), None)


def _author(holder: Node, reader: int) -> str | None:
    """Return the authors' names without email addresses, which are private."""
    people = [_get(person, "name") for person in _dicts(holder, "authors")]
    detail = _get(dict.get(holder, "author_detail"), "name")
    names = unique_values([one_line(html_to_text(name, FIRST_READER), 200) for name in people or [detail]])
    names = tuple(name for name in names if "@" not in name)
    return ", ".join(map(clean_author, names) if reader >= 2 else names) or None


def _source_name(each: Node) -> str:
    return one_line(html_to_text(_get(dict.get(each, "source"), "title"), FIRST_READER), 200)


def _origin(each: Node, own: str) -> Credit | None:
    """Return the publisher that `<source>` names."""
    source = dict.get(each, "source")
    if not source:
        return None
    return origin_of(_source_name(each), absolute_url(_get(source, "href") or _get(source, "link"), ""), own)


def _declared_pictures(each: Node) -> Iterator[Picture]:
    """Yield the pictures that an entry declares outside of its texts, best first."""
    yield from (_picture(media, "url") for media in _dicts(each, "media_content") if _is_image(media))
    yield from (_picture(link, "href") for link in _dicts(each, "links") if _is_image(link))
    yield from (_picture(thumbnail, "url") for thumbnail in _dicts(each, "media_thumbnail"))
    yield Picture(_get(dict.get(each, "image"), "href"))


def _picture(media: Node, key: str) -> Picture:
    alts = (description(_get(media, name)) for name in (MEDIA_DESCRIPTION, MEDIA_TITLE))
    return Picture(_get(media, key), next(filter(None, alts), ""))


def _image_licence(each: Node) -> str | None:
    """Return what `media:license` says, else where it links to."""
    licence = dict.get(each, "media_license")
    return one_line(_get(licence, "content") or _get(licence, "href"), 300) or None


def _is_image(media: Node) -> bool:
    return _get(media, "type").startswith("image/") or _get(media, "medium") == "image"
