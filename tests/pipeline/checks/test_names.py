"""Names of a draft, looked for in its source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks.names import check_names
from pipeline.checks.tokens import CheckInput, TokenizedText
from pipeline.domain.models import Severity


def said(source: str, draft: str, language: str = "en") -> list[tuple[str, str]]:
    found = check_names(CheckInput(TokenizedText(draft), TokenizedText(source), language))
    return [(one.severity.value, draft[slice(*one.span or ())]) for one in found]


HELD = [
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


@pytest.mark.parametrize(("source", "draft"), HELD)
def test_what_the_source_names_in_any_form_holds(source: str, draft: str) -> None:
    assert said(source, draft) == []


ABSENT = [
    ("Johnson spoke.", "So Johnston spoke.", "Johnston"),
    ("Lund spoke.", "So Marte Lund spoke.", "Marte"),
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
def test_what_it_does_not_name_blocks(source: str, draft: str, name: str) -> None:
    assert said(source, draft) == [("block", name)]


def test_a_word_that_only_completes_a_name_is_warned_of() -> None:
    assert said("Varnhem won.", "So Varnhem United won.") == [("warn", "United")]


def test_in_german_a_capital_alone_makes_no_name() -> None:
    source = "Antje Voss von Nordspeicher sprach in Deutschland über den Speicher."
    assert said(source, "Projektleiterin Antje Voss lobte die Anlage. Der deutsche Markt wächst.", "de") == []
    assert said(source, "Projektleiterin Antje Meier lobte die Anlage.", "de") == [("block", "Meier")]
    assert said(source, "Das gilt auch für Frankreich.", "de") == [("block", "Frankreich")]


def test_a_language_without_a_table_is_said_to_be_unchecked() -> None:
    [one] = check_names(CheckInput(TokenizedText("x"), TokenizedText("x"), "vi"))
    assert (one.severity, one.span) == (Severity.NOTE, None)


SAID = (
    "Marte Lund the UN US us . , - of and Bitcoin BTC 's said It President # \n United Nations "
    "Tuesday May É J. U.S."
)
TEXT = st.lists(st.sampled_from(SAID.split(" ")), max_size=30).map(" ".join) | st.text(max_size=80)


@given(TEXT, TEXT, st.sampled_from(["en", "de"]))
def test_findings_stand_in_the_draft_in_order(source: str, draft: str, language: str) -> None:
    found = check_names(CheckInput(TokenizedText(draft), TokenizedText(source), language))
    spans = [one.span or (0, 0) for one in found]
    assert all(0 <= start < end <= len(draft) for start, end in spans)
    assert spans == sorted(spans)


@given(TEXT)
def test_a_text_names_whatever_it_names(text: str) -> None:
    assert said(text, text) == []


def test_a_short_heading_with_capitals_names_nobody() -> None:
    assert said("It closed.", "It closed.\n\nImportance of the Situation\n\nIt closed.") == []
