"""Decisions over HTTP: only the text that the editor saw is approved or rejected."""

import re

from pipeline.articles.files import sha256_of
from pipeline.articles.front_matter import loads
from tests.desk.conftest import Desk
from tests.desk.server import Visitor, database_of, form_of, row_of

HELD, CLEAN = 0, 1


def approve(desk: Desk, ref: str, visitor: Visitor | None = None, sha256: str | None = None) -> str:
    visitor = visitor or desk.ada
    on_page = visitor.go_through(ref)
    shown_sha256 = on_page if sha256 is None else sha256
    answer = visitor.post(f"/drafts/{ref}/approve", data={"sha256": shown_sha256})
    return f"{answer.status_code} {answer.url.path}\n{answer.text}"


def keys(page: str) -> list[str]:
    return re.findall(r'name="key" value="([0-9a-f]{16})"', page)


def test_a_clean_draft_is_approved_and_the_next_one_shown(desk: Desk) -> None:
    ref = desk.refs[CLEAN]
    assert approve(desk, ref).startswith(f"200 /drafts/{desk.refs[CLEAN + 1]}")
    metadata, _ = loads(desk.text(ref, "published"))
    assert metadata["draft"] is False
    assert metadata["review"]["by"] == "Ada"
    assert not desk.exists(ref, "drafts")


def test_a_blocking_finding_refuses_approval_until_it_is_dismissed(desk: Desk) -> None:
    ref = desk.refs[HELD]
    page = desk.ada.page(f"/drafts/{ref}")
    assert "4 must are open" in page
    assert approve(desk, ref).startswith("409")
    for key in dict.fromkeys(keys(page)):
        answered = desk.ada.post(
            f"/drafts/{ref}/acknowledge", data={"key": key, "reason": "from the wire desk"}
        )
        assert answered.status_code == 200
    assert approve(desk, ref).startswith("200")
    assert loads(desk.text(ref, "published"))[0]["ai"]["checks"] == {"open": 0, "acknowledged": 4}


def test_a_dismissal_needs_a_reason_and_can_be_undone(desk: Desk) -> None:
    ref = desk.refs[HELD]
    key = keys(desk.ada.page(f"/drafts/{ref}"))[0]
    assert desk.ada.post(f"/drafts/{ref}/acknowledge", data={"key": key, "reason": " "}).status_code == 409
    desk.ada.post(f"/drafts/{ref}/acknowledge", data={"key": key, "reason": "known"})
    assert "3 must are open" in desk.ada.page(f"/drafts/{ref}")
    desk.ada.post(f"/drafts/{ref}/withdraw", data={"key": key})
    assert "4 must are open" in desk.ada.page(f"/drafts/{ref}")


def test_a_text_that_changed_since_it_was_seen_is_not_approved(desk: Desk) -> None:
    ref = desk.refs[CLEAN]
    sha256 = desk.ada.hidden(f"/drafts/{ref}", "sha256")
    path = desk.path(ref)
    path.write_text(path.read_text() + "\nA line from vim.\n")
    assert "says something else by now" in approve(desk, ref, sha256=sha256)
    assert desk.exists(ref, "drafts")


def test_a_rejection_needs_a_reason_and_sets_the_draft_aside(desk: Desk) -> None:
    ref = desk.refs[CLEAN]
    sha256 = desk.ada.hidden(f"/drafts/{ref}", "sha256")
    assert desk.ada.post(f"/drafts/{ref}/reject", data={"sha256": sha256}).status_code == 422
    desk.ada.post(f"/drafts/{ref}/reject", data={"sha256": sha256, "note": "old news"})
    assert desk.exists(ref, "rejected")
    assert "old news" in desk.ada.page(f"/drafts/{ref}/history")


def test_undo_restores_the_draft_byte_for_byte(desk: Desk) -> None:
    ref = desk.refs[CLEAN]
    before = desk.text(ref)
    approve(desk, ref)
    assert desk.ada.post("/undo").url.path == f"/drafts/{ref}"
    assert desk.text(ref) == before
    assert not desk.exists(ref, "published")
    assert desk.ada.post("/undo").status_code == 409


def test_undo_is_for_ones_own_decisions_and_each_decision_has_its_own_undo(desk: Desk) -> None:
    ref = desk.refs[CLEAN]
    approve(desk, ref)
    with Visitor(desk.server, "Ben") as ben:
        assert ben.post("/undo").status_code == 409
        assert ben.post(f"/drafts/{ref}/undo").status_code == 200
    assert desk.exists(ref, "drafts")
    assert "Decision undone</strong> by Ben" in desk.ada.page(f"/drafts/{ref}/history")


