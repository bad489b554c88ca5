"""Takes one escaping too many off HTML and plain text, and WordPress's shortcodes out of it.

Rules of the reader from version 2 on. Pure, linear time.
"""

import html
import re

from pipeline.feeds.html_pieces import decode_references
from pipeline.feeds.plain_source import write_paragraphs

_MAX_LAYERS = 2
"""Escapings that are taken off. Chosen, not measured."""
_ESCAPED_MARKUP = re.compile(
    r"&lt;/(?:p|div|ul|ol|li|h[1-6]|blockquote)\s{0,9}&gt;|&lt;a\s{1,9}href"
    r"|&lt;br\s{0,3}/&gt;|&lt;br&gt;\s{0,9}&lt;br&gt;",
    re.IGNORECASE,
)
_MIN_ESCAPED = 3
"""Ends of other elements that show as much: a text that has one of them mentions it. Chosen, not measured."""
_WRAPPED = re.compile(r"\s*<(p|div|span)\b[^<>]{0,200}>\s*(&lt;[a-z][^<]*&gt;)\s*</\1>\s*", re.IGNORECASE)
"""One element that holds nothing but escaped markup."""
_CDATA = re.compile(r"\s*<!\[CDATA\[(.*)\]\]>\s*", re.DOTALL)
_ESCAPED_REFERENCE = re.compile(r"&amp;(?!(?:lt|gt|amp);)([a-zA-Z]{2,31}|#\d{2,7}|#[xX][0-9a-fA-F]{2,6});")
_TYPOGRAPHY = re.compile(
    r"&amp;(nbsp|[mn]dash|[lr][sd]quo|hellip|bull|#160|#8\d{3}|#x20[0-9a-f]{2}|amp(?=;\s));", re.IGNORECASE
)
"""References that no text about HTML is likely to show."""
_PLAIN_REFERENCE = re.compile(r"&(?!(?:lt|gt);)(?:[a-zA-Z]{2,31}|#\d{2,7}|#[xX][0-9a-fA-F]{2,6});")
_ESCAPED_ENDS = ("&lt;/embed", "&lt;/object", "&lt;/iframe", "&lt;/form")
_ESCAPED_EMBEDS = re.compile(
    r"(<(?:p|div|center|br)\b[^<>]{0,200}>\s{0,9})"
    r"(?:&lt;(embed|object|iframe|noscript)(?:\s|>|&gt;)[^<]{0,3000}?&lt;/\2(?:>|&gt;)\s{0,9})+"
)
"""Players at the beginning of a paragraph, escaped by mistake: who writes about one shows it as code."""
_ESCAPED_FORMS = re.compile(
    r"(<(?:p|div|center|br)\b[^<>]{0,200}>\s{0,9})&lt;form\s.{0,3000}?&lt;/form(?:>|&gt;)", re.DOTALL
)
_EMBEDS = re.compile(
    r"\[(embed|youtube|vimeo|audio|video|googlemaps|soundcloud)\b[^\[\]\n]{0,300}\][^\[\n]{0,500}\[/\1\]"
)
_CAPTION = re.compile(r"\[caption\b[^\[\]\n]{0,500}\](.{0,2000}?)\[/caption\]", re.DOTALL)
_SHORTCODES = re.compile(
    r"\[/?(?:caption|gallery|embed|embedyt|video|audio|playlist|slideshow|youtube|vimeo|soundcloud|spotify"
    r"|googlemaps|instagram|tweet|twitter|dropcap|toc|ads?|adsense|adrotate|divider|columns?|row|blockquote"
    r"|pullquote|button|more|contact-form(?:-7|-field)?|contact-field|wpforms|ninja_form|poll|recipe|newsletter"
    r"|(?:vc|et_pb|su|fusion|av|ngg|mc4wp|tw|td|tdb|newsletter|read|wp|ux|cs|elementor|penci)[-_]\w{1,40})"
    r"(?:\s[^\[\]\n]{0,3000})?\]"
    r"|\[[a-z][a-z0-9_-]{1,40}(?:\s{1,3}[a-z_-]{1,40}=(?:\"[^\"\]\n]{0,300}\"|'[^'\]\n]{0,300}'))+\s{0,3}/?\]"
)


def unwrap(source: str) -> str:
    """Return HTML without an escaping too many, and without shortcodes of WordPress."""
    for _ in range(_MAX_LAYERS):
        if "<![CDATA[" in source and (whole := _CDATA.fullmatch(source)):
            source = whole[1]
        if "&lt;" not in source:
            break
        if "<" not in source and (
            _ESCAPED_MARKUP.search(source)
            or source.count("&lt;/") >= _MIN_ESCAPED
            or source.lstrip().startswith("&lt;![CDATA[")
        ):
            source = html.unescape(source)
        elif source.count("<") == 2 and (inner := _WRAPPED.fullmatch(source)):
            source = html.unescape(inner[2])
        else:
            break
    if "&amp;" in source:
        source = (_TYPOGRAPHY if "<" in source else _ESCAPED_REFERENCE).sub(r"&\1;", source)
    if "&lt;/" in source and any(end in source for end in _ESCAPED_ENDS):
        source = _ESCAPED_FORMS.sub(r"\1", _ESCAPED_EMBEDS.sub(r"\1", source))
    return write_paragraphs(_without_shortcodes(source) if "[" in source else source)


def decode_plain(text: str) -> str:
    """Return plain text with the references in it read, but for those of angle brackets."""
    return _PLAIN_REFERENCE.sub(lambda match: decode_references(match[0]), text) if "&" in text else text


def _without_shortcodes(source: str) -> str:
    if "[caption" in source:
        source = _CAPTION.sub(r"<figcaption>\1</figcaption>", source)
    if "[/" in source:
        source = _EMBEDS.sub("", source)
    return _SHORTCODES.sub("", source)
