"""The fix of a finding is taken where it stands, in one step; an objection stays until its words change."""

import json
import re
import time
from html import unescape
from pathlib import Path
from typing import Any

from pipeline.articles.files import sha256_of
from pipeline.articles.front_matter import dumps, loads
from pipeline.checks.runner import with_key
from pipeline.config import Settings
from pipeline.domain.models import Beat, Source
from pipeline.domain.readings import SentenceObjection, SentenceReading
from pipeline.domain.reviews import Draft, Finding, Front, Severity
from pipeline.storage import DraftRow, Save
from pipeline.verifier.numbered_draft import number_sentences
from tests.desk.conftest import Desk
from tests.desk.server import DeskServer, Visitor, database_of, form_of, row_of
from tests.fakes.model_server import ModelServer, Reply, completion
from tests.fakes.stock import fill, layout


def objected(desk: Desk, ref: str, *objections: Finding, title: str = "") -> DraftRow:
    """Store objections of a second reader to a draft, as a run would; `title` replaces the draft's."""
    row = row_of(desk.settings, ref)
    metadata, body = loads(row.version_text)
    text = dumps(metadata | {"title": title}, body) if title else row.version_text
    keyed = (with_key(each, title if each.field == "title" else body, row.source.text) for each in objections)
    draft = Draft(external_id=ref, path=row.path, text=text, findings=(*row.findings, *keyed))
    desk.path(ref).write_text(text, encoding="utf-8")
    with database_of(desk.settings) as db:
        db.versions.confirm_save(
            db.versions.begin_save(row, draft, "", Save(base=sha256_of(row.version_text.encode())))
        )
    return row_of(desk.settings, ref)


def read(desk: Desk, ref: str, wrong: str, fix: str) -> None:
    """Store what a second reader said of the sentence with these words, as a run would."""
    row = row_of(desk.settings, ref)
    metadata, body = loads(row.version_text)
    source = Source(item=row.source, feed_key="f", feed_name="f", first_key="f", category="", language="en")
    draft = number_sentences(source, body, Beat(key="b"), Front(metadata=metadata))
    texts = [draft.raw_text_of(each) for each in draft.sentences if each.field == "body"]
    text = next(each for each in texts if wrong in each)
    start = text.index(wrong)
    said = SentenceObjection(error="not_stated", span=(start, start + len(wrong)), fix=fix)
    about = {"field": "body", "text": text, "source": source.item.content_hash, "objections": (said,)}
    with database_of(desk.settings) as db:
        reading = SentenceReading(model="m", profile="p", passed=False, **about)
        db.readings.submit(row.item_id, [reading]).result()


def objection(text: str, wrong: str, **values: object) -> Finding:
    start = text.index(wrong)
    fields: dict[str, Any] = {"span": (start, start + len(wrong)), "shared": True, **values}
    return Finding(kind="sense", severity=Severity.WARN, message="The source does not say this.", **fields)


def take(desk: Desk, ref: str, *, number: int = 0, **changes: str) -> int:
    """Send the form of a fix as the page has it; return the answer's status."""
    form = re.findall(r'<form class="fix".*?</form>', desk.ada.page(f"/drafts/{ref}"), re.DOTALL)[number]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    return desk.ada.post(f"/drafts/{ref}/fix", data=fields | changes).status_code


def sentence_of(desk: Desk, ref: str) -> str:
    """Return the first words of a draft's text."""
    return loads(desk.text(ref))[1].split("\n\n")[1]


def test_a_fix_replaces_the_words_and_the_objection_is_gone(desk: Desk) -> None:
    ref = desk.refs[1]
    body, word = loads(desk.text(ref))[1], sentence_of(desk, ref).split()[3]
    objected(desk, ref, objection(body, word, suggestion="markedly <b>lower</b>"))
    page = desk.ada.page(f"/drafts/{ref}")
    assert "Second reader" in page
    assert "markedly &lt;b&gt;lower&lt;/b&gt;" in page
    assert take(desk, ref) == 200
    assert "markedly" in sentence_of(desk, ref)
    after = row_of(desk.settings, ref)
    assert [finding.kind for finding in after.findings if finding.kind == "sense"] == []
    assert any(finding.kind == "injection" for finding in after.findings), "what is taken is checked"


def test_words_are_cut_in_title_and_text_alike(desk: Desk) -> None:
    ref = desk.refs[1]
    body, wrong = loads(desk.text(ref))[1], " ".join(sentence_of(desk, ref).split()[3:6])
    objected(desk, ref, objection(body, f" {wrong}", removal=True, also=(("title", (0, 4)),)))
    title = str(loads(desk.text(ref))[0]["title"])
    assert "Cut <kbd>" in desk.ada.page(f"/drafts/{ref}")
    assert take(desk, ref) == 200
    assert wrong not in sentence_of(desk, ref)
    assert loads(desk.text(ref))[0]["title"] == title[4:].strip()


def test_a_fix_in_a_title_with_html_replaces_the_words_that_readers_see(desk: Desk) -> None:
    ref, seen = desk.refs[1], "Coin prices fall again"
    objected(
        desk,
        ref,
        objection(seen, "fall", field="title", suggestion="rise"),
        title=f"<i>{seen[:4]}</i>{seen[4:]}",
    )
    assert take(desk, ref) == 200
    assert loads(desk.text(ref))[0]["title"] == "Coin prices rise again"


