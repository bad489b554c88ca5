"""Edits over HTTP: no text is lost."""

import re
from html import unescape
from typing import Any

import pytest

from pipeline.articles.front_matter import dumps, loads
from tests.desk.conftest import Desk
from tests.desk.server import Visitor, database_of, form_of, row_of

QUIET = {"HX-Request": "true"}


def edited(desk: Desk, ref: str, visitor: Visitor | None = None, **changes: Any) -> Any:
    visitor = visitor or desk.ada
    form = form_of(visitor.page(f"/drafts/{ref}/edit")) | changes
    return visitor.post(f"/drafts/{ref}/save", data=form)


def test_a_form_that_is_saved_unchanged_changes_nothing(desk: Desk) -> None:
    ref = desk.refs[1]
    before = desk.path(ref).read_bytes()
    assert edited(desk, ref).status_code == 200
    assert desk.path(ref).read_bytes() == before
    with database_of(desk.settings) as db:
        assert len(db.versions.list(row_of(desk.settings, ref).item_id)) == 1


def test_every_field_is_written_and_the_rest_stays(desk: Desk) -> None:
    ref = desk.refs[1]
    before, body = loads(desk.text(ref))
    answer = edited(
        desk, ref, title="  A new: 'title' #1 ", description="My own words.", category="BTC", tags=["ETH"],
        sentiment="NEGATIVE", sticky_weight="7", body=body + "\r\n- More.\r\n",
    )  # fmt: skip
    assert answer.status_code == 200
    after, new_body = loads(desk.text(ref))
    assert new_body == body + "\n- More.\n"
    assert after["title"] == "A new: 'title' #1"
    assert (after["category"], after["tags"]) == ("BTC", ["BTC", "ETH"])
    assert (after["sentiment"], after["stickyWeight"], after["description"]) == (
        "NEGATIVE",
        7,
        "My own words.",
    )
    assert after["updatedAt"] != before["updatedAt"]
    unchanged = {"externalId", "publishedAt", "source", "draft", "lang", "score"}
    assert {key: after[key] for key in unchanged} == {key: before[key] for key in unchanged}
    assert after["ai"]["version"] == 1
    assert list(after) == list(before)
    assert "A new: &#39;title&#39; #1" in desk.ada.page("/?q=new+title")


def test_a_description_follows_the_overview_until_an_editor_writes_it(desk: Desk) -> None:
    ref = desk.refs[1]
    form = form_of(desk.ada.page(f"/drafts/{ref}/edit"))
    form["body"] = "## Overview\n\nShort and new.\n\n## From author\n\nWe wait.\n"
    desk.ada.post(f"/drafts/{ref}/save", data=form)
    assert loads(desk.text(ref))[0]["description"] == "Short and new."


def test_a_description_that_nobody_touched_follows_from_save_to_save(desk: Desk) -> None:
    ref = desk.refs[1]
    form = form_of(desk.ada.page(f"/drafts/{ref}/edit"))
    for words in ("It fell on Monday.", "It fell on Thursday."):
        form["body"] = f"## Overview\n\n{words}\n\n## From author\n\nWe wait.\n"
        answer = desk.ada.post(f"/drafts/{ref}/save", data=form, headers=QUIET)
        # As a script saves: the description in the form is the one that it was shown with.
        form["base"] = answer.text.partition('name="base" id="base" value="')[2].partition('"')[0]
        assert loads(desk.text(ref))[0]["description"] == words
        assert f'id="described" value="{words}"' in answer.text
    form["description"] = "My own."
    desk.ada.post(f"/drafts/{ref}/save", data=form)
    form = form_of(desk.ada.page(f"/drafts/{ref}/edit"))
    form["body"] = str(form["body"]).replace("Thursday", "Friday")
    desk.ada.post(f"/drafts/{ref}/save", data=form)
    assert loads(desk.text(ref))[0]["description"] == "My own."


def test_a_description_follows_what_vim_made_of_the_overview(desk: Desk) -> None:
    ref = desk.refs[1]
    metadata, body = loads(desk.text(ref))
    _, _, rest = body.partition("## ")[2].partition("\n\n## ")
    desk.path(ref).write_text(dumps(metadata, f"## Overview\n\nShort and new.\n\n## {rest}"))
    form = form_of(desk.ada.page(f"/drafts/{ref}/edit"))
    assert form["description"] == "Short and new."
    form["body"] = str(form["body"]).replace("Short and new.", "Shorter.")
    desk.ada.post(f"/drafts/{ref}/save", data=form)
    assert loads(desk.text(ref))[0]["description"] == "Shorter."


