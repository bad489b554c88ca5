"""A sentence edited in place: saved as it is typed, merged, and never lost."""

from typing import Any

import pytest

from pipeline.articles.front_matter import dumps, loads
from tests.desk.server import Visitor
from tests.desk.test_merging import BODY, Shared, Window, shared

__all__ = ["shared"]


class Line:
    """A sentence that an editor types in, as the page sends it."""

    def __init__(self, visitor: Visitor, ref: str, sha256: str, words: str, field: str = "body") -> None:
        self.visitor, self.ref, self.words = visitor, ref, words
        self.sent: dict[str, Any] = {"sha256": sha256, "field": field, "form": f"page of {id(self)}"}
        start = BODY.index(words) if field == "body" else 0
        self.sent |= {"start": start, "end": start + len(words), "before": words}

    def send(self, text: str, status: int = 200, **more: Any) -> dict[str, Any]:
        """Send the sentence; the response is lost."""
        data = self.sent | {"text": text} | more
        answer = self.visitor.post(f"/drafts/{self.ref}/sentence", data=data)
        assert answer.status_code == status, answer.text
        result: dict[str, Any] = answer.json()
        return result

    def type(self, text: str) -> dict[str, Any]:
        """Send the sentence and take the response."""
        answer = self.send(text)
        self.sent |= {name: answer[name] for name in ("sha256", "start", "end")} | {"before": text}
        return answer


def sha_of(shared: Shared, ref: str) -> str:
    return shared.ada.hidden(f"/drafts/{ref}/edit", "base")


def test_a_sentence_is_saved_again_and_again(shared: Shared) -> None:
    ref = shared.draft()
    line = Line(shared.ada, ref, sha_of(shared, ref), "Seven trustees voted for it.")
    for text in ("Eight", "Eight trustees", "Eight trustees voted. Gladly."):
        answer = line.type(text)
        assert (answer["state"], answer["message"]) == ("saved", "Saved")
        assert shared.body(ref)[answer["start"] : answer["end"]] == text
    assert shared.body(ref) == BODY.replace("Seven trustees voted for it.", "Eight trustees voted. Gladly.")
    assert answer["sha256"] == sha_of(shared, ref)
    line.type("")
    assert shared.body(ref) == BODY.replace(" Seven trustees voted for it.", "")
    line.type("Ten.")
    line.type("Ten voted.")
    assert shared.body(ref) == BODY.replace("Seven trustees voted for it.", "Ten voted.")


def test_two_sentences_of_one_page_are_both_saved(shared: Shared) -> None:
    ref = shared.draft()
    sha256 = sha_of(shared, ref)
    first = Line(shared.ada, ref, sha256, "Seven trustees voted for it.")
    second = Line(shared.ada, ref, sha256, "- Prices rose.")
    second.sent["form"] = first.sent["form"]
    # The page may take each response, or send what it was shown with.
    first.send("Eight trustees voted for it.")
    second.type("- Prices fell.")
    first.send("Nine trustees voted for it.")
    second.type("- Prices fell at last.")
    expected = BODY.replace("Seven", "Nine").replace("Prices rose.", "Prices fell at last.")
    assert shared.body(ref) == expected
    assert shared.aside(ref) == []


def test_sentences_of_two_editors_are_merged(shared: Shared) -> None:
    ref = shared.draft()
    sha256 = sha_of(shared, ref)
    ada = Line(shared.ada, ref, sha256, "We wait.")
    ola = Line(shared.ola, ref, sha256, "Seven trustees voted for it.")
    ola.type("Eight trustees, it was said, voted for it.")
    answer = ada.type("We hope.")
    assert (answer["state"], answer["message"]) == ("merged", "Saved, together with Ola's changes")
    assert shared.body(ref)[answer["start"] : answer["end"]] == "We hope."
    ada.type("We hope so.")
    expected = BODY.replace("Seven trustees", "Eight trustees, it was said,").replace("We wait", "We hope so")
    assert shared.body(ref) == expected
    assert "together with" in Window(shared.ada, ref).save() or shared.body(ref) == expected


