"""What was just done, told on the next page with the way back."""

import asyncio
import re
from typing import NamedTuple

from fastapi import Request

from desk.pages import office
from pipeline.errors import CopydeskError
from pipeline.models import Decision

REF = re.compile(r"[0-9a-f]{16}")
_WORDS = {
    Decision.APPROVE: "Approved",
    Decision.REJECT: "Rejected",
    Decision.UNDO: "Taken back",
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
    ledger = office(request).ledger
    try:
        row = ledger.draft(ref)
        given = ledger.verdicts(row.item_id)
    except CopydeskError:
        return None
    if name == "saved":
        return Flash("Saved", ref, row.title, undo=False)
    if name == "asked_for":
        return Flash("Redraft asked for", ref, row.title, undo=False) if row.request else None
    if not given:
        return None
    last = given[-1].decision
    return Flash(_WORDS[last], ref, row.title, undo=last is not Decision.UNDO)
