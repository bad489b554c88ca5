from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.verifier.numbered_draft import number_sentences
from pipeline.verifier.source_windows import GAP, WHOLE_SOURCE_CHARS, excerpt, source_windows
from tests.pipeline.verifier.drafts import BEAT, TEXT, draft, source

FILLER = "".join(
    f"In district {number} nothing was reported about weather stations. " for number in range(300)
)
LONG = f"The coast waited. {FILLER}{TEXT}\n\n{FILLER}"


def test_a_short_source_is_shown_whole() -> None:
    windows = source_windows(TEXT, draft(), "en")
    assert windows == ((0, len(TEXT)),)
    assert excerpt(TEXT, windows) == TEXT


def test_a_long_source_is_cut_to_what_the_draft_rests_on() -> None:
    shown = excerpt(LONG, source_windows(LONG, draft(), "en"))
    assert len(shown) < WHOLE_SOURCE_CHARS + 100 < len(LONG)
    assert shown.startswith("The coast waited.")
    assert GAP in shown
    for sentence in TEXT.replace("\n\n", " ").split(". "):
        assert sentence.rstrip(".") in shown.replace("\n\n", " ")


def test_in_a_language_without_a_table_it_is_shown_whole() -> None:
    assert source_windows(LONG, draft(), "xx") == ((0, len(LONG)),)


def test_every_sentence_keeps_its_best_window_even_above_the_limit() -> None:
    facts = [f"Harbour {name} counted {name}ers." for name in ("ald", "bern", "cor", "dun")]
    long = " ".join(f"{fact} {'It rained on the quay. ' * 100}" for fact in facts)
    numbered = number_sentences(source(long), "\n\n".join(facts), BEAT, None)
    shown = excerpt(long, source_windows(long, numbered, "en"))
    assert all(fact in shown for fact in facts)


@given(
    st.lists(
        st.sampled_from(["Norrsund closes. ", "Revenue fell. ", "Rain. ", "\n\n", "x" * 900 + ". "]),
        max_size=40,
    )
)
def test_windows_are_in_order_and_apart(pieces: list[str]) -> None:
    text = "".join(pieces)
    windows = source_windows(text, draft(), "en")
    assert all(0 <= start <= end <= len(text) for start, end in windows)
    assert all(first[1] <= second[0] for first, second in pairwise(windows))
    without_gaps = "".join(excerpt(text, windows).replace(GAP, "").split())
    assert len(without_gaps) <= len("".join(text.split()))
