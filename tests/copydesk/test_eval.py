"""`copydesk eval` on the command line."""

import asyncio
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from copydesk.eval import evaluate, score_answer, with_examples, write_all
from pipeline.config import load_settings
from pipeline.domain.errors import ConfigError, LLMError, LLMRejected
from pipeline.domain.model_calls import LLMResponse, Provenance, TokenUsage
from pipeline.domain.models import Beat, Source
from pipeline.rewrite.evaluation.golden_set import GoldenCase, load_cases, load_recorded
from tests.commands import call_copydesk
from tests.end_to_end.project import ROOT, Project
from tests.fakes.model_server import ModelServer, completion


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project.create(tmp_path / "project", {})
    shutil.copytree(ROOT / "evals", made.folder / "evals")
    shutil.copytree(ROOT / "examples", made.folder / "examples")
    shutil.copy(ROOT / "copydesk/init_files/feeds.yaml", made.folder)
    return made


def evaluated(project: Project, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    result = call_copydesk(project, "eval", *arguments, "--json")
    assert result.stderr == ""
    return result.returncode, json.loads(result.stdout)


def test_the_hand_written_answers_pass(project: Project) -> None:
    code, scores = evaluated(project)
    assert [entry["item"] for entry in scores if not entry["passed"]] == []
    assert code == 0
    assert len(scores) == len(load_cases(ROOT / "evals"))
    assert all(entry["repeated"] == 0 for entry in scores)
    # Its source gives orders to the model: that is said of every draft about it.
    assert [entry["item"] for entry in scores if entry["findings"]] == ["injected-order"]


def test_all_padded_answers_fail(project: Project) -> None:
    code, scores = evaluated(project, "hand-written-padded")
    assert code == 1
    assert len(scores) >= 5
    assert not any(entry["passed"] for entry in scores)
    by_item = {entry["item"]: entry for entry in scores}
    assert by_item["injected-order"]["blocked"]
    assert '"safest"' in by_item["injected-order"]["forbidden"]
    assert '"25%"' in by_item["derived-figures"]["forbidden"]
    assert any("times the source's length" in entry for entry in by_item["two-sentences"]["forbidden"])


def test_an_answer_that_copies_an_example_of_the_prompt_has_a_finding(project: Project) -> None:
    cases = [case for case in load_cases(ROOT / "evals") if case.key == "two-sentences"]
    [case] = with_examples(load_settings({"HOME": str(project.folder)}, ROOT), cases)
    answer = load_recorded(ROOT / "evals", "hand-written")[case.key]
    fields = json.loads(answer.text)
    fields["overview"] += " The copy did not have the queue that broke, said Marte Lund, who runs operations."
    copied = answer.model_copy(update={"text": json.dumps(fields)})
    found = [score_answer(case, each, lambda _usage: None).findings for each in (answer, copied)]
    assert ["block form" in findings for findings in found] == [False, True], found


def test_changes_are_a_table_and_a_diff(project: Project) -> None:
    result = call_copydesk(project, "eval", "--against", "hand-written-padded")
    assert result.returncode == 0
    table = result.stdout[: result.stdout.index("missing in the other set")]
    assert re.search("^all +0/5 → 5/5 ", table, re.MULTILINE)
    assert re.search(r"^two-sentences +wrong → good +\d+ warn → 0 +194 → 68 ", table, re.MULTILINE)
    assert "long-fee-change" not in table
    assert "\n-## Background\n+## Prosecutors may still appeal\n" in result.stdout
    assert "16 of 16 articles passed." in result.stdout


def test_reasons_of_failure_are_printed(project: Project) -> None:
    result = call_copydesk(project, "eval", "hand-written-padded")
    assert result.returncode == 1
    assert "No answer for 11 items of the golden set." in result.stdout
    for line in ('rumour: has "confirmed"', "rumour: lacks /two people", "rumour: has sentiment POSITIVE"):
        assert f"  {line}" in result.stdout


def test_answers_of_a_model_are_saved_and_compared(project: Project) -> None:
    good = json.loads((ROOT / "evals/recorded/hand-written/two-sentences.json").read_text())["answer"]
    only(project, "two-sentences")
    with ModelServer() as server:
        project.environ |= {"OPENAI_BASE_URL": server.base_url, "COPYDESK_MODEL": "fake-1"}
        project.environ["COPYDESK_PRICE"] = "1000/1000"
        server.enqueue(completion("{}"), completion(json.dumps(good)))
        result = call_copydesk(project, "eval", "--ask", "--save", "first")
        assert result.returncode == 0, result.stdout + result.stderr
        assert server.requests == 2, "an answer of the wrong shape is repaired as in a run"
        assert server.received[0]["temperature"] == 0.3
    assert "Sending 1 item to fake-1" in result.stderr
    # Both calls count: 18 tokens each, at a tenth of a cent.
    assert re.search(r"^two-sentences .* 36 +\$0\.0360$", result.stdout, re.MULTILINE), result.stdout
    saved = json.loads((project.folder / "evals/recorded/first/two-sentences.json").read_text())
    assert (saved["by"], saved["answer"]) == ("fake-1", good)
    assert saved["prompt"].startswith("article@")
    # A recorded set costs what its own model costs, whichever is asked now.
    project.environ |= {"COPYDESK_MODEL": "fake-2", "COPYDESK_PRICE": "1/1"}
    shown = json.loads(call_copydesk(project, "eval", "first", "--json").stdout)
    assert shown[0]["micros"] is None, "the price of fake-1 is not known any more"
    again = call_copydesk(project, "eval", "first", "--against", "hand-written")
    assert again.returncode == 0
    assert "1 of 1 article passed." in again.stdout
    assert f"Answers by: fake-1 with {saved['prompt']}." in again.stdout
    twice = call_copydesk(project, "eval", "--ask", "--save", "first")
    assert twice.returncode == 2
    assert "already" in twice.stderr, "two prompts' answers would mix in one set"


def test_each_beat_has_its_model_and_an_option_another_one(project: Project) -> None:
    only(project, "two-sentences")
    feeds = project.folder / "feeds.yaml"
    with ModelServer() as server:
        models = (
            f"models:\n  strong: {{model: big, base_url: '{server.base_url}'}}\n"
            f"  cheap: {{model: small, base_url: '{server.base_url}'}}\n"
        )
        feeds.write_text(models + feeds.read_text().replace("  crypto:\n", "  crypto:\n    model: strong\n"))
        result = call_copydesk(project, "eval", "--ask")
        assert "Sending 1 item to big" in result.stderr
        result = call_copydesk(project, "eval", "--ask", "--model", "cheap")
        assert "Sending 1 item to small" in result.stderr
        assert [request["model"] for request in server.received] == ["big", "small"]
    unknown = call_copydesk(project, "eval", "--ask", "--model", "chaep")
    assert (unknown.returncode, unknown.stderr.count("\n")) == (2, 1)
    assert "feeds.yaml has no model 'chaep' under models; did you mean cheap?" in unknown.stderr


def test_the_named_prompt_is_used(project: Project) -> None:
    only(project, "two-sentences")
    other = (project.folder / "prompts/article.md.j2").read_text().replace("name: article", "name: terse")
    (project.folder / "prompts/terse.md.j2").write_text(other.replace("# system\n", "# system\nBe terse.\n"))
    with ModelServer() as server:
        project.environ |= {"OPENAI_BASE_URL": server.base_url, "COPYDESK_MODEL": "fake-1"}
        result = call_copydesk(project, "eval", "--ask", "--prompt", "terse")
        assert server.received[0]["messages"][0]["content"].startswith("Be terse.")
    assert result.returncode == 1, "the fake's article has nothing of what is wanted"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("nobody",), "no answers are recorded as 'nobody'"), (("--ask",), "COPYDESK_MODEL")],
)
def test_an_impossible_evaluation_is_a_one_line_error(
    project: Project, arguments: tuple[str, ...], words: str
) -> None:
    result = call_copydesk(project, "eval", *arguments)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1), result.stderr
    assert words in result.stderr


