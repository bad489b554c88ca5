"""Numbers that follow by one step of arithmetic from numbers close to them."""

from datetime import UTC, datetime

import pytest

from pipeline.checks.numbers.check import check_numbers
from pipeline.checks.tokens import CheckInput, TokenizedText


def severities(source: str, draft: str, language: str = "en") -> list[str]:
    case = CheckInput(TokenizedText(f"{draft} That is all."), TokenizedText(source), language)
    return [finding.severity.value for finding in check_numbers(case)]


DERIVED = [
    ("The firm earned 840 million crowns, up from 600 million.", "It earned 840 million, 240 million more."),
    ("Four of five homes had none; 80% of homes stayed dry.", "80% of homes stayed dry, which leaves 20%."),
    ("The land gives $9.5 million of $31.4 million.", "It gives $9.5 million; $21.9 million remain."),
    ("The hall costs £74,000, the tub £11,500, the horse £8,000.",
     "The hall cost £74,000, the tub £11,500, the horse £8,000, together £93,500."),
    ("The rent is up $360 a month.", "The rent is up $360 a month, or $4,320 a year."),
    ("Lyle scored on 90+3 minutes.", "Lyle scored in the 93rd minute."),
    ("She was jailed for four years and six months.", "She was jailed for four and a half years."),
    ("Every fourth child of the 260 children learns in a hut.", "A quarter of the children learn in a hut."),
    ("34 farms waited for money.", "Nearly three dozen farms waited for money."),
    ("The dividend is 6.50 crowns, up from 5.00.", "The dividend rises 30% from 5.00 to 6.50 crowns."),
]  # fmt: skip


@pytest.mark.parametrize(("source", "draft"), DERIVED)
def test_a_close_step_of_arithmetic_is_believed(source: str, draft: str) -> None:
    assert set(severities(source, draft)) <= {"note"}


NEAR_MISSES = [
    ("The firm earned 840 million crowns, up from 600 million.", "It earned 840 million, 290 million more."),
    ("80% of homes stayed dry.", "80% of homes stayed dry, which leaves 30%."),
    ("The land gives $9.5 million of $31.4 million.", "It gives $9.5 million; $25.9 million remain."),
    ("The rent is up $360 a month.", "The rent is up $360 a month, or $5,320 a year."),
    ("Lyle scored on 90+3 minutes.", "Lyle scored in the 97th minute."),
    ("The trip took 12 days and cost $300.", "The trip took 12 weeks and cost $300."),
    ("Sales rose 9% in May.", "Sales rose 3% in May."),
]


@pytest.mark.parametrize(("source", "draft"), NEAR_MISSES)
def test_a_number_that_follows_from_nothing_close_blocks(source: str, draft: str) -> None:
    assert "block" in severities(source, draft)


def test_thousands_with_a_space_are_one_number() -> None:
    assert severities("Ein Jahr kostet 28'800 Franken.", "Ein Jahr kostet 28 800 Franken.", "de") == []
    assert severities("Ein Jahr kostet 28'800 Franken.", "Ein Jahr kostet 29 800 Franken.", "de") == ["block"]


def test_the_first_of_two_days_of_a_month_is_no_amount() -> None:
    source = "The fair is on April 17 and 18."
    assert severities(source, "The fair is on Friday 17 and Saturday 18 April.") == []


def test_a_title_is_not_calculated_without_a_word_for_it() -> None:
    source = "The rent is up $360 a month."
    case = CheckInput(TokenizedText("Rent costs $4,320"), TokenizedText(source), "en")
    assert [finding.severity.value for finding in check_numbers(case)] == ["block"]


LOOSE = (
    "Halden Shipping earned $840 million in the quarter. The board met in Oslo on Monday. Ships wait "
    "longer in port than they did. A year before, the quarter had brought $600 million. Costs stayed flat."
)


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("Halden closed with a plus of $240 million over time. It was told to nobody.", "warn"),
        ("Halden closed with a plus of $270 million over time. It was told to nobody.", "block"),
    ],
)
def test_an_amount_that_may_follow_from_far_numbers_is_a_look(text: str, severity: str) -> None:
    assert [each for each in severities(LOOSE, text) if each != "note"] == [severity]


WORKED_OUT = [
    ("There were 5,655 cases. The region has 12 clinics. To date 81 patients have died.",
     "Of 5,655 cases 81 were fatal. Roughly one in 70 of the cases ended in death.", "en"),
    ("Exports fell to $1.502bn in six months from $1.599bn.",
     "Exports dropped to roughly $1.5bn, a loss of $97m.", "en"),
    ("Sales in July-December were lower.", "Sales fell in the second half of 2025.", "en"),
    ("Sales in July-December were lower.", "Sales fell in six months.", "en"),
    ("Profit of the first half was lower.", "In six months the profit fell.", "en"),
    ("Der Stern ist zehn Mal leichter als die Sonne.",
     "Der Stern hat ein Zehntel der Masse der Sonne.", "de"),
    ("Im fünfzehnten Duell siegte Orlo zum dritten Mal.",
     "Im 15. Duell siegte Orlo zum dritten Mal; die übrigen zwölf hatte er verloren.", "de"),
    ("Orlo verpasste seinen 77. Titel.", "Orlo bleibt bei 76 Titeln stehen.", "de"),
    ("Es waren zwei Männer im Alter von 46 und ein Mann im Alter von 40 Jahren.",
     "Zwei Männer sind Mitte vierzig, der dritte Mann ist sechs Jahre jünger.", "de"),
    ("Der Anteil stieg von 40 Prozent auf 54 Prozent.",
     "Der Anteil ist von 40 auf 54 Prozent, also um mehr als ein Dutzend Prozentpunkte gestiegen.", "de"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "draft", "language"), WORKED_OUT)
def test_what_a_writer_works_out_is_noted_at_most(source: str, draft: str, language: str) -> None:
    assert set(severities(source, draft, language)) <= {"note"}


def test_decades_run_to_the_day_of_publication() -> None:
    source = TokenizedText("The quay was wrecked by the flood of 2004.")
    for text, expected in (
        ("The flood was more than two decades ago.", {"note"}),
        ("It was four decades ago.", {"warn"}),
    ):
        case = CheckInput(TokenizedText(text), source, "en", datetime(2026, 2, 17, tzinfo=UTC))
        assert {finding.severity.value for finding in check_numbers(case)} == expected


def test_a_number_that_may_be_mistyped_is_not_taken_for_a_sum() -> None:
    source = "The hall has 649 seats, 590 of them new, and 50 more."
    assert "block" in severities(source, "The hall has 640 seats, and 590 of them are new.")
