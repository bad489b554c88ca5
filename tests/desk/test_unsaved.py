"""A text that cannot be saved is kept as a version before the editor gets the message."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from desk.conflicts import change_description
from pipeline.articles.files import sha256_of
from pipeline.articles.front_matter import loads
from pipeline.storage import Version
from tests.desk.conftest import Desk
from tests.desk.server import Visitor, database_of, form_of

QUIET = {"HX-Request": "true"}
NOW = datetime(2026, 2, 5, 16, tzinfo=UTC)


def opened(desk: Desk, ref: str, visitor: Visitor) -> dict[str, Any]:
    page = visitor.page(f"/drafts/{ref}/edit")
    name = re.search(r'name="form" value="([^"]+)"', page)
    assert name
    return {**form_of(page), "form": name[1]}


def kept_aside(desk: Desk, ref: str) -> list[Version]:
    with database_of(desk.settings) as db:
        row = db.drafts.get(ref)
        return [version for version in db.versions.list(row.item_id) if version.aside]


def bodies(desk: Desk, ref: str) -> list[str]:
    return [loads(version.text)[1] for version in kept_aside(desk, ref)]


def sent(visitor: Visitor, ref: str, written: dict[str, Any], **changes: Any) -> str:
    answer = visitor.post(f"/drafts/{ref}/save", data=written | changes, headers=QUIET)
    assert answer.status_code == 409, answer.text
    return " ".join(unescape(answer.text).split())


def test_a_conflict_keeps_the_whole_text_under_the_editors_name_and_says_so(desk: Desk) -> None:
    ref = desk.refs[1]
    with Visitor(desk.server, "Ola") as ola:
        mine, theirs = opened(desk, ref, desk.ada), opened(desk, ref, ola)
        ola.post(f"/drafts/{ref}/save", data=theirs | {"title": "Ola's title"})
    response = sent(
        desk.ada, ref, mine, title="Ada's title", description="Ada's words.", category="BTC", tags=["ETH"],
        body="## Overview\n\nAda's line.\n",
    )  # fmt: skip
    assert re.search(
        r'class="saving bad" id="saving"[^>]*><strong>NOT SAVED</strong>: '
        r"Ola changed this at \d\d:\d\d UTC\.",
        response,
    )
    assert 'Your text is kept as a version. <a href="#conflict">Choose which text to keep</a>' in response
    [version] = kept_aside(desk, ref)
    assert (version.by, version.cause) == ("Ada", "edit")
    metadata, body = loads(version.text)
    assert body == "## Overview\n\nAda's line.\n"
    assert (metadata["title"], metadata["description"]) == ("Ada's title", "Ada's words.")
    assert (metadata["category"], metadata["tags"]) == ("BTC", ["BTC", "ETH"])
    assert loads(desk.text(ref))[0]["title"] == "Ola's title"
    history = unescape(desk.ada.page(f"/drafts/{ref}/history"))
    assert f"{version.label} edit (aside)" in history
    assert "it was not saved" in history
    whole = re.search(r'href="([^"]*/compare[^"]*)"', response)
    assert whole
    assert "<ins>Ada&#39;s</ins>" in desk.ada.page(whole[1])
    desk.ada.post(f"/drafts/{ref}/restore", data={"version": version.label})
    assert loads(desk.text(ref))[0]["title"] == "Ada's title"


def test_each_page_keeps_its_latest_text(desk: Desk) -> None:
    ref = desk.refs[1]
    first, second = opened(desk, ref, desk.ada), opened(desk, ref, desk.ada)
    with Visitor(desk.server, "Ola") as ola:
        theirs = opened(desk, ref, ola)
        ola.post(f"/drafts/{ref}/save", data=theirs | {"body": "Theirs.\n"})
    for words in ("O", "On", "One."):
        sent(desk.ada, ref, first, body=f"{words}\n")
    sent(desk.ada, ref, second, body="Two.\n")
    nameless = {name: value for name, value in second.items() if name != "form"}
    for words in ("T", "Three."):
        sent(desk.ada, ref, nameless, body=f"{words}\n")
    assert bodies(desk, ref) == ["One.\n", "Two.\n", "Three.\n"]


def test_what_is_saved_after_all_leaves_nothing_aside(desk: Desk) -> None:
    ref = desk.refs[1]
    mine = opened(desk, ref, desk.ada)
    sent(desk.ada, ref, mine, title=" ", body="Written on.\n")
    assert bodies(desk, ref) == ["Written on.\n"]
    answer = desk.ada.post(f"/drafts/{ref}/save", data=mine | {"body": "Written on.\n"}, headers=QUIET)
    assert answer.status_code == 200
    assert kept_aside(desk, ref) == []
    assert loads(desk.text(ref))[1] == "Written on.\n"


@pytest.mark.parametrize(
    "wrong", [{"title": " "}, {"tags": "NONSENSE"}, {"sticky_weight": "much"}, {"sentiment": "GLUM"}]
)
def test_an_invalid_field_loses_no_other(desk: Desk, wrong: dict[str, str]) -> None:
    ref = desk.refs[1]
    response = sent(desk.ada, ref, opened(desk, ref, desk.ada) | {"body": "Long thought about.\n"} | wrong)
    assert "kept as a version" in response
    assert bodies(desk, ref) == ["Long thought about.\n"]


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_decision_made_meanwhile_loses_no_text(desk: Desk, verdict: str) -> None:
    ref = desk.refs[1]
    mine = opened(desk, ref, desk.ada)
    with Visitor(desk.server, "Ola") as ola:
        ola.post(f"/drafts/{ref}/{verdict}", data={"sha256": mine["base"], "note": "old news", "light": "1"})
    response = sent(desk.ada, ref, mine, body="Too late.\n")
    assert "already" in response
    assert f'<a href="/drafts/{ref}/history">History</a>' in response
    assert bodies(desk, ref) == ["Too late.\n"]


@pytest.mark.parametrize("content", [None, b"---\ntitle: [\n---\n", b"\xff"])
def test_a_file_that_cannot_be_read_loses_no_text(desk: Desk, content: bytes | None) -> None:
    ref = desk.refs[1]
    mine, path = opened(desk, ref, desk.ada), desk.path(ref)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    for base in (mine["base"], "0" * 64):
        sent(desk.ada, ref, mine, body=f"Over {base[:4]}.\n", base=base, form="")
    assert bodies(desk, ref) == [f"Over {mine['base'][:4]}.\n", "Over 0000.\n"]
    assert all(loads(version.text)[0]["title"] == mine["title"] for version in kept_aside(desk, ref))


def test_a_form_without_a_change_keeps_nothing(desk: Desk) -> None:
    ref = desk.refs[1]
    mine = opened(desk, ref, desk.ada)
    path = desk.path(ref)
    path.write_text(path.read_text() + "\nFrom vim.\n")
    answer = desk.ada.post(f"/drafts/{ref}/save", data=mine, headers=QUIET)
    assert "<strong>Saved</strong>, together with what was changed on disk" in answer.text
    assert path.read_text().endswith("From vim.\n")
    assert kept_aside(desk, ref) == []


def test_an_autosave_without_an_editors_name_is_refused(desk: Desk) -> None:
    ref = desk.refs[1]
    mine = opened(desk, ref, desk.ada)
    desk.ada.cookies.delete(f"copydesk-editor-{desk.server.port}")
    answer = desk.ada.post(f"/drafts/{ref}/save", data=mine | {"body": "Mine.\n"}, headers=QUIET)
    assert answer.status_code == 401


def test_the_message_says_who_changed_the_draft_and_when() -> None:
    def description(**changes: object) -> str:
        plain = {
            "label": "1",
            "number": 1,
            "cause": "edit",
            "at": NOW,
            "sha256": "a",
            "text": "",
            "by": "Ola",
        }
        version = Version.model_validate(plain | changes)
        return change_description([version], "a", "Ada", NOW + timedelta(hours=1))

    assert description() == "Ola changed this at 16:00 UTC"
    assert description(at=NOW - timedelta(days=1)) == "Ola changed this at 2026-02-04 16:00 UTC"
    assert description(by="Ada") == "you changed this in another window at 16:00 UTC"
    assert description(cause="redraft", by=None) == "the model wrote a new version at 16:00 UTC"
    assert (
        description(by="")
        == description(sha256="b")
        == description(aside=True)
        == "the file was changed on disk"
    )


def test_an_unreadable_file_is_replaced_and_kept_as_a_version(desk: Desk) -> None:
    ref = desk.refs[1]
    mine = opened(desk, ref, desk.ada)
    path = desk.path(ref)
    path.write_text("---\ntitle: [a\n---\n## Overview\n\nBy hand.\n")
    sent(desk.ada, ref, mine, body="## Overview\n\nMine version.\n")
    theirs = sha256_of(path.read_bytes())
    answer = desk.ada.post(
        f"/drafts/{ref}/save", data=mine | {"base": theirs, "body": "## Overview\n\nMine two.\n"}
    )
    assert answer.status_code == 200, answer.text
    metadata, body = loads(desk.text(ref))
    assert body == "## Overview\n\nMine two.\n"
    assert metadata["title"] == mine["title"]
    with database_of(desk.settings) as db:
        texts = [version.text for version in db.versions.list(db.drafts.get(ref).item_id)]
    assert any("By hand." in text for text in texts)


def test_a_character_that_no_text_has_is_left_out(desk: Desk) -> None:
    ref = desk.refs[1]
    mine = opened(desk, ref, desk.ada)
    desk.ada.post(f"/drafts/{ref}/save", data=mine | {"body": "## Overview\n\nA\0B\n", "title": "C\0D"})
    metadata, body = loads(desk.text(ref))
    assert (metadata["title"], body) == ("CD", "## Overview\n\nAB\n")
    assert "AB" in desk.ada.page(f"/drafts/{ref}")
