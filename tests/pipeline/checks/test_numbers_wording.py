"""Numbers that a writer puts in other words: counts, ordinals, rates, bounds, durations, arithmetic."""

from datetime import UTC, datetime

import pytest

from pipeline.checks.numbers import check_numbers
from pipeline.checks.tokens import CheckInput, TokenizedText
from pipeline.domain.reviews import Finding, Severity


def findings(source: str, draft: str, language: str = "en") -> list[Finding]:
    published = datetime(2026, 3, 1, tzinfo=UTC)
    return check_numbers(CheckInput(TokenizedText(draft), TokenizedText(source), language, published))


def flagged(source: str, draft: str, language: str = "en") -> list[tuple[str, str, str]]:
    """Return severity, text and suggestion of each finding that is more than a note."""
    return [
        (finding.severity.value, draft[slice(*finding.span or ())], finding.suggestion)
        for finding in findings(source, draft, language)
        if finding.severity is not Severity.NOTE
    ]


EN = [
    # Ordinals, firsts and counts of the writer's own.
    ("It is the company's sixth acquisition.", "The company has bought six firms."),
    ("The council met to open its inaugural session.", "The council met for the first time."),
    ("The army will send 1,000 soldiers initially.", "A first contingent of 1,000 soldiers stands ready."),
    ("The nine months to September went well.", "The first nine months went well."),
    ("The two sides met.", "Two individuals met, the first in Oslo, and thought twice."),
    ("The talks cover trade, energy and fish.", "The talks cover three topics: trade, energy and fish."),
    ("It advises: sleep, eat well, run, and read.", "It gives four tips."),
    ("It says:\n- One.\n- More.\n- Less.\n- Last.", "A summary in four points."),
    ("Wash it. Dry it.", "1. Wash it.\n2. Dry it.\n3. Step 4 is to store it."),
    ("It failed on Jan 13 and Jan 16.", "It failed twice in January, on the 13th and the 16th."),
    ("The limit was 1,024. It is 4,072.", "The limit rose almost fourfold, from 1,024 to 4,072."),
    # Rates and units.
    ("Usage grows 20% annually.", "Usage grows 20% a year."),
    ("It gets 260k per annum.", "It gets 260k a year."),
    ("Pay is $15 per hour.", "Pay is $15 an hour."),
    ("It lost 12%.", "It is down 12% from a year earlier."),
    ("The house has 1,500 square feet.", "The house has about 139 square metres."),
    ("The card is 6.7×3.7″.", "The card is 6.7 by 3.7 inches."),
    ("Rates rose a quarter point.", "Rates rose by 25 basis points."),
    # A name before a figure, spaces, bounds.
    ("BNB up 7% to $899, SOL up 10% to $142.", "BNB 7% to $899 and SOL 10% to $142."),
    ("The bill was $49.2 million.", "The bill was under $50 m."),
    ("He raised £572,206 for the club.", "He raised more than £500,000."),
    ("He raised £572,206 for the club.", "He raised almost £600,000."),
    ("It caught 13,624 drivers.", "It caught more than 13,000 drivers."),
    ("It has 25,020 users.", "It has at least 25,020 users."),
    ("He led the firm from 2007 to 2011.", "He led the firm in 2007–11."),
    ("He led the firm from 2010 to 2011.", "He led the firm in 2010 - 11."),
    # Durations and times of day.
    ("The band played an hour-and-a-half set.", "The band played for 90 minutes."),
    ("The set ran one and a half hours.", "It was the hour-and-a-half set."),
    ("The show starts at 10:15.", "It starts at quarter past ten."),
    ("The talk begins at 10:15am and ends at 11:45am.", "The talk takes 90 minutes."),
    ("0:28 Markets\n2:49 Rates", "The part about markets begins after 28 seconds."),
    ("The firm was founded in 1976.", "It marks its 50th anniversary, fifty years on."),
    ("The man is 27.", "The man, in his late 20s, left."),
    # Arithmetic in one step.
    ("Sales rose from 15 million to 31 million.", "Sales doubled."),
    ("Prices fell from $80 to $41 a barrel.", "Prices halved."),
    ("Of the 40 on board, 12 died.", "The remaining 28 people on board were saved."),
    ("Revenue was $4.8 million, up from $4.1 million.", "Revenue grew by $700,000, or 17%."),
    ("The index rose to 55.2 points; 52.8 had been expected.", "It beat forecasts by 2.4 points."),
    ("Meters 3,400\nGarages 1,380\nTotal 90,000", "Meters and garages together come to fewer than 5,000."),
    ("Of 12 members 9 voted yes.", "Three quarters of the members voted yes."),
    ("Out of 36 boats 2 sank.", "One in eighteen boats sank."),
    ("Bets of $780 million, $690 million on a rise, fell.", "Nearly nine out of ten dollars bet on a rise."),
    # Other readings and rates.
    ("The film, 2h 14m long, opens.", "The 134-minute film opens."),
    ("Sales (in $ millions): 10.2 and 12.4", "Sales were $10.2 million."),
    ("Sales rose to 12.4m.", "Sales rose to 12.4 million."),
    ("It emits 1.2 million tonnes.", "It emits 1.2m tonnes."),
    ("It costs £9.99 a month.", "It costs about £120 a year."),
    ("It grew by 40%.", "The remaining 60% did not grow."),
    ("It has 3,400 members, 200 more than in 2023.", "In 2023 it had 3,200 members."),
    ("Apple, Google and Meta signed.", "The three firms signed."),
    ("The ministers of 9 states voted yes, 4 states voted no.", "It passed 9–4."),
]
DE = [
    ("Der Umsatz stieg um 2,1 Prozent auf 168,9 Mio. Euro.", "Gut zwei Prozent auf 168,9 Millionen Euro."),
    ("Das Kapital beträgt 500'000 Franken.", "Das Kapital beträgt eine halbe Million."),
    ("Es flossen 320 Millionen Dollar zu.", "Noch 320 Millionen flossen zu."),
    ("Der Anruf kam gegen 10.15 Uhr.", "Um Viertel nach zehn kam der Anruf."),
    ("Die Störung dauerte von 15.10 bis 15.35 Uhr.", "Die Störung dauerte 25 Minuten."),
    ("Die Fahrt dauert eineinhalb Stunden.", "Die Fahrt dauert anderthalb Stunden, also 90 Minuten."),
    ("Erstmals stieg der Kurs.", "Zum ersten Mal stieg der Kurs. In erster Linie half das Wetter."),
    ("Ein Rat lautet: warten.", "Ein zweiter Rat ist Geduld, ein Dritter im Bunde die Zeit."),
    ("Er zählte 312 Fälle; im Vorjahr waren es 268.", "Er zählte 312 Fälle, 44 mehr als im Vorjahr."),
    ("64 Stellen fallen weg. Für 41 Beschäftigte gibt es Ersatz.", "Was aus den übrigen 23 wird, ist offen."),
    ("Die Zahl stieg von 20 auf 41 Betriebe.", "Die Zahl der Betriebe hat sich verdoppelt."),
    ("780 Millionen Dollar, 690 Millionen auf Long, fielen.", "Fast neun von zehn Dollar lagen auf Long."),
    ("Es nahmen Anna, Bert und Carla teil.", "Drei Länder nahmen teil."),
    ("Sie zahlt 12,50 Euro pro Stunde.", "Sie zahlt 12,50 Euro je Stunde."),
    ("Die Bank hat 1 200 Filialen.", "Die Bank hat 1200 Filialen."),
    ("Die Miete stieg von 800 auf 1.000 Euro.", "Die Miete stieg um 200 Euro, um ein Viertel."),
    ("Sie gewann 3:1.", "Sie gewann 3:1 und schoss drei Tore."),
    ("Im Vorjahr waren es 268 Fälle.", "In den zwölf Monaten waren es 268 Fälle."),
    ("Der Abholer ist etwa 25 Jahre alt.", "Der Bote ist Mitte 20."),
    ("Der Betrieb hat 120 Beschäftigte und 86 Autos.", "Er zählt 120 Menschen und 86 Autos."),
]
FAULTLESS = [("en", *row) for row in EN] + [("de", *row) for row in DE]


