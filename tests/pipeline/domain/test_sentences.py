"""Where sentences end, by one rule for all that reads or checks them."""

import pytest

from pipeline.checks.document import DraftDocument
from pipeline.checks.tokens import TokenizedText
from pipeline.domain.text import sentences, whole_sentences
from tests.pipeline.checks.articles import BEAT

ONE = (
    "Das Werk kostet 3 Mrd. Euro und wird 2028 fertig.",
    "Rund 40 Mio. Euro fehlen der Stadt.",
    "La Sra. Ortiz firma hoy.",
    "Según el art. 5 no procede.",
    "The case is No. 4 of the list.",
    "He left at 5 p.m. for Ghent.",
)


@pytest.mark.parametrize("text", ONE)
def test_an_abbreviation_ends_no_sentence(text: str) -> None:
    assert sentences(text) == [text]
    assert TokenizedText(text).sentences == ((0, len(text)),)


@pytest.mark.parametrize("text", ["She buys modern art. He does not.", "They said no. He left."])
def test_a_word_that_is_an_abbreviation_before_a_number_ends_one(text: str) -> None:
    assert len(sentences(text)) == len(TokenizedText(text).sentences) == 2


def test_an_ordinal_ends_no_sentence_and_a_price_does() -> None:
    for text, count in (
        ("Freitag, 12. Mai, beginnt der Bau. Er dauert.", 2),
        ("Sie holt ihren 3. Titel.", 1),
        ("It rose to $5. It fell again.", 2),
        ("It rose by 2.5. It fell again.", 2),
    ):
        assert len(whole_sentences(text)) == count
        assert len(DraftDocument(text, BEAT).sentences) == count
