"""Pages: templates filled, errors told in words, redirects that lead on.

What was just done, told on the next page with the way back.
"""

import asyncio
import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from desk.context import WebContext
from desk.filters import Filters, read_filters
from desk.views import relative_time
from pipeline.domain.errors import CopydeskError, DatabaseError, EditConflict, ReviewError
from pipeline.domain.reviews import ReviewDecision

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@lru_cache
def static(name: str) -> str:
    """Return the URL of a static file, another one as soon as the file is."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


_ENVIRONMENT.globals["static"] = static
_ENVIRONMENT.filters["moment"] = lambda at: f"{at:%Y-%m-%d %H:%M} UTC"
_ENVIRONMENT.filters["iso"] = lambda at: at.isoformat()
_ENVIRONMENT.filters["relative_time"] = relative_time


def web_context(request: Request) -> WebContext:
    """Return what the pages work with."""
    found: WebContext = request.app.state.ctx
    return found


def current_editor(request: Request) -> str:
    """Return the editor's name. Raises Unnamed where nobody gave one yet."""
    name: str | None = request.state.editor
    if name is None:
        raise EditorNameMissing
    return name


class EditorNameMissing(Exception):
    """Nobody said who sits here: verdicts need a name."""


def filters(request: Request) -> Filters:
    """Return the part of the queue that the page's URL speaks of."""
    return read_filters(request.query_params)


def render(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:  # noqa: ANN401
    """Return a page."""
    told = {
        "request": request,
        "editor": request.state.editor,
        "filters": filters(request),
        "now": web_context(request).now,
        **context,
    }
    return HTMLResponse(_ENVIRONMENT.get_template(template).render(told), status)


def fragment(template: str, status: int = 200, **context: Any) -> HTMLResponse:  # noqa: ANN401
    """Return a piece of a page."""
    return HTMLResponse(_ENVIRONMENT.get_template(template).render(context), status)


def redirect(path: str, query: str = "", **more: str) -> RedirectResponse:
    """Return a redirect within the desk after something was done."""
    told = "&".join(part for part in (query, urlencode(more)) if part)
    return RedirectResponse(path + (f"?{told}" if told else ""), 303)


def status_of(error: CopydeskError) -> int:
    """Return the HTTP status that says what kind of trouble it is."""
    if isinstance(error, DatabaseError):
        return 503
    if isinstance(error, EditConflict):
        return 409
    if isinstance(error, ReviewError):
        return 404 if error.message.startswith("no draft is called") else 409
    return 500


async def error_page(request: Request, error: Exception) -> Response:
    """Return the page that says what went wrong and what to do."""
    if isinstance(error, EditorNameMissing) and "hx-request" in request.headers:
        # A script would take the page that asks for the name for a text that was saved.
        return PlainTextResponse("Nobody said who sits here: load the page again.\n", 401)
    if isinstance(error, EditorNameMissing):
        return redirect("/name", next=_here(request))
    if not isinstance(error, CopydeskError):
        raise error
    status = status_of(error)
    heading = {404: "Not here", 409: "That was not done", 503: "The ledger cannot be used"}
    title = heading.get(status, "That did not work")
    return render(request, "error.html", status, title=title, message=error.message)


async def not_found(request: Request, _error: Exception) -> Response:
    """Return the page of an address that leads nowhere."""
    return render(request, "error.html", 404, title="Not here", message="There is no such page.")


def _here(request: Request) -> str:
    if request.method != "GET":
        return "/"
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")


REF = re.compile(r"[0-9a-f]{16}")
_WORDS = {
    ReviewDecision.APPROVE: "Approved",
    ReviewDecision.REJECT: "Rejected",
    ReviewDecision.UNDO: "Taken back",
}


class Flash(NamedTuple):
    """Words about what was done to a draft."""

    words: str
    ref: str
    title: str
    undo: bool
    """Whether it can be taken back."""


async def flash(request: Request) -> Flash | None:
    """Return what the page before did, as its redirect says in the URL; the words come from the ledger."""
    for name in ("did", "asked_for", "saved"):
        ref = request.query_params.get(name, "")
        if REF.fullmatch(ref):
            return await asyncio.to_thread(_told, request, name, ref)
    return None


def _told(request: Request, name: str, ref: str) -> Flash | None:
    db = web_context(request).db
    try:
        row = db.drafts.get(ref)
        given = db.reviews.list(row.item_id)
    except CopydeskError:
        return None
    if name == "saved":
        return Flash("Saved", ref, row.title, undo=False)
    if name == "asked_for":
        return Flash("Redraft asked for", ref, row.title, undo=False) if row.request else None
    if not given:
        return None
    last = given[-1].decision
    return Flash(_WORDS[last], ref, row.title, undo=last is not ReviewDecision.UNDO)
