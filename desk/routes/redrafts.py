"""What became of a requested rewrite, for the page that waits for it."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from desk.responses import current_editor, web_context
from desk.routes.drafts import REF
from pipeline.articles import files

router = APIRouter()


@router.get(REF + "/request")
async def request_state(request: Request, ref: str) -> Response:
    """Return 204 while a rewrite is pending, then its outcome and the hash of the text on disk as JSON.

    The outcome is `written`, why the draft was not rewritten, or null where no rewrite was requested.
    """
    current_editor(request)
    return await asyncio.to_thread(_request_state, request, ref)


def _request_state(request: Request, ref: str) -> Response:
    ctx = web_context(request)
    row = ctx.db.drafts.get(ref)
    if row.request is not None:
        return Response(status_code=204)
    finished = ctx.db.redrafts.last_finished(row.item_id)
    data = files.read_bytes(ctx.settings.output, row.path) or b""
    return JSONResponse({"outcome": finished.outcome if finished else None, "sha256": files.sha256_of(data)})
