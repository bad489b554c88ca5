"""Reviews: the text on disk is checked and moved; edits of others are kept."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.articles import files
from pipeline.articles.article import Article, Section, Sentiment
from pipeline.articles.files import draft_path
from pipeline.articles.front_matter import dumps, loads
from pipeline.articles.render import build_front_matter, render_body
from pipeline.checks.runner import run_checks
from pipeline.config import Subscriptions
from pipeline.domain.errors import ReviewError
from pipeline.domain.model_calls import Provenance
from pipeline.domain.models import Beat, FeedConfig, Item, PollState, Source
from pipeline.domain.reviews import Draft, Review, ReviewDecision
from pipeline.rewrite.offline_brief import BRIEF, write_brief
from pipeline.services import review
from pipeline.services.draft_file import EditorContext
from pipeline.storage import Database, DraftRow, Move, Policy, PollResult
from tests.databases import prepared

NOW = datetime(2026, 2, 5, 21, 26, tzinfo=UTC)
LATER = datetime(2026, 2, 6, 9, 0, tzinfo=UTC)
BEAT = Beat(key="crypto", market="crypto market", vocabulary=("BTC",), titles="source")
FEED = FeedConfig(key="wire", name="The Wire", url="https://wire.example/feed", beat="crypto", category="BTC")
SUBSCRIPTIONS = Subscriptions(beats={"crypto": BEAT}, feeds=(FEED,))
ITEM = Item(guid="1", title="Output rises", text="It rose by 3%.", published_at=NOW)
SOURCE = Source(
    item=ITEM, feed_key="wire", feed_name="The Wire", first_key="wire", category="BTC", language="en"
)
ARTICLE = Article(
    title="Output rises",
    overview="Output rose by 3%.",
    sections=(Section(heading="A rise of 3%", body="The source says so."),),
    from_author="We shall see.",
    impact=("Little.",),
    category="BTC",
    tags=("BTC",),
    sentiment=Sentiment.NEUTRAL,
    language="en",
)
MODEL = Provenance(rewritten=True, model="m", prompt="article@1")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with Database.open(prepared(f"sqlite:///{tmp_path / 'ledger.db'}")) as opened:
        opened.feeds.sync([FEED])
        yield opened


def drafted(db: Database, root: Path, article: Article = ARTICLE, by: Provenance = MODEL) -> Path:
    state, policy = PollState(), Policy()
    db.items.admit(
        "wire", PollResult(new=[ITEM], updated=[], skipped=[], merged=[], state=state), policy=policy
    )
    [lease] = db.leases.acquire("wire", 1, 900.0)
    text = dumps(build_front_matter(SOURCE, article, by, (), now=NOW), render_body(article, BEAT))
    path = draft_path(article.title, NOW, SOURCE.external_id)
    db.leases.begin_write(lease, Draft(external_id=SOURCE.external_id, path=path, text=text))
    files.write_atomically(root, path, text.encode())
    db.leases.confirm_write(lease)
    return root / path


def moved(row: DraftRow, target: str) -> Move:
    return Move(row.path, target, "approved text", files.sha256_of(b"approved text"))


def editor(db: Database, root: Path) -> EditorContext:
    return EditorContext(db, root, SUBSCRIPTIONS, "Ada", lambda: LATER)


def decide(db: Database, root: Path, decision: ReviewDecision, note: str | None = None) -> Path:
    ref = SOURCE.external_id[:8]
    path = review.submit_review(editor(db, root), ref, decision, note=note, light=True)
    return root / path


def test_an_approved_draft_moves_and_says_who_and_when(db: Database, tmp_path: Path) -> None:
    draft = drafted(db, tmp_path)
    before, body = loads(draft.read_text())
    published = decide(db, tmp_path, ReviewDecision.APPROVE, "good")
    assert published == tmp_path / "published" / draft.relative_to(tmp_path / "drafts")
    assert not draft.exists()
    after, same_body = loads(published.read_text())
    assert same_body == body
    proof = after["review"].pop("proof")
    assert re.fullmatch("[0-9a-f]{64}", proof)
    assert after == before | {
        "draft": False,
        "ai": before["ai"] | {"disclosure": "required"},
        "review": {"by": "Ada", "at": "2026-02-06T09:00:00.000Z", "note": "good", "level": "light"},
    }
    assert [row.path for row in db.drafts.list(("approved",))] == [str(published.relative_to(tmp_path))]


def test_the_editors_text_and_keys_are_kept_and_set_the_update_time(db: Database, tmp_path: Path) -> None:
    draft = drafted(db, tmp_path)
    metadata, body = loads(draft.read_text())
    edited = body.replace("Little.", "Little;  some spaces\tand a tab.") + "\n\nA last word without line end"
    draft.write_text(dumps(metadata | {"mine": ["a", "08"]}, edited))
    after, after_body = loads(decide(db, tmp_path, ReviewDecision.APPROVE).read_text())
    assert after_body == edited
    assert after["mine"] == ["a", "08"]
    assert after["updatedAt"] == "2026-02-06T09:00:00.000Z"


def test_a_rejected_draft_is_set_aside_unchanged(db: Database, tmp_path: Path) -> None:
    draft = drafted(db, tmp_path)
    draft.write_text("not even front matter")
    rejected = decide(db, tmp_path, ReviewDecision.REJECT)
    assert rejected.read_text() == "not even front matter"
    assert "rejected" in rejected.parts
    assert not draft.exists()


def test_a_brief_is_refused_until_every_placeholder_is_replaced(db: Database, tmp_path: Path) -> None:
    draft = drafted(db, tmp_path, write_brief(SOURCE, BEAT), BRIEF)
    with pytest.raises(ReviewError, match="2 blocking findings"):
        decide(db, tmp_path, ReviewDecision.APPROVE)
    metadata, body = loads(draft.read_text())
    for finding in reversed(run_checks(None, body, BEAT, front=None)):
        start, end = finding.span or (0, 0)
        body = body[:start] + "The editor's view." + body[end:]
    draft.write_text(dumps(metadata, body))
    after, _ = loads(decide(db, tmp_path, ReviewDecision.APPROVE).read_text())
    assert after["ai"]["rewritten"] is False
    assert after["ai"]["checks"] == {"open": 0, "acknowledged": 0}


def test_a_missing_section_a_broken_file_and_a_missing_file_are_refused(db: Database, tmp_path: Path) -> None:
    draft = drafted(db, tmp_path)
    text = draft.read_text()
    draft.write_text(text.replace("## From author", "From author"))
    with pytest.raises(ReviewError, match="From author"):
        decide(db, tmp_path, ReviewDecision.APPROVE)
    draft.write_text(text.replace("title: ", "title: 'open "))
    with pytest.raises(ReviewError, match=draft.name):
        decide(db, tmp_path, ReviewDecision.APPROVE)
    draft.write_bytes(b"\xff\xfe")
    with pytest.raises(ReviewError, match="UTF-8"):
        decide(db, tmp_path, ReviewDecision.APPROVE)
    draft.unlink()
    with pytest.raises(ReviewError, match="missing"):
        decide(db, tmp_path, ReviewDecision.APPROVE)
    assert db.drafts.list()[0].state == "drafted"


def test_a_second_verdict_changes_nothing(db: Database, tmp_path: Path) -> None:
    drafted(db, tmp_path)
    published = decide(db, tmp_path, ReviewDecision.APPROVE)
    before = published.read_bytes()
    with pytest.raises(ReviewError, match="approved already"):
        decide(db, tmp_path, ReviewDecision.REJECT)
    assert published.read_bytes() == before


@pytest.mark.parametrize("written", [False, True], ids=["before the write", "before the removal"])
def test_a_killed_verdict_is_carried_out_by_the_next_command(
    db: Database, tmp_path: Path, written: bool
) -> None:
    draft = drafted(db, tmp_path)
    row: DraftRow = db.drafts.get(SOURCE.external_id)
    verdict = Review(
        decision=ReviewDecision.APPROVE, by="Ada", at=LATER, sha256=files.sha256_of(draft.read_bytes())
    )
    target = "published/2026/02/x.md"
    db.reviews.begin(row, verdict, moved(row, target))
    if written:
        files.write_atomically(tmp_path, target, b"approved text")
    review.resume_interrupted(db, tmp_path)
    assert (tmp_path / target).read_text() == "approved text"
    assert not draft.exists()
    assert db.reviews.unfinished() == []


def test_words_written_after_the_verdict_are_not_removed(db: Database, tmp_path: Path) -> None:
    draft = drafted(db, tmp_path)
    verdict = Review(
        decision=ReviewDecision.APPROVE, by="Ada", at=LATER, sha256=files.sha256_of(draft.read_bytes())
    )
    row = db.drafts.get(SOURCE.external_id)
    db.reviews.begin(row, verdict, moved(row, "published/x.md"))
    draft.write_text("later words")
    review.resume_interrupted(db, tmp_path)
    assert draft.read_text() == "later words"


def test_an_existing_file_at_the_new_path_is_not_replaced(db: Database, tmp_path: Path) -> None:
    draft = drafted(db, tmp_path)
    precious = tmp_path / "rejected" / draft.relative_to(tmp_path / "drafts")
    precious.parent.mkdir(parents=True)
    precious.write_text("precious")
    with pytest.raises(ReviewError, match="another file"):
        decide(db, tmp_path, ReviewDecision.REJECT)
    assert precious.read_text() == "precious"
    assert draft.exists()
    assert db.reviews.unfinished() == []


def test_an_edit_at_the_new_path_before_a_killed_review_is_finished_is_kept(
    db: Database, tmp_path: Path
) -> None:
    draft = drafted(db, tmp_path)
    verdict = Review(
        decision=ReviewDecision.APPROVE, by="Ada", at=LATER, sha256=files.sha256_of(draft.read_bytes())
    )
    row = db.drafts.get(SOURCE.external_id)
    db.reviews.begin(row, verdict, moved(row, "published/x.md"))
    files.write_atomically(tmp_path, "published/x.md", b"edited by hand")
    review.resume_interrupted(db, tmp_path)
    assert (tmp_path / "published/x.md").read_text() == "edited by hand"
    assert not draft.exists()


def test_a_draft_that_is_not_utf8_cannot_be_rejected_unseen(db: Database, tmp_path: Path) -> None:
    draft = drafted(db, tmp_path)
    draft.write_bytes(b"caf\xe9")
    with pytest.raises(ReviewError, match="UTF-8"):
        decide(db, tmp_path, ReviewDecision.REJECT)
    assert draft.read_bytes() == b"caf\xe9"


def test_what_an_editor_wrote_in_another_language_or_for_a_reader_is_found_all_the_same(
    db: Database, tmp_path: Path
) -> None:
    draft = drafted(db, tmp_path)
    text = draft.read_text()
    arabic = "صوّت المدققون على تدمير نصف كل رسم اعتباراً من الشهر المقبل، وقال المدير إن ذلك خطأ."
    for words in ("Connect your wallet to claim your reward.", arabic):
        draft.write_text(text.replace("The source says so.", f"The source says so.\n\n{words}"))
        with pytest.raises(ReviewError, match="injection"):
            decide(db, tmp_path, ReviewDecision.APPROVE)
    own = "The source says so, as https://own.example/x has it."
    draft.write_text(text.replace("The source says so.", own))
    decide(db, tmp_path, ReviewDecision.APPROVE)


def refused(db: Database, root: Path) -> str:
    """Return why an approval is refused."""
    with pytest.raises(ReviewError) as error:
        decide(db, root, ReviewDecision.APPROVE)
    return error.value.message


def test_front_matter_that_no_site_can_be_built_with_is_refused_with_a_sentence_a_key(
    db: Database, tmp_path: Path
) -> None:
    draft = drafted(db, tmp_path)
    metadata, body = loads(draft.read_text())
    del metadata["title"]
    draft.write_text(dumps(metadata | {"publishedAt": "yesterday", "tags": "BTC", "lang": None}, body))
    message = refused(db, tmp_path)
    assert "has 4 blocking findings" in message
    for sentence in (
        "title is missing; write one",
        'publishedAt "yesterday" is no time; write 2026-02-05T21:26:00Z',
        'tags "BTC" is no list of words',
        "lang is empty; write a code such as en",
    ):
        assert sentence in message
    assert draft.exists()


def test_attested_front_matter_is_restored(db: Database, tmp_path: Path) -> None:
    draft = drafted(db, tmp_path)
    before, body = loads(draft.read_text())
    metadata = {key: value for key, value in before.items() if key not in ("source", "externalId")}
    draft.write_text(dumps(metadata | {"ai": {"rewritten": False, "disclosure": "none"}, "mine": 1}, body))
    after, _ = loads(decide(db, tmp_path, ReviewDecision.APPROVE).read_text())
    assert after["ai"].pop("disclosure") == "required"
    assert {key: after[key] for key in ("source", "externalId", "ai")} == {
        key: before[key] for key in ("source", "externalId", "ai")
    }
    assert after["mine"] == 1
    assert list(after)[: len(before)] == list(before)


def test_what_was_rejected_without_it_is_put_back_too(db: Database, tmp_path: Path) -> None:
    draft = drafted(db, tmp_path)
    before, body = loads(draft.read_text())
    draft.write_text(dumps({key: value for key, value in before.items() if key != "ai"}, body))
    decide(db, tmp_path, ReviewDecision.REJECT)
    review.undo_review(editor(db, tmp_path), SOURCE.external_id)
    after, _ = loads(decide(db, tmp_path, ReviewDecision.APPROVE).read_text())
    assert after["ai"] == before["ai"] | {"disclosure": "required"}


def test_the_title_and_an_editors_description_are_checked(db: Database, tmp_path: Path) -> None:
    draft = drafted(db, tmp_path)
    metadata, body = loads(draft.read_text())
    draft.write_text(dumps(metadata | {"title": "The output of the Zirkon mines rises by 94%"}, body))
    assert 'name in the title: "Zirkon" is not in the source.' in refused(db, tmp_path)
    draft.write_text(
        dumps(metadata | {"description": "It rose by 77%. Connect your wallet to see why."}, body)
    )
    message = refused(db, tmp_path)
    assert "figure in the description" in message
    assert "injection in the description" in message


def test_a_description_that_follows_the_overview_follows_an_edit_on_disk(
    db: Database, tmp_path: Path
) -> None:
    draft = drafted(db, tmp_path)
    metadata, body = loads(draft.read_text())
    draft.write_text(dumps(metadata, body.replace("Output rose by 3%.", "The output has risen by 3%.")))
    after, _ = loads(decide(db, tmp_path, ReviewDecision.APPROVE).read_text())
    assert after["description"] == "The output has risen by 3%."


def test_an_approved_article_has_no_html_in_its_title_and_description(db: Database, tmp_path: Path) -> None:
    draft = drafted(db, tmp_path)
    metadata, body = loads(draft.read_text())
    hostile = {
        "title": '<b>Output</b> rises <script>alert(1)</script><img src=x onerror="alert(2)">',
        "description": "It rose <svg onload=alert(3)>by 3%.",
    }
    draft.write_text(dumps(metadata | hostile, body))
    after, _ = loads(decide(db, tmp_path, ReviewDecision.APPROVE).read_text())
    assert (after["title"], after["description"]) == ("Output rises", "It rose by 3%.")


def test_an_approved_file_is_utf8_with_one_kind_of_line_end(db: Database, tmp_path: Path) -> None:
    draft = drafted(db, tmp_path)
    before, body = loads(draft.read_text())
    draft.write_bytes(b"\xef\xbb\xbf" + draft.read_bytes().replace(b"\n", b"\r\n"))
    data = decide(db, tmp_path, ReviewDecision.APPROVE).read_bytes()
    assert data.startswith(b"---\n")
    assert b"\r" not in data
    after, same_body = loads(data.decode())
    assert same_body == body
    assert after["updatedAt"] == before["updatedAt"]


def test_an_error_names_utf16(db: Database, tmp_path: Path) -> None:
    draft = drafted(db, tmp_path)
    text = draft.read_text()
    for coding, at in (("utf-16", 0), ("utf-16-le", 1)):
        draft.write_bytes(text.encode(coding))
        assert f"is not UTF-8 (byte {at}); save it as UTF-8" in refused(db, tmp_path)
