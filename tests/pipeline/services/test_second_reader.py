"""The second reader in a run: what it finds reaches the draft, what it costs is counted, no draft is lost."""

import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from pipeline.articles.files import sha256_of
from pipeline.articles.front_matter import loads
from pipeline.config import Subscriptions
from pipeline.domain.errors import FailureCause, LLMError, LLMRejected, ShutdownRequested
from pipeline.domain.model_calls import TokenUsage
from pipeline.domain.models import Beat
from pipeline.domain.reviews import Finding, Severity
from pipeline.http_client import HttpClient
from pipeline.llm.chat import ChatResponse, FinishReason
from pipeline.llm.pricing import Price, Rates
from pipeline.rewrite.prompt import load_prompt
from pipeline.rewrite.prompt_files import PACKAGED
from pipeline.services import redraft
from pipeline.services.context import ItemOutcome, Writer
from pipeline.services.draft import draft_feed
from pipeline.services.draft_file import EditorContext, draft_front, draft_source, join_stored
from pipeline.storage import Database, DraftRow
from tests.fakes.model_server import article
from tests.pipeline.services.desk import BEAT, Scripted, run_context
from tests.pipeline.storage.records import NOW, feed

WRONG = "Example Corp lost 1,250 coins in May."
QUOTATION = "Example Corp mined 1,250 coins in May"
OPINION = "This will be a steady month."
DRAFT = json.dumps(article(overview=WRONG, from_author=OPINION, category="NEWS", tags=["NEWS"]))


def objection(wrong: str = "lost", source: str = QUOTATION, fix: str = "mined") -> dict[str, str]:
    """Return an objection without the number of its sentence, which the Reader looks up."""
    return {"error": "contradicted" if source else "not_stated", "wrong": wrong, "source": source, "fix": fix}


class Reader(Scripted):
    """A second reader that objects to the first sentence it is shown that has the wrong words."""

    async def send(self, body: dict[str, Any], **limits: object) -> ChatResponse:
        if self.script and isinstance(self.script[0], list):
            question = body["messages"][-1]["content"]
            self.script[0] = json.dumps(
                {"objections": [_numbered(each, question) for each in self.script[0]]}
            )
        return await super().send(body, **limits)


def _numbered(each: dict[str, str], question: str) -> dict[str, object]:
    found = re.search(rf"^(\d+)\. .*{re.escape(each['wrong'])}", question, re.MULTILINE)
    return {"sentence": int(found[1]) if found else 0, **each}


class Project:
    """One item that is drafted by one model and verified by another."""

    def __init__(self, db: Database, net: HttpClient, folder: Path) -> None:
        self.db, self.net, self.folder = db, net, folder
        self.writer, self.reader = Scripted(), Reader()

    async def run(
        self,
        answers: list[Any],
        script: list[Any],
        *,
        beat: Beat = BEAT,
        count: int = 1,
        price: Price | None = None,
        **settings: Any,
    ) -> list[ItemOutcome]:
        self.writer.script, self.reader.script = answers, script
        context = run_context(self.db, self.net, self.folder, self.writer, beat=beat, **settings)
        reader = Writer("reader", cast(Any, self.reader), price)
        context = replace(
            context,
            verifier=lambda _beat: reader,
            verify_prompt=load_prompt(PACKAGED, "verify"),
            repair_prompt=load_prompt(PACKAGED, "mend"),
        )
        return await draft_feed(context, feed(), count)

    @property
    def row(self) -> DraftRow:
        return self.db.drafts.get(self.db.drafts.list()[0].external_id)

    @property
    def sense(self) -> list[Finding]:
        return [finding for finding in self.row.findings if finding.kind == "sense"]

    @property
    def purposes(self) -> list[str]:
        return [call.purpose for call in self.db.budget.calls_since(None)]


@pytest.fixture
def project(db: Database, net: HttpClient, tmp_path: Path) -> Project:
    return Project(db, net, tmp_path)


def ai(text: str) -> dict[str, Any]:
    return dict(loads(text, "x")[0]["ai"])


