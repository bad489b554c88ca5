"""What the desk asks of the ledger: the queue, acknowledgements, saves, undo, history; on both databases."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from pipeline.articles.files import sha256_of
from pipeline.domain.errors import ReviewError
from pipeline.domain.models import Draft, Finding, Item, Review, ReviewDecision, Severity
from pipeline.storage import OURSELVES, Claim, DraftRow, Ledger, Move, Policy, Wanted, live, schema, views
from tests.pipeline.storage.records import LEASE_S, NOW, admit, answer, draft, feed, item

SITTING = timedelta(minutes=10)
WARN = Finding(kind="date", severity=Severity.WARN, message="Which day?", key="k2")


Open = Callable[..., Ledger]


@pytest.fixture
def ledger(open_ledger: Open) -> Ledger:
    opened = open_ledger()
    opened.sync_feeds([feed("one")])
    return opened


def drafted(ledger: Ledger, number: int, *findings: Finding, title: str = "") -> DraftRow:
    admit(ledger, item(number, **({"title": title} if title else {})))
    [claim] = ledger.claim("one", 1, LEASE_S)
    text = draft(claim, f"text {number}").model_copy(update={"findings": findings})
    ledger.intend(claim, text)
    ledger.confirm(claim)
    return ledger.draft(text.external_id)


def block(number: int = 1) -> Finding:
    return Finding(kind="name", severity=Severity.BLOCK, message="Who?", key=f"b{number}")


def move(row: DraftRow, folder: str, text: str, **more: object) -> Move:
    path = f"{folder}/{row.path.partition('/')[2]}"
    return Move(row.path, path, text, sha256_of(text.encode()), **more)  # type: ignore[arg-type]


def verdict(decision: ReviewDecision, sha256: str = "0" * 64) -> Review:
    return Review(decision=decision, by="Ada", at=NOW, sha256=sha256)


def save(ledger: Ledger, row: DraftRow, text: str, by: str = "Ada", base: str | None = None) -> None:
    base = base or sha256_of(ledger.draft(row.external_id).version_text.encode())
    edited = Draft(external_id=row.external_id, path=row.path, text=text)
    ledger.confirm_save(ledger.intend_save(row, edited, by, base=base, sitting=SITTING))


def test_the_queue_is_filtered_ordered_paged_and_counted(ledger: Ledger) -> None:
    held, warned, clean = drafted(ledger, 3, block(), WARN), drafted(ledger, 2, WARN), drafted(ledger, 1)
    assert ledger.queue_names(Wanted()) == [one.external_id for one in (clean, warned, held)]
    assert ledger.queue_names(Wanted(order="oldest")) == [one.external_id for one in (held, warned, clean)]
    assert ledger.queue_names(Wanted(order="findings")) == [one.external_id for one in (held, warned, clean)]
    assert ledger.queue_names(Wanted(findings="held")) == [held.external_id]
    assert ledger.queue_names(Wanted(findings="warned")) == [warned.external_id]
    assert ledger.queue_names(Wanted(findings="clean")) == [clean.external_id]
    assert ledger.queue_names(Wanted(words=("ITEM", "2"))) == [warned.external_id]
    assert ledger.queue_names(Wanted(words=("%",))) == []
    assert ledger.queue_names(Wanted(feeds=())) == []
    assert ledger.queue_names(Wanted(state="approved")) == []
    page = ledger.queue(Wanted(), limit=2, offset=1)
    assert [(row.external_id, row.blocks, row.warns) for row in page.rows] == [
        (warned.external_id, 0, 1),
        (held.external_id, 1, 1),
    ]
    assert page.total == 3
    assert page.counts.states == {"drafted": 3}
    assert page.counts.feeds == {"one": 3}


def test_what_is_answered_for_counts_no_more_until_that_is_taken_back(ledger: Ledger) -> None:
    row = drafted(ledger, 1, block(), WARN)
    ledger.acknowledge(row, block(), "known", "Ada", NOW)
    assert ledger.queue_names(Wanted(findings="held")) == []
    assert ledger.queue_names(Wanted(findings="warned")) == [row.external_id]
    assert ledger.draft(row.external_id).open_findings == 1
    ledger.acknowledge(row, block(), "known better", "Ben", NOW)
    [answer] = ledger.draft(row.external_id).acknowledged
    assert (answer.reason, answer.by) == ("known better", "Ben")
    ledger.withdraw(row, "b1", "Ada", NOW)
    assert ledger.draft(row.external_id).open_findings == 2


def test_an_answer_survives_an_edit_that_leaves_the_claim(ledger: Ledger) -> None:
    row = drafted(ledger, 1, block())
    ledger.acknowledge(row, block(), "known", "Ada", NOW)
    edited = Draft(external_id=row.external_id, path=row.path, text="edited", findings=(block(), WARN))
    ledger.confirm_save(ledger.intend_save(row, edited, "Ada", base=None))
    [shown] = ledger.queue(Wanted()).rows
    assert (shown.blocks, shown.warns, shown.cause, shown.by) == (0, 1, "edit", "Ada")


def test_saves_of_one_sitting_are_one_version_and_others_are_not(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    save(ledger, row, "one")
    save(ledger, row, "two")
    save(ledger, row, "three", by="Ben")
    assert [(one.cause, one.by, one.text) for one in ledger.versions(row.item_id)] == [
        ("draft", None, "text 1"),
        ("edit", "Ada", "two"),
        ("edit", "Ben", "three"),
    ]


def test_a_save_that_was_overtaken_is_kept_aside(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    edited = Draft(external_id=row.external_id, path=row.path, text="late")
    pending = ledger.intend_save(row, edited, "Ada", base="x")
    assert ledger.unfinished_texts() == [pending]
    ledger.confirm_save(pending, aside=True)
    assert ledger.unfinished_texts() == []
    assert ledger.draft(row.external_id).version_text == "text 1"
    assert ledger.versions(row.item_id)[-1].aside


def test_a_redraft_that_comes_too_late_is_kept_and_the_edit_stands(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    ledger.request_redraft(row, "Ada", NOW)
    [claim] = ledger.claim("one", 1, LEASE_S, which="asked")
    assert not ledger.moved_on(claim)
    save(ledger, row, "edited")
    assert ledger.moved_on(claim)
    ledger.keep_aside(claim, draft(claim, "from the model"), 2, "it was edited meanwhile")
    after = ledger.draft(row.external_id)
    assert (after.version_text, after.request) == ("edited", None)
    assert [one.text for one in ledger.versions(row.item_id) if one.aside] == ["from the model"]
    assert any("edited meanwhile" in finding.message for finding in after.findings)


def test_a_verdict_is_taken_back_once_and_only_the_last(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    ledger.confirm_verdict(
        ledger.intend_verdict(row, verdict(ReviewDecision.APPROVE), move(row, "published", "a"))
    )
    approved = ledger.draft(row.external_id)
    [given] = ledger.verdicts(row.item_id)
    assert live([given]) == given
    back = move(approved, "drafts", "text 1", undoes=given.id)
    with pytest.raises(ReviewError, match="meanwhile"):
        ledger.intend_verdict(approved, verdict(ReviewDecision.UNDO), back._replace(undoes=given.id + 7))
    ledger.confirm_verdict(ledger.intend_verdict(approved, verdict(ReviewDecision.UNDO), back))
    again = ledger.draft(row.external_id)
    assert (again.state, again.path) == ("drafted", row.path)
    assert live(ledger.verdicts(row.item_id)) is None
    assert [one.decision for one in ledger.latest_verdicts()] == [ReviewDecision.UNDO, ReviewDecision.APPROVE]


def test_a_rejected_revision_leaves_the_approval_before_it(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    ledger.confirm_verdict(
        ledger.intend_verdict(row, verdict(ReviewDecision.APPROVE), move(row, "published", "a"))
    )
    approved = ledger.draft(row.external_id)
    text = Draft(external_id=row.external_id, path=row.path, text="again")
    ledger.confirm_save(ledger.intend_revision(approved, text, "Ben"))
    revised = ledger.draft(row.external_id)
    assert (revised.state, revised.path, revised.cause) == ("drafted", row.path, "revise")
    with pytest.raises(ReviewError, match="meanwhile"):
        ledger.intend_revision(approved, text, "Ada")
    pending = ledger.intend_verdict(
        revised, verdict(ReviewDecision.REJECT), move(revised, "rejected", "again")
    )
    assert [one.path for one in ledger.unfinished_verdicts()] == [approved.path]
    ledger.confirm_verdict(pending)
    after = ledger.draft(row.external_id)
    assert (after.state, after.path) == ("approved", approved.path)


def test_a_changed_source_is_kept_beside_the_one_that_was_written_from(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    admit(ledger, updated=[item(1, text="Now it says more.")])
    after = ledger.draft(row.external_id)
    assert after.item.text == "Text 1"
    assert after.updated is not None
    assert after.updated.text == "Now it says more."
    assert ledger.queue_names(Wanted(changed=True)) == [row.external_id]


def test_a_redraft_is_written_from_the_source_as_it_is_now(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    admit(ledger, updated=[item(1, text="Now it says more.")])
    ledger.request_redraft(row, "Ada", NOW, section="Overview")
    assert ledger.draft(row.external_id).item.text == "Text 1"
    [claim] = ledger.claim("one", 1, LEASE_S, which="asked")
    ledger.keep_standing(claim, "no model")
    ledger.request_redraft(ledger.draft(row.external_id), "Ada", NOW)
    [claim] = ledger.claim("one", 1, LEASE_S, which="asked")
    assert claim.updated is not None
    assert claim.updated.text == "Now it says more."
    assert ledger.queue_names(Wanted(changed=True)) == [row.external_id], "until it is written from it"
    ledger.complete(claim, claim.updated)
    after = ledger.draft(row.external_id)
    assert (after.item.text, after.updated) == ("Now it says more.", None)
    assert ledger.queue_names(Wanted(changed=True)) == []
    assert ledger.known("one", ["guid-1"], []).guids["guid-1"][1] == claim.updated.content_hash


def test_a_section_is_written_anew_from_the_source_as_it_is_now_too(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    admit(ledger, updated=[item(1, text="Now it says more.")])
    ledger.request_redraft(row, "Ada", NOW, section="Overview")
    [claim] = ledger.claim("one", 1, LEASE_S, which="asked")
    assert (claim.item.text, claim.updated) == ("Now it says more.", None)


def test_a_change_that_comes_while_a_redraft_is_written_stays_a_change(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    admit(ledger, updated=[item(1, text="Second text.")])
    ledger.request_redraft(row, "Ada", NOW)
    [claim] = ledger.claim("one", 1, LEASE_S, which="asked")
    admit(ledger, updated=[item(1, text="Third text.")])
    assert claim.updated is not None
    ledger.complete(claim, claim.updated)
    ledger.record_answer(claim, answer())
    ledger.release([claim])
    [again] = ledger.claim("one", 1, LEASE_S, which="asked")
    assert again.answer is not None
    assert again.item.text == "Second text.", "an answer never meets another source"
    after = ledger.draft(row.external_id)
    assert after.updated is not None
    assert after.updated.text == "Third text."


REDRAFT = Policy(redraft=True)


def updated_flags(ledger: Ledger, row: DraftRow) -> list[str]:
    return [one.message for one in ledger.draft(row.external_id).findings if one.kind == "source-updated"]


def write_anew(ledger: Ledger, claim: Claim) -> None:
    ledger.intend(claim, draft(claim, "anew"), number=2, cause="redraft")
    ledger.confirm(claim)


def corrected_while_redrafted(ledger: Ledger, row: DraftRow, by: str) -> Claim:
    """Return the claim of a redraft from a second text, since whose beginning a third one came."""
    if by == OURSELVES:
        admit(ledger, updated=[item(1, text="Second text.")], policy=REDRAFT)
    else:
        ledger.request_redraft(row, by, NOW)
    [claim] = ledger.claim("one", 1, LEASE_S, which="asked")
    if claim.updated:
        ledger.complete(claim, claim.updated)
    admit(ledger, updated=[item(1, text="Third text.", title="Third")], policy=REDRAFT)
    return claim


def test_a_change_that_comes_while_its_source_is_drafted_again_is_drafted_again(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    write_anew(ledger, corrected_while_redrafted(ledger, row, OURSELVES))
    [again] = ledger.claim("one", 1, LEASE_S, which="asked")
    assert again.updated is not None
    assert again.updated.text == "Third text."
    ledger.complete(again, again.updated)
    ledger.intend(again, draft(again, "and again"), number=3, cause="redraft")
    ledger.confirm(again)
    assert ledger.claim("one", 1, LEASE_S, which="asked") == []
    assert updated_flags(ledger, row) == []


def test_a_change_that_comes_while_a_paid_answer_waits_is_drafted_afterwards(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    admit(ledger, updated=[item(1, text="Second text.")], policy=REDRAFT)
    [claim] = ledger.claim("one", 1, LEASE_S, which="asked")
    assert claim.updated is not None
    ledger.complete(claim, claim.updated)
    ledger.record_answer(claim, answer())
    ledger.release([claim])
    admit(ledger, updated=[item(1, text="Third text.")], policy=REDRAFT)
    [paid] = ledger.claim("one", 1, LEASE_S, which="asked")
    assert (paid.answer is not None, paid.item.text) == (True, "Second text.")
    write_anew(ledger, paid)
    [again] = ledger.claim("one", 1, LEASE_S, which="asked")
    assert (again.answer, again.updated and again.updated.text) == (None, "Third text.")
    assert ledger.draft(row.external_id).version == 2


@pytest.mark.parametrize("by", ["Ada", OURSELVES])
def test_a_change_that_comes_while_a_redraft_fails_is_flagged(ledger: Ledger, by: str) -> None:
    row = drafted(ledger, 1)
    ledger.keep_standing(corrected_while_redrafted(ledger, row, by), "the model refuses")
    [said] = updated_flags(ledger, row)
    assert "it is now: Third" in said
    assert ledger.claim("one", 1, LEASE_S, which="asked") == []


def test_a_change_that_comes_while_an_editors_redraft_is_written_is_flagged(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    write_anew(ledger, corrected_while_redrafted(ledger, row, "Ada"))
    assert len(updated_flags(ledger, row)) == 1
    assert ledger.claim("one", 1, LEASE_S, which="asked") == []


@pytest.mark.parametrize("policy", [Policy(), REDRAFT])
def test_a_change_that_comes_while_a_first_draft_is_written_is_flagged(
    ledger: Ledger, policy: Policy
) -> None:
    admit(ledger, item(1))
    [claim] = ledger.claim("one", 1, LEASE_S)
    admit(ledger, updated=[item(1, text="Second text.")], policy=policy)
    ledger.intend(claim, draft(claim))
    ledger.confirm(claim)
    [row] = ledger.drafts()
    assert len(updated_flags(ledger, row)) == 1


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
    ledger: Ledger, before: Item, page: str | None, now: Item, text: str, summary: str
) -> None:
    admit(ledger, before)
    [claim] = ledger.claim("one", 1, LEASE_S)
    if page:
        ledger.complete(claim, before.model_copy(update={"text": page}))
    ledger.intend(claim, draft(claim))
    ledger.confirm(claim)
    admit(ledger, updated=[now.model_copy(update={"title": "Corrected"})])
    row = ledger.draft(draft(claim).external_id)
    assert (row.source.title, row.source.text, row.source.summary) == ("Corrected", text, summary)
    ledger.confirm_verdict(
        ledger.intend_verdict(row, verdict(ReviewDecision.APPROVE), move(row, "published", "a"))
    )
    assert ledger.draft(row.external_id).source == row.source


def test_one_finding_tells_of_the_last_change_and_an_answer_for_one_is_none_for_the_next(
    ledger: Ledger,
) -> None:
    row = drafted(ledger, 1)
    keys = []
    for text in ("Second text.", "Third text."):
        admit(ledger, updated=[item(1, text=text, title=f"On the {text}")])
        [flag] = [one for one in ledger.draft(row.external_id).findings if one.kind == "source-updated"]
        keys.append(flag.key)
        assert f"On the {text}" in flag.message
    admit(ledger, updated=[item(1, text="Fourth text.", title="On the Third text.")])
    keys.append(ledger.draft(row.external_id).findings[-1].key)
    assert len(set(keys)) == 3


def test_what_changed_before_an_approval_was_seen_and_what_changes_later_is_listed(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    admit(ledger, updated=[item(1, text="Before.")])
    row = ledger.draft(row.external_id)
    ledger.confirm_verdict(
        ledger.intend_verdict(row, verdict(ReviewDecision.APPROVE), move(row, "published", "a"))
    )
    assert ledger.queue_names(Wanted(state="approved", changed=True)) == []
    admit(ledger, updated=[item(1, text="After.")])
    assert ledger.queue_names(Wanted(state="approved", changed=True)) == [row.external_id]


def test_history_tells_everything_in_its_order(ledger: Ledger) -> None:
    row = drafted(ledger, 1, block())
    ledger.acknowledge(row, block(), "known", "Ada", NOW + timedelta(days=400))
    ledger.request_redraft(row, "Ben", NOW + timedelta(days=500), note="shorter")
    events = [(event.what, event.by) for event in ledger.history(row.item_id)]
    assert events[0] == ("asked", "Ben")
    assert ("acknowledged", "Ada") in events
    assert ("draft", None) in events
    assert ledger.titles([row.item_id]) == {row.item_id: (row.external_id, "Item 1")}


def test_the_whole_ledger_in_numbers(ledger: Ledger) -> None:
    empty = ledger.figures()
    assert (empty.items, empty.spent, empty.oldest_draft, empty.requests) == ({}, (), None, 0)
    row, _ = drafted(ledger, 1, block(), WARN), drafted(ledger, 2, block())
    ledger.acknowledge(row, block(), "known", "Ada", NOW)
    ledger.request_redraft(row, "Ada", NOW)
    admit(ledger, item(3))
    [claim] = [one for one in ledger.claim("one", 5, LEASE_S) if one.item.guid == "guid-3"]
    ledger.record_answer(claim, answer(), micros=1_500)
    figures = ledger.figures()
    assert figures.items == {"drafted": 2, "answered": 1}
    assert (figures.blocks, figures.warns) == (1, 1)
    assert (figures.requests, figures.oldest_request) == (1, NOW)
    assert figures.oldest_draft is not None
    [spent] = figures.spent
    assert (spent.model, spent.purpose, spent.calls, spent.micros) == ("m", "draft", 1, 1_500)


def test_what_an_editor_was_shown_is_known_by_name_and_text(ledger: Ledger) -> None:
    row, other = drafted(ledger, 1), drafted(ledger, 2)
    for _ in range(2):
        ledger.note_view(row.item_id, "Ada\0", "a" * 64, NOW)
    assert ledger.viewed(row.item_id, "Ada\0", "a" * 64)
    assert not ledger.viewed(row.item_id, "Ben", "a" * 64)
    assert not ledger.viewed(row.item_id, "Ada\0", "b" * 64)
    assert not ledger.viewed(other.item_id, "Ada\0", "a" * 64)


def test_views_that_are_noted_at_once_do_not_meet(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    with ledger._writing() as connection:
        for later in (0, 1):
            views.add(connection, row.item_id, "Ada", "a" * 64, NOW + timedelta(hours=later))
        assert [found.at for found in connection.execute(sa.select(schema.views))] == [NOW]


def test_a_refused_text_replaces_what_its_form_sent_before_and_goes_when_that_is_saved(
    ledger: Ledger,
) -> None:
    row = drafted(ledger, 1)

    def keep(text: str, by: str, base: str, form: str) -> None:
        ledger.keep_refused(
            row, Draft(external_id=row.external_id, path=row.path, text=text), by, base=base, form=form
        )

    def aside() -> list[str]:
        return [one.text for one in ledger.versions(row.item_id) if one.aside]

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
    ledger.confirm_save(ledger.intend_save(row, edited, "Ada", base=base, sitting=SITTING, form="one"))
    assert aside() == ["a3", "b1", "n2", "n3"]
    assert ledger.draft(row.external_id).version_text == "a4"
    assert not ledger.unfinished_texts()


def test_a_change_that_comes_during_an_approval_stays_listed(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    admit(ledger, updated=[item(1, text="While it was checked.")])
    ledger.confirm_verdict(
        ledger.intend_verdict(row, verdict(ReviewDecision.APPROVE), move(row, "published", "a"))
    )
    assert ledger.queue_names(Wanted(state="approved", changed=True)) == [row.external_id]
