"""Writes one section of a draft anew; every other byte of its body stays, an editor's own words included."""

import asyncio
from functools import partial
from typing import Any

from pipeline.errors import ModelError, ReviewError
from pipeline.ledger import Claim, Previous
from pipeline.models import Answer, Beat, Draft, FeedConfig, Finding, Severity, Source, utc_iso
from pipeline.output import files
from pipeline.output.frontmatter import dumps, loads
from pipeline.output.render import safe_markdown
from pipeline.output.sections import part, replaced
from pipeline.output.settling import front_of
from pipeline.rewrite.asking import Task, ask
from pipeline.rewrite.redraft import WireSectionText, read_section, with_request
from pipeline.standing import known_text
from pipeline.work.books import ItemBooks
from pipeline.work.composing import Composed, claimed_source
from pipeline.work.room import Newsroom


async def compose_section(
    room: Newsroom, feed: FeedConfig, claim: Claim, books: ItemBooks
) -> tuple[Claim, Composed]:
    """Return a draft with one section written anew, and the claim as what stands on disk makes it.

    What an editor changed on disk is kept as a version of its own first. Raises ModelError, LeaseLost,
    BudgetSpent.
    """
    last = claim.previous
    claim, text = await asyncio.to_thread(_standing, room, claim)
    source = claimed_source(feed, claim, await asyncio.to_thread(room.ledger.siblings, claim.item_id))
    metadata, body = loads(text, claim.item.title)
    try:
        one = part(body, claim.request.section or "" if claim.request else "")
    except ReviewError as error:
        raise ModelError(error.message, retry=False) from error
    beat = room.beats[feed.beat]
    answer, new = await _new_text(room, source, beat, claim, books, body)
    after = replaced(body, one, safe_markdown(new))
    front = front_of(_settled(metadata, body, beat, last), after, beat, before=body)
    findings = await room.check(source, after, beat, front)
    metadata = {**front.metadata}
    metadata["updatedAt"] = utc_iso(room.clock())
    metadata["ai"] = _ai(metadata, answer, findings, utc_iso(room.clock()), claim.previous)
    draft = Draft(
        external_id=source.external_id,
        path=claim.previous.path if claim.previous else "",
        text=dumps(metadata, after),
        findings=findings,
    )
    number = claim.previous.version + 1 if claim.previous else 1
    return claim, Composed(draft, number, "redraft", rewritten=True)


def _settled(metadata: dict[str, Any], body: str, beat: Beat, last: Previous | None) -> dict[str, Any]:
    """Return the front matter on disk with what the ledger knows of it."""
    if last is None:
        return metadata
    origin, before = known_text(last.origin or last.text)[0], known_text(last.text)[1]
    return front_of(metadata, body, beat, before=before, origin=origin).metadata


def _standing(room: Newsroom, claim: Claim) -> tuple[Claim, str]:
    """Return the text on disk; one that an editor changed is kept, and is what may be replaced."""
    previous = claim.previous
    data = files.read_bytes(room.settings.output, previous.path) if previous else None
    if previous is None or data is None:
        raise ModelError("its draft is gone from its place", retry=False)
    try:
        text, sha256 = data.decode(), files.sha256_of(data)
    except UnicodeDecodeError as error:
        raise ModelError("its draft is not UTF-8; save it as such", retry=False) from error
    if sha256 == previous.sha256:
        return claim, text
    kept = Draft(external_id="", path=previous.path, text=text)
    room.ledger.keep_version(claim, kept, number=previous.version, cause="edit")
    standing = Previous(path=previous.path, sha256=sha256, text=text, version=previous.version)
    return claim.model_copy(update={"previous": standing}), text


async def _new_text(
    room: Newsroom, source: Source, beat: Beat, claim: Claim, books: ItemBooks, body: str
) -> tuple[Answer, str]:
    request = claim.request
    heading = request.section or "" if request else ""
    bullets = heading.strip().casefold() == f"{beat.impact} {beat.market}".casefold()
    read = partial(read_section, bullets=bullets)
    if claim.answer is not None:
        return claim.answer, read(claim.answer.text)
    if room.model is None or request is None:
        raise ModelError("a section is written anew by a model alone: set COPYDESK_MODEL", retry=False)
    prompt = room.prompts[beat.key]
    task = Task(
        messages=with_request(prompt.messages(source, beat), request, body),
        prompt_id=prompt.id,
        shape=WireSectionText,
        read=read,
        purpose="redraft",
    )
    return await ask(room.model, task, books)


def _ai(
    metadata: dict[str, Any],
    answer: Answer,
    findings: tuple[Finding, ...],
    now: str,
    previous: Previous | None,
) -> dict[str, Any]:
    told = metadata.get("ai")
    counted = sum(finding.severity is not Severity.NOTE for finding in findings)
    return {
        **(told if isinstance(told, dict) else {}),
        "rewritten": True,
        "expandedAt": now,
        "version": previous.version + 1 if previous else 1,
        "model": answer.provenance.model,
        **({"prompt": answer.provenance.prompt} if answer.provenance.prompt else {}),
        "checks": {"open": counted, "acknowledged": 0},
    }
