"""The numbers of a text: value, kind and unit."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks.numbers import extract_numbers
from pipeline.checks.numbers.tokenize import token_value

EN = [
    ("He paid $1.2 million.", "$1.2 million", 1_200_000, "money", "USD"),
    ("It costs 65K euros.", "65K euros", 65_000, "money", "EUR"),
    ("They raised €3.5bn in May.", "€3.5bn", 3.5e9, "money", "EUR"),
    ("He holds 1,250.5 BTC.", "1,250.5 BTC", 1250.5, "money", "BTC"),
    ("It lost ₿40 today.", "₿40", 40, "money", "BTC"),
    ("A loan of A$5m was repaid.", "A$5m", 5e6, "money", "a$"),
    ("The fee is USD 12.", "USD 12", 12, "money", "USD"),
    ("Try 2 days of rest.", "2 days", 2, "time", "day"),
    ("Some 49.7 percent agreed.", "49.7 percent", 49.7, "percent", ""),
    ("Some 12 per cent agreed.", "12 per cent", 12, "percent", ""),
    ("Rates rose 25 basis points.", "25 basis points", 25, "points", "bp"),
    ("It won by 3 percentage points.", "3 percentage points", 3, "points", ""),
    ("Two hundred and fifty thousand came.", "Two hundred and fifty thousand", 250_000, "", ""),
    ("The twenty-one men left.", "twenty-one", 21, "", ""),
    ("In his twenty-first year he left.", "twenty-first", 21, "ordinal", ""),
    ("The 3rd attempt failed.", "3rd", 3, "ordinal", ""),
    ("Nearly half a million fled.", "half a million", 500_000, "", ""),
    ("It took two and a half years.", "two and a half years", 2.5, "time", "year"),
    ("It took two-and-a-half years.", "two-and-a-half years", 2.5, "time", "year"),
    ("Two-thirds of them stayed.", "Two-thirds", 2 / 3, "fraction", ""),
    ("About a third of them stayed.", "a third", 1 / 3, "fraction", ""),
    ("A quarter of them stayed.", "A quarter", 0.25, "fraction", ""),
    ("He walked 3/4 of it.", "3/4", 0.75, "fraction", ""),
    ("He drank 2½ litres.", "2½", 2.5, "", ""),
    ("It was bought by two dozen banks.", "two dozen", 24, "", ""),
    ("It grew three times.", "three times", 3, "multiple", ""),
    ("Sales doubled.", "doubled", 2, "multiple", ""),
    ("A 36-year-old woman came.", "36-year", 36, "time", "year"),
    ("An 18 - month order.", "18 - month", 18, "time", "month"),
    ("It is 12.5 km away.", "12.5 km", 12.5, "measure", "kilometre"),
    ("Founded in 2014.", "2014", 2014, "year", ""),
    ("Popular in the 1980s.", "1980s", 1980, "year", "decade"),
    ("The '87 crash.", "'87", 1987, "year", ""),
    ("Both brothers came.", "Both", 2, "group", ""),
    ("The 7 billionth visitor.", "7 billionth", 7e9, "", ""),
]
DE = [
    ("Es kostete 3,5 Mrd. Euro.", "3,5 Mrd. Euro", 3.5e9, "money", "EUR"),
    ("Es wiegt 1.250,5 Tonnen.", "1.250,5 Tonnen", 1250.5, "measure", "tonne"),
    ("Es kamen dreiundzwanzig Gäste.", "dreiundzwanzig", 23, "", ""),
    ("Es kamen zweihundertfünfzig Gäste.", "zweihundertfünfzig", 250, "", ""),
    ("Zwei Drittel blieben.", "Zwei Drittel", 2 / 3, "fraction", ""),
    ("Eine halbe Million blieb.", "Eine halbe Million", 500_000, "", ""),
    ("Der 36-Jährige kam.", "36-Jährige", 36, "time", "year"),
    ("Um 12 Prozentpunkte.", "12 Prozentpunkte", 12, "points", ""),
    ("Um 25 Basispunkte.", "25 Basispunkte", 25, "points", "bp"),
    ("Am dritten Tag.", "dritten", 3, "ordinal", ""),
]


@pytest.mark.parametrize(
    ("language", "text", "mention_text", "value", "kind", "unit"),
    [("en", *row) for row in EN] + [("de", *row) for row in DE],
)
def test_a_number_is_extracted_with_its_scale_and_unit(
    language: str, text: str, mention_text: str, value: float, kind: str, unit: str
) -> None:
    [mention] = extract_numbers(text, language)
    assert text[mention.start : mention.end] == mention_text
    assert mention.value == pytest.approx(value, rel=1e-6)
    assert (mention.kind, mention.unit) == (kind, unit)


@pytest.mark.parametrize(
    "text",
    [
        "U2 and the G20 met.",
        "The Twenty20 final.",
        "After 9/11 and in 2020/21.",
        "At 15:05 he left.",
        "At 3 pm he left.",
        "No one came.",
        "He wrote to @user4 about version 1:2.",
        "Thousands fled.",
    ],
)
def test_digits_in_names_dates_and_times_are_no_numbers(text: str) -> None:
    assert [mention for mention in extract_numbers(text, "en") if mention.kind != "year"] == []


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("10-15%", [("percent", 10), ("percent", 15)]),
        ("$10-15 million", [("money", 10e6), ("money", 15e6)]),
        ("from 3 to 4 million dollars", [("money", 3e6), ("money", 4e6)]),
        ("one or two days", [("time", 1), ("time", 2)]),
    ],
)
def test_both_ends_of_a_range_have_the_unit(text: str, values: list[tuple[str, float]]) -> None:
    assert [(mention.kind, mention.value) for mention in extract_numbers(text, "en")] == values


@pytest.mark.parametrize(
    ("text", "hedge"),
    [
        ("nearly 50 ships", "nearly"),
        ("fewer than 50 ships", "under"),
        ("more than 50 ships", "over"),
        ("about 50 ships", "about"),
        ("50 ships", ""),
    ],
)
def test_a_hedge_is_extracted(text: str, hedge: str) -> None:
    assert extract_numbers(text, "en")[0].hedge == hedge


def test_a_language_without_a_table_has_no_numbers() -> None:
    assert extract_numbers("12 xe", "vi") == ()


@pytest.mark.parametrize(
    ("digits", "decimal", "value", "step"),
    [
        ("1,250.5", ".", 1250.5, 0.1),
        ("1.250,5", ".", 1250.5, 0.1),
        ("1.250", ",", 1250, 10),
        ("1.25", ",", 1.25, 0.01),
        ("25,000", ".", 25_000, 1000),
        ("12\u202f000", ",", 12_000, 1000),
        ("0", ".", 0, 1),
    ],
)
def test_separators_determine_value_and_step_of_digits(
    digits: str, decimal: str, value: float, step: float
) -> None:
    assert token_value(digits, decimal) == pytest.approx((value, step))


@pytest.mark.parametrize("digits", ["1.2.3.4", "1,2,3.4.5", "9" * 30])
def test_digits_that_are_not_one_number_have_no_value(digits: str) -> None:
    assert token_value(digits, ".") is None


TOKENS = (
    "two hundred and a half million third twenty first zwei und percent points us of in x year - – / $ % K "
    "1 25 1,000 3.5 . ' ½ É"
)
PIECES = st.sampled_from(TOKENS.split())


@given(
    st.lists(PIECES | st.just(" "), max_size=40).map("".join) | st.text(max_size=200),
    st.sampled_from(["en", "de"]),
)
def test_numbers_are_within_the_text_and_in_order(text: str, language: str) -> None:
    mentions = extract_numbers(text, language)
    assert all(0 <= mention.start < mention.end <= len(text) for mention in mentions)
    assert all(mention.start < other.start for mention, other in pairwise(mentions))
    assert all(mention.value >= 0 and mention.step > 0 for mention in mentions)
