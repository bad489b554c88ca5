"""Two editors, two windows, an editor and the model: different sentences are merged, no word is lost."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipeline.articles.files import sha256_of
from pipeline.articles.front_matter import dumps, loads
from pipeline.config import Settings
from pipeline.domain.reviews import Draft
from pipeline.storage import Database, Save, Version
from tests.desk.server import DeskServer, Visitor, form_of
from tests.fakes.stock import fill, layout

QUIET = {"HX-Request": "true"}
BODY = (
    "## Overview\n\nThe fund bought 98,000 coins on Friday. Seven trustees voted for it.\n\n"
    "- The bank gave no reason.\n- Prices rose.\n\n## From author\n\nWe wait.\n"
)


class Shared(NamedTuple):
    """One desk for all tests of this file; each takes a draft of its own."""

    settings: Settings
    refs: Iterator[str]
    ada: Visitor
    ola: Visitor
    db: Database

    def draft(self) -> str:
        """Return the id of a draft with the text `BODY`."""
        ref = next(self.refs)
        metadata, _ = loads(self.path(ref).read_text())
        text = dumps(metadata | {"title": "A fund buys", "tags": ["BTC"], "category": "BTC"}, BODY)
        row = self.db.drafts.get(ref)
        draft = Draft(external_id=ref, path=row.path, text=text)
        base = sha256_of(self.path(ref).read_bytes())
        self.db.versions.confirm_save(self.db.versions.begin_save(row, draft, "Desk", Save(base=base)))
        self.path(ref).write_bytes(text.encode())
        return ref

    def path(self, ref: str) -> Path:
        return self.settings.output / self.db.drafts.get(ref).path

    def body(self, ref: str) -> str:
        return loads(self.path(ref).read_bytes().decode())[1]

    def front(self, ref: str) -> dict[str, Any]:
        return loads(self.path(ref).read_text())[0]

    def versions(self, ref: str) -> list[Version]:
        return self.db.versions.list(self.db.drafts.get(ref).item_id)

    def aside(self, ref: str) -> list[str]:
        return [loads(version.text)[1] for version in self.versions(ref) if version.aside]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    settings = layout(tmp_path_factory.mktemp("merging"))
    refs = iter(fill(settings, 60, faults=False))
    with (
        DeskServer(settings) as server,
        Visitor(server) as ada,
        Visitor(server, "Ola") as ola,
        Database.open(settings.database_url) as db,
    ):
        yield Shared(settings, refs, ada, ola, db)


class Window:
    """An editor's page: it sends its form as the script does, and takes what the response says."""

    def __init__(self, visitor: Visitor, ref: str) -> None:
        self.visitor, self.ref = visitor, ref
        page = visitor.page(f"/drafts/{ref}/edit")
        name = re.search(r'name="form" value="([^"]+)"', page)
        assert name
        self.form: dict[str, Any] = {**form_of(page), "form": name[1]}

    def replace(self, old: str, new: str) -> None:
        assert old in self.form["body"]
        self.form["body"] = self.form["body"].replace(old, new)

    def send(self, status: int = 200, /, **more: str) -> str:
        """Save without taking the response: it is lost."""
        answer = self.visitor.post(f"/drafts/{self.ref}/save", data=self.form | more, headers=QUIET)
        assert answer.status_code == status, answer.text
        return answer.text

    def save(self, **more: str) -> str:
        """Save, and take what the response says."""
        text = self.send(**more)
        for name in ("base", "described"):
            value = re.search(rf'id="{name}" value="([^"]*)"', text)
            assert value
            self.form[name] = unescape(value[1])
        for field, value in re.findall(r'<textarea data-field="(\w+)">\n(.*?)</textarea>', text, re.DOTALL):
            self.form[field] = unescape(value)
        return unescape(text)


def message(response: str) -> str:
    bar = re.search(r'id="saving"[^>]*>(.*?)</p>', unescape(response), re.DOTALL)
    assert bar
    return re.sub("<[^>]*>", "", bar[1])


def test_two_editors_mend_two_sentences(shared: Shared) -> None:
    ref = shared.draft()
    ada, ola = Window(shared.ada, ref), Window(shared.ola, ref)
    ada.replace("98,000", "88,000")
    ola.replace("Seven", "Eight")
    assert message(ola.save()).startswith("Saved ")
    assert message(ada.save()).startswith("Saved, together with Ola's changes ")
    expected = BODY.replace("98,000", "88,000").replace("Seven", "Eight")
    assert shared.body(ref) == ada.form["body"] == expected
    # Both go on, as if they were alone.
    ada.replace("We wait", "We hope")
    ola.replace("Prices rose", "Prices fell")
    ada.save()
    assert "together with Ada's changes" in ola.save()
    assert shared.body(ref) == expected.replace("We wait", "We hope").replace("Prices rose", "Prices fell")
    assert shared.aside(ref) == []
    assert loads(shared.versions(ref)[-1].text)[1] == shared.body(ref)


