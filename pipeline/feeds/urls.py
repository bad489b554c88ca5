"""Builds absolute URLs, and canonical URLs without tracking parameters for deduplication. Never raises."""

import re
from functools import lru_cache
from html import unescape
from urllib.parse import SplitResult, quote, urljoin, urlsplit

# Names of tracking parameters; none that may select a page, such as id, p, v, page, story, cid or date.
# Chosen, not measured; so are the other tables of this module.
_TRACKING_NAMES = re.compile(
    r"(?:utm|mtm|matomo|piwik|hsa|ga|gaa|guce|wt|trk|vero|mkt)_\w+|_hs\w+|elq\w+|at_[a-z]\w*|__s|__hs\w+"
    r"|pk_(?:campaign|kwd|keyword|source|medium|content|cid)|stm_(?:source|medium|campaign|term|content)"
    r"|ns_(?:campaign|mchannel|source|linkname|fee)|fb_(?:action_\w+|ref|source)|oly_(?:anon|enc)_id|soc_(?:src|trk)"
    r"|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid|ysclid|twclid|ttclid|li_fat_id|igshid|igsh"
    r"|_ga|_gl|_openstat|_branch_match_id|__twitter_impression|action_object_map|mc_[ce]id|rb_clickid"
    r"|srsltid|zanpid|epik|dicbo|ref_?src|ref_?url|referrer|wt\.mc|xtor|spm|ncid|icid|ocid|cmpid|intcmp|int_cmp"
    r"|ftcamp|s_cid|sc_cid|s_kwcid|ito|mbid|tpcc|smid|smtyp|emc|wprss|wprov|feedtype|feedname|ml_subscriber(?:_hash)?"
    r"|cn-track|guccounter|sr_share|share_(?:id|token|source|medium|from)|sharetype|trk|trkcampaign|__source"
    r"|nr_email_referer",
    re.IGNORECASE,
)
_REFERRER_NAMES = frozenset(("ref", "source", "src", "via", "from", "partner", "mod", "feature", "cmp"))
_REFERRER_VALUES = re.compile(
    r"(?:rss|atom|feed(?:s|ly|burner|press)?|twitter|x\.com|facebook|fb|linkedin|reddit|telegram|whatsapp|youtu"
    r"|instagram|tiktok|pinterest|newsletter|e?mail|social|share|hackernews|hn|producthunt|flipboard|googlenews"
    r"|google_news|smartnews|newsbreak|pocket|push|homepage|dlvr\.?it|ifttt|buffer|syndication)(?![a-z0-9]).*"
    r"|rss.{0,80}|feed.{0,80}",
    re.IGNORECASE,
)


def is_tracking_parameter(name: str, value: str) -> bool:
    """Return whether a query parameter only tracks the reader: by its name, or by both, as `ref=rss`."""
    if _TRACKING_NAMES.fullmatch(name):
        return True
    return name.lower() in _REFERRER_NAMES and _REFERRER_VALUES.fullmatch(value) is not None


