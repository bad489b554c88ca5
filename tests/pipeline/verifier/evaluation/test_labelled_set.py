"""The labelled drafts that ship with the project."""

from collections import Counter
from pathlib import Path

import pytest

from pipeline.checks.runner import run_checks
from pipeline.domain.errors import ConfigError
from pipeline.domain.reviews import Severity
from pipeline.verifier.confirm import locate_words
from pipeline.verifier.evaluation.labelled_set import (
    FOLDER,
    KINDS,
    LabelledDraft,
    PlantedSlip,
    front_of,
    load_labelled_set,
)

EVALS = Path(__file__).parents[4] / "evals"
LABELLED = load_labelled_set(EVALS)


def test_the_set_has_every_kind_of_slip_in_three_beats_and_languages() -> None:
    assert len(LABELLED.drafts) >= 40
    assert {draft.beat.key for draft in LABELLED.drafts} == {"crypto", "local", "science"}
    assert {draft.language for draft in LABELLED.drafts} == {"en", "de", "es"}
    assert len({draft.key for draft in LABELLED.drafts}) == len(LABELLED.drafts)
    kinds = Counter(planted.slip.kind for draft in LABELLED.drafts for planted in draft.slips)
    assert min(kinds[kind] for kind in KINDS) >= 5  # type: ignore[index]


def _sentences(draft: LabelledDraft, planted: PlantedSlip) -> list[str]:
    """Return the sentences of the faulty draft that have a part of the wrong words."""
    numbered = draft.numbered(draft.faulty)
    spans = [
        (each, numbered.span(each, 0, each.end - each.start))
        for each in numbered.sentences
        if each.field == planted.field
    ]
    start, end = planted.span
    return [numbered.text_of(each) for each, (low, high) in spans if low < end and start < high]


@pytest.mark.parametrize("draft", LABELLED.drafts, ids=lambda draft: draft.key)
def test_a_labelled_draft_is_faultless_and_its_slips_stand_once_in_their_sentences(
    draft: LabelledDraft,
) -> None:
    for planted in draft.slips:
        sentences = _sentences(draft, planted)
        assert len(sentences) == 1, planted.slip.wrong
        assert len(locate_words(sentences[0], planted.slip.wrong)) == 1, planted.slip.wrong
    front = front_of(draft.faultless).model_copy(update={"is_ours": False})
    findings = run_checks(draft.source, draft.faultless.body, draft.beat, front=front)
    assert [each.message for each in findings if each.severity is Severity.BLOCK] == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("right: The full council votes on 12 May", "right: No such words", "must have 'No such words' once"),
        ("kind: polarity", "kind: typo", "slips.0.kind 'typo'"),
        ("## Overview", "Overview", "body: needs an overview"),
        ("wrong: The full council has agreed", "wrong: The", "must have 'The' once"),
    ],
)
def test_a_labelled_draft_that_is_not_valid_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    text = (EVALS / FOLDER / "bus-fares.yaml").read_text()
    assert old in text
    text = text.replace(old, new) if old != "## Overview" else text.replace("## ", "")
    (folder / "bus-fares.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"bus-fares\.yaml") as raised:
        load_labelled_set(tmp_path)
    assert words in raised.value.message


def test_a_project_without_labelled_drafts_is_told_where_they_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no labelled drafts"):
        load_labelled_set(tmp_path)