def test_two_windows_of_one_editor_are_merged(shared: Shared) -> None:
    ref = shared.draft()
    first, second = Window(shared.ada, ref), Window(shared.ada, ref)
    for number in range(3):
        first.form["body"] = BODY.replace("98,000", f"88,00{number}")
        first.save()
    late = Window(shared.ada, ref)
    for number in range(3, 6):
        first.form["body"] = BODY.replace("98,000", f"88,00{number}")
        first.save()
    second.replace("Seven", "Eight")
    assert "together with your changes in another window" in second.save()
    # A page may start from a text that a later save of the session replaced in the list of versions.
    late.replace("We wait", "We hope")
    late.save()
    expected = BODY.replace("98,000", "88,005").replace("Seven", "Eight").replace("We wait", "We hope")
    assert shared.body(ref) == expected


def test_every_field_is_merged_for_itself(shared: Shared) -> None:
    ref = shared.draft()
    ada, ola = Window(shared.ada, ref), Window(shared.ola, ref)
    ola.form |= {"title": "Ola's title", "tags": ["BTC", "ETH"], "sentiment": "NEGATIVE"}
    ola.save()
    ada.form |= {"description": "Ada's words.", "tags": ["BTC", "MARKET"], "sticky_weight": "7"}
    ada.save()
    front = shared.front(ref)
    assert (front["title"], front["description"]) == ("Ola's title", "Ada's words.")
    assert (front["tags"], front["sentiment"], front["stickyWeight"]) == (
        ["BTC", "ETH", "MARKET"],
        "NEGATIVE",
        7,
    )


def test_a_description_that_follows_the_overview_follows_the_merged_one(shared: Shared) -> None:
    ref = shared.draft()
    start = Window(shared.ada, ref)
    start.form["description"] = ""
    start.save()
    ada, ola = Window(shared.ada, ref), Window(shared.ola, ref)
    ada.replace("98,000", "88,000")
    ola.replace("Seven", "Eight")
    ola.save()
    ada.save()
    assert "88,000" in shared.front(ref)["description"]
    assert "Eight" in shared.front(ref)["description"]


def test_one_sentence_asks_and_loses_neither_text(shared: Shared) -> None:
    ref = shared.draft()
    ada, ola = Window(shared.ada, ref), Window(shared.ola, ref)
    ola.replace("98,000", "88,000")
    ola.save()
    ada.replace("Friday", "Thursday")
    ada.replace("We wait", "We hope")
    response = unescape(ada.send(409))
    assert re.search(r"NOT SAVED: Ola changed this at \d\d:\d\d UTC\.", message(response))
    assert response.count("<fieldset") == 1
    assert shared.aside(ref) == [BODY.replace("Friday", "Thursday").replace("We wait", "We hope")]
    assert shared.body(ref) == BODY.replace("98,000", "88,000")
    choice = re.search(r'name="(choice-(\w+))"', response)
    assert choice
    both = "The fund bought 88,000 coins on Thursday."
    text = ada.save(**{choice[1]: "own", f"own-{choice[2]}": both})
    assert message(text).startswith("Saved, together with Ola's changes")
    assert shared.body(ref) == BODY.replace("98,000", "88,000").replace("Friday", "Thursday").replace(
        "We wait", "We hope"
    )
    assert shared.aside(ref) == []


@pytest.mark.parametrize("side", ["m", "t"])
def test_either_sentence_can_be_kept(shared: Shared, side: str) -> None:
    ref = shared.draft()
    ada, ola = Window(shared.ada, ref), Window(shared.ola, ref)
    ola.replace("98,000", "88,000")
    ola.save()
    ada.replace("98,000", "78,000")
    response = unescape(ada.send(409))
    choice = re.search(rf'name="(choice-\w+)" value="({side}[^"]*)"', response)
    assert choice
    ada.save(**{choice[1]: choice[2]})
    assert shared.body(ref) == BODY.replace("98,000", "78,000" if side == "m" else "88,000")


def test_a_value_that_both_changed_asks(shared: Shared) -> None:
    ref = shared.draft()
    ada, ola = Window(shared.ada, ref), Window(shared.ola, ref)
    ola.form["sentiment"] = "NEGATIVE"
    ola.save()
    ada.form["sentiment"] = "POSITIVE"
    response = unescape(ada.send(409))
    choice = re.search(r'name="(choice-\w+)" value="(mPOSITIVE)"', response)
    assert choice
    assert "<textarea" not in response.partition("<fieldset")[2]
    ada.save(**{choice[1]: choice[2]})
    assert shared.front(ref)["sentiment"] == "POSITIVE"


