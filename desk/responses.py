"""Responses: rendered templates, error pages, redirects, and the message about the last action."""

import asyncio
import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from desk.context import WebContext
from desk.filters import Filters, read_filters
from desk.views import relative_time
from pipeline.domain.errors import CopydeskError, DatabaseError, EditConflict, ReviewError
from pipeline.domain.reviews import ReviewDecision
from pipeline.storage import cost_text

_FOLDER = Path(__file__).parent
STATIC = _FOLDER / "static"
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@lru_cache
def static(name: str) -> str:
    """Return the URL of a static file, with a hash of its content: browsers may cache it for ever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


_ENVIRONMENT.globals["static"] = static
_ENVIRONMENT.filters["moment"] = lambda at: f"{at:%Y-%m-%d %H:%M} UTC"
_ENVIRONMENT.filters["iso"] = lambda at: at.isoformat()
_ENVIRONMENT.filters["relative_time"] = relative_time
_ENVIRONMENT.filters["cost"] = lambda each: (
    cost_text(each.micros, each.unpriced) if each.micros or each.unpriced else ""
)


def web_context(request: Request) -> WebContext:
    """Return the dependencies of the pages."""
    ctx: WebContext = request.app.state.ctx
    return ctx


def current_editor(request: Request) -> str:
    """Return the editor's name. Raises EditorNameMissing if none was given in this browser."""
    name: str | None = request.state.editor
    if name is None:
        raise EditorNameMissing
    return name


class EditorNameMissing(Exception):
    """The browser is signed in, but has no editor's name."""


def filters(request: Request) -> Filters:
    """Return the queue filters of the page's URL."""
    return read_filters(request.query_params)


def render(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:  # noqa: ANN401
    """Return a page made from a template."""
    values = {
        "request": request,
        "editor": request.state.editor,
        "filters": filters(request),
        "now": web_context(request).now,
        **context,
    }
    return HTMLResponse(_ENVIRONMENT.get_template(template).render(values), status)


def fragment(template: str, status: int = 200, **context: Any) -> HTMLResponse:  # noqa: ANN401
    """Return a part of a page made from a template, for a script."""
    return HTMLResponse(_ENVIRONMENT.get_template(template).render(context), status)


def redirect(path: str, query: str = "", **more: str) -> RedirectResponse:
    """Return a redirect (303) within the desk; `more` is added to the query."""
    return RedirectResponse(address(path, query, **more), 303)


def address(path: str, query: str = "", **more: str) -> str:
    """Return an address within the desk; `more` is added to the query."""
    parameters = "&".join(part for part in (query, urlencode(more)) if part)
    return path + (f"?{parameters}" if parameters else "")


def status_of(error: CopydeskError) -> int:
    """Return the HTTP status of an error."""
    if isinstance(error, DatabaseError):
        return 503
    if isinstance(error, EditConflict):
        return 409
    if isinstance(error, ReviewError):
        return 404 if error.message.startswith("no draft is called") else 409
    return 500


async def error_page(request: Request, error: Exception) -> Response:
    """Return the error page, or the redirect to the sign-in page where the editor's name is missing."""
    if isinstance(error, EditorNameMissing) and "hx-request" in request.headers:
        # A script would follow the redirect and take the sign-in page for a saved text.
        return PlainTextResponse("Your name is missing: load the page again to sign in.\n", 401)
    if isinstance(error, EditorNameMissing):
        return redirect("/name", next=_return_path(request))
    if not isinstance(error, CopydeskError):
        raise error
    status = status_of(error)
    heading = {404: "Not found", 409: "Nothing was changed", 503: "The ledger is not available"}
    title = heading.get(status, "Something went wrong")
    return render(request, "error.html", status, title=title, message=error.message)


async def http_error_page(request: Request, error: Exception) -> Response:
    """Return the page for an unknown address, and for what the framework refuses, such as a broken form."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    if status == 404:
        return render(request, "error.html", 404, title="Not found", message="There is no such page.")
    message = "The desk cannot read this request. Go back, load the page again, and try once more."
    if status == 405:
        message = (
            "This address is for a button of the desk. Go to the queue, or to the decisions made so far."
        )
    page = render(request, "error.html", status, title="This request is not possible", message=message)
    page.headers.update(getattr(error, "headers", None) or {})
    return page


def page_number(request: Request) -> int:
    """Return the number of the page of a list that a URL names; 1 where it names none."""
    text = request.query_params.get("page", "")
    return max(1, int(text)) if text.isdecimal() and len(text) < 6 else 1


def _return_path(request: Request) -> str:
    if request.method != "GET":
        return "/"
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")


REF = re.compile(r"[0-9a-f]{16}")
_DECISIONS = {
    ReviewDecision.APPROVE: "Approved",
    ReviewDecision.REJECT: "Rejected",
    ReviewDecision.UNDO: "Decision undone",
    ReviewDecision.RETRACT: "Retracted",
    ReviewDecision.UNPUBLISH: "Unpublished",
}
_SAVED = {"saved": "Saved", "merged": "Saved, together with the changes of others"}


class Flash(NamedTuple):
    """The message about the last action on a draft."""

    message: str
    ref: str
    title: str
    undo: bool
    """Whether it can be undone."""


async def flash(request: Request) -> Flash | None:
    """Return the message about the action that led to this page.

    The URL holds only its kind and a draft's id; decision and title come from the ledger, so a link cannot
    show a text of its own.
    """
    for name in ("did", "asked_for", "saved", "merged"):
        ref = request.query_params.get(name, "")
        if REF.fullmatch(ref):
            return await asyncio.to_thread(_flash, request, name, ref)
    return None


def _flash(request: Request, name: str, ref: str) -> Flash | None:
    db = web_context(request).db
    try:
        item_id, title = db.items.by_external_ids([ref]).get(ref, (None, ""))
        if item_id is None:
            return None
        if name == "asked_for":
            return Flash("Rewrite requested", ref, title, undo=False) if db.drafts.get(ref).request else None
        if name in _SAVED:
            return Flash(_SAVED[name], ref, title, undo=False)
        reviews = db.reviews.list(item_id)
    except CopydeskError:
        return None
    if not reviews:
        return None
    decision = reviews[-1].decision
    return Flash(_DECISIONS[decision], ref, title, undo=decision is not ReviewDecision.UNDO)
