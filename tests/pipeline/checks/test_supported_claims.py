"""Claims that the source states are found there with their evidence, and no others."""

from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks.claims import trace_claims
from pipeline.domain.models import Beat, Item, Source

BEAT = Beat(key="crypto", market="crypto market")
TEXT = (
    'Ida Lund of Harbour Bank said on Thursday that deposits rose 12% to $4.5 million. "We did not expect '
    'it so soon," Lund told Gridscan on 3 March 2026. About forty people work there.'
)


def source(text: str = TEXT, language: str = "en") -> Source:
    item = Item(guid="1", title="Deposits rise", text=text, published_at=datetime(2026, 3, 4, tzinfo=UTC))
    return Source(item=item, feed_key="w", feed_name="W", first_key="w", category="X", language=language)


def traced(body: str, text: str = TEXT, language: str = "en") -> dict[str, list[str]]:
    return {
        body[slice(*claim.span)]: [text[start:end] for start, end in claim.evidence]
        for claim in trace_claims(source(text, language), body, BEAT)
    }


def test_figures_dates_names_and_quotations_have_evidence() -> None:
    body = (
        "## Overview\n\nDeposits at **Harbour Bank** rose by 12 percent to 4.5 million dollars, Lund said on "
        'Thursday. "We did not expect it so soon," she added on 3 March 2026.\n'
    )
    claims = traced(body)
    assert claims["Harbour Bank"] == ["Harbour Bank"]
    assert claims["12 percent"] == ["12%"]
    assert claims["4.5 million dollars"] == ["$4.5 million"]
    assert claims["Lund"] == ["Lund", "Lund"]
    assert claims["Thursday"] == ["Thursday"]
    assert claims["3 March 2026"] == ["3 March 2026"]
    assert claims["We did not expect it so soon,"] == ["We did not expect it so soon"]


def test_what_the_source_does_not_have_is_not_found() -> None:
    assert traced("Ola Berg of Zirkon paid 77 dollars on 5 May 2019.") == {}


def test_a_number_in_words_is_found_in_digits() -> None:
    assert traced("Some 40 people work there.") == {"40": ["forty"]}


def test_in_a_language_without_tables_only_what_needs_none_is_traced() -> None:
    assert set(traced('"We did not expect it so soon," (Ida Lund)', language="xx")) == {
        "We did not expect it so soon,"
    }


@given(st.text(max_size=300), st.text(max_size=300))
def test_spans_and_evidence_lie_within_any_texts(text: str, body: str) -> None:
    claims = trace_claims(source(text), body, BEAT)
    for first, second in pairwise(claims):
        assert first.span[1] <= second.span[0]
    for claim in claims:
        assert 0 <= claim.span[0] < claim.span[1] <= len(body)
        assert all(0 <= start < end <= len(text) for start, end in claim.evidence)
