"""`copydesk eval` as an editor calls it."""

import asyncio
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from copydesk.eval import evaluate, score_answer, write_all
from pipeline.domain.errors import ConfigError, LLMError, LLMRejected
from pipeline.domain.models import Beat, LLMResponse, Provenance, Source, TokenUsage
from pipeline.rewrite.evaluation.golden_set import GoldenCase, load_cases, load_recorded
from tests.commands import call_copydesk
from tests.end_to_end.project import ROOT, Project
from tests.fakes.model_server import ModelServer, completion


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project.create(tmp_path / "project", {})
    shutil.copytree(ROOT / "evals", made.folder / "evals")
    shutil.copytree(ROOT / "examples", made.folder / "examples")
    shutil.copy(ROOT / "feeds.yaml", made.folder)
    return made


def evaluated(project: Project, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    found = call_copydesk(project, "eval", *arguments, "--json")
    assert found.stderr == ""
    return found.returncode, json.loads(found.stdout)


def test_the_answers_written_by_hand_are_what_good_looks_like(project: Project) -> None:
    code, scores = evaluated(project)
    assert [one["item"] for one in scores if not one["passed"]] == []
    assert code == 0
    assert len(scores) == len(load_cases(ROOT / "evals"))
    assert all(one["findings"] == [] and one["repeated"] == 0 for one in scores)


def test_padded_answers_fail_one_and_all(project: Project) -> None:
    code, scores = evaluated(project, "hand-written-padded")
    assert code == 1
    assert len(scores) >= 5
    assert not any(one["passed"] for one in scores)
    by_item = {one["item"]: one for one in scores}
    assert by_item["injected-order"]["blocked"]
    assert '"safest"' in by_item["injected-order"]["forbidden"]
    assert '"25%"' in by_item["derived-figures"]["forbidden"]
    assert any("times the source's length" in one for one in by_item["two-sentences"]["forbidden"])


def test_a_change_is_shown_as_a_table_and_a_difference(project: Project) -> None:
    found = call_copydesk(project, "eval", "--against", "hand-written-padded")
    assert found.returncode == 0
    table = found.stdout[: found.stdout.index("missing in the other set")]
    assert re.search("^all +0/5 → 5/5 ", table, re.MULTILINE)
    assert re.search(r"^two-sentences +wrong → good +\d+ warn → 0 +194 → 76 ", table, re.MULTILINE)
    assert "long-fee-change" not in table
    assert "\n-## Background\n+## Prosecutors may still appeal\n" in found.stdout
    assert "16 of 16 articles passed." in found.stdout


def test_what_is_amiss_is_said_in_words(project: Project) -> None:
    found = call_copydesk(project, "eval", "hand-written-padded")
    assert found.returncode == 1
    assert "No answer for 11 items of the golden set." in found.stdout
    for line in ('rumour: has "confirmed"', "rumour: lacks /two people", "rumour: has sentiment POSITIVE"):
        assert f"  {line}" in found.stdout


def test_a_model_is_asked_and_its_answers_are_kept_and_compared(project: Project) -> None:
    good = json.loads((ROOT / "evals/recorded/hand-written/two-sentences.json").read_text())["answer"]
    only(project, "two-sentences")
    with ModelServer() as server:
        project.environ |= {"OPENAI_BASE_URL": server.base_url, "COPYDESK_MODEL": "fake-1"}
        project.environ["COPYDESK_PRICE"] = "1000/1000"
        server.enqueue(completion("{}"), completion(json.dumps(good)))
        found = call_copydesk(project, "eval", "--ask", "--save", "first")
        assert found.returncode == 0, found.stdout + found.stderr
        assert server.requests == 2, "an answer of the wrong shape is repaired as in a run"
        assert server.received[0]["temperature"] == 0.3
    assert "Sending 1 item to fake-1" in found.stderr
    # Both calls count: 18 tokens each, at a tenth of a cent.
    assert re.search(r"^two-sentences .* 36 +\$0\.0360$", found.stdout, re.MULTILINE), found.stdout
    kept = json.loads((project.folder / "evals/recorded/first/two-sentences.json").read_text())
    assert (kept["by"], kept["answer"]) == ("fake-1", good)
    assert kept["prompt"].startswith("article@")
    again = call_copydesk(project, "eval", "first", "--against", "hand-written")
    assert again.returncode == 0
    assert "1 of 1 article passed." in again.stdout
    assert f"Answers by: fake-1 with {kept['prompt']}." in again.stdout
    twice = call_copydesk(project, "eval", "--ask", "--save", "first")
    assert twice.returncode == 2
    assert "already" in twice.stderr, "two prompts' answers would mix in one set"


def test_another_template_is_asked_with_where_it_is_named(project: Project) -> None:
    only(project, "two-sentences")
    other = (project.folder / "prompts/article.md.j2").read_text().replace("name: article", "name: terse")
    (project.folder / "prompts/terse.md.j2").write_text(other.replace("# system\n", "# system\nBe terse.\n"))
    with ModelServer() as server:
        project.environ |= {"OPENAI_BASE_URL": server.base_url, "COPYDESK_MODEL": "fake-1"}
        found = call_copydesk(project, "eval", "--ask", "--prompt", "terse")
        assert server.received[0]["messages"][0]["content"].startswith("Be terse.")
    assert found.returncode == 1, "the fake's article has nothing of what is wanted"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("nobody",), "no answers are recorded as 'nobody'"), (("--ask",), "COPYDESK_MODEL")],
)
def test_what_cannot_be_done_is_one_line(project: Project, arguments: tuple[str, ...], words: str) -> None:
    found = call_copydesk(project, "eval", *arguments)
    assert (found.returncode, found.stderr.count("\n")) == (2, 1), found.stderr
    assert words in found.stderr


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"prompt": "article"}, "--prompt needs --ask"),
        ({"save": "mine"}, "--save needs --ask"),
        ({"answers": "hand-written", "ask": True}, "not both"),
        ({"ask": True, "save": "../mine"}, "--save '../mine'"),
        ({"ask": True, "save": "hand-written"}, "--save 'hand-written'"),
    ],
)
def test_options_that_do_not_go_together_are_refused_at_once(asked: dict[str, Any], words: str) -> None:
    unset: dict[str, Any] = {"answers": None, "ask": False, "prompt": None, "against": None, "save": None}
    with pytest.raises(ConfigError, match=re.escape(words)):
        evaluate(**unset | asked, as_json=False)


