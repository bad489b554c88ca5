"""Who sits at the desk: asked once, written into every verdict."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from desk.auth import AccessPolicy, clean_name, cookie
from desk.responses import redirect, render, web_context

router = APIRouter()


@router.get("/name")
def ask(request: Request) -> Response:
    """Ask for the editor's name."""
    usual = request.state.editor or web_context(request).settings.editor or ""
    return render(request, "name.html", name=usual, next=_within(request.query_params.get("next", "/")))


@router.post("/name")
def keep(
    request: Request,
    name: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002
) -> Response:
    """Remember it in this browser."""
    given = clean_name(name)
    if not given:
        return render(request, "name.html", 422, name="", next=_within(next))
    access: AccessPolicy = request.app.state.access
    answer = redirect(_within(next))
    answer.headers.append("set-cookie", cookie(access.name_cookie, given))
    return answer


def _within(path: str) -> str:
    """Return a path of the desk: what leads elsewhere leads to the queue."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if plain else "/"
