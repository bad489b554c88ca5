"""Reviews say what was shown: levels, records and their proof in the article, ends of findings, crashes."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipeline.articles.article import Sentiment
from pipeline.articles.files import sha256_of
from pipeline.articles.front_matter import dumps, loads
from pipeline.articles.review_sections import review_sections
from pipeline.checks.runner import run_checks
from pipeline.config import Settings, load_feeds
from pipeline.domain.errors import CopydeskError, NotShown, ReviewError
from pipeline.domain.models import Beat
from pipeline.domain.review_records import ReviewRecord
from pipeline.domain.reviews import Finding, ReviewDecision
from pipeline.services import review
from pipeline.services.draft_file import EditorContext, beat_of, draft_front, draft_source
from pipeline.services.edit import DraftEdit, acknowledge, save_edit, start_revision
from pipeline.services.finding_ends import record_taken
from pipeline.services.proof import proof_of
from pipeline.storage import Database, schema
from tests.fakes.stock import INVENTED, fill, layout

NOW = datetime(2026, 2, 6, 9, tzinfo=UTC)
APPROVE, REJECT = ReviewDecision.APPROVE, ReviewDecision.REJECT


class Desk:
    """A newsroom of two drafts, the first with an invented sentence, and its editor."""

    def __init__(self, settings: Settings, db: Database, refs: list[str]) -> None:
        self.settings, self.db, self.root = settings, db, settings.output
        self.held, self.clean = refs
        subscriptions = load_feeds(settings.feeds_file)
        self.ctx = EditorContext(db, self.root, subscriptions, "Ada", lambda: NOW)

    def with_beat(self, **changes: Any) -> EditorContext:
        beats = {key: beat.model_copy(update=changes) for key, beat in self.ctx.subscriptions.beats.items()}
        return replace(self.ctx, subscriptions=self.ctx.subscriptions.model_copy(update={"beats": beats}))

    def item(self, ref: str) -> int:
        return self.db.drafts.get(ref).item_id

    def path(self, ref: str) -> Path:
        return self.root / self.db.drafts.get(ref).path

    def show(self, ref: str, by: str = "Ada", *, but: str | None = None) -> None:
        metadata, body = loads(self.path(ref).read_text(encoding="utf-8"))
        for section in review_sections(metadata, body):
            if section.heading != but:
                self.db.shown.record(self.item(ref), by, section.heading, section.sentences, NOW)

    def findings(self, ref: str) -> tuple[Finding, ...]:
        row = self.db.drafts.get(ref)
        metadata, body = loads(self.path(ref).read_text(encoding="utf-8"))
        source, beat = draft_source(row, self.ctx.subscriptions), self.beat(ref)
        return run_checks(source, body, beat, front=draft_front(row, metadata, body, beat))

    def beat(self, ref: str) -> Beat:
        return beat_of(self.ctx.subscriptions, self.db.drafts.get(ref).feed_key)

    def save(self, ref: str, old: str, new: str, by: str = "Ada") -> None:
        text = self.path(ref).read_text(encoding="utf-8")
        metadata, body = loads(text)
        assert old in body
        changed = DraftEdit(
            title=metadata["title"], description=None, category=metadata["category"],
            tags=tuple(metadata["tags"]), sentiment=Sentiment(metadata["sentiment"]), sticky_weight=0,
            body=body.replace(old, new),
        )  # fmt: skip
        row, beat = self.db.drafts.get(ref), self.beat(ref)
        front = draft_front(row, metadata, changed.body, beat)
        found = run_checks(draft_source(row, self.ctx.subscriptions), changed.body, beat, front=front)
        ctx = replace(self.ctx, editor=by)
        save_edit(ctx, ref, changed, found, base=sha256_of(text.encode()))

    def approve(self, ref: str, **how: Any) -> dict[str, Any]:
        path = review.submit_review(self.ctx, ref, APPROVE, **how)
        return loads((self.root / path).read_text(encoding="utf-8"))[0]

    def record(self, ref: str) -> ReviewRecord:
        record = proof_of(self.db, self.root, ref).record
        assert record is not None
        return record

    def ends(self, ref: str) -> list[tuple[str, str]]:
        return [(end.kind, end.outcome) for end in self.db.findings.ends(self.item(ref))]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    settings = layout(tmp_path / "project")
    refs = fill(settings, 2)
    with Database.open(settings.database_url) as db:
        yield Desk(settings, db, refs)


def test_an_approval_is_full_where_every_section_was_shown(desk: Desk) -> None:
    desk.show(desk.clean)
    metadata = desk.approve(desk.clean, way="desk")
    record = desk.record(desk.clean)
    assert (record.level, record.way, record.by) == ("full", "desk", "Ada")
    assert all(section.shown for section in record.sections)
    assert [section.heading for section in record.sections][:2] == ["", "Overview"]
    assert metadata["review"] == {
        "by": "Ada", "at": "2026-02-06T09:00:00.000Z", "level": "full", "proof": record.proof,
    }  # fmt: skip
    assert list(metadata["ai"])[-1] == "disclosure"
    assert metadata["ai"]["disclosure"] == "none"
    assert b"read" not in record.canonical()


def test_what_was_not_shown_is_named_and_refused(desk: Desk) -> None:
    desk.show(desk.clean, but="")
    desk.show(desk.clean, by="Ben")
    with pytest.raises(NotShown, match=r"1 of [0-9]+ sections .* title and description") as refused:
        desk.approve(desk.clean, way="desk")
    assert refused.value.context["headings"] == [""]
    assert desk.db.drafts.get(desk.clean).state == "drafted"


def test_an_approval_that_insists_is_light_and_says_which_sections_were_shown(desk: Desk) -> None:
    desk.show(desk.clean, but="Overview")
    metadata = desk.approve(desk.clean, way="bulk", light=True, note="quick")
    assert metadata["ai"]["disclosure"] == "required"
    assert list(metadata["review"]) == ["by", "at", "note", "level", "proof"]
    record = desk.record(desk.clean)
    assert (record.level, record.way) == ("light", "bulk")
    assert [section.heading for section in record.sections if not section.shown] == ["Overview"]
    assert [section.at for section in record.sections if section.shown] == [NOW] * (len(record.sections) - 1)


def test_a_change_after_a_section_was_shown_leaves_it_unshown(desk: Desk) -> None:
    desk.show(desk.clean)
    path = desk.path(desk.clean)
    path.write_text(path.read_text() + "\nSomething else.\n")
    with pytest.raises(NotShown, match="Impact"):
        desk.approve(desk.clean)


def test_a_command_is_light_even_where_the_desk_has_shown_everything(desk: Desk) -> None:
    desk.show(desk.clean)
    assert desk.approve(desk.clean, light=True)["review"]["level"] == "light"


def test_a_beat_refuses_light_reviews_in_every_way(desk: Desk) -> None:
    desk.ctx = desk.with_beat(light_reviews="refuse")
    for way in ("desk", "bulk", "command"):
        with pytest.raises(ReviewError, match="light_reviews: refuse"):
            desk.approve(desk.clean, light=True, way=way)
    desk.show(desk.clean)
    assert desk.approve(desk.clean, light=True, way="desk")["review"]["level"] == "full"


def test_what_blocks_is_told_before_what_was_not_shown(desk: Desk) -> None:
    for light in (False, True):
        with pytest.raises(ReviewError, match="4 blocking findings"):
            desk.approve(desk.held, light=light, way="desk")


def test_the_record_holds_hashes_of_text_and_source_and_when_it_was_opened(desk: Desk) -> None:
    row = desk.db.drafts.get(desk.clean)
    sha256 = sha256_of(desk.path(desk.clean).read_bytes())
    desk.db.reviews.record_view(row.item_id, "Ada", sha256, datetime(2026, 2, 6, 8, tzinfo=UTC))
    desk.approve(desk.clean, light=True)
    record = desk.record(desk.clean)
    assert (record.text_sha256, record.source_sha256) == (sha256, row.source.content_hash)
    assert (record.opened_at, record.decided_at) == (datetime(2026, 2, 6, 8, tzinfo=UTC), NOW)


def test_no_times_are_stored_where_none_are_wanted(desk: Desk) -> None:
    desk.ctx = replace(desk.ctx, review_times=False)
    desk.show(desk.held)
    desk.db.reviews.record_view(desk.item(desk.held), "Ada", "x", NOW)
    for finding in desk.findings(desk.held):
        if finding.severity != "note":
            acknowledge(desk.ctx, desk.held, finding.key, desk.findings(desk.held), "", preset="derived")
    desk.approve(desk.held)
    stored = desk.record(desk.held).canonical().decode()
    assert stored.count('T09:00:00.000Z"') == stored.count('"decided_at"') == 1
    assert '"at"' not in stored
    assert '"shown":true' in stored


def test_dismissals_are_in_the_record_with_their_reasons(desk: Desk) -> None:
    found = desk.findings(desk.held)
    blocking = list({each.key: each for each in found if each.severity == "block"}.values())
    for finding, preset in zip(blocking, ("derived", "checker-wrong", "other", None), strict=True):
        acknowledge(
            desk.ctx, desk.held, finding.key, found, "because" if preset != "derived" else "", preset=preset
        )
    desk.approve(desk.held, light=True)
    dismissed = [each for each in desk.record(desk.held).findings if each.end == "dismissed"]
    assert [(each.preset, each.reason, each.by, each.at) for each in dismissed] == [
        ("derived", "derived from the source", "Ada", NOW),
        ("checker-wrong", "the checker is wrong: because", "Ada", NOW),
        ("other", "because", "Ada", NOW),
        (None, "because", "Ada", NOW),
    ]


def test_a_reason_is_one_of_the_list_or_ones_own(desk: Desk) -> None:
    found = desk.findings(desk.held)
    for preset, reason in (("other", " "), (None, ""), ("unknown", "r"), ("derived", "x" * 2_000)):
        with pytest.raises(ReviewError):
            acknowledge(desk.ctx, desk.held, found[0].key, found, reason, preset=preset)
    assert desk.db.drafts.get(desk.held).acknowledged == ()


def test_a_save_that_removes_flagged_words_ends_their_findings(desk: Desk) -> None:
    kinds = {
        each.key: each.kind for each in desk.db.drafts.get(desk.held).findings if each.severity == "block"
    }
    desk.save(desk.held, INVENTED, "")
    assert sorted(desk.ends(desk.held)) == sorted((kind, "edited") for kind in kinds.values())
    desk.approve(desk.held, light=True)
    ended = [each for each in desk.record(desk.held).findings if each.end == "edited"]
    assert len(ended) == len(kinds)
    assert {(each.by, each.at) for each in ended} == {("Ada", NOW)}


def test_what_came_and_went_while_an_editor_typed_is_no_end(desk: Desk) -> None:
    desk.save(desk.clean, "## From author", "Zirkon Bank paid 94 million dollars.\n\n## From author")
    desk.save(desk.clean, "Zirkon Bank paid 94 million dollars.\n\n", "")
    assert desk.ends(desk.clean) == []


def test_what_another_editor_wrote_ends_when_it_is_edited(desk: Desk) -> None:
    desk.save(
        desk.clean, "## From author", "Zirkon Bank paid 94 million dollars.\n\n## From author", by="Ben"
    )
    desk.save(desk.clean, "Zirkon Bank paid 94 million dollars.\n\n", "")
    assert ("name", "edited") in desk.ends(desk.clean)


def test_a_finding_that_is_there_again_has_no_end(desk: Desk) -> None:
    desk.save(desk.held, INVENTED, "A gap.")
    assert desk.ends(desk.held)
    desk.save(desk.held, "A gap.", INVENTED)
    assert desk.ends(desk.held) == []


def test_a_finding_in_another_paragraph_is_not_ended_by_an_edit(desk: Desk) -> None:
    text = desk.path(desk.held).read_text(encoding="utf-8")
    row = desk.db.drafts.get(desk.held)
    changes = {"base": sha256_of(text.encode())}
    metadata, body = loads(text)
    edit = DraftEdit(
        title=metadata["title"], description=None, category=metadata["category"],
        tags=tuple(metadata["tags"]), sentiment=Sentiment(metadata["sentiment"]), sticky_weight=0,
        body=body + "\nOne more line.\n",
    )  # fmt: skip
    save_edit(desk.ctx, desk.held, edit, (), **changes)  # the checks find less than before
    assert row.findings
    assert [kind for kind, _ in desk.ends(desk.held) if kind == "name"] == []


def test_a_fix_that_is_taken_is_no_edit(desk: Desk) -> None:
    row = desk.db.drafts.get(desk.held)
    finding = next(each for each in row.findings if each.kind == "name")
    desk.save(desk.held, INVENTED, "")
    record_taken(desk.ctx, row, finding)
    ends = {end.key: end.outcome for end in desk.db.findings.ends(row.item_id)}
    assert ends.pop(finding.key) == "taken"
    assert set(ends.values()) == {"edited"}


def test_an_edit_on_disk_ends_findings_by_nobody(desk: Desk) -> None:
    path = desk.path(desk.held)
    path.write_text(path.read_text().replace(INVENTED, ""))
    desk.approve(desk.held, light=True)
    ended = [each for each in desk.record(desk.held).findings if each.end == "edited"]
    assert ended
    assert {(each.by, each.at) for each in ended} == {(None, None)}
    assert {outcome for _, outcome in desk.ends(desk.held)} == {"edited"}


def test_what_warns_is_passed_by_an_approval(desk: Desk) -> None:
    desk.ctx = desk.with_beat(
        checks=desk.beat(desk.held).checks.model_copy(
            update=dict.fromkeys(("name", "figure", "date"), "warn")
        )
    )
    desk.approve(desk.held, light=True)
    passed = [each for each in desk.record(desk.held).findings if each.end == "passed"]
    assert {each.severity for each in passed} == {"warn"}
    assert len(passed) == len(desk.ends(desk.held)) > 0
    review.undo_review(desk.ctx, desk.held)
    assert desk.ends(desk.held) == []


def test_an_undo_takes_level_proof_and_disclosure_out(desk: Desk) -> None:
    before = desk.path(desk.clean).read_bytes()
    desk.approve(desk.clean, light=True)
    review.undo_review(desk.ctx, desk.clean)
    assert desk.path(desk.clean).read_bytes() == before
    desk.approve(desk.clean, light=True)
    metadata, _ = loads((desk.root / start_revision(desk.ctx, desk.clean)).read_text())
    assert "review" not in metadata
    assert "disclosure" not in metadata["ai"]


def test_a_revision_is_recorded_without_the_ends_of_the_article_before(desk: Desk) -> None:
    desk.save(desk.held, INVENTED, "")
    desk.approve(desk.held, light=True)
    assert len(desk.record(desk.held).findings) > 0
    start_revision(desk.ctx, desk.held, findings=desk.findings(desk.held))
    desk.approve(desk.held, light=True)
    assert [each.end for each in desk.record(desk.held).findings if each.end == "edited"] == []


def test_a_rejection_has_a_record_without_a_level(desk: Desk) -> None:
    desk.show(desk.held)
    review.submit_review(desk.ctx, desk.held, REJECT, note="no", way="desk")
    record = desk.record(desk.held)
    assert (record.decision, record.level, record.findings) == (REJECT, None, ())
    assert all(section.shown for section in record.sections)
    assert proof_of(desk.db, desk.root, desk.held).agrees


def test_a_rejected_file_that_cannot_be_read_has_no_sections(desk: Desk) -> None:
    desk.path(desk.clean).write_text("not even front matter")
    review.submit_review(desk.ctx, desk.clean, REJECT)
    assert desk.record(desk.clean).sections == ()


class Killed(Exception):
    """The process dies here."""


def test_a_review_that_is_resumed_after_a_kill_has_the_same_proof(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_arguments: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(review, "apply_review", die)
        with pytest.raises(Killed):
            desk.approve(desk.clean, light=True)
    [pending] = desk.db.reviews.unfinished()
    with pytest.raises(CopydeskError, match="no decision yet"):
        proof_of(desk.db, desk.root, desk.clean)
    review.resume_interrupted(desk.db, desk.root)
    proof = proof_of(desk.db, desk.root, desk.clean)
    assert proof.agrees
    assert proof.published == loads(pending.text)[0]["review"]["proof"] == desk.record(desk.clean).proof


def change_record(desk: Desk, ref: str, **changes: object) -> None:
    with desk.db._writing() as connection:
        this = schema.verdicts.c.item_id == desk.item(ref)
        stored = json.loads(connection.scalar(sa.select(schema.verdicts.c.record).where(this)) or "")
        changed = json.dumps(stored | changes, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        connection.execute(schema.verdicts.update().where(this).values(record=changed))


@pytest.mark.parametrize(
    "changes", [{"by": "Ben"}, {"level": "full"}, {"read": True}, {"opened_at": "2026-01-01T00:00:00.000Z"}]
)
def test_a_record_that_was_changed_disagrees(desk: Desk, changes: dict[str, object]) -> None:
    desk.approve(desk.clean, light=True)
    change_record(desk, desk.clean)
    assert proof_of(desk.db, desk.root, desk.clean).agrees, "it is what was stored"
    change_record(desk, desk.clean, **changes)
    proof = proof_of(desk.db, desk.root, desk.clean)
    assert not proof.agrees
    assert "The record was changed" in proof.message


def test_an_article_that_was_changed_disagrees(desk: Desk) -> None:
    desk.approve(desk.clean, light=True)
    path = desk.path(desk.clean)
    text = path.read_text()
    path.write_text(text + "More.\n")
    assert "article on disk was changed" in proof_of(desk.db, desk.root, desk.clean).message
    metadata, body = loads(text)
    path.write_text(dumps({**metadata, "review": {**metadata["review"], "proof": "0" * 64}}, body))
    assert "do not agree" in proof_of(desk.db, desk.root, desk.clean).message
    path.unlink()
    assert not proof_of(desk.db, desk.root, desk.clean).agrees
    path.write_text(text)
    assert proof_of(desk.db, desk.root, desk.clean).agrees


def test_an_article_of_before_keeps_no_level(desk: Desk) -> None:
    desk.approve(desk.clean, light=True)
    with desk.db._writing() as connection:
        connection.execute(schema.verdicts.update().values(record=None))
    with pytest.raises(CopydeskError, match="before reviews had records"):
        proof_of(desk.db, desk.root, desk.clean)
