"""The desk as an application: its pages, its gate, what it opens and closes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from desk import covers, decisions, drafts, metrics, names, past, published, queue, saving
from desk.access import Access
from desk.gate import Gate
from desk.office import Office
from desk.pages import STATIC, Unnamed, missing, told
from pipeline import review
from pipeline.checks.workers import CheckPool
from pipeline.covers import API
from pipeline.errors import CopydeskError
from pipeline.ledger import Ledger
from pipeline.net import Net
from pipeline.settings import Settings, user_agent

_PARTS = (metrics, queue, drafts, saving, decisions, past, published, names, covers)


def create_app(settings: Settings, access: Access, *, covers_api: str = API) -> FastAPI:
    """Return the desk. Its ledger is opened when it starts: raises LedgerError, ConfigError, OutputError.

    `covers_api` is where covers are searched for.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        ledger = await asyncio.to_thread(Ledger.open, settings.database_url)
        with ledger:
            await asyncio.to_thread(review.finish, ledger, settings.output)
            net = Net(user_agent(settings), allowed=settings.allow_hosts)
            async with CheckPool(workers=2) as checks, net:
                app.state.office = Office(settings, ledger, checks, net, covers_api)
                app.state.access = access
                yield

    app = FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    for router in (*(part.router for part in _PARTS), decisions.everywhere):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_exception_handler(CopydeskError, told)
    app.add_exception_handler(Unnamed, told)
    app.add_exception_handler(HTTPException, missing)
    app.add_middleware(Gate, access=access)
    return app
