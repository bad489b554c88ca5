"""The sign-in page: asks for the editor's name, which every decision records."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from desk.auth import AccessPolicy, clean_name, cookie
from desk.responses import redirect, render, web_context

router = APIRouter()


@router.get("/name")
def name_form(request: Request) -> Response:
    """Show the form for the editor's name."""
    name = request.state.editor or web_context(request).settings.editor or ""
    return render(request, "name.html", name=name, next=_local_path(request.query_params.get("next", "/")))


@router.post("/name")
def save_name(
    request: Request,
    name: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002
) -> Response:
    """Keep the name in a cookie."""
    clean = clean_name(name)
    if not clean:
        return render(request, "name.html", 422, name="", next=_local_path(next))
    access: AccessPolicy = request.app.state.access
    response = redirect(_local_path(next))
    response.headers.append("set-cookie", cookie(access.name_cookie, clean))
    return response


def _local_path(path: str) -> str:
    """Return a path if it stays within the desk, else `/`: the guard against open redirects."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if plain else "/"
