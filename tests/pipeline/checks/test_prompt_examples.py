"""What a draft has from the examples of its prompt."""

from pipeline.checks.runner import run_checks
from pipeline.domain.reviews import Finding, Front, Severity
from tests.pipeline.checks.articles import ARTICLE, BEAT, TEXT, source

EXAMPLE = (
    "The ferry Tellurian ran aground off Kvalnes with 4,816 tonnes of salt in her hold, and nobody on board "
    "was hurt when the crew left her in two boats.",
    "Other ferries may look again at the charts that they carry on board in winter.",
)
WITH_EXAMPLES = BEAT.model_copy(update={"example_texts": EXAMPLE})


def findings(sentence: str, *, text: str = TEXT, title: str = "") -> list[Finding]:
    body = ARTICLE.replace("\n\n## From author", f" {sentence}\n\n## From author")
    assert sentence in body
    front = Front(metadata={"title": title}, follows=True, is_ours=False) if title else None
    found = run_checks(source(text), body, WITH_EXAMPLES, front=front)
    return [finding for finding in found if "example of the prompt" in finding.message]


def test_a_sentence_of_an_example_blocks() -> None:
    copied = "Other ferries may look again at the charts that they carry on board in winter."
    [finding] = findings(copied)
    assert (finding.kind, finding.severity) == ("form", Severity.BLOCK)
    assert finding.message.startswith("These 15 words are copied from an example")


def test_the_findings_of_one_text_are_limited() -> None:
    copied = " ".join([f"{EXAMPLE[0]} Then came number {number}." for number in range(30)])
    assert len([each for each in findings(copied) if each.kind == "form"]) == 20


def test_a_short_run_is_a_look() -> None:
    [finding] = findings("They may look again at the charts that they kept.")
    assert (finding.severity, finding.message[:15]) == (Severity.WARN, "These 8 words a")


def test_shorter_runs_are_chance() -> None:
    assert findings("They may look again at the charts in time.") == []


def test_words_that_the_source_has_are_no_copy_of_the_example() -> None:
    copied = "They may look again at the charts that they kept."
    assert findings(copied, text=f"{TEXT} {copied}") == []


def test_a_name_and_a_figure_of_an_example_say_so() -> None:
    found = findings("The Tellurian carried 4,816 tonnes.")
    assert {(finding.kind, finding.severity) for finding in found} == {
        ("name", Severity.BLOCK),
        ("figure", Severity.BLOCK),
    }
    assert all(finding.message.endswith(" An example of the prompt has it.") for finding in found)


def test_the_title_is_compared_too() -> None:
    found = findings("It closed.", title="The ferry Tellurian ran aground off Kvalnes with salt")
    assert {finding.field for finding in found} == {"title"}


def test_a_beat_without_examples_has_no_such_finding() -> None:
    body = ARTICLE.replace("\n\n## From author", f" {EXAMPLE[1]}\n\n## From author")
    assert not [f for f in run_checks(source(), body, BEAT, front=None) if "example" in f.message]
