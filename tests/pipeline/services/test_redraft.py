"""Redrafts of drafts, sections and sentences, and restores; no earlier text is lost."""

import codecs
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.articles import files
from pipeline.articles.front_matter import dumps, loads
from pipeline.articles.markdown import sections
from pipeline.config import Subscriptions
from pipeline.domain.errors import LeaseLost, LLMError, ReviewError
from pipeline.domain.models import Beat, FeedConfig
from pipeline.domain.reviews import RedraftRequest, ReviewDecision
from pipeline.http_client import HttpClient
from pipeline.rewrite.prompt import load_prompt
from pipeline.rewrite.prompt_files import PACKAGED
from pipeline.rewrite.redraft import RedraftFinding, add_redraft_instructions
from pipeline.services import redraft, review
from pipeline.services.context import RunContext
from pipeline.services.draft import draft_feed
from pipeline.services.draft_file import EditorContext, decode_leniently
from pipeline.services.edit import acknowledge
from pipeline.storage import Database
from pipeline.storage.redraft_requests import RedraftProgress
from tests.fakes.model_server import article
from tests.pipeline.services.desk import BEAT, GOOD, Scripted, run_context
from tests.pipeline.storage.records import LEASE_S, NOW, answer, feed

SECTION = json.dumps({"text": "The section says something else now."})
NEWS = Subscriptions(beats={"b": BEAT}, feeds=(feed(),))


class Desk:
    """One item that is drafted, and what an editor does with it."""

    def __init__(self, db: Database, net: HttpClient, folder: Path) -> None:
        self.db, self.net, self.folder = db, net, folder
        self.root = folder / "output"
        self.ctx = EditorContext(db, self.root, NEWS, "ed", lambda: NOW)

    async def run(self, *script: Any, beat: Beat = BEAT, count: int = 1) -> tuple[Scripted, list[Any]]:
        model = Scripted(*script)
        desk = run_context(self.db, self.net, self.folder, model, beat=beat)
        if beat.repair_sentences:
            desk = RunContext(**{**vars(desk), "repair_prompt": load_prompt(PACKAGED, "mend")})
        return model, await draft_feed(desk, feed(), count)

    @property
    def text(self) -> str:
        return (files.read_bytes(self.root, self.db.drafts.list()[0].path) or b"").decode()

    def write(self, text: str) -> None:
        files.write_atomically(self.root, self.db.drafts.list()[0].path, text.encode())

    def ask(self, note: str | None = None, section: str | None = None, *, over_edits: bool = False) -> None:
        ref = self.db.drafts.list()[0].external_id
        redraft.request_redraft(self.ctx, ref, note=note, section=section, over_edits=over_edits)

    def restore(self, label: str) -> None:
        ref = self.db.drafts.list()[0].external_id
        redraft.restore_version(EditorContext(self.db, self.root, NEWS, clock=lambda: NOW), ref, label)


@pytest.fixture
async def desk(db: Database, net: HttpClient, tmp_path: Path) -> Desk:
    made = Desk(db, net, tmp_path)
    await made.run()
    return made


async def test_an_editors_note_reaches_the_model_and_the_draft_stays_until_then(desk: Desk) -> None:
    desk.ask("Name the mine.")
    before = desk.text
    assert [row.request.note for row in desk.db.drafts.list() if row.request] == ["Name the mine."]
    new = json.dumps(article(overview="The mine at Holm is named.", category="NEWS", tags=["NEWS"]))
    model, [outcome] = await desk.run(new)
    prompt = model.bodies[0]["messages"][-1]["content"]
    assert "Name the mine." in prompt
    assert loads(before, "x")[1].strip() in prompt
    assert outcome.path
    assert "The mine at Holm" in desk.text
    assert loads(desk.text, "x")[0]["ai"]["version"] == 2
    assert [version.label for version in desk.db.versions.list(desk.db.drafts.list()[0].item_id)] == [
        "1",
        "2",
    ]
    assert not (await desk.run(count=9))[1][4:], "the request is done"


