"""Links: cleaned and absolute, and a canonical form that is equal for duplicates. Nothing here raises."""

import re
from urllib.parse import SplitResult, quote, urljoin, urlsplit

_TRACKING = re.compile(
    r"(?:utm_\w*|mtm_\w*|pk_(?:campaign|kwd|source|medium)|hsa_\w*|at_(?:medium|campaign|custom\d|link_\w*)"
    r"|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid|twclid|ttclid|igshid|igsh|mc_[ce]id|_hsenc|_hsmi"
    r"|mkt_tok|ref_src|ref_url|wt_mc|vero_id|oly_(?:anon|enc)_id|s_cid|cmpid|guccounter|guce_referr\w*|ito)",
    re.IGNORECASE,
)
# A loose parser takes `&utm_source` for an entity reference: `&utm;_source`, and `&b=2` for `&b;=2`.
_DAMAGE = re.compile(r"&([A-Za-z0-9_]+);(?=[_=])")
_UNSAFE = re.compile(
    r"[\x00-\x20\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ud800-\udfff<>\"]"
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST = 4000


def undamaged(url: str) -> str:
    """Undo what loose XML parsing does to a URL's query."""
    return _DAMAGE.sub(r"&\1", url.replace("&amp;", "&"))


def absolute(raw: str | None, base: str) -> str | None:
    """Return an absolute http(s) link, resolved against `base`, or None where there is none."""
    cleaned = re.sub(r"[\t\r\n]", "", undamaged(raw or "")).strip()
    if not cleaned or len(cleaned) > _LONGEST:
        return None
    try:
        joined = urljoin(base, cleaned)
        usable = _web(joined)
    except ValueError:
        return None
    return _UNSAFE.sub(_quoted, joined) if usable else None


def canonical_url(url: str) -> str | None:
    """Return what duplicates of one page share, or None where `url` is no http(s) URL.

    Host in lower case and ASCII; no default port, user, fragment or tracking parameters; the other
    parameters keep their order, and a closing slash stays. Source: RFC 3986 section 6, and practice.
    """
    try:
        parts = urlsplit(undamaged(url.strip()))
        host, port = _host(parts), parts.port
        if not _web(url.strip()) or host is None:
            return None
    except ValueError:
        return None
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        host = f"{host}:{port}"
    kept = [
        pair for pair in parts.query.split("&") if pair and not _TRACKING.fullmatch(pair.partition("=")[0])
    ]
    query = "?" + _escaped("&".join(kept), "?") if kept else ""
    return f"{parts.scheme}://{host}{_escaped(parts.path, '') or '/'}{query}"


def fragment(url: str | None) -> str:
    """Return the part behind `#`, "" where there is none."""
    return (url or "").partition("#")[2]


def _web(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and len(url) <= _LONGEST


def _host(parts: SplitResult) -> str | None:
    host = (parts.hostname or "").rstrip(".")
    if not host or len(host) > 253:
        return None
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            host = quote(host, errors="replace")
    return f"[{host}]" if ":" in host else host.lower()


def _escaped(part: str, also: str) -> str:
    return quote(part, safe="/%:@!$&'()*+,;=~-._" + also, errors="replace")


def _quoted(match: re.Match[str]) -> str:
    return quote(match[0], errors="replace")
