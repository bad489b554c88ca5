"""The queue over HTTP: what its rows say, in which order they stand, and what is done on one of them."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from types import SimpleNamespace

import pytest

from desk.filters import Filters, read_filters
from desk.queue_rows import duration, holders_of, row_view
from desk.routes import queue
from pipeline.domain.review_time import as_minutes, review_seconds
from pipeline.domain.reviews import Draft, Finding, Severity
from pipeline.storage import QueueDetails, QueueRow
from pipeline.storage.schema import draft_index
from tests.desk.conftest import Desk
from tests.desk.server import database_of, form_of
from tests.fakes.stock import FEED

NOW = datetime(2026, 2, 5, 12, tzinfo=UTC)
TEXT = "---\ntitle: Nine in ten\ndescription: 'Nine of them'\n---\n\nThe fund praised 98,000 men.\n"
BODY = TEXT.split("---\n", 2)[2]


def row(**changes: object) -> QueueRow:
    values = {
        "item_id": 1, "external_id": "a" * 16, "feed_key": "wire", "title": "A title", "state": "drafted",
        "published_at": NOW, "drafted_at": NOW, "since": NOW, "revision": False, "words": 240,
        "cause": "draft", "version": 1, "by": None, "sha256": "0" * 64, "blocks": 0, "warns": 0,
        "asked": False, "changed": False, "notice": None,
    }  # fmt: skip
    return QueueRow.model_validate(values | changes)


def finding(words: str, severity: Severity = Severity.BLOCK, text: str = BODY, **changes: object) -> Finding:
    start = text.index(words)
    values = {"kind": "figure", "severity": severity, "message": "?", "span": (start, start + len(words))}
    return Finding.model_validate(values | changes)


def phrases(*findings: Finding, source: str = "") -> tuple[str, ...]:
    return row_view(row(), QueueDetails(text=TEXT, findings=findings, source=source)).findings


def test_a_row_names_its_findings_in_few_words() -> None:
    source = "They criticised 88,000 men."
    assert phrases(
        finding("praised", Severity.WARN, kind="pair", evidence=((5, 15),)),
        finding("98,000", suggestion="88,000"),
        source=source,
    ) == ("98,000 → 88,000", "praised ⇄ criticised")
    assert phrases(finding("The fund", kind="name")) == ("Name: The fund",)
    assert phrases(finding("The fund", removal=True)) == ("cut “The fund”",)
    assert phrases(Finding(kind="overlap", severity=Severity.WARN, message="?")) == ("Copied",)
    assert phrases(finding("Nine", text="Nine in ten", field="title", suggestion="Ten")) == ("Nine → Ten",)


def test_equal_findings_are_named_once_and_further_ones_counted() -> None:
    findings = [finding(words) for words in ("The", "fund", "praised", "98,000", "men", "men")]
    view = row_view(row(), QueueDetails(text=TEXT, findings=tuple(findings)))
    assert view.findings == ("Figure: The", "Figure: fund", "Figure: praised")
    assert view.summary == "Figure: The · Figure: fund · Figure: praised · 2 more"


def test_long_words_are_cut_and_unreadable_front_matter_upsets_nothing() -> None:
    long = "word " * 30
    broken = f"no front matter {long}"
    details = QueueDetails(text=broken, findings=(finding("no", text=broken, field="title"),))
    assert row_view(row(), details).findings == ("Figure",)
    text = f"---\na: b\n---\n{long}"
    whole = finding(long.strip(), text=long)
    [phrase] = row_view(row(), QueueDetails(text=text, findings=(whole,))).findings
    assert len(phrase) < 60
    assert phrase.endswith("…")


def test_the_work_is_reading_and_deciding() -> None:
    assert review_seconds(240, 0, 0) == 60
    assert review_seconds(0, 1, 2) == 40
    assert [as_minutes(seconds) for seconds in (0, 1, 60, 61)] == [0, 1, 1, 2]
    assert row_view(row(blocks=3), QueueDetails(text="")).minutes == 2
    assert [duration(minutes) for minutes in (52, 99, 100, 600)] == ["52 min", "99 min", "2 h", "10 h"]


def test_a_rewrite_is_new_until_its_editor_opens_it() -> None:
    rewrite = row(cause="redraft", version=2)
    assert row_view(rewrite, QueueDetails(text="")).rewritten
    assert not row_view(rewrite, QueueDetails(text="", viewed=True)).rewritten
    assert not row_view(row(cause="edit", version=2), QueueDetails(text="")).rewritten


def test_holders_are_the_others() -> None:
    holders = {"a": [SimpleNamespace(name=name) for name in ("Ada", "Ola")]}
    assert holders_of(holders, "a", "Ada") == ("Ola",)
    assert holders_of(holders, "b", "Ada") == ()


def test_earlier_addresses_of_the_queue_go_on_working() -> None:
    for order in ("newest", "oldest", "findings"):
        assert read_filters({"sort": order}).sort == order
        assert Filters(sort=order).query() == f"sort={order}"
    assert read_filters({}).query() == ""


# Over HTTP


def titles(page: str) -> list[str]:
    return [unescape(title) for title in re.findall(r'class="title"[^>]*>([^<]*)</a>', page)]


def refs_of(page: str) -> list[str]:
    return re.findall(r'data-row="([0-9a-f]{16})"', page)


def row_of(page: str, ref: str) -> str:
    match = re.search(rf'<li [^>]*data-row="{ref}".*?</li>', page, re.DOTALL)
    assert match
    return match[0]


def text_of(html: str) -> str:
    return unescape(" ".join(re.sub(r"<[^>]*>", " ", html).split()))


def test_a_row_says_what_an_editor_needs_to_choose(desk: Desk) -> None:
    page = desk.ada.page("/")
    held, clean = row_of(page, desk.refs[0]), row_of(page, desk.refs[1])
    assert "4 must" in held
    assert "Name: Ruritania" in text_of(held)
    assert "3 min" in text_of(held)
    assert "from Stock Wire" in text_of(held)
    assert re.search(r"waits (now|\d+ min)", text_of(held))
    assert "no finding" in clean
    assert "badge fine" not in page
    [title] = titles(clean)
    assert f'title="{title}"' in unescape(clean)
    assert re.search(r"6</span> waiting", page)
    assert "about " in text_of(page)
    assert "oldest waits" in text_of(page)


def test_the_one_that_waits_longest_is_first_and_revisions_before_it(desk: Desk) -> None:
    assert refs_of(desk.ada.page("/")) == desk.refs
    assert refs_of(desk.ada.page("/?sort=oldest")) == desk.refs[::-1]
    last = desk.refs[5]
    desk.ada.post(f"/drafts/{last}/approve", data={"sha256": desk.ada.go_through(last)})
    desk.ada.post(f"/drafts/{last}/revise")
    page = desk.ada.page("/")
    assert refs_of(page) == [last, *desk.refs[:5]]
    assert "revision" in row_of(page, last)
    assert refs_of(desk.ada.page("/?sort=findings"))[:2] == [desk.refs[0], desk.refs[3]]
    assert refs_of(desk.ada.page("/?sort=shortest"))[-1] in (desk.refs[0], desk.refs[3])


def test_words_are_found_in_titles_and_texts_whatever_their_case(desk: Desk) -> None:
    ref = desk.refs[1]
    form = form_of(desk.ada.page(f"/drafts/{ref}/edit"))
    body = f"{form['body']}\nSolheim nannte es eine ÄRGERLICHE Straße.\n"
    desk.ada.post(f"/drafts/{ref}/save", data=form | {"body": body, "title": "Odessa waits"})
    for words in ("solheim", "ÄRGER strasse", "odessa solheim", "ärgerliche ODESSA"):
        assert refs_of(desk.ada.page(f"/?q={words}")) == [ref], words
    for words in ("solheim oslo", "s%heim", "solhei_"):
        assert "No drafts match" in desk.ada.page(f"/?q={words}")


def test_a_rewrite_that_came_is_marked_until_it_is_opened(desk: Desk) -> None:
    ref = desk.refs[1]
    with database_of(desk.settings) as db:
        before = db.drafts.get(ref)
        db.redrafts.request(before, "Ada", datetime.now(UTC))
        [lease] = db.leases.acquire(FEED, 10, 900.0, lease_filter="asked")
        draft = Draft(external_id=ref, path=before.path, text=f"{before.version_text}\nMore.\n")
        db.leases.begin_write(lease, draft, number=2, cause="redraft")
        desk.path(ref).write_text(draft.text)
        db.leases.confirm_write(lease)
    assert "rewritten" in row_of(desk.ada.page("/"), ref)
    desk.ada.page(f"/drafts/{ref}")
    assert "rewritten" not in row_of(desk.ada.page("/"), ref)


def test_a_decision_on_a_row_leads_back_to_the_queue_at_the_next_one(desk: Desk) -> None:
    first, second = desk.refs[1], desk.refs[2]
    sha256 = re.search(r'data-sha256="([0-9a-f]{64})"', row_of(desk.ada.page("/"), first))
    assert sha256
    answer = desk.ada.post(
        f"/drafts/{first}/reject?q=&from=queue", data={"sha256": sha256[1], "note": "old news"}
    )
    assert answer.url.path == "/"
    assert answer.url.params["at"] == second
    assert f'href="/drafts/{first}/undo"' not in answer.text
    assert "Rejected" in answer.text
    assert re.search(rf'class="row on" data-row="{second}"', answer.text)
    assert desk.exists(first, "rejected")
    assert "data-viewed" not in row_of(answer.text, second), "it was not opened"


def test_what_a_row_refuses_is_said_in_a_sentence(desk: Desk) -> None:
    ref = desk.refs[1]
    answer = desk.ada.post(f"/drafts/{ref}/reject?from=queue", data={"sha256": "0" * 64, "note": "old"})
    assert answer.status_code == 409
    assert answer.headers["content-type"].startswith("text/plain")
    assert desk.exists(ref, "drafts")


def test_a_form_that_cannot_be_read_is_no_unknown_page(desk: Desk) -> None:
    answer = desk.ada.post("/bulk", data={f"field{number}": "" for number in range(1_200)})
    assert answer.status_code == 400
    assert "cannot read this request" in answer.text


def test_an_address_of_a_button_says_so_and_odd_places_are_no_place(desk: Desk) -> None:
    answer = desk.ada.get("/bulk")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert "for a button of the desk" in answer.text
    assert desk.ada.get("/?at=%00").status_code == 200


def test_a_rewrite_is_requested_on_a_row(desk: Desk) -> None:
    ref = desk.refs[1]
    answer = desk.ada.post(f"/drafts/{ref}/redraft?from=queue", data={"note": "shorter"})
    assert answer.url.path == "/"
    assert "Rewrite requested" in answer.text
    assert "rewrite requested" in row_of(answer.text, ref)


def test_an_approval_needs_more_than_the_row(desk: Desk) -> None:
    ref = desk.refs[1]
    value = re.search(r'name="draft" value="([^"]*)"', row_of(desk.ada.page("/"), ref))
    assert value
    answer = desk.ada.post("/bulk", data={"draft": value[1], "verdict": "approve"})
    assert "not opened yet" in answer.text
    assert desk.exists(ref, "drafts")


@pytest.fixture
def long_desk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The desk with pages of two drafts."""
    monkeypatch.setattr(queue, "PAGE", 2)
    return desk


def test_a_draft_is_shown_on_its_page_of_the_queue(long_desk: Desk) -> None:
    page = long_desk.ada.page(f"/?at={long_desk.refs[4]}")
    assert refs_of(page) == long_desk.refs[4:6]
    assert "page 3 of 3" in page
    assert "autofocus" in row_of(page, long_desk.refs[4])
    assert "page 1 of 3" in long_desk.ada.page("/?at=" + "0" * 16)
    assert "page 2 of 3" in long_desk.ada.page("/?page=2")
    assert "No drafts match" in long_desk.ada.page("/?page=9")


def test_waiting_is_counted_from_the_first_draft(desk: Desk) -> None:
    ref = desk.refs[1]
    with database_of(desk.settings) as db:
        item = db.drafts.get(ref)
        since = item.drafted_at - timedelta(hours=3)
        with db.drafts._writing() as connection:
            changed = draft_index.update().where(draft_index.c.item_id == item.item_id)
            connection.execute(changed.values(since=since))
    page = desk.ada.page("/")
    assert refs_of(page)[0] == ref
    assert "waits 3 h" in text_of(row_of(page, ref))
    assert "oldest waits 3 h" in text_of(page)
