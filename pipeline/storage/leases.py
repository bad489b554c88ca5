"""Claims: leases on items, with fencing tokens, and what is done under them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from pipeline.domain.errors import LeaseLost
from pipeline.domain.models import Draft, Item, LLMResponse, Provenance, RedraftRequest, TokenUsage, Window
from pipeline.storage import redraft_requests, versions
from pipeline.storage.engine import chunks
from pipeline.storage.findings import OURSELVES, flag_request, flag_update
from pipeline.storage.items import TAKEN, in_window, updated_source, values
from pipeline.storage.processes import is_dead
from pipeline.storage.records import Claim, Which
from pipeline.storage.schema import IS_OPEN, OPEN, calls, feeds, items
from pipeline.storage.schema import versions as texts

MENDING = "verify"
"""The purpose of a call that mends sentences of an answer."""


def clock(connection: sa.Connection) -> sa.ColumnElement[float]:
    """Return the database's own time, in seconds since 1970: hosts may disagree about theirs."""
    if connection.dialect.name == "sqlite":
        return sa.literal_column("(julianday('now') - 2440587.5) * 86400.0", sa.Float)
    return sa.literal_column("extract(epoch from clock_timestamp())::double precision", sa.Float)


def free_dead(connection: sa.Connection) -> None:
    """Take the leases from processes of this host that live no more: a killed run need not be waited for."""
    query = sa.select(items.c.lease_owner).where(items.c.lease_owner.is_not(None)).distinct()
    dead = [owner for owner in connection.scalars(query) if owner and is_dead(owner)]
    if dead:
        # Rows that another process frees just now are left to it: waiting for each other is a deadlock.
        theirs = sa.select(items.c.id).where(items.c.lease_owner.in_(dead)).with_for_update(skip_locked=True)
        freed = items.update().where(items.c.id.in_(connection.scalars(theirs).all()))
        connection.execute(freed.values(lease_owner=None, lease_expires=None))


def waiting(
    feed_id: int, window: Window | None, which: Which = "all", tried: Sequence[int] = ()
) -> list[sa.ColumnElement[bool]]:
    """Return the conditions under which an item of a feed waits for work; those `tried` do not."""
    asked, unfinished = items.c.id.in_(redraft_requests.waiting), items.c.state.in_(OPEN)
    conditions = {
        "all": sa.or_(unfinished, asked),
        "asked": sa.or_(asked, sa.and_(unfinished, items.c.id.in_(versions.unwritten))),
        "new": sa.and_(unfinished, ~asked, ~sa.exists().where(texts.c.item_id == items.c.id)),
    }
    others = [items.c.id.not_in(tried)] if tried else []
    return [items.c.feed_id == feed_id, conditions[which], *others, *in_window(window)]


def unwritten(connection: sa.Connection) -> dict[str, int]:
    """Return how many texts wait to be written that nobody holds, by feed key."""
    free = sa.or_(items.c.lease_owner.is_(None), items.c.lease_expires < clock(connection))
    query = sa.select(feeds.c.key, sa.func.count()).select_from(items.join(feeds))
    mine = (items.c.state.in_(OPEN), items.c.id.in_(versions.unwritten), free)
    return {row[0]: row[1] for row in connection.execute(query.where(*mine).group_by(feeds.c.key))}


def in_work(connection: sa.Connection, feed_id: int) -> int:
    """Return how many new items of a feed somebody works on."""
    mine = (items.c.feed_id == feed_id, items.c.lease_owner.is_not(None), items.c.state.in_(OPEN))
    return connection.scalar(sa.select(sa.func.count()).where(*mine)) or 0


def claim(
    connection: sa.Connection,
    owner: str,
    wanted: Sequence[sa.ColumnElement[bool]],
    limit: int,
    lease_s: float,
) -> list[Claim]:
    """Lease up to `limit` of the items that are wanted, newest first."""
    now = clock(connection)
    query = (
        sa.select(items, feeds.c.key.label("feed_key"), feeds.c.first_key)
        .select_from(items.join(feeds))
        .where(*wanted, sa.or_(items.c.lease_owner.is_(None), items.c.lease_expires < now))
        .order_by(items.c.published_at.desc(), items.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=items)
    )
    rows = connection.execute(query).all()
    if rows:
        taken = items.update().where(items.c.id.in_([row.id for row in rows]))
        leased = {
            "lease_owner": owner,
            "lease_token": items.c.lease_token + 1,
            "lease_expires": now + lease_s,
        }
        connection.execute(taken.values(**leased))
    return _claims(connection, rows)


def _claims(connection: sa.Connection, rows: Sequence[sa.Row[tuple[object, ...]]]) -> list[Claim]:
    """Return claims with what is known of their items already; most have nothing."""
    ids = [row.id for row in rows]
    asked = redraft_requests.pending_of(connection, ids)
    answers = _answers(connection, ids)
    texts = versions.texts(connection, ids)
    return [
        _claim(connection, row, asked.get(row.id), answers.get(row.id, []), texts.get(row.id, []))
        for row in rows
    ]


