"""Parameters of URLs that tell where a reader came from: they never choose what is shown.

Links: cleaned and absolute, and a canonical form that is equal for duplicates. Nothing here raises.
"""

import re
from html import unescape
from urllib.parse import SplitResult, quote, urljoin, urlsplit

# Not one that some site chooses its pages by, such as id, p, v, page, story, cid or date.
_NAMES = re.compile(
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
_CARRIERS = frozenset(("ref", "source", "src", "via", "from", "partner", "mod", "feature", "cmp"))
_SENDERS = re.compile(
    r"(?:rss|atom|feed(?:s|ly|burner|press)?|twitter|x\.com|facebook|fb|linkedin|reddit|telegram|whatsapp|youtu"
    r"|instagram|tiktok|pinterest|newsletter|e?mail|social|share|hackernews|hn|producthunt|flipboard|googlenews"
    r"|google_news|smartnews|newsbreak|pocket|push|homepage|dlvr\.?it|ifttt|buffer|syndication)(?![a-z0-9]).*"
    r"|rss.{0,80}|feed.{0,80}",
    re.IGNORECASE,
)


def is_tracking_parameter(name: str, value: str) -> bool:
    """Tell whether a parameter says where a reader came from: by its name, or by both, as `ref=rss`."""
    if _NAMES.fullmatch(name):
        return True
    return name.lower() in _CARRIERS and _SENDERS.fullmatch(value) is not None


# A loose parser takes `&utm_source` for an entity reference: `&utm;_source`, and `&b=2` for `&b;=2`.
_DAMAGE = re.compile(r"&([A-Za-z0-9_]+);(?=[_=])")
_AMPERSANDS = re.compile(r"&(?:amp;)+")
_REFERENCE = re.compile(r"&#(?:\d{1,7}|[xX][0-9a-fA-F]{1,6});")
_UNSAFE = re.compile(
    r"[\x00-\x20\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ud800-\udfff<>\"]"
)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST = 4000
_ENCODED = re.compile(r"%([0-9a-fA-F]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SAFE = "/%:@!$&'()*+,;=~-._"
_GATEWAY = re.compile(
    r"https?://(?:www\.)?(?:google\.[a-z.]{2,6}|bing\.com)/amp/(s/)?(.+)"
    r"|https?://[a-z0-9-]{1,63}\.cdn\.ampproject\.org/[a-z]/(s/)?(.+)",
    re.IGNORECASE,
)
_AMP_PATH = re.compile(r"(?<=[^/])/amp/?$|\.amp(?=\.html?$)|(?<=[^/])\.amp$")
_AMP_QUERY = re.compile(r"amp(?:=(?:1|true)?)?|outputtype=amp|amp_\w+=.*", re.IGNORECASE)
_FRONTS = ("www.", "m.", "mobile.", "amp.")
_INNER_MOBILE = re.compile(r"^([a-z-]{2,12})\.m\.(?=[a-z0-9-]+\.[a-z0-9.-]+$)")


def fix_url(url: str) -> str:
    """Undo what loose XML parsing does to a URL's query."""
    return _DAMAGE.sub(r"&\1", _AMPERSANDS.sub("&", url)) if "&" in url else url


def absolute_url(raw: str | None, base: str) -> str | None:
    """Return an absolute http(s) link, resolved against `base`, or None where there is none."""
    cleaned = re.sub(r"[\t\r\n]", "", fix_url(raw or "")).strip()
    if not cleaned or len(cleaned) > _LONGEST:
        return None
    if "&#" in cleaned:
        cleaned = _REFERENCE.sub(lambda found: unescape(found[0]), cleaned)
    if _hides_scheme(cleaned):
        return None
    try:
        joined = urljoin(base, cleaned)
        usable = _web(joined)
    except ValueError:
        return None
    return _UNSAFE.sub(_quoted, joined) if usable else None


def _hides_scheme(link: str) -> bool:
    """Tell whether a link that looks relative, or is none, could be read as `javascript:` and the like."""
    bare = unescape(link) if "&" in link[:200] else link
    scheme = _SCHEME.match(_UNSAFE.sub("", bare[:200]))
    return scheme is not None and scheme[1].lower() not in _DEFAULT_PORTS


def canonical_url(url: str) -> str | None:
    """Return what duplicates of one page share, or None where `url` is no http(s) URL.

    It is for comparing, and need not answer: always https; the host in lower case and ASCII, without `www.`
    and what marks pages for phones; no default port, user, tracking parameters, fragment (but `#!` and
    `#/`, which choose a page) and closing slash; AMP pages, and what Google and Bing keep of them, become
    the page that they stand for. The other parameters keep their order. Source: RFC 3986 section 6, and
    practice.
    """
    try:
        parts = _split(fix_url(url.strip()))
        host = _host(parts)
    except ValueError:
        return None
    if host is None:
        return None
    path = _plain_path(_normal(parts.path, ""))
    kept = [pair for pair in parts.query.split("&") if pair and not _is_noise(pair)]
    query = "?" + _normal("&".join(kept), "?") if kept else ""
    place = f"#{_normal(parts.fragment, '?#')}" if parts.fragment.startswith(("!", "/")) else ""
    found = f"https://{host}{path}{query}{place}"
    return found if len(found) <= _LONGEST else None


def fragment(url: str | None) -> str:
    """Return the part behind `#`, "" where there is none."""
    return (url or "").partition("#")[2]


def _web(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and len(url) <= _LONGEST


def _split(url: str) -> SplitResult:
    """Return the parts of an http(s) URL, or of the one that it stands for. Raises ValueError."""
    for _ in range(3):
        gateway = _GATEWAY.fullmatch(url)
        if gateway is None:
            break
        secure, rest = gateway[1] or gateway[3], gateway[2] or gateway[4]
        url = f"{'https' if secure else 'http'}://{rest}"
    if not _web(url):
        raise ValueError(url)
    return urlsplit(url)


def _host(parts: SplitResult) -> str | None:
    """Return the host, with its port unless that is the scheme's own. Raises ValueError."""
    host = (parts.hostname or "").rstrip(".")
    if not host or len(host) > 253:
        return None
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            host = quote(host, errors="replace")
    host = f"[{host}]" if ":" in host else _plain_host(host.lower())
    return host if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f"{host}:{parts.port}"


def _plain_host(host: str) -> str:
    """Return a host without what marks phones' and AMP's pages; `m.me` and `amp.dev` are what they are."""
    before = ""
    while host != before:
        before = host
        for front in _FRONTS:
            if host.startswith(front) and "." in host[len(front) :]:
                host = host[len(front) :]
        host = _INNER_MOBILE.sub(r"\1.", host)
    return host


def _plain_path(path: str) -> str:
    """Return a path without its closing slash and what marks AMP's pages."""
    before = ""
    while path != before:
        before, path = path, _AMP_PATH.sub("", path.rstrip("/"))
    return path or "/"


def _is_noise(pair: str) -> bool:
    name, _, value = pair.partition("=")
    return is_tracking_parameter(name, value) or _AMP_QUERY.fullmatch(pair) is not None


def _normal(part: str, also: str) -> str:
    """Return a part with one spelling for each character, RFC 3986 sections 6.2.2.1 and 6.2.2.2."""
    if "%" in part:
        part = _ENCODED.sub(_normal_byte, part)
    return quote(part, safe=_SAFE + also, errors="replace")


def _normal_byte(found: re.Match[str]) -> str:
    char = chr(int(found[1], 16))
    return char if char in _UNRESERVED else found[0].upper()


def _quoted(match: re.Match[str]) -> str:
    return quote(match[0], errors="replace")
