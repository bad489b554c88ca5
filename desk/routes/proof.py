"""The page of the record of a review, beside the article that it is about."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk.responses import current_editor, render, web_context
from desk.routes.drafts import REF
from pipeline.domain.errors import CopydeskError, DatabaseError, ReviewError
from pipeline.services.proof import proof_of

router = APIRouter()


@router.get(REF + "/proof")
async def proof(request: Request, ref: str) -> Response:
    """Show the record of the review of a draft."""
    current_editor(request)
    ctx = web_context(request)
    row = await asyncio.to_thread(ctx.db.drafts.get, ref)
    try:
        compared = await asyncio.to_thread(proof_of, ctx.db, ctx.settings.output, row.external_id)
    except (ReviewError, DatabaseError):
        raise
    except CopydeskError as error:
        return render(request, "error.html", 404, title="No record", message=error.message)
    return render(request, "proof.html", proof=compared, row=row)
