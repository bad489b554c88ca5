"""Access rules of the desk: host allowlist (DNS rebinding), same origin (CSRF), session, editor's name. Pure.

Browsers share cookies between the ports of a host, so the cookies' names contain the port.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from pydantic import SecretStr
from starlette.datastructures import Headers

SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
SECRET_HEADER = "x-copydesk-secret"  # noqa: S105 - a header's name
"""Header in which a reverse proxy sends the shared secret."""
NAME_LENGTH = 60
_HTTP = 80
"""Default port of HTTP, which browsers leave out of the Host header."""
_DAYS_400 = 400 * 24 * 3600
"""Longest lifetime of a cookie, in seconds. Source: the limit in the draft of RFC 6265bis."""


class AccessPolicy(NamedTuple):
    """Who may use a desk, and how."""

    port: int
    token: str
    """Bearer token that signs a browser in."""
    hosts: frozenset[str] = frozenset()
    """Allowed host names besides loopback, with the port if it is not the default one."""
    user_header: str | None = None
    """Header in which a reverse proxy names the signed-in editor."""
    user_secret: SecretStr | None = None
    """Value of `SECRET_HEADER`, without which `user_header` is ignored."""
    proxies: frozenset[str] = frozenset(("127.0.0.1", "::1"))
    """Client addresses from which `user_header` is accepted."""

    @property
    def session_cookie(self) -> str:
        """Name of the session cookie."""
        return f"copydesk-{self.port}"

    @property
    def name_cookie(self) -> str:
        """Name of the cookie with the editor's name."""
        return f"copydesk-editor-{self.port}"

    @property
    def session(self) -> str:
        """Value of the session cookie, from which the token cannot be computed."""
        return hmac.new(self.token.encode(), b"copydesk session", hashlib.sha256).hexdigest()


def new_token() -> str:
    """Return a random token of 256 bits."""
    return secrets.token_urlsafe(32)


def allowed_host(access: AccessPolicy, host: str | None) -> bool:
    """Whether the Host header is loopback or an allowed name; any other may be DNS rebinding."""
    names = ("127.0.0.1", "localhost", "[::1]")
    loopback = {f"{name}:{access.port}" for name in names} | set(names if access.port == _HTTP else ())
    return host is not None and host.lower() in loopback | access.hosts


def same_origin(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a request is safe (GET, HEAD, OPTIONS) or from a page of the desk: the guard against CSRF."""
    if method in SAFE:
        return True
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    return origin is not None and _netloc(origin) == headers.get("host", "").lower() != ""


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:  # such as an open bracket
        return None


def valid_token(access: AccessPolicy, token: str | None) -> bool:
    """Whether a token is the desk's, compared in constant time."""
    return token is not None and hmac.compare_digest(token.encode(), access.token.encode())


def signed_in(access: AccessPolicy, cookies: Mapping[str, str]) -> bool:
    """Whether the cookies hold a valid session."""
    return hmac.compare_digest(cookies.get(access.session_cookie, "").encode(), access.session.encode())


def proxied(access: AccessPolicy, client: str | None, headers: Headers) -> str | None:
    """Return the editor named by a proxy whose address and secret are right; None otherwise."""
    if access.user_header is None or access.user_secret is None or client not in access.proxies:
        return None
    sent, secret = _single(headers, SECRET_HEADER), access.user_secret.get_secret_value()
    if not hmac.compare_digest(sent.encode(), secret.encode()):
        return None
    return clean_name(_single(headers, access.user_header)) or None


def _single(headers: Headers, name: str) -> str:
    """Return a header's value; empty if it is repeated, since the client may have sent one of the two."""
    values = headers.getlist(name)
    return values[0] if len(values) == 1 else ""


def editor(access: AccessPolicy, cookies: Mapping[str, str]) -> str | None:
    """Return the editor's name from the cookies; None without one."""
    return clean_name(unquote(cookies.get(access.name_cookie, ""))) or None


def clean_name(name: str) -> str:
    """Return a name on one line without unprintable characters, at most `NAME_LENGTH` characters."""
    printable = "".join(char if char.isprintable() else " " for char in name)
    return " ".join(printable.split())[:NAME_LENGTH]


def cookie(name: str, value: str) -> str:
    """Return the value of a Set-Cookie header: HttpOnly, SameSite=Lax."""
    return f"{name}={quote(value)}; Path=/; HttpOnly; SameSite=Lax; Max-Age={_DAYS_400}"