def test_title_and_description_are_checked_and_marked_where_they_stand(desk: Desk) -> None:
    ref = desk.refs[1]
    answer = edited(desk, ref, title="Zirkon Bank loses 94 million", description="Jane Doe did it.")
    page = desk.ada.page(f"/drafts/{ref}")
    title = page.partition("<h1")[2].partition("</h1>")[0]
    assert '<mark class="block" data-f="1">Zirkon Bank</mark>' in title
    assert "Jane Doe</mark>" in page.partition('data-field="description"')[2].partition("</p>")[0]
    assert answer.status_code == 200
    assert loads(desk.text(ref))[0]["ai"]["checks"]["open"] == 3
    edit = desk.ada.page(f"/drafts/{ref}/edit")
    assert '<a href="#title" data-find="Zirkon Bank">in the title</a>' in edit
    assert '<a href="#description" data-find="Jane Doe">in the description</a>' in edit
    again = edited(desk, ref, then="approve")
    assert again.status_code == 409
    assert "name in the title" in again.text
    assert desk.exists(ref, "drafts")


def test_html_is_taken_out_of_title_and_description(desk: Desk) -> None:
    ref = desk.refs[1]
    edited(desk, ref, title="The <b>mill</b><script>x()</script> <div> tag", description="<i>Short</i>.")
    metadata, _ = loads(desk.text(ref))
    assert (metadata["title"], metadata["description"]) == ("The mill ‹div› tag", "Short.")


def test_front_matter_that_was_broken_on_disk_blocks_with_a_sentence(desk: Desk) -> None:
    ref = desk.refs[1]
    metadata, body = loads(desk.text(ref))
    del metadata["source"]
    desk.path(ref).write_text(dumps(metadata | {"publishedAt": "yesterday", "score": "high"}, body))
    page = desk.ada.page(f"/drafts/{ref}")
    assert "publishedAt “yesterday” is no time" in page.replace("&#34;yesterday&#34;", "“yesterday”")
    assert "score “high” is no whole number; write 0 for none." in page.replace("&#34;high&#34;", "“high”")
    assert "source is not as the ledger has it; approval puts it back" in page
    assert "Fix this in the front matter: it cannot be dismissed." in page
    edited(desk, ref, body=body + "\n- More.\n")
    assert loads(desk.text(ref))[0]["source"]["name"] == "Stock Wire"


def test_findings_are_those_of_the_edited_text(desk: Desk) -> None:
    ref = desk.refs[0]
    _, body = loads(desk.text(ref))
    assert "4 must are open" in desk.ada.page(f"/drafts/{ref}")
    form = form_of(desk.ada.page(f"/drafts/{ref}/edit"))
    form["body"] = body.replace(" on 3 March 2019", "")
    answer = desk.ada.post(f"/drafts/{ref}/save", data=form, headers=QUIET)
    assert "3 blocking" in answer.text
    assert row_of(desk.settings, ref).open_findings == 3
    assert loads(desk.text(ref))[0]["ai"]["checks"]["open"] == 3


def test_a_conflict_of_two_tabs_loses_neither_text(desk: Desk) -> None:
    ref = desk.refs[1]
    with Visitor(desk.server, "Ben") as ben:
        form = form_of(ben.page(f"/drafts/{ref}/edit"))
        assert edited(desk, ref, title="Ada's").status_code == 200
        form["title"] = "Ben's"
        answer = ben.post(f"/drafts/{ref}/save", data=form)
        assert answer.status_code == 409
        assert "<ins>Ben</ins>" in answer.text
        assert loads(desk.text(ref))[0]["title"] == "Ada's"
        # Saving the form of that page again asks again, until a text is chosen.
        assert ben.post(f"/drafts/{ref}/save", data=form_of(answer.text)).status_code == 409
        choice = re.search(r'name="(choice-[0-9a-f]{16})" value="(m[^"]*)"', answer.text)
        assert choice
        chosen = form_of(answer.text) | {choice[1]: unescape(choice[2])}
        assert ben.post(f"/drafts/{ref}/save", data=chosen).status_code == 200
    assert loads(desk.text(ref))[0]["title"] == "Ben's"
    with database_of(desk.settings) as db:
        texts = [version.text for version in db.versions.list(row_of(desk.settings, ref).item_id)]
    assert any("Ada's" in text for text in texts)


def test_an_edit_on_disk_is_a_conflict(desk: Desk) -> None:
    ref = desk.refs[1]
    form = form_of(desk.ada.page(f"/drafts/{ref}/edit"))
    path = desk.path(ref)
    path.write_text(path.read_text() + "\nFrom vim.\n")
    form["body"] = str(form["body"]) + "\nFrom the desk.\n"
    answer = desk.ada.post(f"/drafts/{ref}/save", data=form, headers=QUIET)
    assert answer.status_code == 409
    assert "<del>vim</del>" in answer.text
    assert "<ins>the desk</ins>" in answer.text
    assert path.read_text().endswith("From vim.\n")


