"""A requested rewrite at the desk: its state, what it changed, and the comparison of versions."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from desk.changes import ChangesSince, changes_since
from desk.context import DraftView
from pipeline.articles import files
from pipeline.articles.front_matter import dumps, loads
from pipeline.domain.models import external_id
from pipeline.domain.reviews import Draft
from tests.desk.conftest import Desk
from tests.desk.server import DeskServer, Visitor, database_of, form_of
from tests.fakes.stock import fill, layout
from tests.pipeline.checks.articles import BEAT

NEW = "The section says something else now."


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk whose feed has a writer, which is never asked."""
    settings = layout(
        tmp_path / "project", {"COPYDESK_MODEL": "m", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    )
    refs = fill(settings, 3)
    with DeskServer(settings) as server, Visitor(server) as ada:
        yield Desk(server, settings, refs, ada)


def rewrite(desk: Desk, ref: str, *, reason: str = "") -> None:
    """Carry out the pending request as a run does; with a reason, leave the draft as it was."""
    with database_of(desk.settings) as db:
        [lease] = db.leases.acquire("stock-wire", 1, 900.0, lease_filter="asked")
        assert external_id(lease.first_key, lease.item.guid) == ref
        if reason:
            db.leases.keep_current(lease, reason)
            return
        metadata, body = loads(desk.text(ref))
        overview = re.search(r"## Overview\n\n(.*?)\n\n##", body, re.DOTALL)
        assert overview
        text = dumps(metadata | {"tags": []}, body.replace(overview[1], NEW))
        draft = Draft(external_id=ref, path=db.drafts.get(ref).path, text=text)
        db.leases.begin_write(lease, draft, number=2, cause="redraft")
        files.write_atomically(desk.settings.output, draft.path, text.encode())
        db.leases.confirm_write(lease)


async def changes(desk: Desk, ref: str, editor: str) -> ChangesSince | None:
    """Return what the page of a draft would show as changed."""
    with database_of(desk.settings) as db:
        text = desk.text(ref)
        view = SimpleNamespace(
            row=db.drafts.get(ref), text=text, sha256=files.sha256_of(text.encode()), beat=BEAT
        )
        return await changes_since(cast(Any, SimpleNamespace(db=db)), cast(DraftView, view), editor)


def request_section(desk: Desk, ref: str) -> None:
    answer = desk.ada.post(f"/drafts/{ref}/redraft", data={"section": "Overview", "note": "Shorter."})
    assert answer.url.path == f"/drafts/{ref}", "its result is a matter of seconds"
    assert "Rewrite requested" in answer.text


async def test_a_rewrite_is_waited_for_and_what_it_changed_is_known(desk: Desk) -> None:
    ref = desk.refs[1]
    state = f"/drafts/{ref}/request"
    before = desk.text(ref)
    assert desk.ada.get(state).json() == {"outcome": None, "sha256": files.sha256_of(before.encode())}
    desk.ada.page(f"/drafts/{ref}")
    assert await changes(desk, ref, "Ada") is None
    request_section(desk, ref)
    assert desk.ada.get(state).status_code == 204
    rewrite(desk, ref)
    after = files.sha256_of(desk.text(ref).encode())
    assert desk.ada.get(state).json() == {"outcome": "written", "sha256": after}

    for _ in range(2):  # the page that shows them is not what makes them go away
        known = await changes(desk, ref, "Ada")
        assert known
        assert known.request
        assert (known.request.section, known.request.note, known.request.by) == (
            "Overview",
            "Shorter.",
            "Ada",
        )
        assert NEW in [change.new for change in known.changes]
        assert all(change.new or change.old in before for change in known.changes)
        desk.ada.page(f"/drafts/{ref}")
    assert await changes(desk, ref, "Ben") is None, "who never saw the draft reads all of it"


async def test_an_editors_own_text_has_no_changes_and_a_colleagues_has(desk: Desk) -> None:
    ref = desk.refs[1]
    desk.ada.page(f"/drafts/{ref}")
    form = form_of(desk.ada.page(f"/drafts/{ref}/edit"))
    desk.ada.post(f"/drafts/{ref}/save", data=form | {"body": f"{form['body']}\nAda was here on Monday."})
    assert "Ada was here" in desk.text(ref)
    assert await changes(desk, ref, "Ada") is None
    with database_of(desk.settings) as db:
        row = db.drafts.get(ref)
        db.reviews.record_view(row.item_id, "Ben", files.sha256_of(row.origin.encode()), row.drafted_at)
    known = await changes(desk, ref, "Ben")
    assert known
    assert known.request is None
    assert [change.new for change in known.changes] == ["Ada was here on Monday."]


def test_a_rewrite_that_failed_says_why(desk: Desk) -> None:
    ref = desk.refs[1]
    request_section(desk, ref)
    rewrite(desk, ref, reason="the model refuses")
    assert desk.ada.get(f"/drafts/{ref}/request").json()["outcome"] == "the model refuses"


def test_the_state_of_a_rewrite_is_for_editors(desk: Desk) -> None:
    assert desk.ada.get("/drafts/ffffffffffffffff/request").status_code == 404
    desk.ada.cookies.clear()
    assert desk.ada.get(f"/drafts/{desk.refs[1]}/request").status_code in (401, 403)


def test_the_comparison_shows_the_article_newest_against_the_one_before(desk: Desk) -> None:
    ref = desk.refs[1]
    request_section(desk, ref)
    rewrite(desk, ref)
    page = desk.ada.page(f"/drafts/{ref}/compare")
    article = page.partition('<div class="prose compared"')[2].partition("</div>")[0]
    assert "<ins>" in article
    assert "externalId" not in article
    assert re.search(r'<option value="1" selected>1: drafted', page)
    assert re.search(r'<option value="2" selected>2: rewritten', page)
    assert re.findall(r"<button>(Restore[^<]*)", page) == ["Restore version 1"]
    front = page.partition("<summary>Front matter</summary>")[2]
    assert "externalId" in front
    same = desk.ada.page(f"/drafts/{ref}/compare?old=2&new=disk")
    assert "Both texts are the same." in same
    assert "<del>" not in same

    desk.path(ref).write_text(desk.text(ref) + "\nBy hand.\n", encoding="utf-8")
    page = desk.ada.page(f"/drafts/{ref}/compare")
    assert "on disk, in no version yet" in page
    assert "<ins>By hand.</ins>" in page
    assert re.search(r'<option value="2" selected>', page)


def test_the_history_says_what_changed_in_each_version(desk: Desk) -> None:
    ref = desk.refs[1]
    request_section(desk, ref)
    rewrite(desk, ref)
    page = desk.ada.page(f"/drafts/{ref}/history")
    [link] = re.findall(r'href="([^"]*/compare\?new=[^"]*)"', page)
    assert '<option value="2" selected>' in desk.ada.page(link)