@pytest.mark.parametrize(
    ("requested", "words"),
    [
        ({"prompt": "article"}, "--prompt needs --ask"),
        ({"save": "mine"}, "--save needs --ask"),
        ({"model": "cheap"}, "--model needs --ask"),
        ({"answers": "hand-written", "ask": True}, "not both"),
        ({"ask": True, "save": "../mine"}, "--save '../mine'"),
        ({"ask": True, "save": "hand-written"}, "--save 'hand-written'"),
    ],
)
def test_conflicting_options_are_an_error(requested: dict[str, Any], words: str) -> None:
    unset: dict[str, Any] = {"answers": None, "ask": False, "prompt": None, "against": None, "save": None}
    with pytest.raises(ConfigError, match=re.escape(words)):
        evaluate(**unset | requested, as_json=False)


def test_paid_answers_are_saved_before_a_rejection() -> None:
    saved: list[str] = []
    requested, recorded = cases(), load_recorded(ROOT / "evals", "hand-written")

    class Refusing:
        async def write(self, source: Source, beat: Beat) -> LLMResponse:
            if source.first_key == requested[-1].key:
                raise LLMRejected("the key was revoked")
            return recorded[source.first_key]

    with pytest.raises(LLMRejected):
        asyncio.run(write_all(requested, Refusing(), 1, lambda item, _answer: saved.append(item)))
    assert saved == [case.key for case in requested[:-1]]


