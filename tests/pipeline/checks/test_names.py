"""Named entities of a draft, looked up in its source."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks.names import check_names
from pipeline.checks.names.parts import capitalised_words
from pipeline.checks.tokens import CheckInput, TokenizedText
from pipeline.domain.reviews import Severity
from tests.lengths import lengths


def check(source: str, draft: str, language: str = "en") -> list[tuple[str, str]]:
    findings = check_names(CheckInput(TokenizedText(draft), TokenizedText(source), language))
    return [(finding.severity.value, draft[slice(*finding.span or ())]) for finding in findings]


SUPPORTED = [
    ("Marte Lund said so.", "So Marte Lund said."),
    ("marte lund of coldwater said so.", "Marte Lund of Coldwater said so."),
    ("The board of Coldwater met.", "The Coldwater's board met. Coldwater’s board met."),
    ("It happened in Norway.", "The Norwegian board met."),
    ("Italian banks closed.", "Banks in Italy closed."),
    ("The United Nations met.", "The UN met."),
    ("The UN met.", "The United Nations met."),
    ("The Varnhem Harbour Board met.", "The VHB met."),
    ("The VHB met.", "The Varnhem Harbour Board met."),
    ("Banks in the US closed.", "American banks and U.S. banks closed."),
    ("Bitcoin fell.", "BTC fell."),
    ("It bought ETH.", "It bought Ethereum."),
    ("José Núñez came.", "Jose Nunez came."),
    ("The Alexander-Arnold case.", "Arnold came, and so did Alexander."),
    ("Ms Lund spoke.", "President Lund spoke to Mrs Lund."),
    ("Officials spoke.", "Officials spoke. However, nobody came. Meanwhile it rained."),
    ("It rained.", "Reporters came. Quickly it was over. Tributes were paid."),
    ("It closed on Tuesday in March.", "It closed on Tuesday in March."),
    ("It was a bank.", "# The Harbour Board Closes Another Northern Basin\n\nIt was a bank."),
    ("The rate rose.", "A rate rose. I said so."),
]


@pytest.mark.parametrize(("source", "draft"), SUPPORTED)
def test_a_name_in_any_form_of_the_source_has_no_finding(source: str, draft: str) -> None:
    assert check(source, draft) == []


ABSENT = [
    ("Johnson spoke.", "So Johnston spoke.", "Johnston"),
    ("They spoke to us.", "They spoke to the US.", "US"),
    ("Varnhem closed.", "So Varnhem closed near Oslo.", "Oslo"),
    ("The bank closed.", "Berg says the bank closed.", "Berg"),
    ("The bank closed.", "Rodgers has closed the bank.", "Rodgers"),
    ("The bank closed.", "The bank, Coldwater Holdings, closed.", "Coldwater Holdings"),
    ("The bank closed.", "The SEC closed the bank.", "SEC"),
    ("Bitcoin fell.", "Bitcoin and Solana fell.", "Solana"),
    ("Norway met.", "So Sweden met.", "Sweden"),
    ("The MacDonald case.", "The McDonald case.", "McDonald"),
]


@pytest.mark.parametrize(("source", "draft", "name"), ABSENT)
def test_an_absent_name_blocks(source: str, draft: str, name: str) -> None:
    assert check(source, draft) == [("block", name)]


def test_a_generic_word_that_completes_a_name_warns() -> None:
    assert check("Varnhem won.", "So Varnhem United won.") == [("warn", "United")]


def test_a_capitalised_german_noun_is_no_name() -> None:
    source = "Antje Voss von Nordspeicher sprach in Deutschland über den Speicher."
    assert (
        check(source, "Projektleiterin Antje Voss lobte die Anlage. Der deutsche Markt wächst.", "de") == []
    )
    assert check(source, "Projektleiterin Antje Meier lobte die Anlage.", "de") == [("block", "Meier")]
    assert check(source, "Das gilt auch für Frankreich.", "de") == [("block", "Frankreich")]


def test_a_language_without_a_table_is_noted_as_unchecked() -> None:
    [finding] = check_names(CheckInput(TokenizedText("x"), TokenizedText("x"), "vi"))
    assert (finding.severity, finding.span) == (Severity.NOTE, None)


TOKENS = (
    "Marte Lund the UN US us . , - of and Bitcoin BTC 's said It President # \n United Nations "
    "Tuesday May É J. U.S."
)
TEXT = st.lists(st.sampled_from(TOKENS.split(" ")), max_size=30).map(" ".join) | st.text(max_size=80)


@given(TEXT, TEXT, st.sampled_from(["en", "de"]))
def test_findings_are_within_the_draft_and_in_order(source: str, draft: str, language: str) -> None:
    findings = check_names(CheckInput(TokenizedText(draft), TokenizedText(source), language))
    spans = [finding.span or (0, 0) for finding in findings]
    assert all(0 <= start < end <= len(draft) for start, end in spans)
    assert spans == sorted(spans)


@given(TEXT, st.sampled_from(["en", "de", "es"]))
def test_a_text_has_no_findings_against_itself(text: str, language: str) -> None:
    assert check(text, text, language) == []


def test_a_short_capitalised_heading_has_no_names() -> None:
    assert check("It closed.", "It closed.\n\nImportance of the Situation\n\nIt closed.") == []


@pytest.mark.parametrize("char", ["x", "1", "_"])
def test_a_word_of_a_million_characters_is_read_once(char: str) -> None:
    """Read from each of its characters on, it takes minutes."""
    assert list(capitalised_words(char * 1_000_000, 0)) == []


@pytest.mark.parametrize("length", lengths(100_000))
@pytest.mark.parametrize("language", ["en", "de", "es"])
@pytest.mark.parametrize(
    "piece", ["Xaver Gfeller-Brunnquell {} sagte. ", "U.S. ", "So the X-Y-Z-A of ", "May 5 Berg{} "]
)
def test_time_is_linear_in_the_text(piece: str, language: str, length: int) -> None:
    pieces = (piece.replace("{}", f"Berg{index}") for index in range(length // len(piece)))
    draft = "".join(pieces)
    begun = time.process_time()
    check(draft.replace("e", "a"), draft, language)
    assert time.process_time() - begun < 10


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Prices in the Eurozone were told in France."),
        ("de", "Treffen gibt es in Deutschland."),
        ("es", "El impuesto rige en Europa."),
    ],
)
def test_a_wide_region_is_a_look(language: str, text: str) -> None:
    source = "France and Köln, Lyon, Francia."
    case = CheckInput(TokenizedText(text), TokenizedText(source), language)
    assert [finding.severity.value for finding in check_names(case)] == ["warn"]
