"""Corrections, retractions and the end of a publication, with their undo, on both databases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.articles.files import sha256_of
from pipeline.articles.front_matter import dumps, loads
from pipeline.checks.runner import run_checks
from pipeline.config import load_feeds
from pipeline.domain.errors import ReviewError
from pipeline.domain.reviews import Review, ReviewDecision
from pipeline.publishing.publish import queue_all
from pipeline.services import review
from pipeline.services.article_moves import retraction_move
from pipeline.services.corrections import change_note, start_correction
from pipeline.services.draft_file import EditorContext, draft_front, draft_source
from pipeline.services.edit import start_revision
from pipeline.services.redraft import restore_version
from pipeline.services.takedown import retract, unpublish
from pipeline.storage import Database, DraftRow, Publication, current_approval
from tests.fakes.stock import fill, layout

NOW = datetime(2026, 2, 7, 10, tzinfo=UTC)
STAMP = "2026-02-07T10:00:00.000Z"
OPINION = "## From author"


class Article:
    """A published article and its editor."""

    def __init__(self, db: Database, ctx: EditorContext, ref: str) -> None:
        self.db, self.ctx, self.ref = db, ctx, ref

    @property
    def row(self) -> DraftRow:
        return self.db.drafts.get(self.ref)

    @property
    def path(self) -> Path:
        return self.ctx.output / self.row.path

    @property
    def live(self) -> Path:
        [path] = self.ctx.output.glob(f"published/**/*-{self.ref[:8]}.md")
        return path

    def front(self) -> dict[str, Any]:
        return loads(self.live.read_text())[0]

    def write(self, **changes: str) -> None:
        """Replace words of the draft on disk."""
        text = self.path.read_text()
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        self.path.write_text(text)

    def approve(self) -> None:
        review.submit_review(self.ctx, self.ref, ReviewDecision.APPROVE, light=True)

    def undo(self) -> str:
        return review.undo_review(self.ctx, self.ref)

    def correct(self, note: str = "It was counted wrongly") -> None:
        """Correct the author's view."""
        start_correction(self.ctx, self.ref, note)
        self.add_sentence("It is so.")
        self.approve()

    def add_sentence(self, sentence: str) -> None:
        text = self.path.read_text()
        self.path.write_text(text.replace(f"{OPINION}\n\n", f"{OPINION}\n\n{sentence} "))

    def pending(self) -> list[Publication]:
        return [each for each in self.db.publications.of_item(self.row.item_id) if each.done_at is None]

    def carried_out(self) -> None:
        """Say that targets have done what was queued."""
        self.db.publications.mark_done([each.id for each in self.pending()], "place", NOW)


@pytest.fixture
def article(open_db: Callable[..., Database], url: str, tmp_path: Path) -> Article:
    settings = layout(tmp_path / "project", {"COPYDESK_DATABASE_URL": url})
    feeds = settings.feeds_file
    feeds.write_text(f"{feeds.read_text()}publish:\n  site: {{kind: folder, path: site}}\n")
    [ref] = fill(settings, 1, faults=False, first=1)
    db = open_db()
    ctx = EditorContext(db, settings.output, load_feeds(feeds), "Ada", lambda: NOW)
    made = Article(db, ctx, ref)
    made.approve()
    made.carried_out()
    return made


def test_a_correction_tells_readers_what_was_and_what_is(article: Article) -> None:
    before = article.live.read_bytes()
    published = loads(before.decode())
    start_correction(article.ctx, article.ref, "The <b>count</b>\nwas wrong {{ x }}")
    assert loads(article.path.read_text())[0]["correction"] == "The count was wrong { { x }}"
    assert article.live.read_bytes() == before, "it stays until the approval"
    article.add_sentence("Of 12 firms two shut.")
    article.write(draft="draft")
    review.submit_review(article.ctx, article.ref, ReviewDecision.REJECT)
    assert article.live.read_bytes() == before
    article.undo()
    text = article.path.read_text().replace("Of 12 firms two shut. ", "It is so. ")
    article.path.write_text(text)
    article.approve()
    metadata, body = loads(article.live.read_text())
    [entry] = metadata["corrections"]
    assert list(entry) == ["at", "was", "is", "note", "by"]
    assert entry == {
        "at": STAMP, "was": "", "is": "It is so.", "note": "The count was wrong { { x }}", "by": "Ada",
    }  # fmt: skip
    assert list(metadata)[-2:] == ["review", "corrections"]
    assert "correction" not in metadata
    assert metadata["updatedAt"] == STAMP
    assert body.endswith(
        "\n\n## Corrections\n\nCorrected on 7 February 2026: The count was wrong \\{ \\{ x }}."
        "\n\n- Added: “It is so.”\n"
    )
    assert body.startswith(published[1].partition(OPINION)[0])
    [pending] = article.pending()
    assert (pending.action, pending.sha256) == ("publish", sha256_of(article.live.read_bytes()))


