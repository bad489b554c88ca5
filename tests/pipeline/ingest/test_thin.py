"""Whether a text is enough to be rewritten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.thin import shortfall, stripped

WHOLE = (
    "The port of Varnhem will close its northern basin for eleven weeks, the harbour board said on Tuesday. "
    "Engineers found that the quay wall, built in 1961, had moved 14 centimetres towards the water."
)


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        f"{WHOLE} Really?",
        f"{WHOLE}\n\n'It is late', said Falk. \"Very late.\"",
        f"{WHOLE}\n\nThe post Port closes appeared first on Daily Wire.",
        f"{WHOLE}\n\n- one\n- two\n- a third that is longer than a line of a list would be, with the",
        "港湾当局は火曜日、北側の岸壁を三月三日から十一週間閉鎖すると発表した。" * 5,
        f"{WHOLE}\n\nAda Falk",
    ],
)
def test_a_whole_text_is_enough(text: str) -> None:
    assert shortfall(text, 100) is None


@pytest.mark.parametrize(
    "ending",
    [" The ferry …", " The ferry...", " The ferry […]", " The ferry [...]", " The ferry [+1234 chars]"],
)
def test_a_text_that_breaks_off_is_named(ending: str) -> None:
    said = shortfall(WHOLE + ending, 100)
    assert said is not None
    assert said.startswith("cut source")


def test_a_text_that_ends_amid_a_sentence_is_cut() -> None:
    text = f"{WHOLE} The ferry company expects delays of up to twenty minutes on the"
    assert "cut source" in (shortfall(text, 9) or "")


def test_a_thin_text_is_named_with_its_figure() -> None:
    assert shortfall("The port closes.", 200) == "thin source: 16 of 200 characters"
    assert shortfall("", 0) is not None, "nothing is never enough"


def test_what_follows_a_text_in_feeds_is_no_part_of_it() -> None:
    assert stripped(f"{WHOLE}\n\nThe post Port closes appeared first on Daily Wire.") == WHOLE
    assert stripped(f"{WHOLE}\n\nRead more") == WHOLE


@given(st.text(max_size=600), st.integers(0, 500))
def test_it_never_fails(text: str, least: int) -> None:
    said = shortfall(text, least)
    assert said is None or "\n" not in said