async def test_an_objection_is_a_look_with_the_sources_words_and_the_fix(project: Project) -> None:
    [outcome] = await project.run([DRAFT], [[objection()]])
    [look] = project.sense
    body = loads(project.row.version_text, "x")[1]
    assert body[slice(*look.span or (0, 0))] == "lost"
    assert (look.severity, look.suggestion, look.shared) == (Severity.WARN, "mined", True)
    [(start, end)] = look.evidence
    assert project.row.source.text[start:end] == QUOTATION
    assert ai(project.row.version_text)["verified"] == {"model": "m", "measured": None, "objections": 1}
    assert ai(project.row.version_text)["checks"]["open"] == len(
        [each for each in project.row.findings if each.severity is not Severity.NOTE]
    )
    assert project.purposes == ["draft", "verify"]
    assert outcome.prompt_tokens == 200
    question = project.reader.bodies[0]["messages"][-1]["content"]
    assert question.count(QUOTATION) == 1


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        ("Everything is fine.", "left out for this draft"),
        (LLMError("the model does not answer", retry=True, cause=FailureCause.OUTAGE), "does not answer"),
        (LLMRejected("the key is wrong", variable="KEY", cause=FailureCause.KEY), "the key is wrong"),
        (
            ChatResponse(text='{"objections": [', finish_reason=FinishReason.LENGTH, usage=TokenUsage()),
            "left out for this draft",
        ),
    ],
)
async def test_no_draft_is_lost_where_the_second_reader_fails(
    project: Project, answer: str | Exception | ChatResponse, note: str
) -> None:
    [outcome] = await project.run([DRAFT], [answer])
    [left_out] = project.sense
    assert (left_out.severity, note in left_out.message) == (Severity.NOTE, True)
    assert outcome.path
    assert project.reader.call_count == 1
    assert "verified" not in ai(project.row.version_text)


async def test_a_model_that_is_gone_is_not_asked_about_the_next_draft(project: Project) -> None:
    gone = LLMRejected("there is no such model", variable="MODEL", cause=FailureCause.MODEL)
    outcomes = await project.run([DRAFT] * 3, [gone], count=3)
    assert [bool(outcome.path) for outcome in outcomes] == [True] * 3
    assert project.reader.call_count == 1


async def test_an_answer_that_was_paid_for_is_not_paid_again(project: Project) -> None:
    output = project.folder / "output"
    output.write_text("a file where the folder should be")
    await project.run([DRAFT], [[objection()]])
    assert project.purposes == ["draft", "verify"]
    output.unlink()
    [outcome] = await project.run([], [])
    assert outcome.path
    assert project.purposes == ["draft", "verify"]
    assert [look.suggestion for look in project.sense] == ["mined"]


async def test_a_run_that_is_stopped_before_the_second_reader_answers_pays_only_for_it_later(
    project: Project,
) -> None:
    assert await project.run([DRAFT], [ShutdownRequested("stop")]) == []
    [outcome] = await project.run([], [[objection()]])
    assert (outcome.path is not None, project.purposes) == (True, ["draft", "verify"])


async def test_a_beat_may_have_contradictions_block(project: Project) -> None:
    strict = BEAT.model_copy(update={"checks": BEAT.checks.model_copy(update={"sense": "block"})})
    await project.run([DRAFT], [[objection(), objection("in May", "", "")]], beat=strict)
    assert [each.severity for each in project.sense] == [Severity.BLOCK, Severity.WARN]


async def test_an_edit_keeps_the_objections_to_other_sentences(project: Project) -> None:
    await project.run([DRAFT], [[objection(), objection("steady", "", "")]])
    metadata, body = loads(project.row.version_text, "x")
    news = Subscriptions(beats={"b": BEAT}, feeds=(feed(),))
    source = draft_source(project.row, news)
    edited = body.replace(WRONG, "New first words. " + WRONG.replace("lost", "mined"))
    front = draft_front(project.row, metadata, edited, BEAT)
    [kept] = [
        each for each in join_stored(project.row, source, BEAT, edited, (), front) if each.kind == "sense"
    ]
    assert edited[slice(*kept.span or (0, 0))].strip() == "steady"


REPAIRING = BEAT.model_copy(update={"repair_sentences": True})
REPAIRED = WRONG.replace("lost", "mined")


