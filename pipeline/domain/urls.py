"""The spelling of http(s) URLs, and the secrets in them."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_USERINFO = re.compile(
    r"(https?://)(?:[^/?#\s\"'<>\\]*@|[^/?#\s\"'<>\\:@\[]*:(?!\d*[/?#])[^\s\"'<>\\]{1,300}@)", re.IGNORECASE
)
"""The second form is a password with `/`, `?` or `#` in it: what follows the colon is no port."""
_CUT_LOGIN = re.compile(r"https?://(?!localhost:)[^/?#@:.\[\s]+:\d*[/?#][^/?#@]+@[^/?#@]*[\w]", re.IGNORECASE)


def without_userinfo(text: str) -> str:
    """Return a text, or a URL, with user and password left out of each URL in it."""
    return _USERINFO.sub(r"\1", text)


def may_hold_cut_login(url: str) -> bool:
    """Tell whether a valid URL may be a login that `/`, `?` or `#` cuts: `https://user:12/34@host.example`."""
    return _CUT_LOGIN.match(url) is not None


def web_origin(url: str) -> str:
    """Return `scheme://host:port` of an http(s) URL, as requests have it; empty where it has none.

    It is in lower case, and an international name is in ASCII (IDNA 2008, as in httpx: IDNA 2003 takes
    `straße.example` for the domain `strasse.example` of somebody else).
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
        host = _ascii_host(parts.hostname or "").rstrip(".")
    except (KeyError, ValueError):
        return ""
    return f"{parts.scheme}://{host}:{port}" if host else ""


def _ascii_host(host: str) -> str:
    """Return a host's name in ASCII. Raises ValueError where it has none."""
    if host.isascii():
        return host
    import idna  # late: only few hosts need it

    return idna.encode(host).decode("ascii")


def normalize_feed_url(url: str) -> str | None:
    """Return a key that is equal for two spellings of one feed URL; None where it is no http(s) URL.

    The key leaves out the scheme, the case of the host, a default port, a closing slash and the fragment.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    name = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not url.isprintable() or " " in url or not _is_host(name):
        return None
    host = name if port in {None, 80, 443} else f"{name}:{port}"
    return host + parts.path.rstrip("/") + (f"?{parts.query}" if parts.query else "")


def _is_host(host: str) -> bool:
    """Tell whether a request can be sent to a host, as far as its name shows."""
    try:
        if ":" in host or host.replace(".", "").isdecimal():
            ip_address(host.partition("%")[0])
        else:
            host.encode("idna")
    except ValueError:
        return False
    return host != "" and (host.isascii() or "_" not in host)