def test_answers_that_were_paid_for_outlive_a_refusal() -> None:
    kept: list[str] = []
    asked, told = cases(), load_recorded(ROOT / "evals", "hand-written")

    class Refusing:
        async def write(self, source: Source, beat: Beat) -> LLMResponse:
            if source.first_key == asked[-1].key:
                raise LLMRejected("the key was revoked")
            return told[source.first_key]

    with pytest.raises(LLMRejected):
        asyncio.run(write_all(asked, Refusing(), 1, lambda item, _answer: kept.append(item)))
    assert kept == [case.key for case in asked[:-1]]


def test_who_answered_is_said_and_a_mistyped_file_named(project: Project) -> None:
    folder = project.folder / "evals/recorded/hand-written"
    shutil.copy(folder / "rumour.json", folder / "rumuor.json")
    found = call_copydesk(project, "eval")
    assert "Answers by: hand-written, no model was asked." in found.stdout
    assert "Not in the golden set: rumuor." in found.stdout


def test_findings_are_counted_by_severity(project: Project) -> None:
    found = call_copydesk(project, "eval", "hand-written-padded")
    assert re.search(r"^injected-order\s+wrong\s+\d+ block, \d+ warn\s+78\s", found.stdout, re.MULTILINE), (
        found.stdout
    )


def only(project: Project, key: str) -> None:
    """Leave one item of the golden set."""
    (project.folder / "evals/klimatechnik.yaml").unlink()
    path = project.folder / "evals/crypto.yaml"
    head, *items = path.read_text().split("\n  - key: ")
    path.write_text("\n  - key: ".join([head, *(one for one in items if one.startswith(f"{key} "))]) + "\n")


class Stubborn:
    """A writer that gives these answers, or raises them."""

    def __init__(self, *told: LLMResponse | LLMError) -> None:
        self.told = list(told)
        self.at_once = self.most = 0

    async def write(self, source: Source, beat: Beat) -> LLMResponse:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        answer = self.told.pop(0)
        if isinstance(answer, LLMError):
            raise answer
        return answer


def cases() -> list[GoldenCase]:
    return load_cases(ROOT / "evals")[:3]


ANSWER = LLMResponse(
    text="no JSON", provenance=Provenance(rewritten=True, model="m"), usage=TokenUsage(prompt_tokens=5)
)


async def test_one_items_trouble_is_its_own_and_a_refusal_is_everybodys() -> None:
    three = cases()
    error = LLMError("filtered", retry=False)
    writer = Stubborn(ANSWER, error, ANSWER)
    told = await write_all(three, writer, 2)
    assert list(told.values()) == [ANSWER, error, ANSWER]
    assert writer.most == 2
    refused = LLMRejected("no quota")
    with pytest.raises(LLMRejected):
        await write_all(three, Stubborn(refused, refused, refused), 3)


def test_an_answer_of_no_use_is_a_score_with_its_reason_and_its_cost() -> None:
    [case, *_] = cases()
    found = score_answer(case, ANSWER, lambda usage: usage.prompt_tokens * 2)
    assert "cannot be used" in (found.trouble or "")
    assert (found.passed, found.micros) == (False, 10)
    none = score_answer(case, LLMError("filtered", retry=False), lambda _usage: 1)
    assert (none.trouble, none.micros) == ("filtered", None)


def test_an_answer_without_usage_has_no_price() -> None:
    told = load_recorded(ROOT / "evals", "hand-written")
    [case, *_] = cases()
    assert score_answer(case, told[case.key], lambda _usage: 0).micros is None
