"""Saves, revisions and undone reviews whose process was killed are finished and lose no text."""

from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.articles import files
from pipeline.articles.article import Sentiment
from pipeline.articles.front_matter import dumps, loads
from pipeline.config import Settings, load_feeds
from pipeline.domain.errors import EditConflict, ReviewError
from pipeline.domain.reviews import Draft, Finding, ReviewDecision, Severity
from pipeline.services import review
from pipeline.services.draft_file import EditorContext, as_draft
from pipeline.services.edit import DraftEdit, apply_edit, save_edit, start_revision
from pipeline.services.fixes import fixed
from pipeline.storage import Database, Save
from pipeline.storage.reviews import PendingReview, ReviewRepository
from tests.fakes.stock import fill, layout, pieces

NOW = datetime(2026, 2, 7, tzinfo=UTC)


class Desk:
    def __init__(self, settings: Settings, db: Database, ref: str) -> None:
        self.settings = settings
        self.db = db
        self.ref = ref
        self.root = settings.output
        subscriptions = load_feeds(settings.feeds_file)
        self.ctx = EditorContext(db, settings.output, subscriptions, "Ada", lambda: NOW)

    @property
    def path(self) -> Path:
        return self.root / self.db.drafts.get(self.ref).path

    @property
    def sha256(self) -> str:
        return files.sha256_of(self.path.read_bytes())

    def changes(self, **other: Any) -> DraftEdit:
        metadata, body = loads(self.path.read_text())
        fields: dict[str, Any] = {
            "title": metadata["title"],
            "description": metadata["description"],
            "category": metadata["category"],
            "tags": tuple(metadata["tags"]),
            "sentiment": Sentiment(metadata["sentiment"]),
            "sticky_weight": metadata["stickyWeight"],
            "body": body,
        }
        return DraftEdit(**fields | other)

    def save(self, base: str | None = None, **other: Any) -> str:
        return save_edit(self.ctx, self.ref, self.changes(**other), (), base=base or self.sha256)

    def decide(self, decision: ReviewDecision) -> str:
        return review.submit_review(self.ctx, self.ref, decision, light=True)

    def undo(self) -> str:
        return review.undo_review(self.ctx, self.ref)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    settings = layout(tmp_path)
    [ref] = fill(settings, 1, faults=False)
    with Database.open(settings.database_url) as db:
        yield Desk(settings, db, ref)


def pending(desk: Desk, text: str, base: str) -> None:
    """Record a save as a process does that is killed before it writes."""
    row = desk.db.drafts.get(desk.ref)
    draft = Draft(external_id=row.external_id, path=row.path, text=text)
    desk.db.versions.begin_save(row, draft, "Ada", Save(base=base))


def test_a_save_that_was_recorded_and_not_written_is_written(desk: Desk) -> None:
    metadata, _ = loads(desk.path.read_text())
    text = dumps(metadata, "What Ada wrote.\n")
    pending(desk, text, desk.sha256)
    review.resume_interrupted(desk.db, desk.root)
    assert desk.path.read_text() == text
    assert desk.db.versions.unfinished() == []
    review.resume_interrupted(desk.db, desk.root)
    assert desk.path.read_text() == text


def test_a_save_that_was_written_and_not_confirmed_is_confirmed(desk: Desk) -> None:
    base = desk.sha256
    text = desk.path.read_text().replace("fees", "charges")
    pending(desk, text, base)
    desk.path.write_text(text)
    review.resume_interrupted(desk.db, desk.root)
    assert desk.path.read_text() == text
    assert desk.db.drafts.get(desk.ref).version_text == text


def test_a_save_overtaken_on_disk_is_kept_as_a_superseded_version(desk: Desk) -> None:
    pending(desk, "Ada's", desk.sha256)
    desk.path.write_text("vim's")
    review.resume_interrupted(desk.db, desk.root)
    assert desk.path.read_text() == "vim's"
    row = desk.db.drafts.get(desk.ref)
    assert [version.text for version in desk.db.versions.list(row.item_id) if version.aside] == ["Ada's"]


def test_a_run_takes_no_editors_pending_text_for_its_own(desk: Desk) -> None:
    row = desk.db.drafts.get(desk.ref)
    desk.db.redrafts.request(row, "Ada", NOW)
    pending(desk, "Ada's", desk.sha256)
    [lease] = desk.db.leases.acquire(row.feed_key, 5, 900.0, lease_filter="asked")
    assert lease.unconfirmed is None


def test_a_save_over_another_text_than_was_seen_is_a_conflict(desk: Desk) -> None:
    base = desk.sha256
    desk.save(title="First")
    with pytest.raises(EditConflict) as conflict:
        desk.save(base=base, title="Second")
    assert "First" in str(conflict.value.context["text"])
    assert loads(desk.path.read_text())[0]["title"] == "First"


def test_a_revision_that_was_killed_is_finished(desk: Desk) -> None:
    desk.decide(ReviewDecision.APPROVE)
    live = desk.path.read_bytes()
    row = desk.db.drafts.get(desk.ref)
    text = as_draft(live.decode(), row.path)
    path = f"drafts/{row.path.partition('/')[2]}"
    desk.db.versions.begin_revision(row, Draft(external_id=desk.ref, path=path, text=text), "Ben")
    review.resume_interrupted(desk.db, desk.root)
    assert (desk.root / path).read_text() == text
    assert (desk.root / row.path).read_bytes() == live


