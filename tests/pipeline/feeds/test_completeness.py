"""Thin and cut sources: when a text is complete enough to be rewritten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.feeds.pages.completeness import incompleteness, strip_trailers

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
        f"{WHOLE}\n\nThanks,",
        f"{WHOLE}\n\n“Nobody expected it…” said Falk.",
        f"{WHOLE}\n\nTagged: harbour, ferries, quays, the northern basin, Varnhem, 1998",
        f"{WHOLE}\n\ndef quay(wall):\n    return [wall.length for each in walls if each.moved]",
        f"{WHOLE} More at https://news.example/harbour/quay",
        f"{WHOLE}\n\nWhat shall we do with the drunken sailor\nEarly in the",
        "Basin closes\nFerries move\nFees rise\nLighthouse sold\n" * 9,
        "بندر وارنهم حوض شمالی خود را برای یازده هفته می‌بندد، چرا؟ " * 6,
        "वार्नहेम बंदरगाह ग्यारह सप्ताह के लिए बंद रहेगा। " * 6,
        "港务局周二表示，北港池将从三月三日起关闭十一周" * 9,
        f"{WHOLE * 6} And so the basin stays shut, as it did in the year that nobody talks of…",
        f"{WHOLE} Readers may see more.",
        f"{WHOLE}\n\nRead more on the harbour board's own site.",
        "Talks over the northern basin of Varnhem go on, as both sides are far apart on what its repair "
        "would cost, who is to pay for it, and when the boats could come back to their old places",
    ],
)
def test_a_complete_text_has_no_reason(text: str) -> None:
    assert incompleteness(text, 100) is None


@pytest.mark.parametrize(
    "ending",
    [
        " The ferry …",
        " The ferry...",
        " The ferry....",
        " The ferry. . .",
        " The ferry […]",
        " The ferry [&hellip;]",
        " The ferry [...]",
        " The ferry (...)",
        " The ferry [+1234 chars]",
        " The ferry (more…)",
        " Read more",
        "\n\nRead more »",
        "\n\nRead the full story",
        "\n\nContinue reading…",
        " The ferry...Read More",
        "\n\nContinue reading Basin closes\n\nThe post Basin closes appeared first on Varnhem Courier.",
        "\n\nMore...",
        "\n\nRead on to see the whole list …",
        "\n\nWeiterlesen",
        "\n\n続きを読む",
    ],
)
def test_a_cut_mark_or_a_link_to_read_on_is_a_cut_source(ending: str) -> None:
    reason = incompleteness(WHOLE + ending, 100)
    assert reason is not None
    assert reason.startswith("cut source")


def test_a_text_that_ends_amid_a_sentence_is_cut() -> None:
    text = f"{WHOLE} The ferry company expects delays of up to twenty minutes on the"
    assert "cut source" in (incompleteness(text, 9) or "")


@pytest.mark.parametrize("ending", ["as", "of", "moreover,", "и прочее,", "以及、"])
def test_a_last_word_that_ends_no_sentence_is_a_cut(ending: str) -> None:
    text = (
        f"{WHOLE} The ferry company expects delays of up to twenty minutes and much more than that {ending}"
    )
    assert "its last sentence is not whole" in (incompleteness(text, 9) or "")


@pytest.mark.parametrize(
    ("length", "cut"), [(200, True), (195, True), (230, False), (398, True), (430, False)]
)
def test_a_sentence_that_stops_at_a_round_length_is_a_cut(length: int, cut: bool) -> None:
    words = "Nobody saw it move. " + "boats " * 99
    text = words[:length].rstrip() + "s" * (length - len(words[:length].rstrip()))
    assert len(text) == length
    assert (incompleteness(text, 9) is not None) is cut


def test_an_ellipsis_ends_an_excerpt_and_not_a_long_post() -> None:
    assert incompleteness(f"{WHOLE} Stay tuned…", 9) is not None
    assert incompleteness(f"{WHOLE * 6} Stay tuned…", 9) is None
    assert incompleteness(f"{WHOLE * 6} Stay […]", 9) is not None
    assert incompleteness(f"{WHOLE * 6} Stay…\n\nContinue reading", 9) is not None


def test_a_thin_text_is_reported_with_its_length() -> None:
    assert incompleteness("The port closes.", 200) == "thin source: 16 of 200 characters"
    assert incompleteness("", 0) is not None, "nothing is never enough"


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        (f"{WHOLE} A second basin is to [...]\n\nWork on the quays: find yours today.", True),
        (f"{WHOLE} A second basin is to (…)\n\nDet her stod fyrst i Havneposten.\n\nKeep well", True),
        (f"{WHOLE} […]\n\n{WHOLE}", False),  # leaves out a passage
        (f"{WHOLE} A second basin is to [...]\n\n{WHOLE * 9}", False),
        (f"{WHOLE} A second basin [...] is to come.\n\nKeep well.", False),
    ],
)
def test_a_mark_before_a_footer_is_a_cut(text: str, cut: bool) -> None:
    assert ("breaks off" in (incompleteness(text, 9) or "")) is cut


def test_an_excerpt_with_paragraphs_is_cut_at_a_round_length_and_a_signature_is_none() -> None:
    head = "Nobody saw it move. It was dusk.\n\n"
    text = (head + "Wren said so, and the boats " + "lay by the quay in the dusk and " * 20)[:396]
    assert "its last sentence" in (incompleteness(text + "lay"[: 398 - len(text)], 9) or "")
    signed = (head + "boats " * 90)[:380].rstrip() + ".\n\nWren of Marrow"
    assert 390 <= len(signed) <= 401
    assert incompleteness(signed, 9) is None


def test_length_is_counted_in_the_unit_of_the_script() -> None:
    assert incompleteness("港の料金を一割上げる。" * 9, 200) is None
    assert incompleteness("港の料金を一割上げる。" * 5, 200) == "thin source: 55 of 85 characters"
    assert incompleteness("항구 요금을 올린다." * 12, 200) is None


def test_trailers_are_removed() -> None:
    assert strip_trailers(f"{WHOLE}\n\nThe post Port closes appeared first on Daily Wire.") == WHOLE
    assert strip_trailers(f"{WHOLE}\n\nRead more") == WHOLE
    assert strip_trailers(f"{WHOLE}\n\nRead the original article here\n\nLearn more") == WHOLE
    assert strip_trailers("Read more") == "Read more", "a text that is nothing else stays"


@pytest.mark.parametrize("piece", ["read more\n", "The post ", "Continue reading ", ".", "[", "\n"])
def test_many_trailers_take_linear_time(piece: str) -> None:
    assert len(strip_trailers(piece * 200_000)) <= len(piece) * 200_000


@given(st.text(max_size=600), st.integers(0, 500))
def test_it_never_fails(text: str, min_chars: int) -> None:
    reason = incompleteness(text, min_chars)
    assert reason is None or "\n" not in reason
