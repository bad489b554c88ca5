"""Who may use the desk: the right host, the right origin, a signed-in browser, a name for verdicts.

Pure functions over a request's headers. Cookies are not told apart by port, so the port is in their names.
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
"""In which a reverse proxy shows that it is the one that the settings know."""
NAME_LENGTH = 60
_HTTP = 80
"""The port that browsers leave out."""
_DAYS_400 = 400 * 24 * 3600
"""The longest that browsers keep a cookie, in seconds."""


class AccessPolicy(NamedTuple):
    """What a desk asks of those who come."""

    port: int
    token: str
    """Whoever has it may come in."""
    hosts: frozenset[str] = frozenset()
    """Names, with port where it is not the default one, that the desk is reached by besides loopback."""
    user_header: str | None = None
    """Header in which a reverse proxy names the editor that it signed in."""
    user_secret: SecretStr | None = None
    """What the proxy sends in `SECRET_HEADER`; without it the proxy's header is not believed."""
    proxies: frozenset[str] = frozenset(("127.0.0.1", "::1"))
    """Addresses whose header is believed."""

    @property
    def session_cookie(self) -> str:
        """Name of the cookie that says that a browser is signed in."""
        return f"copydesk-{self.port}"

    @property
    def name_cookie(self) -> str:
        """Name of the cookie with the editor's name."""
        return f"copydesk-editor-{self.port}"

    @property
    def session(self) -> str:
        """What that cookie holds: the token cannot be told from it."""
        return hmac.new(self.token.encode(), b"copydesk session", hashlib.sha256).hexdigest()


def new_token() -> str:
    """Return a token that nobody guesses."""
    return secrets.token_urlsafe(32)


def allowed_host(access: AccessPolicy, host: str | None) -> bool:
    """Tell whether a request names us, and not a name that somebody points at this machine."""
    names = ("127.0.0.1", "localhost", "[::1]")
    loopback = {f"{name}:{access.port}" for name in names} | set(names if access.port == _HTTP else ())
    return host is not None and host.lower() in loopback | access.hosts


def same_origin(method: str, headers: Mapping[str, str]) -> bool:
    """Tell whether a request that changes something comes from one of our own pages."""
    if method in SAFE:
        return True
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    return origin is not None and urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""


def valid_token(access: AccessPolicy, token: str | None) -> bool:
    """Tell whether a token is ours."""
    return token is not None and hmac.compare_digest(token.encode(), access.token.encode())


def signed_in(access: AccessPolicy, cookies: Mapping[str, str]) -> bool:
    """Tell whether a browser signed in before."""
    return hmac.compare_digest(cookies.get(access.session_cookie, "").encode(), access.session.encode())


def proxied(access: AccessPolicy, client: str | None, headers: Headers) -> str | None:
    """Return the editor whom a trusted proxy names: it is one of ours, and knows the secret."""
    if access.user_header is None or access.user_secret is None or client not in access.proxies:
        return None
    shown, secret = _single(headers, SECRET_HEADER), access.user_secret.get_secret_value()
    if not hmac.compare_digest(shown.encode(), secret.encode()):
        return None
    return clean_name(_single(headers, access.user_header)) or None


def _single(headers: Headers, name: str) -> str:
    """Return a header's value; empty where it is repeated: the client may have sent one of the two."""
    values = headers.getlist(name)
    return values[0] if len(values) == 1 else ""


def editor(access: AccessPolicy, cookies: Mapping[str, str]) -> str | None:
    """Return the name that an editor gave."""
    return clean_name(unquote(cookies.get(access.name_cookie, ""))) or None


def clean_name(name: str) -> str:
    """Return a name in one line, without what cannot be seen."""
    shown = "".join(char if char.isprintable() else " " for char in name)
    return " ".join(shown.split())[:NAME_LENGTH]


def cookie(name: str, value: str) -> str:
    """Return a Set-Cookie header: not for scripts, not for other sites."""
    return f"{name}={quote(value)}; Path=/; HttpOnly; SameSite=Lax; Max-Age={_DAYS_400}"