async def test_one_section_is_redrafted_and_an_editors_text_stays(desk: Desk) -> None:
    edited = desk.text.replace("## From author\n\n", "## From author\n\nAn editor's own words. ")
    desk.write(edited)
    desk.ask(section="overview")
    model, _ = await desk.run(SECTION)
    assert "An editor's own words." in model.bodies[0]["messages"][-1]["content"]
    before, after = loads(edited, "x"), loads(desk.text, "x")
    assert "something else now" in after[0]["description"], "ours follows the overview"
    assert after[1] == before[1].replace(
        before[1][slice(*sections(before[1])[0][1:3])].strip(), "The section says something else now."
    )
    labels = [
        (version.label, version.cause) for version in desk.db.versions.list(desk.db.drafts.list()[0].item_id)
    ]
    assert labels == [("1", "draft"), ("1.edit", "edit"), ("2", "redraft")]


async def test_a_recorded_answer_that_is_no_section_is_asked_for_again(desk: Desk) -> None:
    desk.ask(section="Overview")
    [lease] = desk.db.leases.acquire("one", 1, LEASE_S, lease_filter="asked")
    desk.db.budget.record(lease, answer("no section"))
    desk.db.leases.release([lease])
    model, [outcome] = await desk.run(SECTION)
    assert (model.call_count, outcome.reason) == (1, None)
    assert "something else now" in desk.text


async def test_an_editors_own_description_survives(desk: Desk) -> None:
    metadata, body = loads(desk.text, "x")
    desk.write(dumps(metadata | {"description": "My own words."}, body))
    desk.ask(section="Overview")
    await desk.run(SECTION)
    assert loads(desk.text, "x")[0]["description"] == "My own words."


async def test_a_section_redraft_restores_front_matter_removed_on_disk(desk: Desk) -> None:
    before, body = loads(desk.text, "x")
    metadata = {key: value for key, value in before.items() if key not in ("source", "ai", "externalId")}
    desk.write(dumps(metadata, body.replace("## Overview\n\n", "## Overview\n\nMended. ")))
    desk.ask(section="From author")
    await desk.run(SECTION)
    after, _ = loads(desk.text, "x")
    assert (after["source"], after["externalId"]) == (before["source"], before["externalId"])
    assert after["ai"] | {"prompt": "", "expandedAt": ""} == before["ai"] | {
        "prompt": "", "expandedAt": "", "version": 2, "checks": after["ai"]["checks"]
    }  # fmt: skip
    assert after["description"].startswith("Mended. "), "it follows what was mended on disk"


async def test_a_version_that_was_broken_on_disk_is_put_back_with_what_the_ledger_attests(desk: Desk) -> None:
    before, body = loads(desk.text, "x")
    desk.write(dumps({key: value for key, value in before.items() if key not in ("source", "ai")}, body))
    desk.restore("1")
    desk.restore("1.edit")
    after, _ = loads(desk.text, "x")
    assert after["source"] == before["source"]
    assert after["ai"] == before["ai"] | {"version": 3}


BROKEN = "---\ntitle: [not closed\n---\nAn editor's words.\n"


async def test_a_draft_with_broken_front_matter_is_redrafted_from_the_recorded_text(desk: Desk) -> None:
    before, body = loads(desk.text, "x")
    desk.write(BROKEN)
    desk.ask(over_edits=True)
    model, outcomes = await desk.run(count=9)
    assert [outcome.reason for outcome in outcomes] == [None] * 5, "the run goes on"
    prompts = [request["messages"][-1]["content"] for request in model.bodies]
    assert sum(body.strip() in prompt for prompt in prompts) == 1, "the model is shown what we wrote"
    after, _ = loads(desk.text, "x")
    assert (after["source"], after["ai"]["version"]) == (before["source"], 2)


