"""Makes an item's draft: of an answer that was paid for, or asked for now, or of the offline brief."""

import asyncio

from pipeline.checks import run_checks
from pipeline.errors import ModelError
from pipeline.ledger import Claim, Ledger, Sibling, same_story
from pipeline.models import (
    Answer,
    Article,
    Beat,
    Credit,
    Draft,
    FeedConfig,
    Provenance,
    Source,
)
from pipeline.output.frontmatter import dumps
from pipeline.output.paths import draft_path
from pipeline.output.render import build_metadata, render_body
from pipeline.rewrite.brief import BRIEF, write_brief
from pipeline.rewrite.wire import read_answer
from pipeline.work.room import Newsroom


async def compose(room: Newsroom, feed: FeedConfig, claim: Claim) -> tuple[Answer | None, Draft]:
    """Return an item's draft, and the model's answer that it was made of, None where it is the brief.

    Raises ModelError, LeaseLost.
    """
    siblings = await asyncio.to_thread(room.ledger.siblings, claim.item_id)
    source = source_of(feed, claim, siblings)
    answer = await _answer(room, source, room.beats[feed.beat], claim)
    draft = await asyncio.to_thread(_written, room, feed, source, claim, answer, siblings)
    return answer, draft


def source_of(feed: FeedConfig, claim: Claim, siblings: list[Sibling]) -> Source:
    """Return the text to be rewritten: the item beside what its feed says of it."""
    merged = {sibling.url: sibling for sibling in siblings if sibling.state == "merged" and sibling.url}
    merged.pop(claim.item.link or "", None)
    return Source(
        item=claim.item,
        feed_key=feed.key,
        feed_name=feed.name,
        first_key=claim.first_key,
        category=feed.category,
        language=feed.language,
        also=tuple(Credit(name=one.feed_name, url=url) for url, one in merged.items()),
    )


async def _answer(room: Newsroom, source: Source, beat: Beat, claim: Claim) -> Answer | None:
    """Return the answer that was paid for, or ask for one; None where the brief is to be written."""
    if claim.answer is not None:
        return claim.answer
    if room.model is None:
        return None
    prompt = room.prompts[beat.key]
    try:
        answer = await room.model.ask(prompt.messages(source, beat), prompt.id)
    except ModelError as error:
        billed = error.context.get("answer")
        if isinstance(billed, Answer):  # worth nothing, and paid for
            await _keep(room.ledger, claim, billed)
            await asyncio.to_thread(room.ledger.discard_answer, claim, error.message)
        raise
    await _keep(room.ledger, claim, answer)
    return answer


async def _keep(ledger: Ledger, claim: Claim, answer: Answer) -> None:
    """Record an answer; a cancellation in between would lose what was paid for."""
    await asyncio.shield(asyncio.to_thread(ledger.record_answer, claim, answer))


def _written(
    room: Newsroom,
    feed: FeedConfig,
    source: Source,
    claim: Claim,
    answer: Answer | None,
    siblings: list[Sibling],
) -> Draft:
    beat, previous = room.beats[feed.beat], claim.previous
    article, provenance = _article(room.ledger, source, beat, claim, answer)
    body = render_body(article, beat)
    others = (same_story(one.feed_name, one.title, one.path) for one in siblings)
    findings = (*run_checks(source, body, beat), *others)
    version = previous.version + 1 if previous else 1
    metadata = build_metadata(source, article, provenance, findings, now=room.clock(), version=version)
    new_path = draft_path(article.title, source.item.published_at, source.external_id)
    return Draft(
        external_id=source.external_id,
        path=previous.path if previous else new_path,
        text=dumps(metadata, body),
        findings=findings,
    )


def _article(
    ledger: Ledger, source: Source, beat: Beat, claim: Claim, answer: Answer | None
) -> tuple[Article, Provenance]:
    if answer is None:
        return write_brief(source, beat), BRIEF
    try:
        return read_answer(answer.text, source, beat), answer.provenance
    except ModelError as error:
        ledger.discard_answer(claim, error.message)
        raise ModelError(error.message, retry=error.retry, answer=answer) from error
