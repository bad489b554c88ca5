"""Signs of life of the pages that show or edit a draft."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from desk.responses import REF as VALID_REF
from desk.responses import current_editor, web_context
from desk.routes.drafts import REF

router = APIRouter()


@router.get(REF + "/presence")
async def presence(request: Request, ref: str, doing: str = "reads") -> JSONResponse:
    """Note that the editor reads or edits a draft, or left it; return who else has it open."""
    name, signs = current_editor(request), web_context(request).presence
    if not VALID_REF.fullmatch(ref):
        return JSONResponse({"message": "", "others": []})
    if doing == "left":
        signs.leave(ref, name)
    else:
        signs.note(ref, name, edits=doing == "edits")
    others = signs.others(ref, name)
    return JSONResponse(
        {
            "message": " · ".join(other.message for other in others),
            "others": [
                {"name": other.name, "edits": other.edits, "message": other.message} for other in others
            ],
        }
    )