async def test_a_section_of_a_broken_draft_is_not_redrafted(desk: Desk) -> None:
    desk.ask(section="Overview")
    desk.write(BROKEN)
    model, outcomes = await desk.run(count=9)
    [reason] = [outcome.reason for outcome in outcomes if outcome.reason]
    assert "its draft has front matter that is not YAML" in reason
    assert len(outcomes) == 5, "the run goes on"
    assert (model.call_count, desk.text) == (4, BROKEN)
    row = next(row for row in desk.db.drafts.list() if row.version_text == BROKEN)
    assert row.request is None
    assert any("It was not written anew: its draft has" in finding.message for finding in row.findings)


async def test_a_draft_that_an_editor_broke_is_no_brief_that_waits(desk: Desk) -> None:
    desk.write(BROKEN)
    desk.ask(over_edits=True)
    await desk.run(LLMError("the model refuses", retry=False))
    assert redraft.offline_briefs(desk.db, desk.root) == []


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-be", "utf-8", "utf-8-sig", "latin-1"])
async def test_a_restore_keeps_the_replaced_text_in_any_encoding(desk: Desk, encoding: str) -> None:
    words = desk.text + "Łódź: 5 €\n" if "utf" in encoding else desk.text + "Größe: 5 Öre\n"
    mark = codecs.BOM_UTF16_BE if encoding == "utf-16-be" else b""
    data = mark + words.encode(encoding)
    row = desk.db.drafts.list()[0]
    files.write_atomically(desk.root, row.path, data)
    desk.restore("1")
    version = next(v for v in desk.db.versions.list(row.item_id) if v.label == "1.edit")
    assert version.text.removeprefix("\ufeff") == words


def test_every_byte_of_a_file_in_no_encoding_is_a_character_of_its_text() -> None:
    data = bytes(range(256))
    assert decode_leniently(data).encode("latin-1") == data


@given(
    place=st.integers(0, 3), edit=st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=30)
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_other_sections_keep_every_byte(desk: Desk, place: int, edit: str) -> None:
    edited = desk.text.rstrip("\n") + f" {edit}\n"
    desk.write(edited)
    body = loads(edited, "x")[1]
    heading = sections(body)[place].heading
    desk.ask(section=heading)
    await desk.run(SECTION)
    after = loads(desk.text, "x")[1]
    others = [
        (section.heading, body[section.start : section.end])
        for section in sections(body)
        if section.heading != heading
    ]
    assert others == [(o.heading, after[o.start : o.end]) for o in sections(after) if o.heading != heading]


async def test_the_impact_is_written_as_bullets(desk: Desk) -> None:
    desk.ask(section="Impact on the market")
    await desk.run(json.dumps({"text": "One may follow.\n* Another may."}))
    assert desk.text.endswith("## Impact on the market\n\n- One may follow.\n- Another may.\n")


async def test_a_model_that_fails_leaves_the_draft_and_says_so(desk: Desk) -> None:
    desk.ask("Shorter.")
    before = desk.text
    _, [outcome] = await desk.run(LLMError("the model refuses", retry=False))
    assert outcome.reason == "the model refuses"
    assert desk.text == before
    [row] = desk.db.drafts.list()
    assert row.request is None
    assert "It was not written anew: the model refuses" in [finding.message for finding in row.findings]


async def test_the_whole_of_an_edited_draft_is_not_redrafted(desk: Desk) -> None:
    desk.write(desk.text + "An editor was here.\n")
    with pytest.raises(ReviewError, match="was edited"):
        desk.ask("Shorter.")
    desk.write(desk.text.replace("An editor was here.\n", ""))
    desk.ask("Shorter.")
    with pytest.raises(ReviewError, match="waits already"):
        desk.ask("Longer.")
    with pytest.raises(ReviewError, match='no section "Outlook"'):
        desk.ask(section="Outlook")


async def test_a_verdict_comes_before_a_redraft_that_is_under_way(desk: Desk) -> None:
    desk.ask("Shorter.")
    [lease] = [item for item in desk.db.leases.acquire("one", 9, LEASE_S) if item.request]
    desk.db.drafts.list()
    path = review.submit_review(
        desk.ctx, desk.db.drafts.list()[0].external_id, ReviewDecision.APPROVE, light=True
    )
    with pytest.raises(LeaseLost):
        desk.db.leases.confirm_write(lease)
    assert path.startswith("published/")
    assert [row.state for row in desk.db.drafts.list(("approved",))] == ["approved"]