def test_a_changed_sentence_is_told_before_and_after(article: Article) -> None:
    _, body = loads(article.live.read_text())
    view = body.partition(f"{OPINION}\n\n")[2].partition("\n\n")[0]
    start_correction(article.ctx, article.ref, "Too sure.")
    article.path.write_text(article.path.read_text().replace(view, f"Perhaps {view[0].lower()}{view[1:]}"))
    article.approve()
    [entry] = article.front()["corrections"]
    assert entry["is"].startswith("Perhaps ")
    assert entry["was"][1:12] in entry["is"]
    assert f"- Before: “{entry['was']}” Now: “{entry['is']}”" in article.live.read_text()


def test_title_and_description_are_told_as_well(article: Article) -> None:
    published = article.front()
    start_correction(article.ctx, article.ref, "Wrong title")
    metadata, body = loads(article.path.read_text())
    metadata |= {"title": "Another title", "description": "Words of an editor."}
    article.path.write_text(dumps(metadata, body))
    article.approve()
    entries = article.front()["corrections"]
    assert [(entry["was"], entry["is"]) for entry in entries] == [
        (published["title"], "Another title"),
        (published["description"], "Words of an editor."),
    ]


def test_undoing_a_correction_restores_the_article_and_keeps_the_note(article: Article) -> None:
    before = article.live.read_bytes()
    article.correct()
    corrected = article.live.read_bytes()
    article.carried_out()
    article.undo()
    assert article.live.read_bytes() == before
    [pending] = article.pending()
    assert (pending.action, pending.sha256) == ("publish", sha256_of(before))
    assert loads(article.path.read_text())[0]["correction"] == "It was counted wrongly"
    article.approve()
    assert article.live.read_bytes() == corrected, "approved again, the same bytes"


def test_the_next_correction_follows_the_earlier_ones(article: Article) -> None:
    article.correct("First")
    start_correction(article.ctx, article.ref, "Second")
    metadata, body = loads(article.path.read_text())
    assert "## Corrections" not in body
    assert [entry["note"] for entry in metadata["corrections"]] == ["First"]
    article.write(**{"It is so.": "It was so."})
    article.approve()
    first, second = article.front()["corrections"]
    assert (first["note"], second["note"]) == ("First", "Second")
    assert (second["was"], second["is"]) == ("It is so.", "It was so.")
    body = loads(article.live.read_text())[1]
    assert body.count("## Corrections") == 1
    assert body.index("First.") < body.index("Second.")


def test_a_revision_and_a_minor_correction_make_no_note_and_keep_the_earlier_ones(article: Article) -> None:
    article.correct()
    start_revision(article.ctx, article.ref)
    article.add_sentence("More.")
    article.approve()
    start_correction(article.ctx, article.ref, "", minor=True)
    article.write(**{"More.": "More!"})
    article.approve()
    assert "More!" in article.live.read_text()
    assert len(article.front()["corrections"]) == 1
    assert article.live.read_text().count("## Corrections") == 1


def test_a_correction_of_a_tag_has_its_note(article: Article) -> None:
    start_correction(article.ctx, article.ref, "It is about Bitcoin alone")
    metadata, body = loads(article.path.read_text())
    article.path.write_text(dumps({**metadata, "tags": metadata["tags"][:1]}, body))
    article.approve()
    [entry] = article.front()["corrections"]
    assert (entry["was"], entry["is"], entry["note"]) == ("", "", "It is about Bitcoin alone")
    assert "It is about Bitcoin alone." in article.live.read_text()


def test_a_correction_that_changes_nothing_makes_no_note(article: Article) -> None:
    start_correction(article.ctx, article.ref, "A tag")
    article.approve()
    assert "corrections" not in article.front()
    assert "## Corrections" not in article.live.read_text()