def chosen(desk: Desk) -> list[str]:
    return re.findall(r'name="draft" value="([^"]+)"', desk.ada.page("/"))


def test_a_bulk_approval_reports_each_draft(desk: Desk) -> None:
    assert len(chosen(desk)) == 6
    for ref in desk.refs:
        desk.ada.page(f"/drafts/{ref}")
    answer = desk.ada.post("/bulk", data={"draft": chosen(desk), "verdict": "approve"})
    assert "4 of 6 approved" in answer.text
    assert answer.text.count("not approved: ") == 2
    assert [desk.exists(ref, "published") for ref in desk.refs] == [False, True, True, False, True, True]


def test_a_bulk_approval_refuses_unopened_drafts(desk: Desk) -> None:
    read, edited, unread, stale = (desk.refs[number] for number in (1, 2, 4, 5))
    desk.ada.page(f"/drafts/{read}")
    form = form_of(desk.ada.page(f"/drafts/{edited}/edit"))
    headers = {"HX-Request": "true"}
    assert (
        desk.ada.post(f"/drafts/{edited}/save", data=form | {"title": "T"}, headers=headers).status_code
        == 200
    )
    desk.ada.page(f"/drafts/{stale}")
    with Visitor(desk.server, "Ben") as ben:
        ben.page(f"/drafts/{unread}")  # somebody else did
        form = form_of(ben.page(f"/drafts/{stale}/edit"))
        ben.post(f"/drafts/{stale}/save", data=form | {"title": "Not what Ada read"})
    ticked = [value for value in chosen(desk) if value[:16] in (read, edited, unread, stale)]
    answer = desk.ada.post("/bulk", data={"draft": ticked, "verdict": "approve"})
    assert "2 of 4 approved" in answer.text
    named = re.findall(
        r"/drafts/([0-9a-f]{16})\">[^<]+</a>: not approved: not opened yet: open it", answer.text
    )
    assert named == [unread, stale]
    assert [desk.exists(ref, "published") for ref in (read, edited, unread, stale)] == [
        True,
        True,
        False,
        False,
    ]


def test_a_bulk_rejection_needs_a_reason_and_keeps_the_selection(desk: Desk) -> None:
    ticked = chosen(desk)[1:3]
    for note in ("", "  "):
        answer = desk.ada.post("/bulk", data={"draft": ticked, "verdict": "reject", "note": note})
        assert answer.status_code == 422
        assert "Nothing was rejected" in answer.text
        assert re.findall(r'name="draft" value="([^"]+)" checked', answer.text) == ticked
    assert not any(desk.exists(ref, "rejected") for ref in desk.refs)
    answer = desk.ada.post("/bulk", data={"draft": ticked, "verdict": "reject", "note": "old news"})
    assert "2 of 2 rejected" in answer.text
    assert "old news" in desk.ada.page(f"/drafts/{desk.refs[1]}/history")


def test_a_bulk_decision_refuses_drafts_that_changed_on_disk(desk: Desk) -> None:
    ticked = chosen(desk)[1:2]
    path = desk.path(desk.refs[CLEAN])
    path.write_text(path.read_text().replace("a", "e"))
    answer = desk.ada.post("/bulk", data={"draft": ticked, "verdict": "reject", "note": "no"})
    assert "0 of 1 rejected" in answer.text
    assert desk.exists(desk.refs[CLEAN], "drafts")


def test_a_redraft_is_a_request_with_its_age(desk: Desk) -> None:
    ref = desk.refs[CLEAN]
    desk.ada.post(f"/drafts/{ref}/redraft", data={"note": "shorter, please"})
    request = row_of(desk.settings, ref).request
    assert request is not None
    assert (request.by, request.note) == ("Ada", "shorter, please")
    assert "Rewrite requested now by Ada" in desk.ada.page(f"/drafts/{ref}")
    assert "rewrite requested</span>" in desk.ada.page("/?asked=1")
    assert "waits already" in desk.ada.post(f"/drafts/{ref}/redraft", data={}).text


def test_a_published_article_is_revised_while_it_stays(desk: Desk) -> None:
    ref = desk.refs[CLEAN]
    approve(desk, ref)
    live = desk.text(ref, "published")
    desk.ada.post(f"/drafts/{ref}/revise")
    assert desk.text(ref, "published") == live
    form = form_of(desk.ada.page(f"/drafts/{ref}/edit"))
    form["title"] = "A better title"
    desk.ada.post(f"/drafts/{ref}/save", data=form)
    assert desk.text(ref, "published") == live
    assert approve(desk, ref).startswith("200")
    assert loads(desk.text(ref, "published"))[0]["title"] == "A better title"


