"""The repair pass: the sentences that the checks object to are mended by one more call."""

import asyncio
from functools import partial

from pipeline.errors import BudgetSpent, ModelError
from pipeline.ledger import Claim
from pipeline.models import Beat, Draft, Source
from pipeline.output.frontmatter import loads
from pipeline.output.markdown import safe_line
from pipeline.rewrite.asking import Task, ask
from pipeline.rewrite.mending import WireMending, flagged, mended, read_mending, with_flags
from pipeline.work.books import ItemBooks
from pipeline.work.room import Newsroom


async def mend(
    room: Newsroom, source: Source, beat: Beat, claim: Claim, books: ItemBooks, draft: Draft
) -> str | None:
    """Return the draft's body with flagged sentences mended; None where there is nothing to change.

    A call that comes to nothing leaves the draft as it is, with its findings: it was paid for.
    Raises LeaseLost.
    """
    _, body = await asyncio.to_thread(loads, draft.text, draft.path)
    flags = flagged(body, draft.findings)
    if not flags or room.model is None or room.mender is None:
        return None
    read = partial(read_mending, count=len(flags))
    try:
        if claim.mended is not None:
            sentences = read(claim.mended.text)
        else:
            task = Task(
                messages=with_flags(room.mender.messages(source, beat), body, flags),
                prompt_id=room.mender.id,
                shape=WireMending,
                read=read,
                purpose="verify",
            )
            _, sentences = await ask(room.model, task, books)
    except (ModelError, BudgetSpent):
        return None
    safe = {number: safe_line(text) for number, text in sentences.items()}
    after = mended(body, flags, safe)
    return after if after != body else None