@pytest.mark.parametrize("step", ["nothing", "the draft"])
def test_an_undone_revision_that_was_killed_brings_the_article_back(desk: Desk, step: str) -> None:
    desk.decide(ReviewDecision.APPROVE)
    live = desk.path.read_bytes()
    start_revision(replace(desk.ctx, editor="Ben"), desk.ref)
    desk.save(title="Worse")
    before = desk.path.read_bytes()
    desk.decide(ReviewDecision.APPROVE)

    class Killed(Exception):
        pass

    class Dying(ReviewRepository):
        """Its process dies before it records that a review's file has moved."""

        def confirm(self, pending: PendingReview) -> None:
            raise Killed

    dying = copy(desk.db)
    dying.reviews = Dying(desk.db._engine, "dying")

    with pytest.raises(Killed):
        review.undo_review(replace(desk.ctx, db=dying), desk.ref)
    [waiting] = desk.db.reviews.unfinished()
    if step == "nothing":  # as if it had died before it wrote at all
        (desk.root / waiting.new_path).unlink()
        files.write_atomically(desk.root, waiting.old_path, _approved_text(desk))
    review.resume_interrupted(desk.db, desk.root)
    assert (desk.root / waiting.old_path).read_bytes() == live
    assert (desk.root / waiting.new_path).read_bytes() == before
    assert desk.db.reviews.unfinished() == []


def _approved_text(desk: Desk) -> bytes:
    row = desk.db.drafts.get(desk.ref)
    return desk.db.reviews.list(row.item_id)[-1].text.encode()


def test_an_article_that_was_changed_on_disk_keeps_the_change_when_its_approval_is_taken_back(
    desk: Desk,
) -> None:
    desk.decide(ReviewDecision.APPROVE)
    desk.path.write_text(desk.path.read_text() + "\nBy hand.\n")
    desk.undo()
    metadata, body = loads(desk.path.read_text())
    assert body.endswith("By hand.\n")
    assert metadata["draft"] is True
    assert "review" not in metadata


def test_a_review_is_undone_once(desk: Desk) -> None:
    with pytest.raises(ReviewError, match="none to undo"):
        desk.undo()
    desk.decide(ReviewDecision.REJECT)
    desk.undo()
    with pytest.raises(ReviewError, match="none to undo"):
        desk.undo()
    desk.decide(ReviewDecision.APPROVE)
    start_revision(desk.ctx, desk.ref)
    with pytest.raises(ReviewError, match="reject it"):
        desk.undo()


def test_line_ends_keys_and_styles_that_nobody_touched_stay(desk: Desk) -> None:
    metadata, body = loads(desk.path.read_text())
    metadata["mine"] = {"a": ["y", 1]}
    text = dumps(metadata, body.replace("\n", "\r\n"))
    changes = desk.changes(title="New", body=body)
    after, after_body = loads(apply_edit(text, changes, pieces()[0].beat, now=NOW))
    assert after_body == body.replace("\n", "\r\n")
    assert after["mine"] == {"a": ["y", 1]}
    assert apply_edit(text, desk.changes(), pieces()[0].beat, now=NOW) == text


URL = "https://gull.example/a.png"


def covered(desk: Desk, alt: str | None = "A quay") -> dict[str, Any]:
    """Give the draft a cover, in its file alone, and return it."""
    metadata, body = loads(desk.path.read_text())
    cover = {"regular": URL, "credit": {"name": "The Gull"}, **({} if alt is None else {"alt": alt})}
    desk.path.write_text(dumps(metadata | {"coverImage": cover}, body))
    return cover


def cover_of(desk: Desk) -> dict[str, Any]:
    cover: dict[str, Any] = loads(desk.path.read_text())[0].get("coverImage", {})
    return cover


def test_an_alt_text_is_saved_on_one_line_without_html(desk: Desk) -> None:
    cover = covered(desk, None)
    desk.save(alt=" A <b>harbour</b>\n at dawn ")
    assert cover_of(desk) == cover | {"alt": "A harbour at dawn"}
    assert loads(desk.path.read_text())[0]["updatedAt"].startswith("2026-02-07")
    desk.save()
    assert cover_of(desk)["alt"] == "A harbour at dawn"
    desk.save(alt="")
    assert cover_of(desk) == cover
    with pytest.raises(ReviewError, match="alt text is longer"):
        desk.save(alt="long " * 101)


def test_an_alt_text_without_a_cover_changes_nothing(desk: Desk) -> None:
    before = desk.path.read_text()
    desk.save(alt="A quay")
    assert desk.path.read_text() == before


def test_another_cover_does_not_get_the_alt_text_of_the_one_before(desk: Desk) -> None:
    covered(desk)
    other = {"regular": "https://gull.example/b.png"}
    desk.save(cover=other | {"alt": "A mill"}, alt="A quay")
    assert cover_of(desk)["alt"] == "A mill"
    desk.save(cover=other, alt="A mill")
    assert "alt" not in cover_of(desk)
    desk.save(cover=other, alt="Written for this one")
    assert cover_of(desk)["alt"] == "Written for this one"
    desk.save(cover={}, alt="Written for this one")
    assert cover_of(desk) == {}


def test_a_fix_is_taken_in_the_alt_text_as_well(desk: Desk) -> None:
    covered(desk, "Of 340 jobs")
    text = desk.path.read_text()
    row, beat = desk.db.drafts.get(desk.ref), load_feeds(desk.settings.feeds_file).beats["crypto"]
    finding = Finding(
        kind="figure", severity=Severity.WARN, message="Wrong.", field="alt", span=(3, 6), suggestion="240"
    )
    assert fixed(row, beat, text, finding).alt == "Of 240 jobs"
    elsewhere = finding.model_copy(update={"field": "title"})
    assert fixed(row, beat, text, elsewhere).alt is None
