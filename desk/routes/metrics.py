"""What monitoring reads: whether the desk runs, whether it can work, and metrics for Prometheus."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from desk.responses import web_context
from pipeline.services.metrics import CONTENT_TYPE

router = APIRouter()


@router.api_route("/health", methods=["GET", "HEAD"])
async def health() -> Response:
    """Return that the desk runs; needs neither a token nor the database."""
    return PlainTextResponse("ok\n")


@router.api_route("/ready", methods=["GET", "HEAD"])
async def ready(request: Request) -> Response:
    """Return whether the desk can work, with status 503 and the failed checks if not; needs no token."""
    failed = await asyncio.to_thread(web_context(request).probes.failed_checks)
    return JSONResponse({"ready": not failed, "failed": failed}, 503 if failed else 200)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Return all metrics. Scrapers send the header `Authorization: Bearer TOKEN`."""
    ctx = web_context(request)
    return PlainTextResponse(await asyncio.to_thread(ctx.probes.metrics, ctx.now), media_type=CONTENT_TYPE)