def test_checks_leave_out_the_section_and_only_what_it_really_is(article: Article) -> None:
    start_correction(article.ctx, article.ref, "We had written of 987,654 vicuñas in Ruritania")
    article.add_sentence("It is so.")
    article.approve()
    assert findings_of(article, article.live.read_text()) == []
    forged = article.live.read_text().replace("It is so.”", "It is so, says Zirkon Bank of 94 million.”")
    assert findings_of(article, forged)
    metadata, body = loads(article.live.read_text())
    without = dumps({key: metadata[key] for key in metadata if key != "corrections"}, body)
    assert findings_of(article, without), "a model can write a heading, not front matter"


def findings_of(article: Article, text: str) -> list[str]:
    """Return the messages of what blocks or warns."""
    row, (metadata, body) = article.row, loads(text)
    beat = article.ctx.subscriptions.beats["crypto"]
    front = draft_front(row, metadata, body, beat)
    checked = run_checks(draft_source(row, article.ctx.subscriptions), body, beat, front=front)
    return [each.message for each in checked if each.severity.value != "note"]


def test_an_approval_on_disk_of_entries_that_somebody_removed_keeps_them(article: Article) -> None:
    article.correct()
    start_revision(article.ctx, article.ref)
    metadata, body = loads(article.path.read_text())
    del metadata["corrections"]
    article.path.write_text(dumps(metadata, body))
    article.approve()
    assert len(article.front()["corrections"]) == 1


def test_the_note_can_be_changed_and_survives_a_restored_version(article: Article) -> None:
    start_revision(article.ctx, article.ref)
    change_note(article.ctx, article.ref, "The view was missing")
    restore_version(article.ctx, article.ref, "1")
    article.add_sentence("It is so.")
    article.approve()
    assert {entry["note"] for entry in article.front()["corrections"]} == {"The view was missing"}
    start_revision(article.ctx, article.ref)
    change_note(article.ctx, article.ref, "Again")
    change_note(article.ctx, article.ref, " ")
    assert "correction" not in loads(article.path.read_text())[0]


def test_a_correction_needs_a_note_and_a_published_article(article: Article) -> None:
    with pytest.raises(ReviewError, match="say to readers what was wrong"):
        start_correction(article.ctx, article.ref, " ")
    unpublish(article.ctx, article.ref)
    with pytest.raises(ReviewError, match="only a published article"):
        start_correction(article.ctx, article.ref, "Wrong")
    with pytest.raises(ReviewError, match="not published yet"):
        change_note(article.ctx, article.ref, "Wrong")


def test_many_changed_sentences_are_counted(article: Article) -> None:
    start_correction(article.ctx, article.ref, "All of it")
    view = " ".join(f"It is so for reason {letter * 3}." for letter in "abcdefghijk")
    article.add_sentence(view)
    article.approve()
    entries = article.front()["corrections"]
    assert len(entries) == 9
    assert entries[-1]["note"] == "Further sentences that changed: 3."


def test_a_retracted_article_is_a_notice_at_the_same_address(article: Article) -> None:
    before = article.live.read_bytes()
    published = loads(before.decode())[0]
    path = retract(article.ctx, article.ref, "The source made it up")
    assert article.ctx.output / path == article.live
    metadata, body = loads(article.live.read_text())
    assert metadata["title"] == f"Retracted: {published['title']}"
    assert body == "This article was retracted on 7 February 2026. Reason: The source made it up.\n"
    for key in ("externalId", "source", "publishedAt", "lang", "category", "tags", "ai"):
        assert metadata[key] == published[key]
    assert metadata["retracted"] == {"at": STAMP, "by": "Ada", "note": "The source made it up"}
    assert metadata["corrections"] == [
        {
            "at": STAMP,
            "was": published["title"],
            "is": "retracted",
            "note": "The source made it up",
            "by": "Ada",
        }
    ]
    assert published["description"] not in article.live.read_text()
    assert findings_of(article, article.live.read_text()) == []
    [pending] = article.pending()
    assert (pending.action, pending.sha256) == ("publish", sha256_of(article.live.read_bytes()))
    assert article.row.state == "approved"
    assert article.db.publications.approved_texts([(article.row.item_id, pending.sha256)])
    for again in (retract, start_correction):
        with pytest.raises(ReviewError, match="retracted"):
            again(article.ctx, article.ref, "Again")
    article.carried_out()
    article.undo()
    assert article.live.read_bytes() == before
    assert article.row.state == "approved"
    [pending] = article.pending()
    assert pending.sha256 == sha256_of(before)