def _claim(
    connection: sa.Connection,
    row: sa.Row[tuple[object, ...]],
    request: RedraftRequest | None,
    answers: Sequence[sa.Row[tuple[object, ...]]],
    texts: Sequence[sa.Row[tuple[object, ...]]],
) -> Claim:
    about = request.id if request else None
    mine = [call for call in answers if call.request_id == about]
    item, updated = _sources(row, request)
    return Claim(
        item_id=row.id,
        token=row.lease_token + 1,
        feed_key=row.feed_key,
        first_key=row.first_key,
        item=item,
        updated=updated,
        attempts=row.attempts + 1,
        answer=_answer(call for call in mine if call.purpose != MENDING),
        mended=_answer(call for call in mine if call.purpose == MENDING),
        intent=versions.intent(connection, texts, row.external_id),
        previous=versions.previous(texts),
        request=request,
    )


def _sources(row: sa.Row[tuple[object, ...]], request: RedraftRequest | None) -> tuple[Item, Item | None]:
    """Return what an item is written from, and what its feed says now where the whole is written anew."""
    item = Item.model_validate_json(row.payload)
    if request is None or row.updated_payload is None:
        return item, None
    if request.section:
        return updated_source(row) or item, None
    return item, Item.model_validate_json(row.updated_payload)


def complete(connection: sa.Connection, claim: Claim, item: Item) -> None:
    """Keep an item's source as a draft is written from it; a change that came after the claim stays one."""
    if claim.updated is None:
        held(connection, claim, payload=item.model_dump_json())
        return
    told = claim.updated.content_hash
    held(connection, claim, **values(item) | {"content_hash": told})
    same = sa.and_(items.c.id == claim.item_id, items.c.updated_hash == told)
    connection.execute(items.update().where(same).values(**TAKEN))


def _answers(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[sa.Row[tuple[object, ...]]]]:
    """Return what was answered about items and is of use, the last one last."""
    found: dict[int, list[sa.Row[tuple[object, ...]]]] = defaultdict(list)
    for some in chunks(ids):
        query = sa.select(calls).where(calls.c.item_id.in_(some), calls.c.unusable.is_(None))
        for call in connection.execute(query.order_by(calls.c.id)):
            found[call.item_id].append(call)
    return found


def _answer(calls_of_use: Iterable[sa.Row[tuple[object, ...]]]) -> LLMResponse | None:
    last = None
    for last in calls_of_use:  # noqa: B007 - the last one counts
        pass
    if last is None:
        return None
    return LLMResponse(
        text=last.answer,
        provenance=Provenance(rewritten=True, model=last.model, prompt=last.prompt),
        usage=TokenUsage(**{name: getattr(last, name) for name in TokenUsage.model_fields}),
    )


def held(connection: sa.Connection, claim: Claim, **values: object) -> None:
    """Change a claimed item. Raises LeaseLost where another holder has come since."""
    mine = sa.and_(items.c.id == claim.item_id, items.c.lease_token == claim.token)
    renewed = values or {"lease_token": items.c.lease_token}
    changed = items.update().where(mine, items.c.lease_owner.is_not(None)).values(**renewed)
    if not connection.execute(changed).rowcount:
        raise LeaseLost(
            f"{claim.feed_key}: another run has taken over {claim.item.title!r}; nothing was written",
            feed=claim.feed_key,
        )


def keep(connection: sa.Connection, claims: Sequence[Claim], lease_s: float) -> None:
    """Prolong the leases that are still held."""
    _each(connection, claims, lease_expires=clock(connection) + lease_s)


def give_back(connection: sa.Connection, claims: Sequence[Claim]) -> None:
    """End leases without a result; what was given back was no attempt."""
    _each(connection, claims, lease_owner=None, lease_expires=None)


def _each(connection: sa.Connection, claims: Sequence[Claim], **values: object) -> None:
    """Change those of the claimed items that are still held, by one statement for all."""
    mine = sa.and_(items.c.id == sa.bindparam("held"), items.c.lease_token == sa.bindparam("token"))
    changed = items.update().where(mine, items.c.lease_owner.is_not(None)).values(**values)
    if claims:
        connection.execute(changed, [{"held": one.item_id, "token": one.token} for one in claims])


def record_answer(
    connection: sa.Connection,
    claim: Claim,
    answer: LLMResponse,
    purpose: str,
    *,
    at: datetime,
    run: str | None,
    micros: int | None,
) -> None:
    """Keep what was paid for, whoever holds the item by now."""
    connection.execute(
        calls.insert().values(
            item_id=claim.item_id,
            request_id=claim.request.id if claim.request else None,
            purpose=purpose,
            at=at,
            run=run,
            micros=micros,
            model=answer.provenance.model,
            prompt=answer.provenance.prompt,
            answer=answer.text,
            seconds=answer.seconds,
            **answer.usage.model_dump(),
        )
    )


