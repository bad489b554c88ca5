"""The fix of a finding is taken where it stands, in one step; an objection stays until its words change."""

import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

from pipeline.articles.files import sha256_of
from pipeline.articles.front_matter import loads
from pipeline.checks.runner import with_key
from pipeline.domain.models import Beat, Source
from pipeline.domain.readings import SentenceObjection, SentenceReading
from pipeline.domain.reviews import Draft, Finding, Front, Severity
from pipeline.storage import DraftRow, Save
from pipeline.verifier.numbered_draft import number_sentences
from pipeline.verifier.readings import raw_text
from tests.desk.conftest import Desk
from tests.desk.server import DeskServer, Visitor, database_of, form_of, row_of
from tests.end_to_end.project import ROOT
from tests.fakes.model_server import ModelServer, Reply, completion
from tests.fakes.stock import fill, layout


def objected(desk: Desk, ref: str, wrong: str, **fix: object) -> DraftRow:
    """Store an objection of a second reader to words of a draft, as a run would."""
    row = row_of(desk.settings, ref)
    body = loads(row.version_text)[1]
    start = body.index(wrong)
    finding = Finding(
        kind="sense",
        severity=Severity.WARN,
        message="The source does not say this.",
        span=(start, start + len(wrong)),
        shared=True,
        **fix,
    )
    findings = (*row.findings, with_key(finding, body, row.source.text))
    draft = Draft(external_id=ref, path=row.path, text=row.version_text, findings=findings)
    with database_of(desk.settings) as db:
        db.versions.confirm_save(
            db.versions.begin_save(row, draft, "", Save(base=sha256_of(row.version_text.encode())))
        )
    return row_of(desk.settings, ref)


def read(desk: Desk, ref: str, wrong: str, fix: str) -> DraftRow:
    """Store what a second reader said of the sentence with these words, as a run would."""
    row = row_of(desk.settings, ref)
    metadata, body = loads(row.version_text)
    source = Source(item=row.source, feed_key="f", feed_name="f", first_key="f", category="", language="en")
    draft = number_sentences(source, body, Beat(key="b"), Front(metadata=metadata))
    texts = [raw_text(draft, each) for each in draft.sentences if each.field == "body"]
    text = next(each for each in texts if wrong in each)
    start = text.index(wrong)
    said = SentenceObjection(error="not_stated", span=(start, start + len(wrong)), fix=fix)
    about = {"field": "body", "text": text, "source": source.item.content_hash, "objections": (said,)}
    with database_of(desk.settings) as db:
        db.readings.add(row.item_id, [SentenceReading(model="m", profile="p", passed=False, **about)])
    return row_of(desk.settings, ref)


def take(desk: Desk, row: DraftRow, sha256: str = "") -> int:
    key = next(finding.key for finding in row.findings if finding.kind == "sense")
    form = {"key": key, "sha256": sha256 or sha256_of(row.version_text.encode())}
    return desk.ada.post(f"/drafts/{row.external_id}/fix", data=form).status_code


def test_a_fix_replaces_the_words_and_the_objection_is_gone(desk: Desk) -> None:
    ref = desk.refs[1]
    words = loads(desk.text(ref))[1].split("\n\n")[1].split()
    row = objected(desk, ref, words[3], suggestion="markedly <b>lower</b>")
    page = desk.ada.page(f"/drafts/{ref}")
    assert "Second reader" in page
    assert "markedly &lt;b&gt;lower&lt;/b&gt;" in page
    assert take(desk, row) == 200
    assert "markedly <b>lower</b>" in desk.text(ref)
    after = row_of(desk.settings, ref)
    assert [finding.kind for finding in after.findings if finding.kind == "sense"] == []
    assert any(finding.kind == "injection" for finding in after.findings), "what is taken is checked"