def test_what_vim_wrote_is_a_version_before_it_is_written_over(desk: Desk) -> None:
    ref = desk.refs[1]
    path = desk.path(ref)
    path.write_text(path.read_text() + "\nFrom vim.\n")
    _, body = loads(path.read_text())
    assert edited(desk, ref, body=body.replace("From vim.", "From the desk.")).status_code == 200
    with database_of(desk.settings) as db:
        texts = [version.text for version in db.versions.list(row_of(desk.settings, ref).item_id)]
    assert any("From vim." in text for text in texts)


def test_saves_of_one_session_become_one_version(desk: Desk) -> None:
    ref = desk.refs[1]
    for number in range(4):
        edited(desk, ref, title=f"Title {number}")
    with database_of(desk.settings) as db:
        item_id = row_of(desk.settings, ref).item_id
        assert [version.cause for version in db.versions.list(item_id)] == ["draft", "edit"]
    with Visitor(desk.server, "Ben") as ben:
        edited(desk, ref, visitor=ben, title="Ben's")
    with database_of(desk.settings) as db:
        assert [(version.cause, version.by) for version in db.versions.list(item_id)][1:] == [
            ("edit", "Ada"),
            ("edit", "Ben"),
        ]


def test_a_decided_draft_takes_no_edit_and_the_text_stays_on_the_page(desk: Desk) -> None:
    ref = desk.refs[1]
    form = form_of(desk.ada.page(f"/drafts/{ref}/edit"))
    desk.ada.post(f"/drafts/{ref}/approve", data={"sha256": str(form["base"]), "light": "1"})
    form["body"] = str(form["body"]) + "\nToo late.\n"
    answer = desk.ada.post(f"/drafts/{ref}/save", data=form)
    assert answer.status_code == 409
    assert "Too late." in answer.text
    assert "approved already" in answer.text


def test_save_and_approve_is_one_step_and_stops_at_what_blocks(desk: Desk) -> None:
    ref = desk.refs[0]
    answer = edited(desk, ref, title="Corrected", then="approve")
    assert answer.status_code == 409
    assert "Saved, not approved" in answer.text
    assert loads(desk.text(ref))[0]["title"] == "Corrected"
    clean = desk.refs[1]
    assert edited(desk, clean, title="Last words", then="approve").status_code == 409, "never on screen"
    desk.ada.go_through(clean)
    assert edited(desk, clean, then="approve").status_code == 200
    assert loads(desk.text(clean, "published"))[0]["title"] == "Last words"


def test_an_invalid_field_is_named_in_the_message(desk: Desk) -> None:
    ref = desk.refs[1]
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"title": " "}, "the title is empty"),
        ({"category": "NONSENSE"}, "not in the vocabulary"),
        ({"sticky_weight": "much"}, "not a whole number"),
        ({"body": "x" * 300_001}, "longer than"),
    )
    for changes, words in wrong:
        answer = edited(desk, ref, **changes)
        assert answer.status_code == 409, changes
        assert words in answer.text


def test_versions_are_compared_and_put_back(desk: Desk) -> None:
    ref = desk.refs[1]
    first = desk.text(ref)
    edited(desk, ref, title="Another")
    page = desk.ada.page(f"/drafts/{ref}/compare?old=1&new=disk")
    assert "<ins>" in page
    assert "Another" in page
    desk.ada.post(f"/drafts/{ref}/restore", data={"version": "1"})
    assert loads(desk.text(ref))[0]["title"] == loads(first)[0]["title"]
    assert loads(desk.text(ref))[0]["ai"]["version"] == 2
    assert desk.ada.get(f"/drafts/{ref}/compare?old=9&new=disk").status_code == 409


def test_a_missing_or_broken_file_is_reported_and_can_be_restored(desk: Desk) -> None:
    ref = desk.refs[1]
    path = desk.path(ref)
    path.write_text("---\ntitle: [\n---\n")
    assert "front matter" in desk.ada.page(f"/drafts/{ref}")
    path.unlink()
    assert "missing" in desk.ada.page(f"/drafts/{ref}")
    desk.ada.post(f"/drafts/{ref}/restore", data={"version": "1"})
    assert desk.exists(ref, "drafts")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tags", "BTC"),
        ("tags", [1, {"a": None}]),
        ("title", 7),
        ("title", None),
        ("description", ["a"]),
        ("category", None),
        ("sentiment", "X"),
        ("stickyWeight", "many"),
        ("coverImage", {"regular": 7, "credit": "x"}),
        ("ai", "x"),
        ("lang", 7),
        ("source", None),
    ],
)
def test_front_matter_that_somebody_wrote_otherwise_is_shown(desk: Desk, field: str, value: Any) -> None:
    ref = desk.refs[1]
    path = desk.path(ref)
    metadata, body = loads(path.read_text())
    path.write_text(dumps(metadata | {field: value}, body))
    for page in ("", "/edit", "/covers", "/compare"):
        assert desk.ada.get(f"/drafts/{ref}{page}").status_code == 200
