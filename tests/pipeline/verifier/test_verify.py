"""A second reader's one call, with a model server on loopback that answers well, badly or not at all."""

import asyncio
import json
from functools import partial

import pytest

from pipeline.config import ModelConnection
from pipeline.domain.errors import BudgetExceeded, LLMRejected
from pipeline.llm.client import build_client
from pipeline.llm.structured_output import UnlimitedBudget, request_structured
from pipeline.rewrite.prompt import load_prompt
from pipeline.rewrite.prompt_files import PACKAGED
from pipeline.verifier.confirm import DropReason
from pipeline.verifier.question import Question
from pipeline.verifier.request import PROMPT
from pipeline.verifier.verify import Verification, verify
from tests.fakes.model_server import ModelServer, Reply, completion, error
from tests.pipeline.verifier.drafts import BEAT, draft, objection, source

VERIFY = load_prompt(PACKAGED, PROMPT)
GOOD = [objection(3, "will", "Norrsund may close", "may"), objection(6, ", which had been paid since 1998")]


def verified(*replies: Reply, timeout_s: float = 5.0) -> tuple[Verification, int]:
    """Return the verification of the draft, and the number of requests that it took."""
    with ModelServer() as server:
        server.enqueue(*replies)
        return asyncio.run(_verify(server.base_url, timeout_s)), server.requests


async def _verify(base_url: str, timeout_s: float) -> Verification:
    connection = ModelConnection(model="fake-1", base_url=base_url, timeout_s=timeout_s)
    async with build_client(connection) as model:
        ask = partial(request_structured, model, budget=UnlimitedBudget())
        return await verify(Question(source(), draft()), VERIFY, BEAT, ask, "default")


def test_an_answer_becomes_findings_with_what_was_dropped_and_paid() -> None:
    result, requests = verified(completion(json.dumps({"objections": [*GOOD, objection(99, "will")]})))
    assert [each.fix for reading in result.readings for each in reading.objections] == ["may", ""]
    assert result.confirmation.dropped == {DropReason.NO_SENTENCE: 1}
    assert (result.note, requests, result.usage.prompt_tokens) == ("", 1, 11)


EVERYTHING = [objection(each.number, draft().text_of(each)) for each in draft().sentences]
FALSE = [
    objection(3, word, f"The council said {word} twice", "may")
    for word in ("ferry", "line", "winter", "route")
]


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("All of the sentences are right.", "it is not JSON"),
        ('{"overview": "Norrsund closes."}', "objections: field required"),
        ("", "empty"),
        ('{"objections": [1, 2]}', "no entry of `objections` fits the schema"),
        (json.dumps(EVERYTHING), "it objects 11 times to 11 of 11 sentences"),
        (json.dumps(FALSE), "4 of its 4 quotations are not in the source"),
    ],
)
def test_a_reader_that_is_no_use_is_a_note_after_one_call(content: str, note: str) -> None:
    result, requests = verified(completion(content))
    assert note in result.note
    assert result.readings == ()
    assert result.confirmation.passed == frozenset()
    assert requests == 1


def test_a_reader_that_objects_to_nothing_lets_every_sentence_pass() -> None:
    result, _ = verified(completion('{"objections": []}'))
    assert (len(result.readings), len(result.confirmation.passed)) == (11, 11)


@pytest.mark.parametrize(
    ("reply", "note"),
    [
        (completion('{"objections": [', finish="length"), "cut off"),
        (completion(None, refusal="I will not."), "refuses"),
        (Reply(stall=True), "did not answer"),
    ],
)
def test_a_reader_that_does_not_finish_is_a_note_after_one_call(reply: Reply, note: str) -> None:
    result, requests = verified(reply, timeout_s=0.3)
    assert note in result.note
    assert (result.readings, requests) == ((), 1)


def test_who_cannot_be_asked_is_a_note_with_its_error() -> None:
    result, _ = verified(error(401, "Incorrect API key", code="invalid_api_key"))
    assert isinstance(result.error, LLMRejected)

    async def capped(request: object) -> tuple[object, object]:
        raise BudgetExceeded("the cap of the day is reached")

    question = Question(source(), draft())
    result = asyncio.run(verify(question, VERIFY, BEAT, capped, "default"))  # type: ignore[arg-type]
    assert result.note == "the cap of the day is reached"
    nothing = asyncio.run(verify(Question(source(), draft(), frozenset()), VERIFY, BEAT, capped, "default"))  # type: ignore[arg-type]
    assert (nothing.readings, nothing.note) == ((), "")
