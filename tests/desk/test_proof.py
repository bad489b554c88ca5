"""The page of the record of a review, and what the desk records of views and decisions."""

import json

import httpx
import pytest

from pipeline.articles.front_matter import loads
from pipeline.services.metrics import Readings, collect_metrics, format_metrics
from pipeline.storage import KindOutcomes, Metrics
from tests.desk.conftest import Desk
from tests.desk.server import DeskServer, Visitor, database_of
from tests.desk.test_metrics import NOW, read

CLEAN = 1


def approve(ada: Visitor, ref: str) -> None:
    data = {"sha256": ada.hidden(f"/drafts/{ref}", "sha256"), "light": "1"}
    assert ada.post(f"/drafts/{ref}/approve", data=data).status_code == 200


def test_the_page_shows_the_record_and_that_it_agrees(desk: Desk) -> None:
    ref = desk.refs[CLEAN]
    answer = desk.ada.get(f"/drafts/{ref}/proof")
    assert answer.status_code == 404
    assert "has no decision yet" in answer.text
    assert desk.ada.get("/drafts/0123456789abcdef/proof").status_code == 404
    approve(desk.ada, ref)
    page = desk.ada.page(f"/drafts/{ref}/proof")
    proof = loads(desk.text(ref, "published"))[0]["review"]["proof"]
    assert proof in page
    assert "The record agrees with the article on disk." in page
    assert "<strong>Ada</strong> at the desk" in page
    desk.path(ref, "published").write_text("changed")
    assert "changed after the review" in desk.ada.page(f"/drafts/{ref}/proof")


def test_the_page_needs_a_signed_in_editor(desk: Desk) -> None:
    with httpx.Client(base_url=desk.server.url) as stranger:
        assert stranger.get(f"/drafts/{desk.refs[CLEAN]}/proof").status_code in (401, 403)


def test_hostile_names_and_headings_are_inert(desk: Desk) -> None:
    ref = desk.refs[CLEAN]
    path = desk.path(ref)
    path.write_text(path.read_text().replace("## Overview", "## Overview\n\n## <b onclick=x>", 1))
    with Visitor(desk.server, "<script>alert(1)</script>") as mallory:
        sha256 = mallory.hidden(f"/drafts/{ref}", "sha256")
        note = {"sha256": sha256, "note": "no"}
        assert mallory.post(f"/drafts/{ref}/reject", data=note).status_code == 200
        page = mallory.page(f"/drafts/{ref}/proof")
    assert "<script>alert" not in page
    assert "<b onclick" not in page


@pytest.mark.parametrize("times", ["on", "off"])
def test_views_have_times_unless_none_are_wanted(desk: Desk, times: str) -> None:
    settings = desk.settings.model_copy(update={"review_times": times == "on"})
    ref = desk.refs[CLEAN]
    with DeskServer(settings) as server, Visitor(server) as ada:
        approve(ada, ref)
    with database_of(settings) as db:
        row = db.drafts.get(ref)
        record = json.loads(db.reviews.list(row.item_id)[0].record or "{}")
        assert (db.reviews.opened_at(row.item_id, "Ada") is not None) is (times == "on")
    assert ("opened_at" in record) is (times == "on")


def test_bulk_approvals_are_recorded_as_such(desk: Desk) -> None:
    ref = desk.refs[CLEAN]
    value = f"{ref}:{desk.ada.hidden(f'/drafts/{ref}', 'sha256')}"
    assert "1 of 1 approved" in desk.ada.post("/bulk", data={"draft": value, "verdict": "approve"}).text
    assert "several drafts at once" in desk.ada.page(f"/drafts/{ref}/proof")


def test_ends_of_findings_are_metrics() -> None:
    outcomes = (KindOutcomes(kind="name", dismissed={"derived": 2}, taken=1),)
    snapshot = Metrics((), 0, None, 0, None, 0, 0, outcomes=outcomes)
    samples = read("".join(format_metrics(collect_metrics(Readings(snapshot, []), NOW))))
    ended = {
        dict(labels)["end"]: count for (name, labels), count in samples.items() if name.endswith("ended")
    }
    assert ended == {"dismissed: derived": 2, "taken": 1, "edited": 0, "passed": 0}