def answered(connection: sa.Connection, claim: Claim) -> LeaseLost | None:
    """Record that an item has its answer; returns what is to be raised once the answer is safe."""
    try:
        _becomes(connection, claim, "answered")
    except LeaseLost as error:
        return error
    return None


def discard_answer(connection: sa.Connection, claim: Claim, reason: str) -> None:
    """Mark an item's answers as no article: the next claim asks again."""
    mine = sa.and_(calls.c.item_id == claim.item_id, calls.c.unusable.is_(None))
    if claim.request:
        mine = sa.and_(mine, calls.c.request_id == claim.request.id)
    connection.execute(calls.update().where(mine).values(unusable=reason))
    _becomes(connection, claim, "seen")


def _becomes(connection: sa.Connection, claim: Claim, state: str) -> None:
    """Change a claimed item's state; a draft that is written anew stays one. Raises LeaseLost."""
    held(connection, claim, state="drafted" if claim.request else state)


def intend(connection: sa.Connection, claim: Claim, draft: Draft, *, number: int, cause: str) -> None:
    """Record the text and the path that are about to be written."""
    held(connection, claim, path=draft.path)
    versions.add(connection, claim.item_id, draft, number=number, cause=cause, confirmed=False)


def confirm(connection: sa.Connection, claim: Claim) -> None:
    """Record that the intended file stands."""
    held(connection, claim, state="drafted", reason=None, lease_owner=None, lease_expires=None)
    versions.confirm(connection, claim.item_id)
    redraft_requests.close(connection, claim.item_id, "written")
    _tell_of_later_change(connection, claim)


def _tell_of_later_change(connection: sa.Connection, claim: Claim) -> None:
    """Flag a draft whose source changed while it was written; ask again where that is why it was written."""
    later = connection.scalar(sa.select(items.c.updated_payload).where(items.c.id == claim.item_id))
    if later is None:
        return
    if claim.request is not None and claim.request.by == OURSELVES:
        redraft_requests.ask(connection, claim.item_id, OURSELVES, datetime.now(UTC), None, None)
    else:
        flag_update(connection, claim.item_id, Item.model_validate_json(later))


def skip(connection: sa.Connection, claim: Claim, reason: str) -> None:
    """End a claim because the item is not to be drafted; a changed source gives it another chance.

    A duplicate that was merged into it has its own chance now.
    """
    freed = {"lease_owner": None, "lease_expires": None, "owned_canonical": None}
    held(connection, claim, state="skipped", reason=reason, **freed)
    identity = sa.select(items.c.external_id).where(items.c.id == claim.item_id).scalar_subquery()
    merged = sa.select(items).where(items.c.merged_into == identity, items.c.state == "merged")
    heir = connection.execute(merged.order_by(items.c.id)).first()
    if heir is not None:
        others = items.update().where(items.c.merged_into == identity, items.c.id != heir.id)
        connection.execute(others.values(merged_into=heir.external_id))
        alone = {"state": "seen", "merged_into": None, "owned_canonical": heir.canonical}
        connection.execute(items.update().where(items.c.id == heir.id).values(**alone))


def keep_standing(connection: sa.Connection, claim: Claim, reason: str) -> None:
    """End a claim whose item has a draft: that stays, with a warning why it was not written anew."""
    held(connection, claim, state="drafted", lease_owner=None, lease_expires=None)
    redraft_requests.close(connection, claim.item_id, reason)
    flag_request(connection, claim, reason)


def fail(connection: sa.Connection, claim: Claim, reason: str, *, again: bool) -> str:
    """End a claim without a draft and return the item's state."""
    # Counted here and not at the claim: a run that was killed says nothing against the item.
    freed = {"reason": reason, "lease_owner": None, "lease_expires": None, "attempts": claim.attempts}
    if not again:
        held(connection, claim, state="failed", **freed)
        return "failed"
    held(connection, claim, **freed)
    return str(connection.scalar(sa.select(items.c.state).where(items.c.id == claim.item_id)))


def queues(connection: sa.Connection) -> dict[str, int]:
    """Return how many items wait for work, by feed key."""
    # Two questions, so that each has an index of its own; the state as the partial one has it, word for word.
    unfinished = sa.select(items.c.id, items.c.feed_id).where(sa.text(IS_OPEN))
    asked = sa.select(items.c.id, items.c.feed_id).where(items.c.id.in_(redraft_requests.waiting))
    both = sa.union(unfinished, asked).subquery()
    joined = feeds.join(both, both.c.feed_id == feeds.c.id)
    query = sa.select(feeds.c.key, sa.func.count()).select_from(joined).group_by(feeds.c.key)
    return {key: count for key, count in connection.execute(query)}  # noqa: C416 # rows are no tuples