def test_the_same_sentence_shows_both_and_keeps_yours(shared: Shared) -> None:
    ref = shared.draft()
    sha256 = sha_of(shared, ref)
    ada = Line(shared.ada, ref, sha256, "Seven trustees voted for it.")
    Line(shared.ola, ref, sha256, "## Overview").type("## An overview")
    Line(shared.ola, ref, sha256, "Seven trustees voted for it.").type("Eight of them voted.")
    for text in ("Nine", "Nine voted."):
        answer = ada.send(text, 409)
    assert answer["theirs"] == "Eight of them voted."
    assert (answer["yours"], answer["kept"]) == ("Nine voted.", True)
    assert answer["reason"].startswith("Ola changed this at ")
    assert shared.aside(ref) == [BODY.replace("Seven trustees voted for it.", "Nine voted.")]
    body = shared.body(ref)
    assert body[answer["start"] : answer["end"]] == answer["theirs"]
    place = {name: answer[name] for name in ("sha256", "start", "end")}
    ada.send("Nine voted.", before=answer["theirs"], **place)
    assert shared.body(ref) == body.replace("Eight of them voted.", "Nine voted.")


def test_a_lost_response_is_no_conflict(shared: Shared) -> None:
    ref = shared.draft()
    sha256 = sha_of(shared, ref)
    ada = Line(shared.ada, ref, sha256, "Seven trustees voted for it.")
    Line(shared.ola, ref, sha256, "We wait.").type("We hope.")
    for text in ("Eight", "Eight trustees", "Eight trustees voted."):
        ada.send(text)
    expected = BODY.replace("Seven trustees voted for it.", "Eight trustees voted.")
    assert shared.body(ref) == expected.replace("We wait", "We hope")


def test_front_matter_is_edited_in_place(shared: Shared) -> None:
    ref = shared.draft()
    sha256 = sha_of(shared, ref)
    title = Line(shared.ada, ref, sha256, "A fund buys", "title")
    tags = Line(shared.ola, ref, sha256, "BTC", "tags")
    tags.type("BTC, ETH")
    assert title.type("A fund sells")["state"] == "merged"
    assert (shared.front(ref)["title"], shared.front(ref)["tags"]) == ("A fund sells", ["BTC", "ETH"])
    assert title.send("", 422)["reason"] == "the title is empty; write one"
    assert "not in the vocabulary" in tags.send("NONSENSE", 422)["reason"]
    assert "no cover image" in Line(shared.ada, ref, sha256, "", "alt").send("A picture", 422)["reason"]


def test_alt_text_of_two_editors_and_a_title(shared: Shared) -> None:
    ref = shared.draft()
    path = shared.path(ref)
    metadata, body = loads(path.read_text())
    cover = {"regular": "https://x.example/a.jpg", "alt": "A picture", "credit": {"name": "N"}}
    path.write_text(dumps(metadata | {"coverImage": cover}, body))
    sha256 = sha_of(shared, ref)
    ada = Line(shared.ada, ref, sha256, "A picture", "alt")
    Line(shared.ola, ref, sha256, "A fund buys", "title").type("A fund sells")
    ada.type("A photo of a bank")
    assert shared.front(ref)["coverImage"] == cover | {"alt": "A photo of a bank"}
    assert shared.front(ref)["title"] == "A fund sells"
    assert (
        Line(shared.ola, ref, sha256, "A picture", "alt").send("A drawing", 409)["theirs"]
        == "A photo of a bank"
    )


@pytest.mark.parametrize(
    "wrong",
    [{"field": "score"}, {"start": "x"}, {"end": ""}, {"before": "No such words"}],
)
def test_an_invalid_field_is_refused(shared: Shared, wrong: dict[str, str]) -> None:
    ref = shared.draft()
    line = Line(shared.ada, ref, sha_of(shared, ref), "We wait.")
    assert line.send("We hope.", 422, **wrong)["reason"]
    assert shared.body(ref) == BODY


def test_a_page_whose_text_is_not_known_finds_its_words_on_disk(shared: Shared) -> None:
    ref = shared.draft()
    line = Line(shared.ada, ref, "0" * 64, "We wait.")
    line.send("We hope.")
    assert shared.body(ref) == BODY.replace("We wait", "We hope")
    answer = line.send("We fear.", 409)
    assert (answer["kept"], answer["yours"]) == (True, "We fear.")
    assert any("We fear." in text for text in shared.aside(ref))


def test_a_decision_made_meanwhile_keeps_the_sentence(shared: Shared) -> None:
    ref = shared.draft()
    sha256 = sha_of(shared, ref)
    shared.ola.post(f"/drafts/{ref}/reject", data={"sha256": sha256, "note": "old"})
    answer = Line(shared.ada, ref, sha256, "We wait.").send("We hope.", 409)
    assert "rejected already" in answer["reason"]
    assert answer["kept"]
    assert Line(shared.ada, "0" * 16, sha256, "We wait.").send("We hope.", 404)["reason"]
