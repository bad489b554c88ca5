"""The FastAPI application of the desk: routes, middleware, error pages, resources opened at startup."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.staticfiles import StaticFiles

from desk.auth import AccessPolicy
from desk.context import WebContext
from desk.middleware import AccessMiddleware
from desk.responses import STATIC, EditorNameMissing, error_page, http_error_page
from desk.routes import (
    articles,
    covers,
    decisions,
    drafts,
    edit,
    feeds,
    history,
    metrics,
    money,
    presence,
    profile,
    proof,
    published,
    queue,
    redrafts,
    runs,
    sentence,
    shown,
)
from desk.routes import checks as checks_page
from pipeline.checks.pool import CheckPool
from pipeline.config import Settings, user_agent
from pipeline.covers import API_URL
from pipeline.domain.errors import CopydeskError
from pipeline.http_client import HttpClient
from pipeline.services import review
from pipeline.storage import Database

_PAGES = (
    metrics,
    queue,
    drafts,
    history,
    redrafts,
    shown,
    edit,
    sentence,
    presence,
    decisions,
    proof,
    published,
    profile,
    covers,
    runs,
    feeds,
    money,
    checks_page,
    articles,
)


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """Return the routes, the same for every desk: FastAPI needs longer to build them than to answer."""
    pages = APIRouter()
    for router in (*(page.router for page in _PAGES), decisions.undo_router):
        pages.include_router(router)
    return tuple(pages.routes)


def create_app(
    settings: Settings, access: AccessPolicy, *, covers_api: str = API_URL, checks: CheckPool | None = None
) -> FastAPI:
    """Return the application.

    At startup it opens the database; raises DatabaseError, ConfigError, OutputError. `covers_api` is the base
    URL of the cover search, `checks` checks the drafts (None: two worker processes).
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        db = await asyncio.to_thread(Database.open, settings.database_url)
        with db:
            await asyncio.to_thread(review.resume_interrupted, db, settings.output)
            net = HttpClient(user_agent(settings), allowed=settings.allow_hosts)
            async with checks or CheckPool(workers=2) as opened, net:
                app.state.ctx = WebContext(settings, db, opened, net, covers_api)
                app.state.access = access
                try:
                    yield
                finally:
                    await app.state.ctx.second_reader.close()
                    await app.state.ctx.cover_images.close()

    app = FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    app.router.routes.extend(_routes())
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_exception_handler(CopydeskError, error_page)
    app.add_exception_handler(EditorNameMissing, error_page)
    app.add_exception_handler(HTTPException, http_error_page)
    app.add_middleware(AccessMiddleware, access=access)
    return app
