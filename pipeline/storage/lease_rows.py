"""What a lease holds: an item with earlier answers, texts and its redraft request."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from pipeline.domain.model_calls import LLMResponse, Provenance, TokenUsage
from pipeline.domain.models import Item, Window
from pipeline.domain.reviews import RedraftRequest
from pipeline.storage import item_rows, redraft_requests
from pipeline.storage.engine import Row, chunks
from pipeline.storage.item_rows import in_window, updated_source
from pipeline.storage.records import WRITING, Lease, LeaseFilter
from pipeline.storage.schema import OPEN, calls, items
from pipeline.storage.schema import versions as texts


def waiting(
    feed_id: int, window: Window | None, lease_filter: LeaseFilter = "all"
) -> list[sa.ColumnElement[bool]]:
    """Return the conditions under which an item of a feed waits to be drafted."""
    requested, unfinished = items.c.id.in_(redraft_requests.waiting), items.c.state.in_(OPEN)
    conditions = {
        "all": sa.or_(unfinished, requested),
        "asked": sa.or_(requested, sa.and_(unfinished, items.c.id.in_(item_rows.unwritten))),
        "new": sa.and_(unfinished, ~requested, ~sa.exists().where(texts.c.item_id == items.c.id)),
    }
    return [items.c.feed_id == feed_id, conditions[lease_filter], *in_window(window)]


def leases(connection: sa.Connection, rows: Sequence[Row]) -> list[Lease]:
    """Return leases with earlier answers, texts and requests of their items; most have none."""
    ids = [row.id for row in rows]
    requests = redraft_requests.pending_of(connection, ids)
    answers = _answers(connection, ids)
    versions = item_rows.texts(connection, ids)
    return [
        _lease(connection, row, requests.get(row.id), answers.get(row.id, []), versions.get(row.id, []))
        for row in rows
    ]


def _lease(
    connection: sa.Connection,
    row: Row,
    request: RedraftRequest | None,
    answers: Sequence[Row],
    versions: Sequence[Row],
) -> Lease:
    about = request.id if request else None
    mine = [call for call in answers if call.request_id == about]
    item, updated = _sources(row, request)
    return Lease(
        item_id=row.id,
        token=row.lease_token + 1,
        feed_key=row.feed_key,
        first_key=row.first_key,
        item=item,
        updated=updated,
        attempts=row.attempts + 1,
        page_tries=row.page_tries,
        answer=_last_answer(call for call in mine if call.purpose in WRITING),
        later_answers={call.prompt: _response(call) for call in mine if call.purpose not in WRITING},
        unconfirmed=item_rows.unconfirmed(connection, versions, row.external_id),
        previous=item_rows.previous(versions),
        request=request,
    )


def _sources(row: Row, request: RedraftRequest | None) -> tuple[Item, Item | None]:
    """Return an item's source, and its feed's current content where the whole draft is rewritten."""
    item = Item.model_validate_json(row.payload)
    if request is None or row.updated_payload is None:
        return item, None
    if request.section:
        return updated_source(row) or item, None
    return item, Item.model_validate_json(row.updated_payload)


def _answers(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[Row]]:
    """Return the usable answers about items, the last one last, by item id."""
    answers: dict[int, list[Row]] = defaultdict(list)
    for chunk in chunks(ids):
        query = sa.select(calls).where(calls.c.item_id.in_(chunk), calls.c.unusable.is_(None))
        for call in connection.execute(query.order_by(calls.c.id)):
            answers[call.item_id].append(call)
    return answers


def _last_answer(usable: Iterable[Row]) -> LLMResponse | None:
    last = None
    for last in usable:  # noqa: B007 - the last one counts
        pass
    return None if last is None else _response(last)


def _response(call: Row) -> LLMResponse:
    return LLMResponse(
        text=call.answer,
        provenance=Provenance(rewritten=True, model=call.model, prompt=call.prompt),
        usage=TokenUsage(**{name: getattr(call, name) for name in TokenUsage.model_fields}),
        notes=tuple((call.notes or "").splitlines()),
    )