async def test_an_earlier_version_is_put_back_as_the_next(desk: Desk) -> None:
    first = desk.text
    desk.ask("Anew.")
    await desk.run(json.dumps(article(overview="Quite another story.", category="NEWS", tags=["NEWS"])))
    desk.write(desk.text + "An editor was here.\n")
    desk.restore("1")
    assert loads(desk.text, "x")[1] == loads(first, "x")[1]
    assert loads(desk.text, "x")[0]["ai"]["version"] == 3
    row = desk.db.drafts.list()[0]
    assert [version.label for version in desk.db.versions.list(row.item_id)] == ["1", "2", "2.edit", "3"]
    assert (row.version, row.version_text) == (3, desk.text)
    with pytest.raises(ReviewError, match=r"has no version 9; it has 1, 2, 2\.edit, 3"):
        desk.restore("9")


async def test_flagged_sentences_are_repaired_by_one_more_call(desk: Desk) -> None:
    beat = BEAT.model_copy(update={"repair_sentences": True})
    draft = json.dumps(
        article(from_author="A view. Do visit https://evil.example/ now.", category="NEWS", tags=["NEWS"])
    )
    repairs = json.dumps({"sentences": [{"number": 1, "text": "That is for the reader to judge."}]})
    model, [outcome] = await desk.run(draft, repairs, beat=beat)
    assert model.call_count == 2
    assert "visit https://evil.example/" in model.bodies[1]["messages"][-1]["content"]
    assert outcome.prompt_tokens == 200
    row = next(row for row in desk.db.drafts.list() if row.path == outcome.path)
    assert "A view. That is for the reader to judge." in row.version_text
    assert [(version.label, version.cause) for version in desk.db.versions.list(row.item_id)] == [
        ("1", "draft"), ("1.repair", "repair"),
    ]  # fmt: skip
    assert [call.purpose for call in desk.db.budget.calls_since(None)][-2:] == ["draft", "sentence_repair"]


async def test_a_repair_that_fails_leaves_the_draft_with_its_findings(desk: Desk) -> None:
    beat = BEAT.model_copy(update={"repair_sentences": True})
    draft = json.dumps(
        article(from_author="Visit https://evil.example/ now.", category="NEWS", tags=["NEWS"])
    )
    _, [outcome] = await desk.run(draft, LLMError("stalled", retry=True), beat=beat)
    row = next(row for row in desk.db.drafts.list() if row.path == outcome.path)
    assert any(finding.kind == "injection" for finding in row.findings)


async def test_a_brief_waits_for_a_model(db: Database, net: HttpClient, tmp_path: Path) -> None:
    config: FeedConfig = feed()
    await draft_feed(run_context(db, net, tmp_path, None), config, 2)
    rows = redraft.offline_briefs(db, tmp_path / "output")
    assert len(rows) == 2
    edited = rows[0]
    files.write_atomically(tmp_path / "output", edited.path, b"an editor's own text")
    [brief] = redraft.offline_briefs(db, tmp_path / "output")
    redraft.request_redraft(
        EditorContext(db, tmp_path / "output", NEWS, clock=lambda: NOW), brief.external_id
    )
    model = Scripted(GOOD)
    [outcome] = await draft_feed(run_context(db, net, tmp_path, model), config, 9, requested=True)
    assert (outcome.model, model.call_count) == ("m", 1)
    assert redraft.offline_briefs(db, tmp_path / "output") == []