def test_a_rejected_revision_leaves_the_article_published(desk: Desk) -> None:
    ref = desk.refs[CLEAN]
    approve(desk, ref)
    live = desk.text(ref, "published")
    desk.ada.post(f"/drafts/{ref}/revise")
    sha256 = desk.ada.hidden(f"/drafts/{ref}", "sha256")
    desk.ada.post(f"/drafts/{ref}/reject", data={"sha256": sha256, "note": "no need"})
    assert desk.text(ref, "published") == live
    assert row_of(desk.settings, ref).state == "approved"
    assert desk.exists(ref, "rejected")
    # What was rejected can be taken up again, and approved over the article.
    desk.ada.post(f"/drafts/{ref}/undo")
    assert row_of(desk.settings, ref).state == "drafted"
    assert desk.text(ref, "published") == live
    assert approve(desk, ref).startswith("200")


def test_undoing_the_approval_of_a_revision_restores_the_article_before_it(desk: Desk) -> None:
    ref = desk.refs[CLEAN]
    approve(desk, ref)
    live = desk.text(ref, "published")
    desk.ada.post(f"/drafts/{ref}/revise")
    form = form_of(desk.ada.page(f"/drafts/{ref}/edit"))
    form["title"] = "Worse"
    desk.ada.post(f"/drafts/{ref}/save", data=form)
    approve(desk, ref)
    desk.ada.post(f"/drafts/{ref}/undo")
    assert desk.text(ref, "published") == live
    assert loads(desk.text(ref))[0]["title"] == "Worse"
    assert row_of(desk.settings, ref).state == "drafted"


def test_reasons_have_a_maximum_length(desk: Desk) -> None:
    ref = desk.refs[CLEAN]
    sha256 = desk.ada.hidden(f"/drafts/{ref}", "sha256")
    answer = desk.ada.post(f"/drafts/{ref}/reject", data={"sha256": sha256, "note": "x" * 2_001})
    assert "the note is longer than 2,000 characters" in answer.text
    held = desk.refs[HELD]
    key = keys(desk.ada.page(f"/drafts/{held}"))[0]
    answer = desk.ada.post(f"/drafts/{held}/acknowledge", data={"key": key, "reason": "x" * 2_001})
    assert "2,000 characters at most" in answer.text
    assert desk.exists(ref, "drafts")


def test_a_finding_that_must_be_fixed_or_is_unknown_is_not_dismissed(desk: Desk) -> None:
    ref = desk.refs[CLEAN]
    path = desk.path(ref)
    path.write_text(path.read_text().replace("## From author", "{{ template }}\n\n## From author"))
    page = desk.ada.page(f"/drafts/{ref}")
    assert "Fix this in the text: it cannot be dismissed." in page
    assert keys(page) == []
    form = {"reason": "it is fine"}
    for key in ("", "0" * 16):
        assert desk.ada.post(f"/drafts/{ref}/acknowledge", data=form | {"key": key}).status_code == 409
    assert approve(desk, ref).startswith("409")


def test_what_cannot_be_read_is_not_approved_and_says_why(desk: Desk) -> None:
    ref = desk.refs[1]
    path = desk.path(ref)
    for text in ("---\ntitle: [a\n---\nx\n", desk.text(ref).replace("\n", "\r")):
        path.write_bytes(text.encode())
        answer = desk.ada.post(
            f"/drafts/{ref}/approve", data={"sha256": sha256_of(path.read_bytes()), "light": "1"}
        )
        assert answer.status_code == 409
        assert "front matter" in answer.text or "does not begin" in answer.text
        assert desk.exists(ref, "drafts")


def test_a_bulk_approval_refuses_a_file_changed_since_the_queue_was_shown(desk: Desk) -> None:
    ref = desk.refs[1]
    with database_of(desk.settings) as db:
        listed = sha256_of(db.drafts.get(ref).version_text.encode())
    path = desk.path(ref)
    path.write_text(desk.text(ref) + "\nMore by hand.\n")
    desk.ada.page(f"/drafts/{ref}")
    answer = desk.ada.post("/bulk", data={"verdict": "approve", "draft": f"{ref}:{listed}"})
    assert "open it and decide there" in answer.text
    assert desk.exists(ref, "drafts")
