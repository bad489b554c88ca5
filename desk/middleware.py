"""ASGI middleware of every request: access control, security headers (CSP), size limit, audit log."""

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from desk.auth import (
    SAFE,
    AccessPolicy,
    allowed_host,
    cookie,
    editor,
    proxied,
    same_origin,
    signed_in,
    valid_token,
)
from pipeline.services.repeated_messages import RepeatFilter

MAX_FORM_BYTES = 4_000_000
"""Largest request body, in bytes: the longest article, with every character percent-encoded."""
_MAX_DRAINED_BYTES = 50_000_000
"""Longest refused body that is read, in bytes: browsers show no response before they have sent the body."""
_PROBES = ("/health", "/ready")
log = logging.getLogger("copydesk.desk")
audit = logging.getLogger("copydesk.desk.audit")
"""One line of JSON for every request that may change something, and for refused ones that change nothing.

Of the latter, one a minute for a path and a client: a page that is refused again and again would push the
records of who changed what out of the log.
"""
_MAX_PATH = 200
"""Characters of a path in a log and in memory. Chosen, not measured."""
_REFUSAL_REPEAT_S = 60.0
"""Seconds until the same refusal is logged again. Chosen: one line a minute at most."""
_REFUSED = frozenset((400, 401, 403, 413))
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'{images}; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


_IMAGE_POLICY = "default-src 'none'; sandbox"
"""Policy of a cover's image: opened alone, it is a document without scripts or any request."""
_STATIC = "public, max-age=31536000, immutable"
_REVALIDATED = "private, no-cache"
"""The browser keeps it, and asks with its ETag whether it is still the draft's cover."""


class _Refusal(NamedTuple):
    status: int
    message: str


class AccessMiddleware:
    """Refuses requests without access before any route sees them."""

    def __init__(
        self, app: ASGIApp, access: AccessPolicy, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._access = access
        self._warnings, self._audits = (RepeatFilter(clock, _REFUSAL_REPEAT_S) for _ in range(2))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, sign it in, or pass it on with the editor's name in its state."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        response = self._response(scope, headers)
        send = self._audited(scope, send)
        if response is not None:
            await _drain(receive, headers)
            await response(scope, receive, _secured(scope, send, static=False))
            return
        static = scope["path"].startswith("/static/")
        await self._app(scope, _limited(receive), _secured(scope, send, static=static))

    def _response(self, scope: Scope, headers: Headers) -> Response | None:
        """Return the refusal of a request, or the redirect of a sign-in; None if the request may go on."""
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            if self._warnings.passes(_event(scope, refusal.status)):
                log.warning("refused %s %s: %s", scope["method"], scope["path"][:_MAX_PATH], refusal.message)
            return PlainTextResponse(refusal.message + "\n", refusal.status)
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        token = dict(query).get("token")
        if not valid_token(self._access, token) or scope["method"] not in SAFE:
            return None
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        # One slash: a path with two leads to another host (open redirect).
        path = "/" + scope["path"].lstrip("/\\")
        response = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
        response.headers.append("set-cookie", cookie(self._access.session_cookie, self._access.session))
        return response

    def _refusal(self, scope: Scope, headers: Headers) -> _Refusal | None:
        if scope["path"] in _PROBES and scope["method"] in SAFE:
            scope.setdefault("state", {})["editor"] = None
            return None  # a probe has no token, asks by any name, and learns whether the desk works
        if not allowed_host(self._access, headers.get("host")):
            message = "This host name is not allowed. Open the link that `copydesk desk` printed."
            return _Refusal(400, message + " To allow it, set COPYDESK_DESK_HOSTS.")
        if not same_origin(scope["method"], headers):
            return _Refusal(403, "This request does not come from a page of the desk. Nothing was changed.")
        if _content_length(headers) > MAX_FORM_BYTES:
            return _Refusal(413, "The text is too long: shorten it.")
        return self._sign_in(scope, headers)

    def _sign_in(self, scope: Scope, headers: Headers) -> _Refusal | None:
        """Refuse a request that is not signed in; otherwise store the editor's name in its state."""
        access = self._access
        cookies = cookie_parser(headers.get("cookie", ""))
        name = proxied(access, _client(scope), headers)
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        token = query.get("token") or headers.get("authorization", "").removeprefix("Bearer ")
        if name is None and not signed_in(access, cookies) and not valid_token(access, token):
            return _Refusal(401, "Not signed in. Open the link that `copydesk desk` printed in the terminal.")
        scope.setdefault("state", {})["editor"] = name or editor(access, cookies)
        return None

    def _audited(self, scope: Scope, send: Send) -> Send:
        """Write an audit entry for requests that may change something or are refused."""

        async def audited(message: Message) -> None:
            if message["type"] == "http.response.start" and self._is_audited(scope, message["status"]):
                audit.info(json.dumps(_audit_entry(scope, message["status"])))
            await send(message)

        return audited

    def _is_audited(self, scope: Scope, status: int) -> bool:
        if scope["method"] not in SAFE:
            return True
        return status in _REFUSED and self._audits.passes(_event(scope, status))


def _secured(scope: Scope, send: Send, *, static: bool) -> Send:
    async def secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            image = bool(scope.get("state", {}).get("image"))
            headers["content-security-policy"] = _IMAGE_POLICY if image else _policy(scope)
            headers["x-content-type-options"] = "nosniff"
            headers["referrer-policy"] = "same-origin"
            headers["cross-origin-opener-policy"] = "same-origin"
            headers["cross-origin-resource-policy"] = "same-origin"
            headers["cache-control"] = _STATIC if static else _REVALIDATED if image else "no-store"
        await send(message)

    return secured


def _policy(scope: Scope) -> str:
    """Return the Content-Security-Policy of a page; its state's `images` lists further hosts of images."""
    hosts = scope.get("state", {}).get("images", ())
    return _POLICY.format(images="".join(f" {host}" for host in hosts))


def _event(scope: Scope, status: int) -> tuple[object, ...]:
    """Return what makes a refusal the same as another one. Pure."""
    return _client(scope), scope["method"], scope["path"][:_MAX_PATH], status


def _client(scope: Scope) -> str | None:
    return scope["client"][0] if scope.get("client") else None


def _audit_entry(scope: Scope, status: int) -> dict[str, object]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "editor": scope.get("state", {}).get("editor"),
        "from": _client(scope),
        "asked": f"{scope['method']} {scope['path'][:_MAX_PATH]}",
        "status": status,
    }


async def _drain(receive: Receive, headers: Headers) -> None:
    """Read the rest of a refused request, up to `_MAX_DRAINED_BYTES`."""
    remaining = _content_length(headers) if _content_length(headers) <= _MAX_DRAINED_BYTES else 0
    while remaining > 0:
        message = await receive()
        remaining -= len(message.get("body", b""))
        if not message.get("more_body"):
            return


def _limited(receive: Receive) -> Receive:
    """Return a receiver that ends requests over `MAX_FORM_BYTES`, whatever their Content-Length says."""
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_FORM_BYTES:
            return {"type": "http.disconnect"}
        return message

    return limited


def _content_length(headers: Headers) -> int:
    value = headers.get("content-length", "0")
    return int(value) if value.isdecimal() else 0