def test_words_are_cut_in_title_and_text_alike(desk: Desk) -> None:
    ref = desk.refs[1]
    wrong = " ".join(loads(desk.text(ref))[1].split("\n\n")[1].split()[3:6])
    row = objected(desk, ref, f" {wrong}", removal=True, also=(("title", (0, 4)),))
    title = str(loads(desk.text(ref))[0]["title"])
    assert "Cut these words" in desk.ada.page(f"/drafts/{ref}")
    assert take(desk, row) == 200
    metadata, body = loads(desk.text(ref))
    assert wrong not in body.split("\n\n")[1]
    assert metadata["title"] == title[4:].strip()


def test_a_fix_is_refused_where_the_text_has_changed(desk: Desk) -> None:
    ref = desk.refs[1]
    row = objected(desk, ref, "Overview", removal=True)
    before = desk.text(ref)
    assert take(desk, row, sha256="0" * 64) == 409
    assert desk.ada.post(f"/drafts/{ref}/fix", data={"key": "", "sha256": "0"}).status_code == 409
    assert desk.text(ref) == before


def test_an_objection_goes_with_its_sentence_and_comes_back_with_it(desk: Desk) -> None:
    ref = desk.refs[1]
    words = loads(desk.text(ref))[1].split("\n\n")[1].split()
    row = read(desk, ref, words[3], "markedly")
    path = desk.path(ref)
    before = path.read_text()
    path.write_text(before.replace("## Overview\n\n", "## Overview\n\nA new first sentence. "))
    page = desk.ada.page(f"/drafts/{ref}")
    assert page.count("Second reader") == 1
    assert f"“{words[3]}”" in page
    path.write_text(before.replace(f"{words[2]} {words[3]}", f"{words[2]} typo {words[3]}"))
    assert "Second reader" not in desk.ada.page(f"/drafts/{ref}")
    form = form_of(desk.ada.page(f"/drafts/{ref}/edit"))
    desk.ada.post(f"/drafts/{ref}/save", data=form | {"body": str(form["body"]).replace(" typo ", " ")})
    assert "Second reader" in desk.ada.page(f"/drafts/{ref}")
    assert any(finding.kind == "sense" for finding in row_of(desk.settings, ref).findings)
    assert row.state == "drafted"


def test_the_second_reader_reads_what_an_editor_changed(tmp_path: Path) -> None:
    with ModelServer() as model:
        model.refuse = objections
        environ = {"COPYDESK_MODEL": "m", "OPENAI_BASE_URL": model.base_url, "COPYDESK_VERIFIER": "default"}
        settings = layout(tmp_path / "project", environ)
        path = settings.feeds_file
        path.write_text(path.read_text().replace("verify_edits: false", "verify_edits: true"))
        shutil.copytree(ROOT / "prompts", settings.prompts)
        ref = fill(settings, 2)[1]
        with DeskServer(settings) as server, Visitor(server) as ada:
            form = form_of(ada.page(f"/drafts/{ref}/edit"))
            body = str(form["body"])
            first = body.split("\n\n")[1]
            changed = form | {"body": body.replace(first, f"Snow fell in Ruritania. {first}")}
            page = ada.post(f"/drafts/{ref}/save", data=changed).text
            assert "The second reader is reading your change." in page
            while ada.get(f"/drafts/{ref}/reading").status_code == 204:
                time.sleep(0.02)
            page = ada.page(f"/drafts/{ref}")
            assert "The source does not say this." in page
            ada.post(
                f"/drafts/{ref}/save",
                data=changed | {"base": form_of(ada.page(f"/drafts/{ref}/edit"))["base"]},
            )
            while ada.get(f"/drafts/{ref}/reading").status_code == 204:
                time.sleep(0.02)
        with database_of(settings) as db:
            [call] = db.budget.calls_since(None)
    assert (call.purpose, model.requests) == ("verify", 1)
    question = model.received[0]["messages"][-1]["content"]
    assert "Snow fell in Ruritania." in question
    assert question.count(first.split(". ")[0]) <= 1, "what was not changed is not asked about"


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