def repair(text: str) -> str:
    return json.dumps({"sentences": [{"number": 1, "text": text}]})


async def test_a_contradiction_is_repaired_and_the_repair_is_verified(project: Project) -> None:
    await project.run(
        [DRAFT, repair(REPAIRED)], [[objection(), objection("steady", "", "")], []], beat=REPAIRING
    )
    assert project.purposes == ["draft", "verify", "sentence_repair", "verify"]
    sent = project.writer.bodies[1]["messages"][-1]["content"]
    assert (sent.count('"wrong": ["The source says otherwise'), sent.count("does not say this")) == (1, 0)
    assert REPAIRED in project.row.version_text
    assert [each.removal for each in project.sense] == [True], "the other objection stays, unasked"
    assert "steady" not in project.reader.bodies[1]["messages"][-1]["content"]
    assert [each.cause for each in project.db.versions.list(project.row.item_id)] == ["draft", "repair"]


@pytest.mark.parametrize("answer", [WRONG, "Example Corp mined nothing in May."])
async def test_a_repair_that_leaves_as_many_findings_is_not_taken(project: Project, answer: str) -> None:
    again = [objection("nothing", QUOTATION, "1,250 coins")]
    await project.run([DRAFT, repair(answer)], [[objection()], again], beat=REPAIRING)
    assert WRONG in project.row.version_text
    assert [each.suggestion for each in project.sense] == ["mined"]


@pytest.mark.parametrize("failure", ["Fine.", LLMError("no answer", cause=FailureCause.OUTAGE)])
async def test_a_repair_that_the_second_reader_did_not_read_is_not_taken(
    project: Project, failure: str | Exception
) -> None:
    await project.run([DRAFT, repair(REPAIRED)], [[objection()], failure], beat=REPAIRING)
    assert WRONG in project.row.version_text
    assert [each.suggestion for each in project.sense] == ["mined"]


async def test_a_second_reader_that_failed_is_not_asked_about_the_repair(project: Project) -> None:
    blocked = json.dumps(
        article(from_author="A view. Visit https://evil.example/ now.", category="NEWS", tags=["NEWS"])
    )
    await project.run([blocked, repair("That is for the reader to judge.")], ["Fine."], beat=REPAIRING)
    assert project.reader.call_count == 1
    assert "for the reader to judge" in project.row.version_text


async def test_what_was_found_meanwhile_stays_where_findings_change(project: Project) -> None:
    await project.run([DRAFT], [[objection()]])
    row, other = project.row, Finding(kind="story", severity=Severity.NOTE, message="Another one.", key="k")
    sha256 = sha256_of(row.version_text.encode())
    project.db.findings.change(row, sha256, lambda current: (*current, other))
    assert project.row.findings == (*row.findings, other)
    project.db.findings.change(row, "0" * 64, lambda _: ())
    assert project.row.findings == (*row.findings, other)


async def test_of_a_section_that_is_redrafted_only_new_sentences_are_verified(project: Project) -> None:
    await project.run([DRAFT], [[objection(), objection("steady", "", "")]])
    news = Subscriptions(beats={"b": BEAT}, feeds=(feed(),))
    context = EditorContext(project.db, project.folder / "output", news, "ed", lambda: NOW)
    redraft.request_redraft(context, project.row.external_id, section="Overview")
    section = json.dumps({"text": "Example Corp sold 1,250 coins in May."})
    await project.run([section], [[objection("sold")]])
    question = project.reader.bodies[1]["messages"][-1]["content"]
    assert ("Example Corp sold" in question, "steady month" in question) == (True, False)
    body = loads(project.row.version_text, "x")[1]
    assert [body[slice(*each.span or (0, 0))].strip() for each in project.sense] == ["sold", "steady"]


async def test_a_draft_stands_where_its_verification_would_pass_a_cap(project: Project) -> None:
    price = Price("m", "http://local", Rates(Decimal(1), Decimal(1), Decimal(1)))
    [outcome] = await project.run([DRAFT], [[objection()]], price=price, cap_run=Decimal("0.0001"))
    assert outcome.path
    assert "cap" in project.sense[0].message
    assert any("not verified" in note for note in outcome.notes)
