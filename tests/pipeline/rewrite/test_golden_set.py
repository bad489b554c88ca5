import json
from pathlib import Path

import pytest

from pipeline.domain.errors import ConfigError
from pipeline.domain.model_calls import LLMResponse, Provenance, TokenUsage
from pipeline.rewrite.evaluation.golden_set import RECORDED, GoldenCase, load_cases, load_recorded, record
from pipeline.rewrite.evaluation.scoring import compile_pattern

EVALS = Path(__file__).parents[3] / "evals"
FEEDS = """beats:
  crypto: {market: crypto market, vocabulary: [BTC]}
feeds: []
"""
GOLDEN = """feeds: feeds.yml
beat: crypto
language: en
everywhere:
  must_not: ['only time will tell']
items:
  - key: mine
    item:
      feed: Wire
      title: A mine opens
      published: 2026-01-14T09:30:00Z
      category: BTC
      text: The mine opened.
    wanted:
      must: [mine]
      must_not: ['/clos(ed|ing)/']
"""


def write(folder: Path, text: str = GOLDEN) -> Path:
    (folder / "feeds.yml").write_text(FEEDS)
    (folder / "golden.yaml").write_text(text)
    return folder


def test_a_case_has_its_source_its_beat_and_what_holds_everywhere(tmp_path: Path) -> None:
    [case] = load_cases(write(tmp_path))
    assert (case.key, case.source.feed_name, case.source.language) == ("mine", "Wire", "en")
    assert (case.source.item.text, case.beat.market) == ("The mine opened.", "crypto market")
    assert case.expectation.must == ("mine",)
    assert case.expectation.must_not == ("/clos(ed|ing)/", "only time will tell")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (GOLDEN.replace("beat: crypto", "beat: cryto"), 2, "did you mean crypto?"),
        (GOLDEN.replace("must: [mine]", "must: ['/(mine/']"), 15, "no regular expression"),
        (GOLDEN.replace("must:", "most:"), 15, "unknown key items.0.wanted.most"),
        (GOLDEN.replace("      title: A mine opens\n", ""), 8, "title"),
        (GOLDEN.replace("key: mine", "key: Mine one"), 7, "key"),
        (GOLDEN.replace("only time will tell", "/(/"), 5, "no regular expression"),
        (GOLDEN + GOLDEN[GOLDEN.index("  - key") :], 17, "mine is taken"),
    ],
)
def test_an_error_names_file_and_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_cases(write(tmp_path, text))
    assert caught.value.message.startswith(f"{tmp_path / 'golden.yaml'}:{line}: ")
    assert words in caught.value.message


def test_a_folder_without_a_golden_set_says_where_to_read_on(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"docs/prompts\.md"):
        load_cases(tmp_path)


@pytest.mark.parametrize("text", ['{"overview": "Ä", "impact": ["a", "b"]}', "no JSON at all", "[1]"])
def test_a_recorded_answer_is_read_unchanged(tmp_path: Path, text: str) -> None:
    by = Provenance(rewritten=True, model="m-1", prompt="article@12345678")
    answer = LLMResponse(text=text, provenance=by, usage=TokenUsage(prompt_tokens=7))
    folder = tmp_path / RECORDED / "mine"
    folder.mkdir(parents=True)
    recorded = record(answer).model_dump(mode="json")
    (folder / "one.json").write_text(json.dumps(recorded, ensure_ascii=False))
    read = load_recorded(tmp_path, "mine")["one"]
    assert read == answer


def test_a_set_that_nobody_recorded_is_an_error_with_a_guess(tmp_path: Path) -> None:
    (tmp_path / RECORDED / "mine").mkdir(parents=True)
    with pytest.raises(ConfigError, match="did you mean mine"):
        load_recorded(tmp_path, "mines")
    with pytest.raises(ConfigError, match="no answers are recorded"):
        load_recorded(tmp_path, "../mine")


def test_an_invalid_recorded_file_is_an_error_with_its_line(tmp_path: Path) -> None:
    (tmp_path / RECORDED / "mine").mkdir(parents=True)
    (tmp_path / RECORDED / "mine" / "one.json").write_text('{\n  "by": "m-1",\n  "answers": "x"\n}')
    with pytest.raises(ConfigError, match=r"one\.json:\d: "):
        load_recorded(tmp_path, "mine")


def test_our_golden_set_covers_both_languages() -> None:
    cases = load_cases(EVALS)
    assert len(cases) >= 12
    assert {case.source.language for case in cases} == {"en", "de"}
    assert all(case.expectation.must and case.expectation.must_not for case in cases)
    assert all(case.source.category in case.beat.vocabulary for case in cases)


@pytest.mark.parametrize("case", load_cases(EVALS), ids=lambda case: case.key)
def test_everything_that_must_be_there_is_in_the_source(case: GoldenCase) -> None:
    text = " ".join(case.source.item.text.split())
    assert [pattern for pattern in case.expectation.must if not compile_pattern(pattern).search(text)] == []


def test_hand_written_answers_name_no_model() -> None:
    names = [path.name for path in (EVALS / RECORDED).iterdir()]
    for name in names:
        answers = load_recorded(EVALS, name)
        assert answers
        if name.startswith("hand-written"):
            assert all(
                answer.provenance.model == "hand-written, no model was asked" for answer in answers.values()
            )
            assert all(answer.provenance.prompt is None for answer in answers.values())
    assert "hand-written" in names
