"""The gate before every page: an ASGI middleware that lets in who may come, and says what pages may do."""

import json
import logging
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

LARGEST = 4_000_000
"""Bytes of a form: the longest body there is, each character of it encoded."""
_DRAINED = 50_000_000
"""Bytes that are read of a request that is refused for its length: a browser shows no answer before."""
log = logging.getLogger("copydesk.desk")
audit = logging.getLogger("copydesk.desk.audit")
"""A line of JSON for every request that was to change something, and every one that was refused."""

_REFUSED = frozenset((400, 401, 403, 413))
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'{images}; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class _Refusal(NamedTuple):
    status: int
    words: str


class AccessMiddleware:
    """Refuses what does not belong here, before anything else looks at it."""

    def __init__(self, app: ASGIApp, access: AccessPolicy) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on with the editor's name in its state."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        answer = self._answer(scope, headers)
        send = _audited(scope, send)
        if answer is not None:
            await _drain(receive, headers)
            await answer(scope, receive, _secured(scope, send, static=False))
            return
        static = scope["path"].startswith("/static/")
        await self._app(scope, _limited(receive), _secured(scope, send, static=static))

    def _answer(self, scope: Scope, headers: Headers) -> Response | None:
        """Return why a request goes no further, or the sign-in that it is; None: it goes on."""
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            log.warning("refused %s %s: %s", scope["method"], scope["path"], refusal.words)
            return PlainTextResponse(refusal.words + "\n", refusal.status)
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        token = dict(query).get("token")
        if not valid_token(self._access, token) or scope["method"] not in SAFE:
            return None
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        # One slash: two would lead to another host.
        path = "/" + scope["path"].lstrip("/\\")
        answer = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
        answer.headers.append("set-cookie", cookie(self._access.session_cookie, self._access.session))
        return answer

    def _refusal(self, scope: Scope, headers: Headers) -> _Refusal | None:
        if not allowed_host(self._access, headers.get("host")):
            said = "This name is not the desk's. Open the link that `copydesk desk` printed."
            return _Refusal(400, said + " For a name of your own set COPYDESK_DESK_HOSTS.")
        if not same_origin(scope["method"], headers):
            return _Refusal(403, "This request does not come from a page of the desk; nothing was changed.")
        if _length(headers) > LARGEST:
            return _Refusal(413, "That is more text than an article has; shorten it.")
        return self._stranger(scope, headers)

    def _stranger(self, scope: Scope, headers: Headers) -> _Refusal | None:
        """Refuse who is not signed in; note the name of who is."""
        access = self._access
        cookies = cookie_parser(headers.get("cookie", ""))
        client = scope["client"][0] if scope.get("client") else None
        name = proxied(access, client, headers)
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        shown = query.get("token") or headers.get("authorization", "").removeprefix("Bearer ")
        if name is None and not signed_in(access, cookies) and not valid_token(access, shown):
            return _Refusal(401, "Not signed in. Open the link that `copydesk desk` printed in the terminal.")
        scope.setdefault("state", {})["editor"] = name or editor(access, cookies)
        return None


def _secured(scope: Scope, send: Send, *, static: bool) -> Send:
    async def secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["content-security-policy"] = _policy(scope)
            headers["x-content-type-options"] = "nosniff"
            headers["referrer-policy"] = "same-origin"
            headers["cross-origin-opener-policy"] = "same-origin"
            headers["cross-origin-resource-policy"] = "same-origin"
            headers["cache-control"] = "public, max-age=31536000, immutable" if static else "no-store"
        await send(message)

    return secured


def _policy(scope: Scope) -> str:
    """Return what a page may do; it leaves in its state's `images` where else it shows images from."""
    hosts = scope.get("state", {}).get("images", ())
    return _POLICY.format(images="".join(f" {host}" for host in hosts))


def _audited(scope: Scope, send: Send) -> Send:
    """Note who asked for what, and what they were told, where it may have changed something."""

    async def audited(message: Message) -> None:
        if message["type"] == "http.response.start":
            status = message["status"]
            if scope["method"] not in SAFE or status in _REFUSED:
                audit.info(json.dumps(_line(scope, status)))
        await send(message)

    return audited


def _line(scope: Scope, status: int) -> dict[str, object]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "editor": scope.get("state", {}).get("editor"),
        "from": scope["client"][0] if scope.get("client") else None,
        "asked": f"{scope['method']} {scope['path'][:200]}",
        "status": status,
    }


async def _drain(receive: Receive, headers: Headers) -> None:
    """Read what is left of a request, unless that would take for ever."""
    left = _length(headers) if _length(headers) <= _DRAINED else 0
    while left > 0:
        message = await receive()
        left -= len(message.get("body", b""))
        if not message.get("more_body"):
            return


def _limited(receive: Receive) -> Receive:
    """Return a receiver that ends a request which is longer than it said, or did not say."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > LARGEST:
            return {"type": "http.disconnect"}
        return message

    return limited


def _length(headers: Headers) -> int:
    told = headers.get("content-length", "0")
    return int(told) if told.isdecimal() else 0
