import time

import pytest

from pipeline.checks.document import DraftDocument
from pipeline.checks.structure import check_artifacts, check_length, check_repetition, check_structure
from pipeline.checks.tokens import TokenizedText
from pipeline.domain.reviews import Severity
from tests.lengths import lengths
from tests.pipeline.checks.articles import ARTICLE, BEAT, TEXT, run, summarize


def test_an_article_in_order_has_no_findings() -> None:
    assert run(ARTICLE) == ()
    assert run(ARTICLE.replace("\n", "\r\n")) == ()
    assert run(ARTICLE.replace("## Overview", "## Overview ##")) == ()


def moved(heading: str, before: str) -> str:
    """Return the article with one section put in front of another one."""
    parts = [f"## {part}" for part in ARTICLE.split("## ")[1:]]
    [section] = [part for part in parts if part.startswith(f"## {heading}")]
    parts.remove(section)
    at = next(number for number, part in enumerate(parts) if part.startswith(f"## {before}"))
    return "\n".join([*parts[:at], section.rstrip() + "\n\n", *parts[at:]])


@pytest.mark.parametrize(
    ("heading", "before"),
    [
        ("Buyers", "Overview"),
        ("From author", "Buyers"),
        ("Impact", "From author"),
        ("From author", "Overview"),
    ],
)
def test_sections_in_another_order_warn_once(heading: str, before: str) -> None:
    [finding] = check_structure(DraftDocument(moved(heading, before), BEAT))
    assert (finding.kind, finding.severity) == ("form", Severity.WARN)
    assert finding.span
    assert '"Overview" comes first' in finding.message


def test_a_repeated_heading_warns() -> None:
    body = ARTICLE.replace("## From author", "## buyers stayed away\n\nIndeed.\n\n## From author")
    [finding] = check_structure(DraftDocument(body, BEAT))
    assert finding.severity is Severity.WARN
    assert body[slice(*finding.span or ())] == "## buyers stayed away"


def artifacts(text: str, source: str = "", language: str = "en") -> list[tuple[str, str]]:
    findings = check_artifacts(DraftDocument(text, BEAT), source, language)
    return [
        (finding.severity.value, text[slice(*finding.span)] if finding.span else "") for finding in findings
    ]


@pytest.mark.parametrize(
    ("text", "excerpt"),
    [
        ("As an AI language model, it seems.", "As an AI language model"),
        ("I cannot verify this.", "I cannot verify"),
        ("Here is the rewritten article:", "Here is the rewritten article"),
        ("Beyond my knowledge cutoff, that is.", "my knowledge cutoff"),
        ("Based on the provided text, mills close.", "Based on the provided text"),
        ("So said [insert name] on Friday.", "[insert name]"),
        ("So said [Your Company] on Friday.", "[Your Company]"),
        ("It cost TBD euros.", "TBD"),
        ("Lorem ipsum and so on.", "Lorem ipsum"),
        ("It is {{ site.title }} now.", "{{"),
        ("It is {% raw %} now.", "{%"),
        ("A {{< figure >}} here.", "{{"),
        ("Above.\n\n<!--more-->\n\nBelow.", "<!--more"),
        (":::note\nThis.\n:::", ":::"),
        ("Als KI-Sprachmodell weiß man das.", "Als KI-Sprachmodell"),
    ],
)
def test_artifacts_block(text: str, excerpt: str) -> None:
    severity, words = artifacts(text, language="de")[0]
    assert severity == "block"
    assert words == excerpt


@pytest.mark.parametrize(
    ("text", "excerpt"),
    [
        ("Note: this is short.", "Note:"),
        ("- **Summary:** short.", "Summary:"),
        ("One.\n\n---\n\nTwo.", "---"),
    ],
)
def test_notes_to_editors_and_rules_warn(text: str, excerpt: str) -> None:
    assert artifacts(text) == [("warn", excerpt)]


@pytest.mark.parametrize(
    "text",
    [
        '"I cannot help it," said Tolle.',
        "Todo el mundo habla de [ello](https://a.example/b); the note: it was short.",
        "It cannot go on; take note, said the mayor [of Arden]. A list: {one}, 100% {x}.",
        "The source names no price, and no date was given.",
    ],
)
def test_ordinary_text_has_none(text: str) -> None:
    assert artifacts(text) == []


def test_a_remark_in_the_source_is_allowed() -> None:
    text = "It answered, as an AI language model does, with a poem."
    assert artifacts(text, "The bot wrote: As an AI language model I like paper.") == []
    assert len(artifacts(text)) == 1


SENTENCE = "The paper mill at Arden closes in spring after forty years of steady losses"


@pytest.mark.parametrize(
    ("other", "repeated"),
    [
        (SENTENCE, True),
        ("After forty years of steady losses the Arden paper mill closes in the coming spring", True),
        ("The paper mill at Arden hired in autumn after forty years of steady gains", False),
        ("The mill at Arden closes", False),
    ],
)
def test_a_repeated_sentence_warns(other: str, repeated: bool) -> None:
    text = f"{SENTENCE}. Nobody bought its paper any more, said the owner who runs it.\n\n{other}."
    repetitions = [text[slice(*finding.span or ())] for finding in check_repetition(TokenizedText(text))]
    assert repetitions == ([f"{other}."] if repeated else [])


def test_an_article_far_longer_than_its_source_warns() -> None:
    source_tokens = TokenizedText("The mill closes. It had losses.")
    assert check_length(TokenizedText("word " * 90), source_tokens) == []
    [finding] = check_length(TokenizedText("word " * 300), source_tokens)
    assert (finding.severity, finding.span) == (Severity.WARN, None)
    assert "300 words, its source 6" in finding.message
    assert check_length(TokenizedText("word " * 300), TokenizedText("工場は春に閉鎖される。" * 30)) == []


def test_run_checks_warns_of_length() -> None:
    padded = ARTICLE.replace("\n\n## From", "\n\n" + " ".join(f"word{n}" for n in range(300)) + "\n\n## From")
    assert ("form", "warn", "") in summarize(padded, *run(padded))
    assert len(TEXT.split()) < 100


@pytest.mark.parametrize("length", lengths(600_000))
@pytest.mark.parametrize("piece", [f"{SENTENCE}. ", "I ", "[insert ", "- note ", "{{ ", "a: ", "---\n"])
def test_time_is_linear_in_the_text(piece: str, length: int) -> None:
    text = piece * (length // len(piece))
    begun = time.process_time()
    check_repetition(TokenizedText(text))
    check_artifacts(DraftDocument(text, BEAT), text, "en")
    assert time.process_time() - begun < 10