async def test_the_model_is_told_what_the_checks_and_the_editor_say_of_the_draft(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    desk = Desk(db, net, tmp_path)
    strict = BEAT.model_copy(update={"checks": BEAT.checks.model_copy(update={"name": None})})
    body = "Karl Mustermann opened it. Visit https://evil.example/ now."
    named = json.dumps(article(from_author=body, category="NEWS", tags=["NEWS"]))
    await desk.run(named, beat=strict)
    row = desk.db.drafts.list()[0]
    name = next(finding for finding in row.findings if finding.kind == "name")
    acknowledge(desk.ctx, row.external_id, name.key, row.findings, "He is the mayor.")
    desk.ask("Shorter.")
    model, _ = await desk.run(beat=strict)
    prompt = model.bodies[0]["messages"][-1]["content"]
    marker = re.search(r"^=== findings [0-9a-f]{16} ===$", prompt, re.M)
    assert marker
    lines = [json.loads(line) for line in prompt.split(marker[0])[1].strip().splitlines()]
    assert lines[0]["kind"] == "injection"
    assert "https://evil.example/" in lines[0]["words"]
    assert lines[0]["wrong"]
    accepted = {"words": "Karl Mustermann", "accepted": "He is the mayor."}
    assert accepted.items() <= lines[-1].items(), "what the editor dismissed comes last"
    assert prompt.index(marker[0]) < prompt.index("The editor's instruction: Shorter.")


async def test_a_section_is_redrafted_with_the_findings_of_that_section_alone(desk: Desk) -> None:
    desk.write(desk.text.replace("## From author\n\n", "## From author\n\nVisit https://evil.example/ now. "))
    desk.ask(section="Overview")
    model, _ = await desk.run(SECTION)
    assert "=== findings" not in model.bodies[0]["messages"][-1]["content"]
    desk.ask(section="From author")
    model, _ = await desk.run(SECTION)
    assert "evil.example" in model.bodies[0]["messages"][-1]["content"].partition("=== findings")[2]


async def test_what_the_model_is_told_is_bounded() -> None:
    request = RedraftRequest(id=1, by="ed", at=NOW, note="n" * 9000)
    many = [RedraftFinding(kind="name", words="w" * 900, wrong=f"wrong {index}") for index in range(99)]
    [message] = add_redraft_instructions([{"role": "user", "content": ""}], request, None, many)
    assert len(message["content"]) < 7000
    assert "wrong 0" in message["content"]
    assert "wrong 20" not in message["content"]


def own(title: str, description: str = "A mine opened.") -> str:
    return json.dumps(article(title=title, description=description, category="NEWS", tags=["NEWS"]))


async def test_an_editors_title_survives_every_redraft_and_the_path_stays(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    desk = Desk(db, net, tmp_path)
    await desk.run(own("Mine opens"))
    path = desk.db.drafts.list()[0].path
    assert "mine-opens" in path
    desk.ask()
    await desk.run(own("Mine at work", "The mine is at work."))
    front = loads(desk.text, "x")[0]
    assert (front["title"], front["description"]) == ("Mine at work", "The mine is at work."), (
        "both were ours"
    )
    assert (desk.db.drafts.list()[0].title, desk.db.drafts.list()[0].path) == ("Mine at work", path)
    metadata, body = loads(desk.text, "x")
    desk.write(dumps(metadata | {"title": "An editor's title", "description": "An editor's words."}, body))
    for _ in range(2):
        desk.ask(over_edits=True)
        await desk.run(own("Mine again", "The mine works again."))
        front = loads(desk.text, "x")[0]
        assert (front["title"], front["description"]) == ("An editor's title", "An editor's words.")
    assert desk.db.drafts.list()[0].path == path


async def test_what_another_process_is_doing_is_said(desk: Desk) -> None:
    row = desk.db.drafts.list()[0]
    number = redraft.request_redraft(desk.ctx, row.external_id)
    assert desk.db.redrafts.progress([number])[number] == RedraftProgress(None, in_progress=False)
    [lease] = desk.db.leases.acquire("one", 9, LEASE_S, lease_filter="asked")
    assert desk.db.redrafts.progress([number])[number].in_progress
    with pytest.raises(ReviewError, match="another process is writing it anew just now"):
        desk.ask("Shorter.")
    desk.db.leases.release([lease])
    await desk.run()
    assert desk.db.redrafts.progress([number, 999]) == {number: RedraftProgress("written", in_progress=False)}
