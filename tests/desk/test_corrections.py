"""A corrected source: drafts and revisions are checked against the newest text."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.articles.front_matter import loads
from tests.desk.corrected import Wire, corrected, story
from tests.desk.server import DeskServer, Visitor, form_of
from tests.fakes.feed_server import FeedServer

QUIET = {"HX-Request": "true"}
OLD, NEW = story(34, 61), story(43, 16)


class Desk:
    """An editor who has the draft of the story open."""

    def __init__(self, wire: Wire, ada: Visitor) -> None:
        self.wire, self.ada = wire, ada

    @property
    def page(self) -> str:
        return self.ada.page(f"/drafts/{self.wire.row.external_id}")

    def post(self, what: str, **form: Any) -> Any:
        return self.ada.post(f"/drafts/{self.wire.row.external_id}/{what}", data=form)

    def approve(self) -> Any:
        sha256 = self.ada.go_through(self.wire.row.external_id)
        return self.post("approve", sha256=sha256)

    def save(self, **changes: Any) -> Any:
        ref = self.wire.row.external_id
        form = form_of(self.ada.page(f"/drafts/{ref}/edit")) | changes
        return self.ada.post(f"/drafts/{ref}/save", data=form, headers=QUIET)


def source_of(page: str) -> str:
    """Return the text of the source on a page."""
    match = re.search(r'<details class="whole-source".*?</details>', page, re.DOTALL)
    assert match
    return re.sub(r"<[^>]+>", "", match[0])


def marked(page: str) -> list[str]:
    """Return the marked evidence of supported claims."""
    return re.findall(r'<mark class="[^"]*ground[^"]*"[^>]*>([^<]*)<', page)


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    with FeedServer() as server:
        made = Wire(tmp_path / "project", server)
        made.publish(OLD)
        made.run()
        yield made


@pytest.fixture
def desk(wire: Wire) -> Iterator[Desk]:
    with DeskServer(wire.settings) as server, Visitor(server) as ada:
        yield Desk(wire, ada)


def correct(desk: Desk) -> None:
    desk.wire.publish(NEW)
    assert desk.wire.run().updated == 1


def refuses_the_old_figures_and_takes_the_new(desk: Desk) -> None:
    page = desk.page
    assert "43 staff" in source_of(page)
    assert "34 staff" not in source_of(page)
    assert "2 must are open" in page
    answer = desk.approve()
    assert answer.status_code == 409
    assert "2 blocking findings" in answer.text
    _, body = loads(desk.wire.path.read_text())
    assert "2 blocking" in desk.save(body=f"{body}\n").text
    assert "blocking" not in desk.save(body=corrected(body)).text
    page = desk.page
    assert "must is open" not in page
    assert "43" in marked(page)
    assert "16" in marked(page), "it shows where the source has them"
    assert desk.approve().status_code == 200
    assert desk.wire.row.state == "approved"
    assert "43 people" in desk.wire.path.read_text()


def test_a_revision_is_checked_against_the_corrected_source(desk: Desk) -> None:
    assert desk.approve().status_code == 200
    correct(desk)
    desk.post("revise")
    assert desk.wire.row.state == "drafted"
    assert [finding.severity.value for finding in desk.wire.row.findings].count("block") == 2, (
        "the queue counts them"
    )
    refuses_the_old_figures_and_takes_the_new(desk)


def test_a_draft_that_waits_is_checked_against_the_corrected_source(desk: Desk) -> None:
    assert "must is open" not in desk.page
    correct(desk)
    refuses_the_old_figures_and_takes_the_new(desk)
    assert desk.wire.row.updated is None, "it was approved in the knowledge of the change"


def test_the_earlier_source_and_what_changed_can_be_looked_at(desk: Desk) -> None:
    correct(desk)
    page = desk.page
    assert "<del>34</del>" in page
    assert "<ins>43</ins>" in page
    [before] = re.findall(r'<details class="before">.*?</details>', page, re.DOTALL)
    assert OLD.split(",")[0] in before


def test_a_published_article_shows_what_its_changed_source_no_longer_supports(desk: Desk) -> None:
    desk.approve()
    assert "34 staff" in source_of(desk.page)
    correct(desk)
    page = desk.page
    assert "43 staff" in source_of(page)
    assert page.count("is not in the source") > 0
    assert "for this it has 43" in page


def test_a_changed_source_is_one_finding_however_often_an_editor_saves(desk: Desk) -> None:
    desk.approve()
    correct(desk)
    desk.post("revise")
    _, body = loads(desk.wire.path.read_text())
    for number in range(3):
        desk.save(title=f"Title {number}", body=f"{body}\nIt is so {'very ' * number}quiet.\n")
        assert [finding.kind for finding in desk.wire.row.findings].count("source-updated") == 1
        assert desk.page.count("<strong>Source changed</strong>") == 1


def test_each_claim_that_the_change_touches_shows_old_and_new(desk: Desk) -> None:
    desk.approve()
    correct(desk)
    for _ in ("the article", "its revision"):
        page = desk.page
        assert "The source said “has 34 staff”, now “has 43 staff”." in page
        desk.post("revise")
    assert "Changed in the source" not in desk.page, "a check warns of the same words already"
    desk.save(body=corrected(loads(desk.wire.path.read_text())[1]))
    assert "The source said" not in desk.page


def test_a_published_article_with_a_changed_source_stands_in_the_queue(desk: Desk) -> None:
    desk.approve()
    assert "source changed or withdrawn" not in desk.ada.page("/")
    correct(desk)
    page = desk.ada.page("/")
    assert "1 published article: source changed or withdrawn" in page
    assert f'href="/drafts/{desk.wire.row.external_id}"' in page
    desk.post("revise")
    assert desk.approve().status_code == 409
    desk.save(body=corrected(loads(desk.wire.path.read_text())[1]))
    assert desk.approve().status_code == 200
    assert "source changed or withdrawn" not in desk.ada.page("/")


def test_a_retracted_source_blocks_approval_until_an_editor_says_why_not(desk: Desk) -> None:
    desk.wire.publish(OLD, title="RETRACTED: Storks of Brodal")
    assert desk.wire.run().updated == 1
    assert '<span class="badge changed">source withdrawn</span>' in desk.ada.page("/")
    desk.save(title="Storks")
    [finding] = [each for each in desk.wire.row.findings if each.kind == "source-withdrawn"]
    page = desk.page
    assert page.count("<strong>Source withdrawn</strong>") == 1
    assert desk.approve().status_code == 409
    desk.post("acknowledge", key=finding.key, reason="The new one says the same")
    assert desk.approve().status_code == 200
    assert "source changed or withdrawn" not in desk.ada.page("/"), "the editor knew it"


def test_a_dismissal_holds_until_its_evidence_changes(desk: Desk) -> None:
    body = loads(desk.wire.path.read_text())[1]
    quoted = "“We are 34 souls and weigh every egg that we find,” Maren Falk said. She is 70."
    desk.save(body=body.replace("Storks nest there, 61 pairs in all.", quoted))
    blocking = {
        finding.kind: finding for finding in desk.wire.row.findings if finding.severity.value == "block"
    }
    assert {kind: bool(finding.evidence) for kind, finding in blocking.items()} == {
        "quotation": True,
        "figure": False,
    }
    for finding in blocking.values():
        desk.post("acknowledge", key=finding.key, reason="I asked her")
    assert "must is open" not in desk.page
    desk.wire.publish(story(34, 16))
    desk.wire.run()
    assert desk.page.count("Ada: I asked her") == 2, "what the two stand on says the same"
    desk.wire.publish(story(43, 16))
    desk.wire.run()
    page = desk.page
    assert page.count("Ada: I asked her") == 1
    assert re.search(r'<li class="finding block"(?:(?!</li>).)*Quotation', page, re.DOTALL)


def test_a_redraft_takes_the_change_over_when_it_is_written(desk: Desk) -> None:
    correct(desk)
    desk.post("redraft", note="With the right figures.")
    assert "43 staff" in source_of(desk.page)
    assert "The source changed after this was written" in desk.page, "until it is written"
    desk.wire.run()
    row = desk.wire.row
    assert (row.version, row.updated, row.item.text) == (2, None, NEW)
    assert "The source changed" not in desk.page
    assert not [finding for finding in row.findings if finding.kind == "source-updated"]


def test_an_excerpt_is_no_newer_source_than_the_text_in_full(desk: Desk) -> None:
    desk.wire.publish("A correction: it has 43 staff.")
    desk.wire.run()
    page = desk.page
    assert "34 staff" in source_of(page)
    assert "A correction: it has 43 staff." in page
    assert "must is open" not in page
    body = loads(desk.wire.path.read_text())[1]
    assert "blocking" not in desk.save(body=body.replace("34", "43")).text


@pytest.fixture
def paged(tmp_path: Path) -> Iterator[Desk]:
    """A feed of teasers: the full text is on the page."""
    with FeedServer() as server:
        wire = Wire(tmp_path / "project", server, full_text="auto", min_chars=200)
        wire.publish("Storks at Brodal: 61 pairs.")
        server.add("/story", page_of(OLD), content_type="text/html")
        wire.run()
        with DeskServer(wire.settings) as at, Visitor(at) as ada:
            yield Desk(wire, ada)


def page_of(text: str) -> bytes:
    more = "".join(f"<p>{words}</p>" for words in (text, "It is open to visitors all summer long. " * 6))
    return f"<html><body><article><h1>Storks of Brodal</h1>{more}</article></body></html>".encode()


def test_a_teaser_that_changed_does_not_take_the_place_of_the_page(paged: Desk) -> None:
    paged.wire.publish("Storks at Brodal: 16 pairs.")
    paged.wire.server.add("/story", page_of(NEW), content_type="text/html")
    assert paged.wire.run().updated == 1
    page = paged.page
    assert "34 staff" in source_of(page)
    assert "Storks at Brodal: 16 pairs." in page, "the editor is told what the feed says now"
    assert "must is open" not in page
    body = loads(paged.wire.path.read_text())[1]
    assert "blocking" not in paged.save(body=body.replace("61", "16")).text
    assert paged.approve().status_code == 200
    assert "34 staff" in paged.wire.row.source.text, "nor after an approval"


def test_a_redraft_after_a_change_reads_the_page_again(paged: Desk) -> None:
    paged.wire.publish("Storks at Brodal: 16 pairs.")
    paged.wire.server.add("/story", page_of(NEW), content_type="text/html")
    paged.wire.run()
    paged.post("redraft")
    paged.wire.run()
    assert "43 staff" in paged.wire.row.item.text
    assert paged.wire.row.updated is None
    assert "2 must are open" in paged.page


def test_a_page_that_is_gone_says_that_the_source_was_withdrawn(paged: Desk) -> None:
    paged.wire.publish("Storks at Brodal: 16 pairs.")
    paged.wire.server.add("/story", b"", status=410)
    paged.wire.run()
    paged.post("redraft")
    paged.wire.run()
    kinds = [finding.kind for finding in paged.wire.row.findings]
    assert kinds.count("source-withdrawn") == 1
    assert "its page is gone (410)" in paged.page


def test_a_page_that_cannot_be_read_again_leaves_the_source_of_before(paged: Desk) -> None:
    paged.wire.publish("Storks at Brodal: 16 pairs.")
    paged.wire.server.add("/story", b"", status=503)
    paged.wire.run()
    paged.post("redraft")
    paged.wire.run()
    page = paged.page
    assert "34 staff" in source_of(page)
    assert "It was not written anew" in page
    assert "The source changed after this was written" in page
    assert "must is open" not in page