@pytest.mark.parametrize("merged", [False, True])
def test_a_lost_response_is_no_conflict_with_oneself(shared: Shared, merged: bool) -> None:
    ref = shared.draft()
    ada, ola = Window(shared.ada, ref), Window(shared.ola, ref)
    if merged:
        ola.replace("Seven", "Eight")
        ola.save()
    words = ("88,000 coins, it", "88,000 coins, it said,", "88,000 coins, it said on Monday,")
    for text in words:
        ada.form["body"] = BODY.replace("98,000 coins", text)
        ada.send()  # carried out, and the response is lost
    ada.form["body"] = BODY.replace("98,000 coins", "88,000")
    ada.save()
    expected = BODY.replace("98,000 coins", "88,000")
    assert shared.body(ref) == (expected.replace("Seven", "Eight") if merged else expected)
    assert shared.aside(ref) == []


def test_a_desk_that_was_restarted_merges_the_same(shared: Shared) -> None:
    ref = shared.draft()
    ada, ola = Window(shared.ada, ref), Window(shared.ola, ref)
    ola.form["body"] = BODY.replace("Seven", "Eight")
    ola.save()
    late = Window(shared.ada, ref)
    ola.form["body"] = BODY.replace("Seven", "Nine")
    ola.save()
    ada.replace("We wait", "We hope")
    ada.send()  # carried out, and the desk ended before it responded
    with DeskServer(shared.settings) as server, Visitor(server) as again:
        ada.visitor = late.visitor = again
        ada.replace("We hope", "We hope so")
        ada.save()
        late.replace("98,000", "88,000")
        late.save()
    expected = BODY.replace("Seven", "Nine").replace("We wait", "We hope so").replace("98,000", "88,000")
    assert shared.body(ref) == expected


def test_words_typed_while_a_merged_save_was_under_way_are_merged_with_the_next_one(shared: Shared) -> None:
    ref = shared.draft()
    ada, ola = Window(shared.ada, ref), Window(shared.ola, ref)
    ola.replace("Seven", "Eight")
    ola.save()
    ada.replace("We wait.", "We wait. And")
    ada.send()  # the page has gone on: it takes neither the merged text nor its hash
    ada.replace("And", "And hope.")
    ada.save()
    assert shared.body(ref) == BODY.replace("Seven", "Eight").replace("We wait.", "We wait. And hope.")


def test_a_text_of_the_model_is_merged_with_the_editors(shared: Shared) -> None:
    ref = shared.draft()
    row = shared.db.drafts.get(ref)
    ada = Window(shared.ada, ref)
    metadata, _ = loads(row.version_text)
    metadata["ai"] = {**metadata["ai"], "version": 2}
    text = dumps(metadata, BODY.replace("We wait.", "The model waits."))
    base = sha256_of(shared.path(ref).read_bytes())
    save = Save(base=base, cause="restore", number=2)  # a cause that no editor's session continues
    draft = Draft(external_id=ref, path=row.path, text=text)
    shared.db.versions.confirm_save(shared.db.versions.begin_save(row, draft, "", save))
    shared.path(ref).write_bytes(text.encode())
    ada.replace("98,000", "88,000")
    ada.save()
    assert shared.body(ref) == BODY.replace("98,000", "88,000").replace("We wait.", "The model waits.")
    assert shared.front(ref)["ai"]["version"] == 2


def test_what_another_program_wrote_twice_is_merged(shared: Shared) -> None:
    ref = shared.draft()
    path = shared.path(ref)
    path.write_text(path.read_text().replace("Prices rose", "Prices fell"))
    ada = Window(shared.ada, ref)
    path.write_text(path.read_text().replace("We wait", "We hope"))
    ada.replace("98,000", "88,000")
    assert "together with what was changed on disk" in ada.save()
    expected = BODY.replace("Prices rose", "Prices fell").replace("We wait", "We hope")
    assert shared.body(ref) == expected.replace("98,000", "88,000")
    assert any("98,000" in version.text and "We hope" in version.text for version in shared.versions(ref))


def test_line_ends_of_the_file_stay(shared: Shared) -> None:
    ref = shared.draft()
    ada, path = Window(shared.ada, ref), shared.path(ref)
    metadata, body = loads(path.read_text())
    path.write_bytes(dumps(metadata, body.replace("We wait", "We hope").replace("\n", "\r\n")).encode())
    ada.replace("98,000", "88,000")
    ada.save()
    expected = BODY.replace("98,000", "88,000").replace("We wait", "We hope")
    assert shared.body(ref) == expected.replace("\n", "\r\n")