def test_a_retraction_keeps_what_was_changed_on_disk(article: Article) -> None:
    article.live.write_text(f"{article.live.read_text()}\nBy hand.\n")
    retract(article.ctx, article.ref, "Wrong")
    aside = [each for each in article.db.versions.list(article.row.item_id) if each.aside]
    assert [each.text.endswith("By hand.\n") for each in aside] == [True]
    article.live.write_text(f"{article.live.read_text()}\nAgain.\n")
    with pytest.raises(ReviewError, match="was changed since"):
        article.undo()


@pytest.mark.parametrize("written", [False, True])
def test_a_killed_retraction_is_finished(article: Article, written: bool) -> None:
    row, text = article.row, article.live.read_bytes()
    live = current_approval(article.db.reviews.list(row.item_id))
    assert live
    move = retraction_move(row, live, sha256_of(text), note="Wrong", by="Ada", at=NOW)
    made = Review(decision=ReviewDecision.RETRACT, by="Ada", at=NOW, sha256=sha256_of(text))
    article.db.reviews.begin(row, made, move)
    if written:
        article.live.write_text(move.text)
    review.resume_interrupted(article.db, article.ctx.output)
    assert article.live.read_text() == move.text
    assert article.db.reviews.unfinished() == []


def test_an_unpublished_article_is_a_draft_and_its_undo_publishes_it_again(article: Article) -> None:
    before = article.live.read_bytes()
    unpublish(article.ctx, article.ref, "Legal advice")
    assert article.row.state == "drafted"
    assert not list(article.ctx.output.glob("published/**/*.md"))
    metadata, body = loads(article.path.read_text())
    assert (metadata["draft"], body) == (True, loads(before.decode())[1])
    [pending] = article.pending()
    assert (pending.action, pending.by) == ("withdraw", "Ada")
    [event] = [each for each in article.db.drafts.history(article.row.item_id) if each.what == "unpublish"]
    assert (event.by, event.detail) == ("Ada", "Legal advice")
    article.carried_out()
    queue_all(article.db, article.ctx.subscriptions.publish, NOW)
    assert article.pending() == [], "nothing publishes it again by itself"
    article.undo()
    assert article.live.read_bytes() == before
    [pending] = article.pending()
    assert (pending.action, pending.sha256) == ("publish", sha256_of(before))


def test_an_article_leaves_every_target_whatever_revisions_it_had(article: Article) -> None:
    article.correct()
    article.carried_out()
    start_revision(article.ctx, article.ref)
    with pytest.raises(ReviewError, match="reject it"):
        unpublish(article.ctx, article.ref)
    review.submit_review(article.ctx, article.ref, ReviewDecision.REJECT)
    unpublish(article.ctx, article.ref)
    [pending] = article.pending()
    assert pending.action == "withdraw"
    with pytest.raises(ReviewError, match="not published"):
        unpublish(article.ctx, article.ref)
    article.approve()
    assert [entry["by"] for entry in article.front()["corrections"]] == ["Ada"], "its corrections stay"
    assert article.live.read_text().count("## Corrections") == 1


def test_a_retracted_article_that_is_unpublished_is_the_article_again(article: Article) -> None:
    body = loads(article.live.read_text())[1]
    retract(article.ctx, article.ref, "Wrong")
    unpublish(article.ctx, article.ref)
    assert loads(article.path.read_text())[1] == body
    edited = f"{article.path.read_text()}\nMore.\n"
    article.path.write_text(edited)
    with pytest.raises(ReviewError, match="was changed since"):
        article.undo()
    assert article.path.read_text() == edited
    article.approve()
    assert [entry["is"] for entry in article.front()["corrections"]] == ["retracted"]
    assert "retracted" not in article.front()


def test_a_reason_is_needed_and_readers_language_is_used(article: Article) -> None:
    with pytest.raises(ReviewError, match="say why"):
        retract(article.ctx, article.ref, " ")
    start_revision(article.ctx, article.ref)
    metadata, body = loads(article.path.read_text())
    article.path.write_text(dumps(metadata | {"lang": "de"}, body))
    article.approve()
    retract(replace(article.ctx, editor="Ben"), article.ref, "Erfunden")
    metadata, body = loads(article.live.read_text())
    assert metadata["title"].startswith("Zurückgezogen: ")
    assert body == "Dieser Artikel wurde am 7. Februar 2026 zurückgezogen. Grund: Erfunden.\n"
