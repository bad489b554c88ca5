"""Composes the steps: poll a feed into the ledger, turn claimed items into drafts.

What is known of an item stands in the ledger before the next step begins, so a run that dies at any
instruction is finished by the next one: an answer that was paid for is never asked again, and a file
that was meant to be written is written.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pipeline.checks import run_checks
from pipeline.errors import (
    CopydeskError,
    FeedError,
    LeaseLost,
    LedgerError,
    ModelError,
    ModelRefused,
    OutputError,
)
from pipeline.ingest.fetch import Fetched, Unchanged, Validators, fetch
from pipeline.ingest.parse import ParsedFeed, parse_feed
from pipeline.ingest.select import Known, KnownItem, Selection, decide
from pipeline.ledger import Claim, Ledger
from pipeline.models import (
    Answer,
    Article,
    Beat,
    Draft,
    FeedConfig,
    Provenance,
    Record,
    Source,
    Usage,
    Window,
)
from pipeline.net import Net
from pipeline.output import files
from pipeline.output.frontmatter import dumps
from pipeline.output.paths import draft_path
from pipeline.output.render import build_metadata, render_body
from pipeline.rewrite.brief import BRIEF, write_brief
from pipeline.rewrite.model import Model
from pipeline.rewrite.prompt import Prompt
from pipeline.rewrite.wire import read_answer
from pipeline.settings import Settings

LEASE_S = 900.0
"""Seconds a claim holds without a heartbeat: longer than the longest call."""

Notify = Callable[[str, str], None]
"""Told (feed key, what) whenever an item is `claimed`, and whenever one is `drafted` or has `failed`."""


class PollReport(Record):
    """What one poll of a feed brought."""

    feed: str
    unchanged: bool = False
    new: int = 0
    updated: int = 0
    skipped: int = 0
    merged: int = 0
    notes: tuple[str, ...] = ()


class ItemOutcome(Record):
    """What became of one claimed item."""

    title: str
    path: str | None = None
    """The draft's file, where one was written."""
    reason: str | None = None
    """Why there is none."""
    rewritten: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True)
class Newsroom:
    """What every step needs, opened once a run."""

    settings: Settings
    beats: dict[str, Beat]
    ledger: Ledger
    net: Net
    model: Model | None = None
    prompts: dict[str, Prompt] = field(default_factory=dict)
    """By beat; empty where no model is set."""
    in_flight: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(8))
    """Items worked on at one time."""
    polls: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(8))
    """Feeds fetched and parsed at one time: a deadline must not run while a thousand others are parsed."""
    notify: Notify = lambda _feed, _outcome: None
    stop: list[CopydeskError] = field(default_factory=list)
    """Errors after which no other item would fare better: nothing new is begun."""


async def look(
    room: Newsroom, feed: FeedConfig, window: Window | None = None
) -> tuple[Fetched, ParsedFeed, Selection] | None:
    """Fetch a feed and decide what is new in it; None where the server says that nothing changed.

    A window asks for the whole feed, whatever was seen of it before. Raises FeedError.
    """
    etag, modified = (None, None) if window else await asyncio.to_thread(room.ledger.validators, feed.key)
    async with room.polls:
        read = await read_feed(room.net, feed, Validators(etag=etag, last_modified=modified))
    if read is None:
        return None
    fetched, parsed = read
    known = await asyncio.to_thread(_known, room.ledger, feed, parsed)
    return fetched, parsed, decide(feed, parsed.items, known, datetime.now(UTC), window=window)


async def read_feed(net: Net, feed: FeedConfig, validators: Validators) -> tuple[Fetched, ParsedFeed] | None:
    """Fetch and parse a feed; None where it is unchanged. Raises FeedError that names the feed."""
    now = datetime.now(UTC)
    fetched = await fetch(net, feed, validators, now)
    if isinstance(fetched, Unchanged):
        return None
    try:
        parsed = await asyncio.to_thread(parse_feed, fetched.body, fetched.content_type, fetched.url, now)
    except FeedError as error:
        raise FeedError(f"{feed.key}: {error.message}", kind=error.kind, feed=feed.key) from error
    return fetched, parsed


async def poll(room: Newsroom, feed: FeedConfig, window: Window | None = None) -> PollReport:
    """Bring a feed's new items into the ledger. Raises FeedError, which the ledger then knows too."""
    try:
        seen = await look(room, feed, window)
    except FeedError as error:
        await asyncio.to_thread(room.ledger.record_failure, feed.key, error.message, datetime.now(UTC))
        raise
    if seen is None:
        await asyncio.to_thread(room.ledger.record_unchanged, feed.key, datetime.now(UTC))
        return PollReport(feed=feed.key, unchanged=True)
    return await asyncio.to_thread(_admit, room.ledger, feed, *seen)


def _known(ledger: Ledger, feed: FeedConfig, parsed: ParsedFeed) -> Known:
    guids = [item.guid for item in parsed.items]
    canonicals = [item.canonical for item in parsed.items if item.canonical]
    rows = ledger.known_items(feed.key, guids)
    return Known(
        guids={
            guid: KnownItem(state=state, content_hash=content_hash, canonical=canonical)
            for guid, (state, content_hash, canonical) in rows.items()
        },
        canonicals=ledger.known_canonicals(canonicals),
    )


