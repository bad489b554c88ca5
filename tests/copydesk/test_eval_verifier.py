"""`copydesk eval --verifier` with verifiers of every kind, on a model server on loopback."""

import functools
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.verifier.evaluation.labelled_set import LabelledDraft, load_labelled_set
from pipeline.verifier.evaluation.measurement import load_measurement
from tests.commands import call_copydesk
from tests.end_to_end.project import ROOT, Project
from tests.fakes.model_server import ModelServer, Reply, completion, error

SOURCES = ("bus-fares", "school-canteen-es")
Answer = Callable[[dict[str, Any]], Reply]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with two labelled drafts, which have ten slips."""
    made = Project.create(tmp_path / "project", {})
    folder = made.folder / "evals/verifier"
    folder.mkdir(parents=True)
    for name in SOURCES:
        shutil.copy(ROOT / f"evals/verifier/{name}.yaml", folder)
    shutil.copy(ROOT / "copydesk/init_files/feeds.yaml", made.folder)
    return made


@pytest.fixture
def server(project: Project) -> Iterator[ModelServer]:
    with ModelServer() as served:
        project.environ |= {"OPENAI_BASE_URL": served.base_url, "COPYDESK_MODEL": "fake-1"}
        yield served


def measured(project: Project, server: ModelServer, answer: Answer) -> dict[str, Any]:
    server.refuse = answer
    result = call_copydesk(project, "eval", "--verifier", "default", "--json")
    assert result.returncode == 0, result.stderr
    report: dict[str, Any] = json.loads(result.stdout)
    assert server.requests == 2 * len(SOURCES), "one call for each text"
    return report


@functools.cache
def drafts() -> tuple[LabelledDraft, ...]:
    return load_labelled_set(ROOT / "evals").drafts


def listed(entries: list[dict[str, Any]]) -> Reply:
    return completion(json.dumps({"objections": entries}))


def sentences(request: dict[str, Any]) -> dict[int, str]:
    """Return the numbered sentences of a request."""
    content = request["messages"][-1]["content"]
    return {int(number): text for number, text in re.findall(r"^(\d+)\. (.*)$", content, re.MULTILINE)}


def perfect(request: dict[str, Any]) -> Reply:
    """Object to each slip in a sentence, with words of the source."""
    draft = next(each for each in drafts() if each.source.item.title in request["messages"][-1]["content"])
    quoted = " ".join(draft.source.item.text.split()[:6])
    entries = []
    for number, text in sentences(request).items():
        for slip in (planted.slip for planted in draft.slips):
            if slip.wrong in text:
                source = quoted if slip.error == "contradicted" else ""
                entries.append(entry(number, slip.error, slip.wrong, source))
    return listed(entries)


def entry(number: int, error: str, wrong: str, source: str) -> dict[str, Any]:
    return {"sentence": number, "error": error, "wrong": wrong, "source": source, "fix": ""}


def always(request: dict[str, Any]) -> Reply:
    return listed([entry(number, "not_stated", text, "") for number, text in sentences(request).items()])


def false_quotations(request: dict[str, Any]) -> Reply:
    some = list(sentences(request).items())[:5]
    return listed([entry(number, "contradicted", text, "as nobody has ever said") for number, text in some])


def test_a_perfect_verifier_is_measured_and_the_result_kept(project: Project, server: ModelServer) -> None:
    project.environ["COPYDESK_PRICE"] = "1000/1000"
    project.environ["COPYDESK_CONFIRM"] = "1000"
    server.refuse = perfect
    result = call_copydesk(project, "eval", "--verifier", "default")
    assert result.returncode == 0, result.stderr
    assert re.search(
        r"^Sending 4 requests, at most [\d,]+ tokens, for about \$\d.* to fake-1\.$", result.stderr
    )
    assert re.search(r"^all +10/10 +100%$", result.stdout, re.MULTILINE), result.stdout
    assert re.search(r"^es +5/5 +100%$", result.stdout, re.MULTILINE)
    assert "False objections a draft: 0.00 (0 about 2 faultless drafts)" in result.stdout
    assert "Confirmed: 100% of 10 objections" in result.stdout
    # Four calls of 18 tokens, at a tenth of a cent.
    assert "Cost: $0.0720; 44 tokens in, 28 out" in result.stdout
    kept = load_measurement(project.folder / "evals", "default")
    assert kept is not None
    assert (kept.model, kept.scores.recall, kept.micros) == ("fake-1", 1.0, 72_000)
    assert kept.prompt.startswith("verify@")
    assert kept.is_of("fake-1", kept.prompt)
    assert not kept.is_of("fake-2", kept.prompt)
    page = (project.folder / "evals/measured/default.html").read_text()
    assert "100% found" in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("answer", "left_out"),
    [
        (lambda _: completion('{"a": 1}'), {"its answer cannot be read": 4}),
        (lambda _: completion("Everything seems right."), {"its answer cannot be read": 4}),
        (always, {"its objections were not trusted": 4}),
        (false_quotations, {"its objections were not trusted": 4}),
        (lambda _: listed([]), {}),
    ],
    ids=["nonsense", "prose", "always", "false quotations", "never"],
)
def test_a_verifier_that_is_no_use_finds_nothing_and_objects_to_nothing(
    project: Project, server: ModelServer, answer: Answer, left_out: dict[str, int]
) -> None:
    report = measured(project, server, answer)
    assert report["recall"] == report["false_objections_a_draft"] == report["confirmed_share"] == 0.0
    assert report["scores"]["left_out"] == left_out
    assert len(report["scores"]["missed"]) == 10


def test_a_result_that_cannot_be_kept_is_printed(project: Project, server: ModelServer) -> None:
    (project.folder / "evals/measured").write_text("")
    server.refuse = perfect
    result = call_copydesk(project, "eval", "--verifier", "default")
    assert result.returncode == 5
    assert re.search(r"^all +10/10 +100%$", result.stdout, re.MULTILINE)


def test_what_is_missed_and_falsely_objected_to_is_on_the_page(project: Project, server: ModelServer) -> None:
    def hasty(request: dict[str, Any]) -> Reply:
        number, text = next(iter(sentences(request).items()))
        return listed([entry(number, "not_stated", text, "")])

    report = measured(project, server, hasty)
    assert report["false_objections_a_draft"] == 1.0
    page = (project.folder / "evals/measured/default.html").read_text()
    assert "<td>The source does not say this.</td>" in page
    assert "<td>The full council has agreed</td>" in page


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(stall=True), "did not answer"),
        (completion(""), "the model's answer is empty"),
        (error(401, "Incorrect API key provided", code="invalid_api_key"), "OPENAI_API_KEY"),
    ],
)
def test_a_verifier_that_never_answers_is_not_measured(
    project: Project, server: ModelServer, reply: Reply, words: str
) -> None:
    project.environ["COPYDESK_MODEL_TIMEOUT"] = "0.3"
    server.refuse = lambda _: reply
    result = call_copydesk(project, "eval", "--verifier", "default")
    assert result.returncode == 4
    assert words in result.stderr
    assert server.requests <= 3
    assert load_measurement(project.folder / "evals", "default") is None


def test_what_it_costs_is_said_first_and_kept_within_the_caps(project: Project, server: ModelServer) -> None:
    project.environ["COPYDESK_PRICE"] = "1000/1000"
    asked = call_copydesk(project, "eval", "--verifier", "default")
    assert asked.returncode == 2
    assert "add --yes to continue, or set COPYDESK_CONFIRM" in asked.stderr
    project.environ["COPYDESK_CAP_RUN"] = "2"
    capped = call_copydesk(project, "eval", "--verifier", "default", "--yes")
    assert capped.returncode == 2
    assert "COPYDESK_CAP_RUN, $2.00, is less than that costs" in capped.stderr
    assert server.requests == 0
    project.environ["COPYDESK_CAP_RUN"] = "13"  # enough for likely answers, and not for four of the longest
    assert call_copydesk(project, "eval", "--verifier", "default", "--yes").returncode == 2
    assert server.requests < 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--verifier", "defualt"), "did you mean default?"),
        (("--verifier", "default"), "COPYDESK_MODEL"),
        (("--verifier", "default", "--ask"), "leave --ask out"),
        (("--yes",), "--yes needs --verifier"),
    ],
)
def test_a_measuring_that_is_not_possible_is_a_one_line_error(
    project: Project, arguments: tuple[str, ...], words: str
) -> None:
    result = call_copydesk(project, "eval", *arguments)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1), result.stderr
    assert words in result.stderr