@pytest.mark.parametrize(("language", "source", "draft"), FAULTLESS)
def test_a_number_in_the_words_of_the_writer_is_at_most_noted(language: str, source: str, draft: str) -> None:
    assert flagged(source, draft, language) == []


SLIPS = [
    ("It failed on Jan 13 and Jan 16.", "It failed in January, on the 13th and the 18th.", "18th", None),
    ("Seven ships sank in May.", "Eight ships sank in May.", "Eight", "Seven"),
    ("It drew 88,000 spectators.", "It drew 98,000 spectators.", "98,000", "88,000"),
    ("It pays $15 per hour.", "It pays $15 per day.", "$15 per day", "$15 per hour"),
    ("It ran 1060 jobs/sec.", "It ran 1,060 jobs a minute.", "1,060 jobs a minute", "1060 jobs/sec"),
    ("He raised £472,206.", "He raised more than £500,000.", "£500,000", "£472,206"),
    ("He raised £372,206.", "He raised more than £200,000.", "£200,000", "£372,206"),
    ("The fine was $3 million.", "The fine was $3 billion.", "$3 billion", "$3 million"),
    ("It has 1,500 square feet.", "It has 1,500 square metres.", "1,500 square metres", None),
    ("Use is up 20% annually.", "Use is up 21% a year.", "21%", "20%"),
    ("The talk runs 10:15am to 11:45am.", "The talk takes 80 minutes.", "80 minutes", ""),
    ("Season 3 and season 4 brought maps.", "The list has 17 maps.", "17", ""),
    ("Of the 40 on board, 12 died.", "The remaining 29 people were saved.", "29", None),
    ("The film, 2h 14m long, opens.", "The 144-minute film opens.", "144-minute", None),
    ("It costs £9.99 a month.", "It costs £110 a year.", "£110", None),
    ("It grew by 40%.", "The remaining 50% did not grow.", "50%", None),
    ("SOL rose 10%.", "SOL 12% up.", "12%", None),
    ("He led from 2007 to 2011.", "He led 14 people in 2007–11.", "14", ""),
]
GERMAN_SLIPS = [
    ("Er zählte 312 Fälle; im Vorjahr waren es 268.", "Es waren 54 mehr als im Vorjahr.", "54", ""),
    (
        "Der Umsatz lag bei 168,9 Mio. Euro.",
        "Der Umsatz lag bei 186,9 Millionen Euro.",
        None,
        "168,9 Mio. Euro",
    ),
    ("Die Störung dauerte von 15.10 bis 15.35 Uhr.", "Sie dauerte 35 Minuten.", "35 Minuten", ""),
    ("Sieben Wochen dauerte der Streik.", "Acht Wochen dauerte der Streik.", "Acht Wochen", "Sieben Wochen"),
    ("Es kostet 12 Euro.", "Es kostet 12 Dollar.", "12 Dollar", "12 Euro"),
    ("Die Miete stieg von 800 auf 1.000 Euro.", "Die Miete stieg um 300 Euro.", "300 Euro", None),
    ("Es fasst 12.000 Quadratmeter.", "Es fasst 12.000 Meter.", "12.000 Meter", None),
]