def test_a_page_whose_text_is_not_known_any_more_asks_for_every_difference(shared: Shared) -> None:
    ref = shared.draft()
    ada = Window(shared.ada, ref)
    path = shared.path(ref)
    path.write_text(path.read_text().replace("Seven", "Eight"))
    ada.replace("98,000", "88,000")
    response = unescape(ada.send(409, base="0" * 64))
    keys = dict(re.findall(r'name="(choice-\w+)" value="(m[^"]*)"', response))
    assert keys
    ada.save(base="0" * 64, **keys)
    assert shared.body(ref) == BODY.replace("98,000", "88,000")


def test_a_file_that_cannot_be_read_is_replaced_only_by_choice(shared: Shared) -> None:
    ref = shared.draft()
    ada = Window(shared.ada, ref)
    shared.path(ref).write_text("---\ntitle: [\n---\nBy hand.\n")
    ada.replace("98,000", "88,000")
    response = unescape(ada.send(409))
    assert "By hand." in response
    assert "Keep theirs" not in response
    choice = re.search(r'name="(choice-\w+)" value="(m[^"]*)"', response)
    assert choice
    ada.save(**{choice[1]: choice[2]})
    assert shared.body(ref) == BODY.replace("98,000", "88,000")
    assert any("By hand." in version.text for version in shared.versions(ref))


def test_a_merged_text_is_checked_and_not_approved_unseen(shared: Shared) -> None:
    ref = shared.draft()
    ada, ola = Window(shared.ada, ref), Window(shared.ola, ref)
    ola.replace("Seven trustees", "Jane Doe of Zirkon Bank")
    ola.save()
    ada.replace("We wait", "We hope")
    text = message(ada.send(then="approve"))
    assert text.startswith("Saved, together with Ola's changes, not approved: the text has Ola's changes now")
    assert any("Zirkon" in finding.message for finding in shared.db.drafts.get(ref).findings)
    assert shared.db.drafts.get(ref).state == "drafted"


def test_save_and_approve_tells_the_script_where_to_go(shared: Shared) -> None:
    ref = shared.draft()
    ada = Window(shared.ada, ref)
    ada.form["body"] = "## Overview\n\nWe wait.\n\n## From author\n\nWe wait.\n"
    sent = ada.form | {"then": "done"}
    answer = shared.ada.post(f"/drafts/{ref}/save", data=sent, headers=QUIET)
    assert answer.headers["x-copydesk-next"] == f"/drafts/{ref}?saved={ref}"
    assert shared.ada.get(f"/drafts/{ref}/save").url.path == f"/drafts/{ref}/edit"


def test_a_left_page_hands_over_only_what_is_not_saved(shared: Shared) -> None:
    ref = shared.draft()
    ada = Window(shared.ada, ref)
    ada.replace("98,000", "88,000")
    ada.send()
    save = f"/drafts/{ref}/save"
    assert shared.ada.post(save, data=ada.form | {"then": "aside"}).json() == {"kept": False}
    ada.replace("We wait", "We hope")
    assert shared.ada.post(save, data=ada.form | {"then": "aside"}).json() == {"kept": True}
    assert shared.body(ref) == BODY.replace("98,000", "88,000")
    assert shared.aside(ref) == [BODY.replace("98,000", "88,000").replace("We wait", "We hope")]


def test_texts_for_merging_are_in_no_list_and_go_with_the_decision(shared: Shared) -> None:
    ref = shared.draft()
    ada = Window(shared.ada, ref)
    for number in range(4):
        ada.form["body"] = BODY.replace("98,000", f"88,00{number}")
        ada.save()
    bases = [version.sha256 for version in shared.versions(ref)]
    assert len(bases) == 3
    item_id = shared.db.drafts.get(ref).item_id
    first = sha256_of(shared.versions(ref)[-1].text.encode())
    assert (
        "page" not in shared.ada.page(f"/drafts/{ref}/history").partition("<main")[2].partition("<dialog")[0]
    )
    assert shared.db.page_texts.base(item_id, first) is not None
    shared.ada.post(f"/drafts/{ref}/reject", data={"sha256": ada.form["base"], "note": "old"})
    shared.db.page_texts.drop(item_id)
    assert [version.cause for version in shared.versions(ref)] == ["draft", "edit", "edit"]


def test_who_else_has_a_draft_open_is_told(shared: Shared) -> None:
    ref = shared.draft()
    assert shared.ada.get(f"/drafts/{ref}/presence").json() == {"message": "", "others": []}
    assert shared.ola.get(f"/drafts/{ref}/presence").json()["message"] == "Ada reads this too"
    assert shared.ada.get(f"/drafts/{ref}/presence?doing=edits").json()["message"] == "Ola reads this too"
    assert 'aria-live="polite">Ada edits this</p>' in shared.ola.page(f"/drafts/{ref}/edit")
    shared.ada.get(f"/drafts/{ref}/presence?doing=left")
    assert shared.ola.get(f"/drafts/{ref}/presence").json()["message"] == ""
    assert shared.ada.get("/drafts/nonsense/presence").json()["others"] == []