# A lenient parser takes `&utm_source` and `&b=2` for entities: `&utm;_source`, `&b;=2`.
_DAMAGED_PARAMETER = re.compile(r"&([A-Za-z0-9_]+);(?=[_=])")
_AMPERSANDS = re.compile(r"&(?:amp;)+")
_REFERENCE = re.compile(r"&#(?:\d{1,7}|[xX][0-9a-fA-F]{1,6});")
_UNSAFE = re.compile(
    r"[\x00-\x20\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ud800-\udfff<>\"]"
)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_CHARS = 4000  # chosen, not measured
_ENCODED = re.compile(r"%([0-9a-fA-F]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SAFE = "/%:@!$&'()*+,;=~-._"
_AMP_GATEWAY = re.compile(
    r"https?://(?:www\.)?(?:google\.[a-z.]{2,6}|bing\.com)/amp/(s/)?(.+)"
    r"|https?://[a-z0-9-]{1,63}\.cdn\.ampproject\.org/[a-z]/(s/)?(.+)",
    re.IGNORECASE,
)
_AMP_PATH = re.compile(r"(?<=[^/])/amp/?$|\.amp(?=\.html?$)|(?<=[^/])\.amp$")
_AMP_QUERY = re.compile(r"amp(?:=(?:1|true)?)?|outputtype=amp|amp_\w+=.*", re.IGNORECASE)
_HOST_PREFIXES = ("www.", "m.", "mobile.", "amp.")
_INNER_MOBILE = re.compile(r"^([a-z-]{2,12})\.m\.(?=[a-z0-9-]+\.[a-z0-9.-]+$)")


def fix_url(url: str) -> str:
    """Return a URL without the damage of lenient XML parsing to its query."""
    return _DAMAGED_PARAMETER.sub(r"&\1", _AMPERSANDS.sub("&", url)) if "&" in url else url


def absolute_url(raw: str | None, base: str) -> str | None:
    """Return an absolute http(s) URL, resolved against `base`; None if it is no such URL."""
    if not raw:
        return None
    short = len(raw) <= _MAX_CHARS and len(base) <= _MAX_CHARS  # a feed could fill the memory with others
    return _absolute_url(raw, base) if short else _absolute_url.__wrapped__(raw, base)


@lru_cache(1024)
def _absolute_url(raw: str, base: str) -> str | None:
    cleaned = re.sub(r"[\t\r\n]", "", fix_url(raw)).strip()
    if not cleaned or len(cleaned) > _MAX_CHARS:
        return None
    if "&#" in cleaned:
        cleaned = _REFERENCE.sub(lambda match: unescape(match[0]), cleaned)
    if not cleaned.startswith(("https://", "http://")) and _hides_scheme(cleaned):
        return None
    try:
        joined = urljoin(base, cleaned)
        is_http = _is_http(joined)
    except ValueError:
        return None
    return _UNSAFE.sub(_quote_match, joined) if is_http else None


def _hides_scheme(link: str) -> bool:
    """Return whether a browser could read a link as another scheme, such as `javascript:`."""
    bare = unescape(link) if "&" in link[:200] else link
    scheme = _SCHEME.match(_UNSAFE.sub("", bare[:200]))
    return scheme is not None and scheme[1].lower() not in _DEFAULT_PORTS


def canonical_url(url: str) -> str | None:
    """Return the form of a URL that all URLs of one page share; None if `url` is no http(s) URL.

    It is for comparison and may not be fetchable. The scheme is https. The host is ASCII in lower case,
    without `www.` and prefixes of mobile pages. Removed are the default port, user, tracking parameters,
    closing slash and fragment (but `#!` and `#/`, which select a page). AMP pages and their Google and Bing
    caches become the original page. Other parameters keep their order. Source: RFC 3986 section 6; the rest
    chosen, not measured.
    """
    try:
        parts = _split_http(fix_url(url.strip()))
        host = _host(parts)
    except ValueError:
        return None
    if host is None:
        return None
    path = _strip_amp_path(_normalize_escapes(parts.path, ""))
    pairs = [pair for pair in parts.query.split("&") if pair and not _is_dropped(pair)]
    query = "?" + _normalize_escapes("&".join(pairs), "?") if pairs else ""
    anchor = f"#{_normalize_escapes(parts.fragment, '?#')}" if parts.fragment.startswith(("!", "/")) else ""
    canonical = f"https://{host}{path}{query}{anchor}"
    return canonical if len(canonical) <= _MAX_CHARS else None


def url_fragment(url: str | None) -> str:
    """Return the part after `#`, "" if there is none."""
    return (url or "").partition("#")[2]


def same_site(url: str, other: str) -> bool:
    """Return whether two URLs have one host, or hosts below one registrable domain.

    Source: the Public Suffix List (publicsuffix.org) with its private part, so that two blogs of one platform
    are two sites.
    """
    hosts = _hostname(url), _hostname(other)
    if None in hosts or site_name(url) == site_name(other):
        return None not in hosts
    from tld import get_fld  # late: it reads a list of 10,000 names

    first, second = (get_fld(f"https://{host}/", fail_silently=True, search_private=True) for host in hosts)
    return first is not None and first == second


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def site_name(url: str) -> str:
    """Return the host of a URL without `www.`, "" if it has none."""
    return (_hostname(url) or "").removeprefix("www.")


def _is_http(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and len(url) <= _MAX_CHARS


def _split_http(url: str) -> SplitResult:
    """Return the parts of an http(s) URL, of the original page if it is an AMP cache. Raises ValueError."""
    for _ in range(3):
        gateway = _AMP_GATEWAY.fullmatch(url)
        if gateway is None:
            break
        secure, rest = gateway[1] or gateway[3], gateway[2] or gateway[4]
        url = f"{'https' if secure else 'http'}://{rest}"
    if not _is_http(url):
        raise ValueError(url)
    return urlsplit(url)


def _host(parts: SplitResult) -> str | None:
    """Return the host, with its port unless it is the scheme's default. Raises ValueError."""
    host = (parts.hostname or "").rstrip(".")
    if not host or len(host) > 253:
        return None
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            host = quote(host, errors="replace")
    host = f"[{host}]" if ":" in host else _strip_host_prefix(host.lower())
    return host if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f"{host}:{parts.port}"


def _strip_host_prefix(host: str) -> str:
    """Return a host without prefixes of mobile and AMP pages; `m.me` and `amp.dev` stay."""
    before = ""
    while host != before:
        before = host
        for prefix in _HOST_PREFIXES:
            if host.startswith(prefix) and "." in host[len(prefix) :]:
                host = host[len(prefix) :]
        host = _INNER_MOBILE.sub(r"\1.", host)
    return host


def _strip_amp_path(path: str) -> str:
    """Return a path without closing slash and AMP suffixes."""
    before = ""
    while path != before:
        before, path = path, _AMP_PATH.sub("", path.rstrip("/"))
    return path or "/"


def _is_dropped(pair: str) -> bool:
    name, _, value = pair.partition("=")
    return is_tracking_parameter(name, value) or _AMP_QUERY.fullmatch(pair) is not None


def _normalize_escapes(part: str, also_safe: str) -> str:
    """Return a part with normalized percent-encoding (RFC 3986 sections 6.2.2.1 and 6.2.2.2)."""
    if "%" in part:
        part = _ENCODED.sub(_normalize_byte, part)
    return quote(part, safe=_SAFE + also_safe, errors="replace")


def _normalize_byte(match: re.Match[str]) -> str:
    char = chr(int(match[1], 16))
    return char if char in _UNRESERVED else match[0].upper()


def _quote_match(match: re.Match[str]) -> str:
    return quote(match[0], errors="replace")