def _admit(
    ledger: Ledger, feed: FeedConfig, fetched: Fetched, parsed: ParsedFeed, chosen: Selection
) -> PollReport:
    # Validators say "we have all of this": not after a cut-off answer, nor where a window left items out.
    whole = not parsed.cut and not chosen.outside
    admitted = ledger.admit(
        feed.key,
        new=chosen.new,
        updated=chosen.updated,
        skipped=[(skip.item, skip.reason) for skip in chosen.skipped],
        merged=[(merge.item, merge.into) for merge in chosen.merged],
        etag=fetched.validators.etag if whole else None,
        last_modified=fetched.validators.last_modified if whole else None,
        now=datetime.now(UTC),
    )
    return PollReport(
        feed=feed.key,
        new=admitted.new,
        updated=admitted.updated,
        skipped=admitted.skipped,
        merged=admitted.merged,
        notes=parsed.notes,
    )


async def draft_feed(
    room: Newsroom, feed: FeedConfig, limit: int, window: Window | None = None
) -> list[ItemOutcome]:
    """Draft up to `limit` queued items of a feed, newest first.

    A run that is stopped or cancelled gives back what it had not finished.
    """
    if room.stop:
        return []
    claims = await asyncio.to_thread(room.ledger.claim, feed.key, limit, LEASE_S, window=window)
    for _ in claims:
        room.notify(feed.key, "claimed")
    async with _kept(room.ledger, claims):
        every = (_outcome(room, feed, claim) for claim in claims)
        # Whatever nobody foresaw is raised when the others are done, not in the midst of their work.
        results = await asyncio.gather(*every, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if isinstance(result, ItemOutcome)]


@contextlib.asynccontextmanager
async def _kept(ledger: Ledger, claims: Sequence[Claim]) -> AsyncIterator[None]:
    """Keep claims alive while their items are worked on; give back what is left at the end."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(LEASE_S / 3)
            await asyncio.to_thread(ledger.heartbeat, claims, LEASE_S)

    heart = asyncio.create_task(beat())
    try:
        yield
    finally:
        heart.cancel()
        ledger.release(claims)


async def _outcome(room: Newsroom, feed: FeedConfig, claim: Claim) -> ItemOutcome | None:
    """Draft one item; its trouble is its outcome, unless it is everybody's."""
    async with room.in_flight:
        if room.stop:
            return None
        try:
            outcome = await _draft(room, feed, claim)
        except LeaseLost as error:
            outcome = ItemOutcome(title=claim.item.title, reason=error.message)
        except (ModelRefused, OutputError, LedgerError) as error:
            room.stop.append(error)
            return None
        except ModelError as error:
            outcome = await _failed(room, claim, error)
    room.notify(feed.key, "drafted" if outcome.path else "failed")
    return outcome


async def _failed(room: Newsroom, claim: Claim, error: ModelError) -> ItemOutcome:
    with contextlib.suppress(LeaseLost):  # then it is another run's to fail
        await asyncio.to_thread(room.ledger.fail, claim, error.message, retry=error.retry)
    billed = error.context.get("answer")
    usage = billed.usage if isinstance(billed, Answer) else Usage()
    return ItemOutcome(title=claim.item.title, reason=error.message, **usage.model_dump())


async def _draft(room: Newsroom, feed: FeedConfig, claim: Claim) -> ItemOutcome:
    if claim.intent is not None:  # a run died between the ledger and the file
        await asyncio.to_thread(store, room, claim, claim.intent)
        return ItemOutcome(title=claim.item.title, path=claim.intent.path)
    source = source_of(feed, claim)
    beat = room.beats[feed.beat]
    answer = await _answer(room, source, beat, claim)
    draft = await asyncio.to_thread(_written, room, source, beat, claim, answer)
    await asyncio.to_thread(_begin, room, claim, draft)
    return ItemOutcome(
        title=claim.item.title,
        path=draft.path,
        rewritten=answer is not None,
        prompt_tokens=answer.usage.prompt_tokens if answer else 0,
        completion_tokens=answer.usage.completion_tokens if answer else 0,
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


def _written(room: Newsroom, source: Source, beat: Beat, claim: Claim, answer: Answer | None) -> Draft:
    article, provenance = _article(room.ledger, source, beat, claim, answer)
    body = render_body(article, beat)
    findings = run_checks(source, body, beat)
    metadata = build_metadata(source, article, provenance, findings, now=datetime.now(UTC))
    return Draft(
        external_id=source.external_id,
        path=draft_path(article.title, source.item.published_at, source.external_id),
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


def _begin(room: Newsroom, claim: Claim, draft: Draft) -> None:
    room.ledger.intend(claim, draft)
    store(room, claim, draft)


def store(room: Newsroom, claim: Claim, draft: Draft) -> None:
    """Write an intended draft and confirm it. What stands at its path already is never overwritten."""
    root = room.settings.output
    if files.read_bytes(root, draft.path) is None:
        files.write_atomically(root, draft.path, draft.text.encode())
    room.ledger.confirm(claim)


def source_of(feed: FeedConfig, claim: Claim) -> Source:
    """Return the text to be rewritten: the item beside what its feed says of it."""
    return Source(
        item=claim.item,
        feed_key=feed.key,
        feed_name=feed.name,
        first_key=claim.first_key,
        category=feed.category,
        language=feed.language,
    )