@pytest.mark.parametrize(
    ("language", "source", "draft", "text", "suggestion"),
    [("en", *row) for row in SLIPS] + [("de", *row) for row in GERMAN_SLIPS],
)
def test_a_slip_blocks_and_offers_the_figure_of_the_source(
    language: str, source: str, draft: str, text: str | None, suggestion: str | None
) -> None:
    [(severity, span, offered)] = flagged(source, draft, language)
    assert severity == "block"
    assert text is None or span == text
    assert suggestion is None or offered == suggestion


LOOKS = [
    ("It is the third ship.", "It is the fourth ship."),
    ("Varnhem won.", "Varnhem won for the third time."),
    ("The volcano erupted.", "The volcano erupted for the first time."),
    ("The flat was sold.", "The flat was sold in less than a week."),
    ("Men were held.", "Five men were held."),
    ("Sales grew.", "Sales tripled."),
    ("Some agreed.", "Two thirds of them agreed."),
    ("The club plays.", "The League Two club plays."),
]


@pytest.mark.parametrize(("source", "draft"), LOOKS)
def test_an_absent_number_in_words_is_a_look(source: str, draft: str) -> None:
    assert [severity for severity, *_ in flagged(source, draft)] == ["warn"]


def test_a_small_count_that_may_be_reckoned_is_a_look() -> None:
    source = "Seven of the ten seats in the council are taken."
    assert flagged(source, "Three of the seats in the council are free.")[0][0] == "warn"
    source = "She wrote her first novel in Oslo and five more novels since."
    assert [severity for severity, *_ in flagged(source, "She wrote six novels.")] == ["warn"]


def test_two_small_numbers_of_other_things_derive_nothing() -> None:
    source = "Maps of season 3 and of season 4 are listed."
    [finding] = findings(source, "Seven maps are on the list.")
    assert finding.severity is not Severity.BLOCK
    assert "calculated" not in finding.message
    assert finding.evidence == ()


