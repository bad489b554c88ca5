"""Numbers of a draft, checked against those of its source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks.numbers import check_numbers
from pipeline.checks.tokens import CheckInput, TokenizedText
from pipeline.domain.reviews import Finding, Severity


def findings(source: str, draft: str, language: str = "en") -> list[Finding]:
    return check_numbers(CheckInput(TokenizedText(draft), TokenizedText(source), language))


def check(source: str, draft: str, language: str = "en") -> list[tuple[str, str]]:
    return [
        (finding.severity.value, draft[slice(*finding.span or ())])
        for finding in findings(source, draft, language)
    ]


SUPPORTED = [
    ("It mined 1,250 coins.", "It mined 1250 coins."),
    ("It mined 65,000 coins.", "It mined 65K coins."),
    ("Seven ships sank.", "The storm sank 7 ships."),
    ("It paid $1.2 million.", "It paid 1.2 million US dollars."),
    ("It holds 49.7% of the market.", "It holds nearly 50% of the market."),
    ("It holds 49.7% of the market.", "It holds about half of the market."),
    ("It sold 1,483 ships.", "It sold about 1,500 ships."),
    ("It made $14.83 billion.", "It made $14 billion."),
    ("One in five banks closed.", "Some 20% of the banks closed."),
    ("Two thirds of them agreed.", "Of them 67% agreed."),
    ("A woman of 36 was held.", "The 36-year-old was held."),
    ("It lasted for a week.", "It lasted for seven days."),
    ("It lasted for a decade.", "It lasted for 10 years."),
    ("It lasted 24 months.", "It lasted two years."),
    ("It takes between 0.1s and ~300s.", "It takes between 0.1 and about 300 seconds."),
    ("It takes 30s.", "It takes 30 seconds."),
    ("It takes 3600s.", "It takes 3,600 seconds."),
    ("A new quiz (#151).", "Quiz number 151 is new."),
    ("S=2 Sensing, N=18 Intuition.", "Intuition has 18 points, sensing 2."),
    ("Rates rose by 25 basis points.", "Rates rose by 0.25 percentage points."),
    ("It is 10 miles long.", "It is 16 km long."),
    ("Both ships sank.", "The two ships sank."),
    ("It was the third time this year.", "It was the 3rd time this year."),
    ("The dollar fell to 99 cents.", "It fell to $0.99."),
    ("One of them left, and no one knew why.", "One of them left."),
    ("It began in March.", "It began in 1999."),  # years are dates
]


@pytest.mark.parametrize(("source", "draft"), SUPPORTED)
def test_the_same_number_in_other_words_has_no_finding(source: str, draft: str) -> None:
    assert check(source, draft) == []


ABSENT = [
    ("It mined 1,250 coins.", "It mined 1,260 coins.", "1,260"),
    ("It sold 36 ships.", "It sold 37 ships.", "37"),
    ("It sold 36 ships.", "It sold 40 ships.", "40"),
    ("It paid $5 million.", "It paid £5 million.", "£5 million"),
    ("It paid $5 million.", "It paid $5 billion.", "$5 billion"),
    ("It holds 44% of the market.", "It holds nearly 50% of the market.", "50%"),
    ("It holds 51% of the market.", "It holds nearly 50% of the market.", "50%"),
    ("Seven ships sank.", "Eight ships sank.", "Eight"),
    ("It has 12 ships.", "It has 12% of the ships.", "12%"),
    ("It lasted 30 days.", "It lasted 30 weeks.", "30 weeks"),
    ("It takes 300s.", "It takes 30 seconds.", "30 seconds"),
    ("It takes 45 seconds.", "It takes 3600s.", "3600s"),
    ("It is 590 kilometres away.", "It is 580 kilometres away.", "580 kilometres"),
    ("It is the third ship.", "It is the fourth ship.", "fourth"),
]


@pytest.mark.parametrize(("source", "draft", "figure"), ABSENT)
def test_an_absent_number_is_found(source: str, draft: str, figure: str) -> None:
    [finding] = [finding for finding in findings(source, draft) if finding.severity is not Severity.NOTE]
    assert (finding.kind, draft[slice(*finding.span or ())]) in [("figure", figure), ("place", figure)]
    assert finding.message.count(".") >= 1


def test_a_hedge_before_an_exact_number_warns() -> None:
    assert check("It has 25,020 users.", "It has almost 25,020 users.") == [("warn", "25,020")]
    assert check("It has almost 25,020 users.", "It has almost 25,020 users.") == []


DERIVED = [
    ("Sales were 100 coins in May and 112 coins in June.", "Sales rose 12% in June.", ["100", "112"]),
    ("It sold 17 ships in May and 14 ships in June.", "It sold 31 ships.", ["17", "14"]),
    ("It had 17 ships, and 4 ships sank.", "It has 13 ships left.", ["17", "4"]),
    (
        "It paid $10 million, and then $5.5 million.",
        "It paid $15.5 million.",
        ["$10 million", "$5.5 million"],
    ),
    ("Built in 1961, it was closed in 2013.", "It was closed after 52 years.", ["1961", "2013"]),
    ("Of the 40 ships 10 ships sank.", "Some 25% of the ships sank.", ["40", "10"]),
    ("It sold 30 ships, after 15 ships in May.", "Its sales of ships doubled.", ["30", "15"]),
]


@pytest.mark.parametrize(("source", "draft", "operands"), DERIVED)
def test_a_derived_number_is_noted_with_its_operands(source: str, draft: str, operands: list[str]) -> None:
    [finding] = findings(source, draft)
    assert finding.severity is Severity.NOTE
    assert [source[slice(*place)] for place in finding.evidence] == operands
    assert all(operand in finding.message for operand in operands)


def test_operands_of_another_subject_are_not_added() -> None:
    assert check("It has 17 ships. The mayor owns 14 horses.", "It has 31 sailors.") == [("block", "31")]


def test_a_number_that_the_writer_counted_is_noted() -> None:
    assert check("It closed because of rain.", "It closed for two reasons.") == [("note", "two")]


def test_swapped_numbers_warn() -> None:
    source = "The port sold 12 ships and 8 trains."
    draft = "The port sold 8 ships and 12 trains."
    assert check(source, draft) == [("warn", "8"), ("warn", "12")]
    first = findings(source, draft)[0]
    assert first.kind == "place"
    assert [source[slice(*place)] for place in first.evidence] == ["12", "8"]


def test_a_number_of_another_subject_warns() -> None:
    source = (
        "The exchange reported 310,000 registered customers in Norway last autumn. In an unrelated case the "
        "lawyers asked for 4,100 pages of documents."
    )
    draft = "The exchange reported 4,100 registered customers in Norway."
    assert check(source, draft) == [("warn", "4,100")]
    assert check(source, draft.replace("4,100", "310,000")) == []


def test_german_numbers_are_checked_by_their_own_table() -> None:
    source = "Die Anlage kostete 41 statt 37 Millionen Euro und fasst 1.250,5 Tonnen. Zwei Drittel sind voll."
    assert check(source, "Sie kostete 41 Millionen Euro, 67 Prozent sind voll.", "de") == []
    assert check(source, "Sie kostete 42 Millionen Euro.", "de") == [("block", "42 Millionen Euro")]


def test_a_language_without_a_table_is_noted_as_unchecked() -> None:
    [finding] = findings("12 xe", "13 xe", "vi")
    assert (finding.severity, finding.span) == (Severity.NOTE, None)
    assert "not checked" in finding.message


TEXT = st.lists(
    st.sampled_from(
        ["12", "ships", "two", "$5", "million", "%", ".", "in", "1990", "half", "and", "nearly", "a", "-"]
    ),
    max_size=30,
).map(" ".join)


@given(TEXT, TEXT)
def test_findings_are_within_both_texts(source: str, draft: str) -> None:
    for finding in findings(source, draft):
        start, end = finding.span or (0, 1)
        assert 0 <= start < end <= max(len(draft), 1)
        assert all(0 <= begin < stop <= len(source) for begin, stop in finding.evidence)


@given(TEXT)
def test_a_text_is_never_blocked_against_itself(text: str) -> None:
    assert all(finding.severity is not Severity.BLOCK for finding in findings(text, text))


def test_a_score_is_compared_as_a_whole() -> None:
    source = "Varnhem won 3-1 after 2 goals in 5 minutes."
    assert check(source, "Varnhem won 3 - 1.") == []
    assert check(source, "Its rival lost 1–3.") == []
    assert check(source, "Varnhem won 5-2.") == [("block", "5-2")]
