"""How a feed's server is accessed: login, headers, cookies, user agent and proxy. Secrets are only named."""

from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

from pipeline.domain.urls import web_origin

HIDDEN = "(its value is not shown)"
"""Stands in a message for a value that may hold a secret."""


class FeedAccess(BaseModel):
    """The section `access` of a feed: what requests to the origin of its URL have in addition."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: str | None = None
    """User of HTTP Basic authentication."""
    password_variable: str | None = None
    """Name of the variable that holds the user's password."""
    token_variable: str | None = None
    """Name of the variable that holds a token, sent as `Authorization: Bearer …`."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Further headers; `$NAME` is the value of a variable."""
    cookies: dict[str, str] = Field(default_factory=dict)
    """Cookies; `$NAME` is the value of a variable."""
    user_agent: str | None = None
    """The User-Agent that is sent instead of Copydesk's own."""
    proxy_variable: str | None = None
    """Name of the variable that holds the URL of an http(s) proxy."""


def unusable_proxy(variable: str) -> str:
    """Return what a feed needs whose proxy cannot be used; its URL may hold a password."""
    return f"needs an http(s) proxy in {variable} {HIDDEN}; write one such as http://proxy.example:3128"


@dataclass(frozen=True)
class Credentials:
    """What requests to one origin have in addition, with the secrets in it."""

    origin: str
    """`scheme://host:port`"""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    proxy: str | None = field(default=None, repr=False)
    """URL of the proxy that requests to the origin go through."""
    proxy_variable: str | None = None
    """Name of the variable that holds the proxy's URL."""
    error: str | None = None
    """Why no request can be sent, such as a variable that is not set."""

    def apply_to(self, url: str) -> bool:
        """Tell whether requests for a URL have these credentials: whether it is at their origin."""
        return web_origin(url) == self.origin