def test_the_model_and_unknown_items_are_printed(project: Project) -> None:
    folder = project.folder / "evals/recorded/hand-written"
    shutil.copy(folder / "rumour.json", folder / "rumuor.json")
    result = call_copydesk(project, "eval")
    assert "Answers by: hand-written, no model was asked." in result.stdout
    assert "Not in the golden set: rumuor." in result.stdout


def test_findings_are_counted_by_severity(project: Project) -> None:
    result = call_copydesk(project, "eval", "hand-written-padded")
    assert re.search(r"^injected-order\s+wrong\s+\d+ block, \d+ warn\s+78\s", result.stdout, re.MULTILINE), (
        result.stdout
    )


def only(project: Project, key: str) -> None:
    """Leave one item of the golden set."""
    (project.folder / "evals/klimatechnik.yaml").unlink()
    path = project.folder / "evals/crypto.yaml"
    head, *items = path.read_text().split("\n  - key: ")
    path.write_text(
        "\n  - key: ".join([head, *(entry for entry in items if entry.startswith(f"{key} "))]) + "\n"
    )


class Stubborn:
    """A writer that gives these answers, or raises them."""

    def __init__(self, *answers: LLMResponse | LLMError) -> None:
        self.answers = list(answers)
        self.at_once = self.max_at_once = 0

    async def write(self, source: Source, beat: Beat) -> LLMResponse:
        self.at_once += 1
        self.max_at_once = max(self.max_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        answer = self.answers.pop(0)
        if isinstance(answer, LLMError):
            raise answer
        return answer


def cases() -> list[GoldenCase]:
    return load_cases(ROOT / "evals")[:3]


ANSWER = LLMResponse(
    text="no JSON", provenance=Provenance(rewritten=True, model="m"), usage=TokenUsage(prompt_tokens=5)
)


async def test_an_item_error_is_returned_and_a_rejection_is_raised() -> None:
    three = cases()
    error = LLMError("filtered", retry=False)
    writer = Stubborn(ANSWER, error, ANSWER)
    recorded = await write_all(three, writer, 2)
    assert list(recorded.values()) == [ANSWER, error, ANSWER]
    assert writer.max_at_once == 2
    refused = LLMRejected("no quota")
    with pytest.raises(LLMRejected):
        await write_all(three, Stubborn(refused, refused, refused), 3)


def test_an_unusable_answer_is_a_failed_score_with_its_cost() -> None:
    [case, *_] = cases()
    result = score_answer(case, ANSWER, lambda usage: usage.prompt_tokens * 2)
    assert "cannot be used" in (result.trouble or "")
    assert (result.passed, result.micros) == (False, 10)
    none = score_answer(case, LLMError("filtered", retry=False), lambda _usage: 1)
    assert (none.trouble, none.micros) == ("filtered", None)


def test_an_answer_without_usage_has_no_price() -> None:
    recorded = load_recorded(ROOT / "evals", "hand-written")
    [case, *_] = cases()
    assert score_answer(case, recorded[case.key], lambda _usage: 0).micros is None