def test_of_two_places_with_the_same_words_the_chosen_one_is_replaced(desk: Desk) -> None:
    ref = desk.refs[1]
    body = loads(desk.text(ref))[1]
    first, second = [match.span() for match in re.finditer(r"\bthe\b", body)][:2]
    both = (objection(body, "the", span=span, suggestion="every") for span in (first, second))
    row = objected(desk, ref, *both)
    assert len({finding.key for finding in row.findings if finding.kind == "sense"}) == 1
    assert take(desk, ref, number=1) == 200
    assert loads(desk.text(ref))[1][: second[1] + 2] == f"{body[: second[0]]}every"


def test_a_fix_is_refused_where_the_text_has_changed(desk: Desk) -> None:
    ref = desk.refs[1]
    objected(desk, ref, objection(loads(desk.text(ref))[1], "Overview", removal=True))
    before = desk.text(ref)
    for stale in ({"sha256": "0" * 64}, {"key": ""}, {"place": "body 0 3"}):
        assert take(desk, ref, number=0, **stale) == 409
    assert desk.text(ref) == before


def test_an_objection_goes_with_its_sentence_and_comes_back_with_it(desk: Desk) -> None:
    ref = desk.refs[1]
    words = sentence_of(desk, ref).split()
    read(desk, ref, words[3], "markedly")
    seen = sha256_of(desk.path(ref).read_bytes())
    path = desk.path(ref)
    before = path.read_text()
    path.write_text(before.replace("## Overview\n\n", "## Overview\n\nA new first sentence. "))
    page = desk.ada.page(f"/drafts/{ref}")
    assert page.count("Second reader") == 1
    assert f">{words[3]}</del>" in page
    assert take(desk, ref, sha256=seen) == 409, "the page held another text"
    path.write_text(before.replace(f"{words[2]} {words[3]}", f"{words[2]} typo {words[3]}"))
    assert "Second reader" not in desk.ada.page(f"/drafts/{ref}")
    form = form_of(desk.ada.page(f"/drafts/{ref}/edit"))
    desk.ada.post(f"/drafts/{ref}/save", data=form | {"body": str(form["body"]).replace(" typo ", " ")})
    assert "Second reader" in desk.ada.page(f"/drafts/{ref}")
    assert any(finding.kind == "sense" for finding in row_of(desk.settings, ref).findings)


def verifying_edits(folder: Path, environ: dict[str, str]) -> Settings:
    """Lay out a project whose beats have edits verified."""
    settings = layout(folder, environ)
    path = settings.feeds_file
    path.write_text(path.read_text().replace("verify_edits: false", "verify_edits: true"))
    return settings


def test_the_second_reader_reads_what_an_editor_changed(tmp_path: Path) -> None:
    with ModelServer() as model:
        model.refuse = objections
        environ = {"COPYDESK_MODEL": "m", "OPENAI_BASE_URL": model.base_url, "COPYDESK_VERIFIER": "default"}
        settings = verifying_edits(tmp_path / "project", environ)
        ref = fill(settings, 2)[1]
        with DeskServer(settings) as server, Visitor(server) as ada:
            form = form_of(ada.page(f"/drafts/{ref}/edit"))
            body = str(form["body"])
            first = body.split("\n\n")[1]
            changed = form | {"body": body.replace(first, f"Snow fell in Ruritania. {first}")}
            page = ada.post(f"/drafts/{ref}/save", data=changed).text
            assert "The second reader is reading your change." in page
            wait_until_read(ada, ref)
            page = ada.page(f"/drafts/{ref}")
            assert "The source does not say this." in page
            for text in ("Snow melted in Ruritania. ", ""):  # the second one is the text as it was
                form = form_of(ada.page(f"/drafts/{ref}/edit"))
                ada.post(
                    f"/drafts/{ref}/save",
                    data=form | {"body": str(changed["body"]).replace("Snow", f"{text}Snow")},
                )
                wait_until_read(ada, ref)
        with database_of(settings) as db:
            purposes = [call.purpose for call in db.budget.calls_since(None)]
    assert (purposes, model.requests) == (["verify", "verify"], 2)
    question = model.received[1]["messages"][-1]["content"]
    numbered = re.findall(r"^\d+\. (.*)", question.partition("=== article")[2], re.MULTILINE)
    assert numbered == ["Snow melted in Ruritania."], "what was read is not asked about"


def wait_until_read(ada: Visitor, ref: str) -> None:
    """Wait until the second reader has read a draft; fails after half a minute."""
    for _ in range(1_500):
        if ada.get(f"/drafts/{ref}/reading").status_code == 200:
            return
        time.sleep(0.02)
    raise AssertionError("the second reader never ends")


def objections(request: dict[str, Any]) -> Reply:
    """Object to every sentence about snow."""
    question = request["messages"][-1]["content"]
    numbers = re.findall(r"^(\d+)\. Snow", question, re.MULTILINE)
    objected = [
        {
            "sentence": int(number),
            "error": "not_stated",
            "wrong": "Snow fell in Ruritania",
            "source": "",
            "fix": "",
        }
        for number in numbers
    ]
    return completion(json.dumps({"objections": objected}))


def test_an_edit_that_could_not_be_read_says_why(tmp_path: Path) -> None:
    environ = {
        "COPYDESK_MODEL": "m",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        "COPYDESK_VERIFIER": "nobody",
    }
    settings = verifying_edits(tmp_path / "project", environ)
    ref = fill(settings, 2)[1]
    with DeskServer(settings) as server, Visitor(server) as ada:
        form = form_of(ada.page(f"/drafts/{ref}/edit"))
        ada.post(f"/drafts/{ref}/save", data=form | {"body": f"{form['body']}\nOne more line.\n"})
        wait_until_read(ada, ref)
        page = unescape(ada.page(f"/drafts/{ref}"))
    assert "The second reader was left out for this draft: COPYDESK_VERIFIER 'nobody' is no profile" in page