def test_a_derived_number_shows_the_times_it_lies_between() -> None:
    source = "It begins at 8:00am and ends at 8:30am."
    [finding] = findings(source, "It takes half an hour.")
    assert [source[slice(*place)] for place in finding.evidence] == ["8:00am", "8:30am"]
    assert "8:00am – 8:30am" in finding.message


def test_the_suggestion_is_a_number_of_the_source_as_it_stands() -> None:
    source = "The port of Oslo shipped 88,000 crates, and 12 cranes stood idle."
    [finding] = findings(source, "The port of Oslo shipped 98,000 crates.")
    assert [source[slice(*place)] for place in finding.evidence] == [finding.suggestion]
    assert finding.suggestion in finding.message


def test_a_number_that_the_draft_has_elsewhere_is_not_suggested() -> None:
    source = "It sold 88,000 crates in May and 91,000 crates in June."
    draft = "It sold 98,000 crates in May and 91,000 crates in June."
    assert flagged(source, draft) == [("block", "98,000", "88,000")]


def test_a_german_score_is_compared_as_a_whole() -> None:
    assert flagged("Sie gewann 3:1.", "Sie gewann 2:0.", "de") == [("block", "2:0", "")]


def test_a_sum_by_chance_does_not_excuse_a_slip() -> None:
    source = (
        "The 30 minutes of questions follow a 5 minutes talk, a 20 minutes break and 45 minutes of music."
    )
    assert flagged(source, "The 65 minutes of questions follow.")[0][:2] == ("block", "65 minutes")
    assert flagged("Ether rose 9%, Solana 7% and Ripple 4%.", "Ether rose 9%, Ripple 2%.")[0][:2] == (
        "block",
        "2%",
    )


def test_an_equalizer_is_a_look_and_another_result_blocks() -> None:
    source = "Union schlug Altdorf 3:2. Das Spiel begann um 15 Uhr."
    for draft, severity in (("Sein Elfmeter traf zum 1:1.", "warn"), ("Union gewann 4:2.", "block")):
        case = CheckInput(TokenizedText(draft), TokenizedText(source), "de")
        assert {finding.severity.value for finding in check_numbers(case)} == {severity}


def test_four_digits_of_the_source_are_a_count_too() -> None:
    source = "Reports count from 300 to 1500 dead."
    for draft, expected in (("Up to 1,500 people died.", set()), ("Up to 1,600 people died.", {"block"})):
        case = CheckInput(TokenizedText(draft), TokenizedText(source), "en")
        assert {finding.severity.value for finding in check_numbers(case)} == expected


def test_a_writer_may_count_a_list_in_digits() -> None:
    source = (
        "Goals:\n\n" + "".join(f"- Write a library called {name}\n" for name in "abcdefghijklmn") + "\nAll."
    )
    assert [each[0] for each in flagged(source, "He has 14 goals.")] == ["warn"]
    assert [each[0] for each in flagged(source, "He has 15 goals.")] == ["block"]
    assert [each[0] for each in flagged(source, "He has 14% of the goals.")] == ["block"]
    table = "User Count\nani625 124\nbode 35\ngerda.storm 17\nThat is all."
    assert [each[0] for each in flagged(table, "It names 3 users, ani625 with 124 and bode with 35.")] == [
        "warn"
    ]
    twice = f"{source}\n\nMore:\n\n- Call it z\n- Call it y\n"
    assert [each[0] for each in flagged(twice, "He has 16 goals.")] == ["warn"]


MONEY = (
    "It paid 11 euros to Mr. Lund, 20 euros to Mr. Brandt, 13 euros to Dr. Roe, 5 euros for pens and "
    "40 euros for ships."
)


@pytest.mark.parametrize(
    ("source", "total", "wrong"),
    [
        (
            "- $10M for it.\n- $14M for panels.\n- $40M for land.\n\nI will own this.",
            "$64 million",
            "$65 million",
        ),
        (MONEY, "89 euros", "88 euros"),
    ],
)
def test_the_sum_of_a_list_is_calculated(source: str, total: str, wrong: str) -> None:
    [note] = findings(source, f"In all it cost {total}.")
    assert (note.severity.value, len(note.evidence)) == ("note", source.count("$") or 5)
    assert [each[0] for each in flagged(source, f"In all it cost {wrong}.")] == ["block"]
