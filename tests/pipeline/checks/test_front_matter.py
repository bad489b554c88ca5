"""Missing and invalid keys of front matter: one sentence a key."""

from typing import Any

import pytest

from pipeline.articles.approved_metadata import front_of
from pipeline.checks.runner import run_checks
from pipeline.domain.models import Beat
from pipeline.domain.reviews import Severity
from tests.pipeline.checks.articles import ARTICLE, BEAT, source

GOOD: dict[str, Any] = {
    "title": "Arden loses its mill", "publishedAt": "2026-03-02T09:00:00.000Z",
    "updatedAt": "2026-03-02T10:00:00+01:00", "lang": "en", "externalId": "0123456789abcdef",
    "source": {"name": "Valley Post"}, "category": "MILLS", "tags": ["MILLS"], "stickyWeight": 0,
    "sentiment": "NEUTRAL", "score": 0, "draft": True, "ai": {"rewritten": True}, "mine": ["kept", {"a": 1}],
}  # fmt: skip


def findings_text(metadata: dict[str, Any], beat: Beat = BEAT) -> list[str]:
    findings = run_checks(source(), ARTICLE, beat, front=front_of(metadata, ARTICLE, beat))
    assert all(finding.kind == "front-matter" and finding.field == "front matter" for finding in findings)
    assert all(finding.firm for finding in findings if finding.severity is Severity.BLOCK)
    return [f"{finding.severity.value}: {finding.message}" for finding in findings]


def test_right_values_have_no_findings() -> None:
    assert findings_text(GOOD) == []
    cover = {"regular": "https://a.example/b.jpg", "alt": "A mill beside a dry river"}
    assert findings_text(GOOD | {"coverImage": cover, "lang": "pt-BR"}) == []


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("publishedAt", "yesterday", 'publishedAt "yesterday" is no time; write 2026-03-02T09:00:00Z.'),
        ("publishedAt", "2026-03-02", 'publishedAt "2026-03-02" is no time; write 2026-03-02T09:00:00Z.'),
        (
            "publishedAt", "2026-03-02T09:00:00",
            'publishedAt "2026-03-02T09:00:00" is no time; write 2026-03-02T09:00:00Z.',
        ),
        (
            "updatedAt", "2026-02-30T09:00:00Z",
            'updatedAt "2026-02-30T09:00:00Z" is no time; write 2026-03-02T09:00:00Z.',
        ),
        ("title", "  ", "title is empty; write one."),
        ("title", 2026, 'title "2026" is no text; write it in quotes.'),
        ("lang", None, "lang is empty; write a code such as en."),
        ("lang", "English, mostly", 'lang "English, mostly" is no language; write a code such as en.'),
        (
            "category", ["a", "b"],
            "category [a, b] is no text; write one alone.",
        ),
        ("tags", "A, B", 'tags "A, B" is no list of words; write each on a line of its own behind `- `.'),
        ("sentiment", "bull", 'sentiment "bull" is none of POSITIVE, NEUTRAL, NEGATIVE; write one of them.'),
        ("score", 1.5, 'score "1.5" is no whole number; write 0 for none.'),
        ("stickyWeight", True, "stickyWeight true is no whole number; write 0 for none."),
        ("draft", "yes", 'draft "yes" is neither true nor false; write true.'),
        ("coverImage", [], "coverImage [] is no mapping; write its keys below it, or take it out."),
        ("description", 7, 'description "7" is no text; write it in quotes.'),
    ],
)  # fmt: skip
def test_a_wrong_value_is_one_sentence(key: str, value: object, sentence: str) -> None:
    assert findings_text(GOOD | {key: value}) == [f"block: {sentence}"]


@pytest.mark.parametrize("key", ["title", "publishedAt", "lang", "category", "tags"])
def test_a_missing_key_is_one_sentence(key: str) -> None:
    [sentence] = findings_text({name: value for name, value in GOOD.items() if name != key})
    assert sentence.startswith(f"block: {key} is missing; write ")


def test_terms_outside_the_vocabulary_warn() -> None:
    beat = BEAT.model_copy(update={"vocabulary": ("MILLS", "JOBS")})
    assert findings_text(GOOD, beat) == []
    assert findings_text(GOOD | {"category": "OLD", "tags": ["OLD", "MILLS"]}, beat) == [
        'warn: category "OLD" is not in the vocabulary: MILLS, JOBS.',
        'warn: tags "OLD" is not in the vocabulary: MILLS, JOBS.',
    ]


def test_front_matter_of_other_tools_is_not_checked() -> None:
    assert findings_text({"title": "Arden loses its mill", "date": "yesterday", "tags": "mill"}) == []
