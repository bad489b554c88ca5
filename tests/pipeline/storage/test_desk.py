"""What the desk asks of the ledger: the queue, acknowledgements, saves, undo, history; on both databases."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from pipeline.articles.files import sha256_of
from pipeline.domain.errors import ReviewError
from pipeline.domain.models import Item
from pipeline.domain.reviews import Draft, Finding, Review, ReviewDecision, Severity
from pipeline.storage import (
    SYSTEM_EDITOR,
    CallDetails,
    Database,
    DraftQuery,
    DraftRow,
    Lease,
    Move,
    Policy,
    Save,
    current_approval,
    reviews,
    schema,
)
from pipeline.storage.draft_query import Order
from tests.pipeline.storage.records import LEASE_S, NOW, admit, answer, draft, feed, item

SITTING = timedelta(minutes=10)
WARN = Finding(kind="date", severity=Severity.WARN, message="Which day?", key="k2")


Open = Callable[..., Database]


@pytest.fixture
def db(open_db: Open) -> Database:
    opened = open_db()
    opened.feeds.sync([feed("one")])
    return opened


def drafted(db: Database, number: int, *findings: Finding, title: str = "") -> DraftRow:
    admit(db, item(number, **({"title": title} if title else {})))
    [lease] = db.leases.acquire("one", 1, LEASE_S)
    text = draft(lease, f"text {number}").model_copy(update={"findings": findings})
    db.leases.begin_write(lease, text)
    db.leases.confirm_write(lease)
    return db.drafts.get(text.external_id)


def block(number: int = 1) -> Finding:
    return Finding(kind="name", severity=Severity.BLOCK, message="Who?", key=f"b{number}")


def move(row: DraftRow, folder: str, text: str, **more: object) -> Move:
    path = f"{folder}/{row.path.partition('/')[2]}"
    return Move(row.path, path, text, sha256_of(text.encode()), **more)  # type: ignore[arg-type]


def verdict(decision: ReviewDecision, sha256: str = "0" * 64) -> Review:
    return Review(decision=decision, by="Ada", at=NOW, sha256=sha256)


def save(db: Database, row: DraftRow, text: str, by: str = "Ada", base: str | None = None) -> None:
    base = base or sha256_of(db.drafts.get(row.external_id).version_text.encode())
    edited = Draft(external_id=row.external_id, path=row.path, text=text)
    db.versions.confirm_save(db.versions.begin_save(row, edited, by, Save(base=base, session=SITTING)))


@pytest.mark.parametrize("order", ["waiting", "newest", "oldest", "findings", "shortest"])
@pytest.mark.parametrize("words", [(), ("item",)])
@pytest.mark.parametrize("alike", [False, True])
def test_a_position_is_that_in_the_list(
    db: Database, order: Order, words: tuple[str, ...], *, alike: bool
) -> None:
    rows = [drafted(db, number, *((block(),) if number % 2 else ())) for number in (3, 1, 2)]
    rejected = drafted(db, 4)
    out = move(rejected, "rejected", "x")
    db.reviews.confirm(db.reviews.begin(rejected, verdict(ReviewDecision.REJECT), out))
    with db._engine.begin() as connection:
        if alike:  # then the order is that of the items' numbers
            connection.execute(schema.items.update().values(published_at=NOW))
            connection.execute(schema.draft_index.update().values(since=NOW))
        first = schema.draft_index.c.item_id == rows[1].item_id
        connection.execute(schema.draft_index.update().where(first).values(revision=True))
    query = DraftQuery(order=order, words=words)
    refs = db.drafts.ids(query)
    assert sorted(refs) == sorted(row.external_id for row in rows)
    places = [db.drafts.position(query, ref) for ref in refs]
    assert [(place.number, place.total) for place in places] == [(1, 3), (2, 3), (3, 3)]
    assert [place.previous for place in places] == [None, *refs[:-1]]
    assert [place.following for place in places] == [*refs[1:], None]
    assert [db.drafts.next(query, ref) for ref in refs] == [*refs[1:], refs[1]]
    assert db.drafts.position(query, rejected.external_id) == (None, refs[0], 0, 3)
    assert db.drafts.next(query, rejected.external_id) == refs[0]
    nothing = DraftQuery(feeds=())
    assert (db.drafts.position(nothing, refs[0]), db.drafts.next(nothing, refs[0])) == (
        (None, None, 0, 0),
        None,
    )


def test_the_queue_is_filtered_ordered_paged_and_counted(db: Database) -> None:
    held, warned, clean = drafted(db, 3, block(), WARN), drafted(db, 2, WARN), drafted(db, 1)
    assert db.drafts.ids(DraftQuery()) == [one.external_id for one in (clean, warned, held)]
    assert db.drafts.ids(DraftQuery(order="oldest")) == [one.external_id for one in (held, warned, clean)]
    assert db.drafts.ids(DraftQuery(order="findings")) == [one.external_id for one in (held, warned, clean)]
    assert db.drafts.ids(DraftQuery(findings="held")) == [held.external_id]
    assert db.drafts.ids(DraftQuery(findings="warned")) == [warned.external_id]
    assert db.drafts.ids(DraftQuery(findings="clean")) == [clean.external_id]
    assert db.drafts.ids(DraftQuery(words=("ITEM", "2"))) == [warned.external_id]
    assert db.drafts.ids(DraftQuery(words=("%",))) == []
    assert db.drafts.ids(DraftQuery(feeds=())) == []
    assert db.drafts.ids(DraftQuery(state="approved")) == []
    page = db.drafts.page(DraftQuery(), limit=2, offset=1)
    assert [(row.external_id, row.blocks, row.warns) for row in page.rows] == [
        (warned.external_id, 0, 1),
        (held.external_id, 1, 1),
    ]
    assert page.total == 3
    assert page.counts.states == {"drafted": 3}
    assert page.counts.feeds == {"one": 3}


def test_what_is_answered_for_counts_no_more_until_that_is_taken_back(db: Database) -> None:
    row = drafted(db, 1, block(), WARN)
    db.findings.acknowledge(row, block(), "known", "Ada", NOW)
    assert db.drafts.ids(DraftQuery(findings="held")) == []
    assert db.drafts.ids(DraftQuery(findings="warned")) == [row.external_id]
    assert db.drafts.get(row.external_id).open_findings == 1
    db.findings.acknowledge(row, block(), "known better", "Ben", NOW)
    [answer] = db.drafts.get(row.external_id).acknowledged
    assert (answer.reason, answer.by) == ("known better", "Ben")
    db.findings.withdraw(row, "b1", "Ada", NOW)
    assert db.drafts.get(row.external_id).open_findings == 2


def test_an_answer_survives_an_edit_that_leaves_the_claim(db: Database) -> None:
    row = drafted(db, 1, block())
    db.findings.acknowledge(row, block(), "known", "Ada", NOW)
    edited = Draft(external_id=row.external_id, path=row.path, text="edited", findings=(block(), WARN))
    db.versions.confirm_save(db.versions.begin_save(row, edited, "Ada", Save(base=None)))
    [shown] = db.drafts.page(DraftQuery()).rows
    assert (shown.blocks, shown.warns, shown.cause, shown.by) == (0, 1, "edit", "Ada")


def test_saves_of_one_sitting_are_one_version_and_others_are_not(db: Database) -> None:
    row = drafted(db, 1)
    save(db, row, "one")
    save(db, row, "two")
    save(db, row, "three", by="Ben")
    assert [(one.cause, one.by, one.text) for one in db.versions.list(row.item_id)] == [
        ("draft", None, "text 1"),
        ("edit", "Ada", "two"),
        ("edit", "Ben", "three"),
    ]


def test_a_save_that_was_overtaken_is_kept_aside(db: Database) -> None:
    row = drafted(db, 1)
    edited = Draft(external_id=row.external_id, path=row.path, text="late")
    pending = db.versions.begin_save(row, edited, "Ada", Save(base="x"))
    assert db.versions.unfinished() == [pending]
    db.versions.confirm_save(pending, aside=True)
    assert db.versions.unfinished() == []
    assert db.drafts.get(row.external_id).version_text == "text 1"
    assert db.versions.list(row.item_id)[-1].aside


def test_a_redraft_that_comes_too_late_is_kept_and_the_edit_stands(db: Database) -> None:
    row = drafted(db, 1)
    db.redrafts.request(row, "Ada", NOW)
    [lease] = db.leases.acquire("one", 1, LEASE_S, lease_filter="asked")
    assert not db.versions.was_edited(lease)
    save(db, row, "edited")
    assert db.versions.was_edited(lease)
    db.versions.add_superseded(lease, draft(lease, "from the model"), 2, "it was edited meanwhile")
    after = db.drafts.get(row.external_id)
    assert (after.version_text, after.request) == ("edited", None)
    assert [one.text for one in db.versions.list(row.item_id) if one.aside] == ["from the model"]
    assert any("edited meanwhile" in finding.message for finding in after.findings)


def test_a_verdict_is_taken_back_once_and_only_the_last(db: Database) -> None:
    row = drafted(db, 1)
    db.reviews.confirm(db.reviews.begin(row, verdict(ReviewDecision.APPROVE), move(row, "published", "a")))
    approved = db.drafts.get(row.external_id)
    [given] = db.reviews.list(row.item_id)
    assert current_approval([given]) == given
    back = move(approved, "drafts", "text 1", undoes=given.id)
    with pytest.raises(ReviewError, match="meanwhile"):
        db.reviews.begin(approved, verdict(ReviewDecision.UNDO), back._replace(undoes=given.id + 7))
    db.reviews.confirm(db.reviews.begin(approved, verdict(ReviewDecision.UNDO), back))
    again = db.drafts.get(row.external_id)
    assert (again.state, again.path) == ("drafted", row.path)
    assert current_approval(db.reviews.list(row.item_id)) is None
    assert [one.decision for one in db.reviews.latest()] == [ReviewDecision.UNDO, ReviewDecision.APPROVE]


def test_a_rejected_revision_leaves_the_approval_before_it(db: Database) -> None:
    row = drafted(db, 1)
    db.reviews.confirm(db.reviews.begin(row, verdict(ReviewDecision.APPROVE), move(row, "published", "a")))
    approved = db.drafts.get(row.external_id)
    text = Draft(external_id=row.external_id, path=row.path, text="again")
    db.versions.confirm_save(db.versions.begin_revision(approved, text, "Ben"))
    revised = db.drafts.get(row.external_id)
    assert (revised.state, revised.path, revised.cause) == ("drafted", row.path, "revise")
    with pytest.raises(ReviewError, match="meanwhile"):
        db.versions.begin_revision(approved, text, "Ada")
    pending = db.reviews.begin(revised, verdict(ReviewDecision.REJECT), move(revised, "rejected", "again"))
    assert [one.path for one in db.reviews.unfinished()] == [approved.path]
    db.reviews.confirm(pending)
    after = db.drafts.get(row.external_id)
    assert (after.state, after.path) == ("approved", approved.path)


def test_a_changed_source_is_kept_beside_the_one_that_was_written_from(db: Database) -> None:
    row = drafted(db, 1)
    admit(db, updated=[item(1, text="Now it says more.")])
    after = db.drafts.get(row.external_id)
    assert after.item.text == "Text 1"
    assert after.updated is not None
    assert after.updated.text == "Now it says more."
    assert db.drafts.ids(DraftQuery(changed=True)) == [row.external_id]


def test_a_redraft_is_written_from_the_source_as_it_is_now(db: Database) -> None:
    row = drafted(db, 1)
    admit(db, updated=[item(1, text="Now it says more.")])
    db.redrafts.request(row, "Ada", NOW, section="Overview")
    assert db.drafts.get(row.external_id).item.text == "Text 1"
    [lease] = db.leases.acquire("one", 1, LEASE_S, lease_filter="asked")
    db.leases.keep_current(lease, "no model")
    db.redrafts.request(db.drafts.get(row.external_id), "Ada", NOW)
    [lease] = db.leases.acquire("one", 1, LEASE_S, lease_filter="asked")
    assert lease.updated is not None
    assert lease.updated.text == "Now it says more."
    assert db.drafts.ids(DraftQuery(changed=True)) == [row.external_id], "until it is written from it"
    db.leases.set_source(lease, lease.updated)
    after = db.drafts.get(row.external_id)
    assert (after.item.text, after.updated) == ("Now it says more.", None)
    assert db.drafts.ids(DraftQuery(changed=True)) == []
    assert db.items.existing("one", ["guid-1"], []).guids["guid-1"][1] == lease.updated.content_hash


def test_a_section_is_written_anew_from_the_source_as_it_is_now_too(db: Database) -> None:
    row = drafted(db, 1)
    admit(db, updated=[item(1, text="Now it says more.")])
    db.redrafts.request(row, "Ada", NOW, section="Overview")
    [lease] = db.leases.acquire("one", 1, LEASE_S, lease_filter="asked")
    assert (lease.item.text, lease.updated) == ("Now it says more.", None)


def test_a_change_that_comes_while_a_redraft_is_written_stays_a_change(db: Database) -> None:
    row = drafted(db, 1)
    admit(db, updated=[item(1, text="Second text.")])
    db.redrafts.request(row, "Ada", NOW)
    [lease] = db.leases.acquire("one", 1, LEASE_S, lease_filter="asked")
    admit(db, updated=[item(1, text="Third text.")])
    assert lease.updated is not None
    db.leases.set_source(lease, lease.updated)
    db.budget.record(lease, answer())
    db.leases.release([lease])
    [again] = db.leases.acquire("one", 1, LEASE_S, lease_filter="asked")
    assert again.answer is not None
    assert again.item.text == "Second text.", "an answer never meets another source"
    after = db.drafts.get(row.external_id)
    assert after.updated is not None
    assert after.updated.text == "Third text."


REDRAFT = Policy(redraft=True)


def updated_flags(db: Database, row: DraftRow) -> list[str]:
    return [one.message for one in db.drafts.get(row.external_id).findings if one.kind == "source-updated"]


def write_anew(db: Database, lease: Lease) -> None:
    db.leases.begin_write(lease, draft(lease, "anew"), number=2, cause="redraft")
    db.leases.confirm_write(lease)


def corrected_while_redrafted(db: Database, row: DraftRow, by: str) -> Lease:
    """Return the claim of a redraft from a second text, since whose beginning a third one came."""
    if by == SYSTEM_EDITOR:
        admit(db, updated=[item(1, text="Second text.")], policy=REDRAFT)
    else:
        db.redrafts.request(row, by, NOW)
    [lease] = db.leases.acquire("one", 1, LEASE_S, lease_filter="asked")
    if lease.updated:
        db.leases.set_source(lease, lease.updated)
    admit(db, updated=[item(1, text="Third text.", title="Third")], policy=REDRAFT)
    return lease


def test_a_change_that_comes_while_its_source_is_drafted_again_is_drafted_again(db: Database) -> None:
    row = drafted(db, 1)
    write_anew(db, corrected_while_redrafted(db, row, SYSTEM_EDITOR))
    [again] = db.leases.acquire("one", 1, LEASE_S, lease_filter="asked")
    assert again.updated is not None
    assert again.updated.text == "Third text."
    db.leases.set_source(again, again.updated)
    db.leases.begin_write(again, draft(again, "and again"), number=3, cause="redraft")
    db.leases.confirm_write(again)
    assert db.leases.acquire("one", 1, LEASE_S, lease_filter="asked") == []
    assert updated_flags(db, row) == []


def test_a_change_that_comes_while_a_paid_answer_waits_is_drafted_afterwards(db: Database) -> None:
    row = drafted(db, 1)
    admit(db, updated=[item(1, text="Second text.")], policy=REDRAFT)
    [lease] = db.leases.acquire("one", 1, LEASE_S, lease_filter="asked")
    assert lease.updated is not None
    db.leases.set_source(lease, lease.updated)
    db.budget.record(lease, answer())
    db.leases.release([lease])
    admit(db, updated=[item(1, text="Third text.")], policy=REDRAFT)
    [paid] = db.leases.acquire("one", 1, LEASE_S, lease_filter="asked")
    assert (paid.answer is not None, paid.item.text) == (True, "Second text.")
    write_anew(db, paid)
    [again] = db.leases.acquire("one", 1, LEASE_S, lease_filter="asked")
    assert (again.answer, again.updated and again.updated.text) == (None, "Third text.")
    assert db.drafts.get(row.external_id).version == 2


@pytest.mark.parametrize("by", ["Ada", SYSTEM_EDITOR])
def test_a_change_that_comes_while_a_redraft_fails_is_flagged(db: Database, by: str) -> None:
    row = drafted(db, 1)
    db.leases.keep_current(corrected_while_redrafted(db, row, by), "the model refuses")
    [said] = updated_flags(db, row)
    assert "it is now: Third" in said
    assert db.leases.acquire("one", 1, LEASE_S, lease_filter="asked") == []


@pytest.mark.parametrize("decided", [False, True])
def test_a_redraft_that_is_given_back_waits_again_unless_its_draft_was_decided(
    db: Database, decided: bool
) -> None:
    row = drafted(db, 1)
    db.redrafts.request(row, "Ada", NOW)
    [lease] = db.leases.acquire("one", 1, LEASE_S)
    db.leases.keep_current(lease, "the server is gone")
    assert [finding.kind for finding in db.drafts.get(row.external_id).findings] == ["redraft"]
    if decided:
        approved = move(row, "published", "approved")
        db.reviews.confirm(db.reviews.begin(row, verdict(ReviewDecision.APPROVE), approved))
    db.leases.put_back([lease], count=False)
    assert db.redrafts.counts() == ({} if decided else {"one": 1})
    kinds = [finding.kind for finding in db.drafts.get(row.external_id).findings]
    assert kinds == (["redraft"] if decided else [])


def test_a_change_that_comes_while_an_editors_redraft_is_written_is_flagged(db: Database) -> None:
    row = drafted(db, 1)
    write_anew(db, corrected_while_redrafted(db, row, "Ada"))
    assert len(updated_flags(db, row)) == 1
    assert db.leases.acquire("one", 1, LEASE_S, lease_filter="asked") == []


@pytest.mark.parametrize("policy", [Policy(), REDRAFT])
def test_a_change_that_comes_while_a_first_draft_is_written_is_flagged(db: Database, policy: Policy) -> None:
    admit(db, item(1))
    [lease] = db.leases.acquire("one", 1, LEASE_S)
    admit(db, updated=[item(1, text="Second text.")], policy=policy)
    db.leases.begin_write(lease, draft(lease))
    db.leases.confirm_write(lease)
    [row] = db.drafts.list()
    assert len(updated_flags(db, row)) == 1


FULL = "A text that the feed gives in full, with all that a draft was written from. " * 4


@pytest.mark.parametrize(
    ("before", "page", "now", "text", "summary"),
    [
        (item(1, text=FULL), None, item(1, text=f"{FULL} More."), f"{FULL} More.", ""),
        (item(1, text=FULL), None, item(1, text="Less. Read on."), FULL, "Less. Read on."),
        (item(1, text="Teaser."), FULL, item(1, text="Another teaser."), FULL, "Another teaser."),
        (item(1, text="Teaser."), FULL, item(1, text=FULL.upper()), FULL.upper(), ""),
        (item(1, text=FULL, summary="Short."), "Short.", item(1, text=FULL, summary="New."), "New.", "New."),
    ],
    ids=["in full as before", "an excerpt now", "a page's text", "in full at last", "summaries"],
)
def test_a_source_as_it_is_now_has_no_less_text_than_before(
    db: Database, before: Item, page: str | None, now: Item, text: str, summary: str
) -> None:
    admit(db, before)
    [lease] = db.leases.acquire("one", 1, LEASE_S)
    if page:
        db.leases.set_source(lease, before.model_copy(update={"text": page}))
    db.leases.begin_write(lease, draft(lease))
    db.leases.confirm_write(lease)
    admit(db, updated=[now.model_copy(update={"title": "Corrected"})])
    row = db.drafts.get(draft(lease).external_id)
    assert (row.source.title, row.source.text, row.source.summary) == ("Corrected", text, summary)
    db.reviews.confirm(db.reviews.begin(row, verdict(ReviewDecision.APPROVE), move(row, "published", "a")))
    assert db.drafts.get(row.external_id).source == row.source


def test_one_finding_tells_of_the_last_change_and_an_answer_for_one_is_none_for_the_next(
    db: Database,
) -> None:
    row = drafted(db, 1)
    keys = []
    for text in ("Second text.", "Third text."):
        admit(db, updated=[item(1, text=text, title=f"On the {text}")])
        [flag] = [one for one in db.drafts.get(row.external_id).findings if one.kind == "source-updated"]
        keys.append(flag.key)
        assert f"On the {text}" in flag.message
    admit(db, updated=[item(1, text="Fourth text.", title="On the Third text.")])
    keys.append(db.drafts.get(row.external_id).findings[-1].key)
    assert len(set(keys)) == 3


def test_what_changed_before_an_approval_was_seen_and_what_changes_later_is_listed(db: Database) -> None:
    row = drafted(db, 1)
    admit(db, updated=[item(1, text="Before.")])
    row = db.drafts.get(row.external_id)
    db.reviews.confirm(db.reviews.begin(row, verdict(ReviewDecision.APPROVE), move(row, "published", "a")))
    assert db.drafts.ids(DraftQuery(state="approved", changed=True)) == []
    admit(db, updated=[item(1, text="After.")])
    assert db.drafts.ids(DraftQuery(state="approved", changed=True)) == [row.external_id]


def test_history_tells_everything_in_its_order(db: Database) -> None:
    row = drafted(db, 1, block())
    db.findings.acknowledge(row, block(), "known", "Ada", NOW + timedelta(days=400))
    db.redrafts.request(row, "Ben", NOW + timedelta(days=500), note="shorter")
    events = [(event.what, event.by) for event in db.drafts.history(row.item_id)]
    assert events[0] == ("asked", "Ben")
    assert ("acknowledged", "Ada") in events
    assert ("draft", None) in events
    assert db.items.titles([row.item_id]) == {row.item_id: (row.external_id, "Item 1")}


def test_the_whole_ledger_in_numbers(db: Database) -> None:
    empty = db.metrics.snapshot(NOW)
    assert (empty.drafts, empty.spent, empty.oldest_draft, empty.requests) == (0, (), None, 0)
    row, _ = drafted(db, 1, block(), WARN), drafted(db, 2, block())
    db.findings.acknowledge(row, block(), "known", "Ada", NOW)
    db.redrafts.request(row, "Ada", NOW)
    admit(db, item(3))
    [lease] = [one for one in db.leases.acquire("one", 5, LEASE_S) if one.item.guid == "guid-3"]
    db.budget.record(lease, answer(), CallDetails(micros=1_500))
    figures = db.metrics.snapshot(NOW)
    assert figures.drafts == 2
    assert (figures.blocks, figures.warns) == (1, 1)
    assert (figures.requests, figures.oldest_request) == (1, NOW)
    assert figures.oldest_draft is not None
    [spent] = figures.spent
    assert (spent.model, spent.purpose, spent.calls, spent.micros) == ("m", "draft", 1, 1_500)


def test_what_an_editor_was_shown_is_known_by_name_and_text(db: Database) -> None:
    row, other = drafted(db, 1), drafted(db, 2)
    for _ in range(2):
        db.reviews.record_view(row.item_id, "Ada\0", "a" * 64, NOW)
    assert db.reviews.was_viewed(row.item_id, "Ada\0", "a" * 64)
    assert not db.reviews.was_viewed(row.item_id, "Ben", "a" * 64)
    assert not db.reviews.was_viewed(row.item_id, "Ada\0", "b" * 64)
    assert not db.reviews.was_viewed(other.item_id, "Ada\0", "a" * 64)


def test_views_that_are_noted_at_once_do_not_meet(db: Database) -> None:
    row = drafted(db, 1)
    with db._writing() as connection:
        for later in (0, 1):
            reviews.add_view(connection, row.item_id, "Ada", "a" * 64, NOW + timedelta(hours=later))
        assert [found.at for found in connection.execute(sa.select(schema.views))] == [NOW]


def test_a_refused_text_replaces_what_its_form_sent_before_and_goes_when_that_is_saved(
    db: Database,
) -> None:
    row = drafted(db, 1)

    def keep(text: str, by: str, base: str, form: str) -> None:
        db.versions.add_refused(
            row, Draft(external_id=row.external_id, path=row.path, text=text), by, base=base, form=form
        )

    def aside() -> list[str]:
        return [one.text for one in db.versions.list(row.item_id) if one.aside]

    keep("a1", "Ada", "x", "one")
    keep("a2", "Ada", "y", "one")
    keep("a3", "Ada", "x", "two")
    keep("b1", "Ben", "x", "one")
    keep("n1", "Ada", "x", "")
    keep("n2", "Ada", "x", "")
    keep("n3", "Ada", "y", "")
    assert aside() == ["a2", "a3", "b1", "n2", "n3"]
    base = sha256_of(row.version_text.encode())
    edited = Draft(external_id=row.external_id, path=row.path, text="a4")
    db.versions.confirm_save(
        db.versions.begin_save(row, edited, "Ada", Save(base=base, session=SITTING, form="one"))
    )
    assert aside() == ["a3", "b1", "n2", "n3"]
    assert db.drafts.get(row.external_id).version_text == "a4"
    assert not db.versions.unfinished()


def test_a_change_that_comes_during_an_approval_stays_listed(db: Database) -> None:
    row = drafted(db, 1)
    admit(db, updated=[item(1, text="While it was checked.")])
    db.reviews.confirm(db.reviews.begin(row, verdict(ReviewDecision.APPROVE), move(row, "published", "a")))
    assert db.drafts.ids(DraftQuery(state="approved", changed=True)) == [row.external_id]
