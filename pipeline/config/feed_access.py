"""Access to feeds: checks the section `access` of a feed, and fills in the variables that it names."""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote, urlsplit, urlunsplit

from pydantic import SecretStr

from pipeline.config.env_values import header
from pipeline.config.secret_texts import (
    KEY_START,
    TO_ENV,
    SecretTemplate,
    header_mistakes,
    how,
    text_mistakes,
    variable_mistakes,
)
from pipeline.config.settings import Settings
from pipeline.config.yaml_source import Loc, quoted
from pipeline.domain.feed_access import HIDDEN, Credentials, FeedAccess, unusable_proxy
from pipeline.domain.models import FeedConfig
from pipeline.domain.urls import web_origin

_COOKIE = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")
"""Source: RFC 6265 section 4.1.1."""


def access_mistakes(access: FeedAccess) -> Iterator[tuple[Loc, str]]:
    """Yield what is wrong with the fields of an access, beyond their types."""
    if (access.user is None) != (access.password_variable is None):
        yield ("user",), "user and password_variable belong together; write both, or none"
    if access.user is not None and access.token_variable is not None:
        yield ("token_variable",), "user and token_variable are two logins; keep one of the two"
    for name in ("password_variable", "token_variable", "proxy_variable"):
        if (variable := getattr(access, name)) is not None:
            yield from variable_mistakes((name,), variable)
    if access.user_agent is not None:
        yield from _header_mistakes(("user_agent",), access.user_agent)
    for name, text in access.headers.items():
        field: Loc = ("headers", name)
        if KEY_START.search(text):
            yield field, f"headers.{name} looks like a key {TO_ENV}{how(field)}"
        else:
            yield from header_mistakes(field, name, text)
    for name, text in access.cookies.items():
        yield from _cookie_mistakes(("cookies", name), text)


def _header_mistakes(field: Loc, text: str) -> Iterator[tuple[Loc, str]]:
    try:
        header(text)
    except ValueError as error:
        yield field, f"{field[0]} {error}"


def _cookie_mistakes(field: Loc, text: str) -> Iterator[tuple[Loc, str]]:
    if not _COOKIE.fullmatch(str(field[1])):
        yield field, f"{quoted(field[1])} is no name of a cookie; write it as the server sends it"
    elif not SecretTemplate(text).is_valid() or not SecretTemplate(text).variables:
        yield field, f"cookies.{field[1]} {TO_ENV}{how(field)}"
    else:
        yield from text_mistakes(field, text)


def split_login(url: str) -> tuple[str, SecretStr | None]:
    """Return a URL without its user and password, and these as `user:password`; None where it has none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url, None
    login, at, host = parts.netloc.rpartition("@")
    if not at or parts.scheme not in {"http", "https"}:
        return url, None
    user, _, password = login.partition(":")
    return urlunsplit(parts._replace(netloc=host)), SecretStr(f"{unquote(user)}:{unquote(password)}")


CUT_LOGIN_ADVICE = (
    "url has an @ behind a host without a domain: if that is a login, take it out and write it under access; "
    "else write the @ as %40"
)


def login_advice(url: str, key: str) -> str:
    """Return the warning about a URL with a password: what to write instead."""
    parts = urlsplit(url)
    user = unquote(parts.username or "") if parts.password else ""  # a user without password may be a token
    variable = f"{key.upper().replace('-', '_')}_PASSWORD"
    return (
        f"url holds a login {HIDDEN}: put the password into .env, as {variable}=…, take the login out of "
        f"url, and write `access: {{user: {user or '…'}, password_variable: {variable}}}`"
    )


def feed_credentials(
    settings: Settings, feeds: Iterable[FeedConfig], logins: Mapping[str, SecretStr]
) -> dict[str, Credentials]:
    """Return the credentials of the feeds that have any, by key; `logins` are those of URLs."""
    every = ((feed, _credentials(settings, feed, logins.get(feed.key))) for feed in feeds)
    return {feed.key: credentials for feed, credentials in every if credentials is not None}


def feed_secrets(
    settings: Settings, feeds: Iterable[FeedConfig], logins: Mapping[str, SecretStr]
) -> list[SecretStr]:
    """Return the values of all variables that the feeds name, and the passwords of URLs."""
    named = (name for feed in feeds for name in _variables(feed.access))
    parts = (login.get_secret_value().partition(":") for login in logins.values())
    passwords = (password or user for user, _, password in parts)  # without a password, the user is a token
    return [
        *(settings.variables[name] for name in named if name in settings.variables),
        *(SecretStr(password) for password in passwords if password),
    ]


def _credentials(settings: Settings, feed: FeedConfig, login: SecretStr | None) -> Credentials | None:
    access, origin = feed.access, web_origin(feed.url)
    if access == FeedAccess() and login is None:
        return None
    try:
        values = {name: _value(settings, name) for name in _variables(access)}
        headers, proxy = tuple(_headers(access, values, login)), _proxy(access, values)
        return Credentials(origin, headers, proxy, access.proxy_variable)
    except ValueError as error:
        return Credentials(origin, error=str(error))


def _variables(access: FeedAccess) -> list[str]:
    texts = (*access.headers.values(), *access.cookies.values())
    named = [variable for text in texts for variable in SecretTemplate(text).variables]
    return [*filter(None, (access.password_variable, access.token_variable, access.proxy_variable)), *named]


def _value(settings: Settings, name: str) -> str:
    """Return a variable's value. Raises ValueError where it is not set, or no header can carry it."""
    if name not in settings.variables:
        raise ValueError(f"needs {name}, which is not set: put {name}=… into .env")
    try:
        return header(settings.variables[name].get_secret_value())
    except ValueError as error:
        raise ValueError(f"needs {name}, but that {HIDDEN} {error}") from None


def _headers(
    access: FeedAccess, values: Mapping[str, str], login: SecretStr | None
) -> Iterator[tuple[str, str]]:
    basic = login.get_secret_value() if login else None
    if access.user is not None and access.password_variable:
        basic = f"{access.user}:{values[access.password_variable]}"
    if access.token_variable:
        yield "Authorization", f"Bearer {values[access.token_variable]}"
    elif basic is not None:
        yield "Authorization", f"Basic {base64.b64encode(basic.encode()).decode()}"
    if access.user_agent:
        yield "User-Agent", access.user_agent
    for name, text in access.headers.items():
        yield name, SecretTemplate(text).substitute(values)
    if access.cookies:
        filled = {name: SecretTemplate(text).substitute(values) for name, text in access.cookies.items()}
        yield "Cookie", "; ".join(f"{name}={value}" for name, value in filled.items())


def _proxy(access: FeedAccess, values: Mapping[str, str]) -> str | None:
    """Return the URL of the proxy. Raises ValueError where it is none."""
    if access.proxy_variable is None:
        return None
    url = values[access.proxy_variable]
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a port or an address that is none
        usable = False
    if not usable:
        raise ValueError(unusable_proxy(access.proxy_variable))
    return url
