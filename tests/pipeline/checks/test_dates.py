"""Dates of a draft, checked against its source and the day of publication."""

from datetime import UTC, datetime, timedelta, timezone
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks.dates import check_dates, date_spans, extract_dates
from pipeline.checks.tokens import CheckInput, TokenizedText
from pipeline.domain.reviews import Severity

PUBLISHED = datetime(2026, 3, 12, 9, tzinfo=UTC)
"""A Thursday."""


def check(
    source: str, draft: str, *, language: str = "en", published: datetime | None = PUBLISHED
) -> list[tuple[str, str]]:
    findings = check_dates(CheckInput(TokenizedText(draft), TokenizedText(source), language, published))
    return [(finding.severity.value, draft[slice(*finding.span or ())]) for finding in findings]


def suggestions(source: str, draft: str, *, language: str = "en") -> list[str]:
    case = CheckInput(TokenizedText(draft), TokenizedText(source), language, PUBLISHED)
    return [finding.suggestion for finding in check_dates(case)]


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("On 3 March 2021 it closed.", ["3 March 2021"]),
        ("On March 3, 2021 it closed.", ["March 3, 2021"]),
        ("On 2021-03-03 it closed.", ["2021-03-03"]),
        ("On 03/04/2021 it closed.", ["03/04/2021"]),
        ("From 17-18 March 2021.", ["17-18 March 2021"]),
        ("In May 2024.", ["May 2024"]),
        ("In Q3 2024, or the third quarter.", ["Q3 2024", "third quarter"]),
        ("On Thursday at 10.37pm.", ["Thursday", "10.37pm"]),
        ("At 02:10 UTC.", ["02:10"]),
        ("Next month, or yesterday.", ["Next month", "yesterday"]),
        ("In the 1980s.", ["1980s"]),
        ("In the summer of 2018.", ["summer of 2018"]),
        ("Paid $2014 for 1,500.50.", []),
        ("From 8 to 10 a.m., or 7 o'clock.", ["8 to 10 a.m.", "7 o'clock"]),
        ("In 2007–11 and 2021-03.", ["2007–11", "2021-03"]),
        ("In the 3rd quarter, 3Q and Q3FY25.", ["3rd quarter", "3Q", "Q3"]),
        ("On 12-Feb-2026.", ["12-Feb-2026"]),
        ("Paid 2000 euros to 1500 people, more than 2015.", []),
        ("In September 17 percent, in May 20 million.", ["September", "May"]),
        ("The best 10 may stay, 4 march.", []),
        ("See https://a.example/2021/06/story", []),
    ],
)
def test_dates_are_extracted_in_every_format(text: str, dates: list[str]) -> None:
    assert [text[start:end] for start, end in date_spans(text, "en")] == dates


SUPPORTED = [
    ("It closed on 3 March.", "It closed on March 3."),
    ("It closed on 3 March 2026.", "It closed on 3 March."),
    ("It closed on 3 March 2021.", "It closed in March 2021, on a Wednesday."),
    ("It closed on 2021-03-03.", "It closed on 3 March 2021."),
    ("It closed on Tuesday.", "It closed on 10 March."),
    ("It closed on Tuesday.", "It closed on 10 March 2026."),
    ("It closed on 10 March.", "It closed on Tuesday."),
    ("It closed yesterday.", "It closed on Wednesday."),
    ("It closed yesterday.", "It closed on 11 March."),
    ("It closed on 11 March.", "It closed yesterday."),
    ("It closed last year.", "It closed in 2025."),
    ("It closed three years ago.", "It closed in 2023."),
    ("It closed last month.", "It closed in February."),
    ("It closed in 1984.", "It closed in the 1980s."),
    ("It closed at 2:10 a.m.", "It closed at 02:10 UTC."),
    ("It closed in the third quarter.", "It closed in Q3."),
    ("It may close.", "It may close. May it be so."),
    ("The Sunday papers wrote of it.", "It was in the Sunday papers."),
]


@pytest.mark.parametrize(("source", "draft"), SUPPORTED)
def test_a_date_that_the_source_names_or_implies_has_no_finding(source: str, draft: str) -> None:
    assert check(source, draft) == []


ABSENT = [
    ("It closed on 3 March.", "It closed on 4 March.", "block", "4 March"),
    ("It closed on 3 March 2021.", "It closed on 3 March 2022.", "block", "3 March 2022"),
    ("It closed on 3 March.", "It closed in August.", "block", "August"),
    ("It closed on Tuesday.", "It closed on Friday.", "block", "Friday"),
    ("It closed on Tuesday.", "It closed on 20 March.", "block", "20 March"),
    ("It closed in 1984.", "It closed in 1985.", "block", "1985"),
    ("It closed at 2:10 a.m.", "It closed at 03:10.", "block", "03:10"),
    ("It closed in the third quarter.", "It closed in Q2.", "block", "Q2"),
    ("It closed.", "It closed in the summer.", "warn", "summer"),
    ("It closed.", "It closes next month.", "warn", "next month"),
    ("It closed this season.", "It is closed until the end of the season.", "warn", "the end of the season"),
]


@pytest.mark.parametrize(("source", "draft", "severity", "date"), ABSENT)
def test_an_unsupported_date_blocks_or_warns(source: str, draft: str, severity: str, date: str) -> None:
    assert check(source, draft) == [(severity, date)]


def test_a_dateline_replaces_an_unknown_time_of_publication() -> None:
    source = "VARNHEM, 12 March 2026. The port closed on Tuesday."
    assert check(source, "It closed on 10 March.", published=None) == []
    assert check("The port closed on Tuesday.", "It closed on 10 March.", published=None) != []


PORT = "The port is old."

OWN_DAY = [
    (
        "en",
        "It was on Thursday, on Thursday, 12 March 2026, on the 12th of March and on 2026-03-12.",
    ),
    ("en", "It was on 12/03/2026, on 03/12/2026, in March, in early March 2026, in 2026 and in the 2020s."),
    (
        "en",
        "It was in Q1, in the first quarter of 2026, in the spring of 2026, today, this week and this month.",
    ),
    ("en", "It was on March 11, 2026, or on 13 March."),
    ("de", "Es war am Donnerstag, dem 12. März 2026, am 12.03.2026, am 12.3. und am Donnerstagnachmittag."),
    (
        "de",
        "Es war donnerstags, Anfang März, im ersten Quartal, im Frühjahr 2026, in den 2020er Jahren.",
    ),
    ("es", "Fue el jueves, 12 de marzo de 2026, el 12/03/2026, en marzo y en el primer trimestre de 2026."),
]


@pytest.mark.parametrize(("language", "draft"), OWN_DAY)
def test_the_day_of_publication_is_known_in_every_form(language: str, draft: str) -> None:
    assert check(PORT, draft, language=language) == []


def test_an_own_day_that_is_wrong_blocks() -> None:
    assert check(PORT, "It was on 15 March.") == [("block", "15 March")]
    assert check(PORT, "It was on Monday.") == [("block", "Monday")]
    assert check(PORT, "Es war am Dienstagabend.", language="de") == [("block", "Dienstagabend")]
    assert check(PORT, "Fue el 12 de mayo.", language="es") == [("block", "12 de mayo")]


def test_the_own_day_is_that_of_the_publisher_where_the_offset_is_known() -> None:
    evening = datetime(2026, 3, 13, 2, tzinfo=UTC).astimezone(timezone(timedelta(hours=-5)))
    source = "It closed yesterday."
    assert check(source, "It wrote on Thursday, March 12, of Wednesday, March 11.", published=evening) == []
    assert check(source, "It wrote on March 13.", published=evening) == [("block", "March 13")]
    assert check(source, "It wrote on Friday.", published=evening) == [("block", "Friday")]


def test_a_weekday_alone_is_that_of_a_place_where_people_live() -> None:
    night = datetime(2026, 3, 12, 3, tzinfo=UTC)
    assert check(PORT, "It was on Wednesday.", published=night) == []
    assert check(PORT, "It was on Friday.", published=night) == [("block", "Friday")]


FOLLOWING = [
    ("en", "It closed nine years ago.", "It closed nine years ago, in 2017."),
    ("en", "It closed a decade ago.", "It closed in 2016."),
    ("en", "It has grown over the past six years.", "It has grown since 2020."),
    ("en", "Profit rose from a year earlier.", "Profit was lower in 2025."),
    ("en", "It opened in 2011 and closed three years later.", "It closed in 2014."),
    ("en", "It opened on 3 May 2021 and closed two days later.", "It closed on Wednesday, 5 May 2021."),
    ("en", "It opened on Monday and closed two days later.", "It closed on Wednesday."),
    ("en", "It fell in November.", "It fell in November 2025."),
    ("en", "From January on it will grow.", "It is to grow from January 2027."),
    ("en", "It is due by year-end.", "It is due in December, at the end of the year."),
    ("en", "It happens on Wednesday of next week.", "It happens on 18 March."),
    ("en", "It meets in the third quarter.", "It meets from July to September."),
    ("en", "It closed on 11/03/2026.", "It closed on 11 March, or on 3 November."),
    ("en", "It runs from May 3-5.", "It runs from 3 to 5 May, so on 4 May as well."),
    ("en", "It runs from 30 May to 2 June.", "It runs from May 30 to June 2."),
    ("en", "It ran from 2007 to 2011.", "It ran in 2007–11."),
    ("en", "It ran in 1990-95.", "It ran from 1990 to 1995."),
    ("en", "In fiscal FY25 it grew.", "It grew in 2025."),
    ("en", "It starts at 13:00.", "It starts at 1 pm."),
    ("en", "It starts at noon.", "It starts at 12:00."),
    ("en", "It starts at 0800 GMT.", "It starts at 8 a.m."),
    ("en", "It has 1,800 members.", "It has 1800 members."),
    (
        "en",
        "It closes at the end of June, from July on it is open.",
        "It closes on 30 June, opens on 1 July.",
    ),
    (
        "de",
        "Bis Ende Juni gilt es, zum Jahresende endet es.",
        "Bis zum 30. Juni gilt es, am 31. Dezember endet es.",
    ),
    ("en", "It is on Christmas Day.", "It is on 25 December."),
    ("en", "It opens early next week.", "It opens early in the week of 16 March."),
    ("en", "Seen in the 90s, late ’60s and 2010s.", "It was seen in the late 1960s and in the 1990s."),
    ("en", "Seen in the sixties and the 1980s.", "It was seen in the 1960s."),
    ("en", "Seen in the 1960s and 1980s.", "It was seen in the 60s."),
    ("de", "In den 90er-Jahren, nach den Sechzigern.", "In den 1990er Jahren, seit den 1960ern."),
    ("en", "It closed on 1 July.", "It closed in the summer."),
    ("en", "Posted on 07-19-2021", "It wrote on Monday, July 19, 2021."),
    ("de", "Er fiel um sechs Prozent gegenüber dem Vortag.", "Am Mittwoch war er höher."),
    ("de", "Im Vorjahr waren es drei.", "Im Jahr 2025 waren es drei."),
    ("de", "Der Index stieg in der Vorwoche.", "Er stieg letzte Woche."),
    ("de", "Seit Jahresbeginn stieg er.", "Seit Januar stieg er."),
    ("de", "Vor zwei Jahren schloss er.", "Er schloss 2024."),
    ("de", "Von Januar an baut sie.", "Ab Anfang 2027 baut sie."),
    ("de", "Am Mittwoch kommender Woche ist es so weit.", "Am 18. März ist es so weit."),
    ("de", "Am Dienstagabend schloss er.", "Am Dienstagnachmittag, am Dienstag."),
    ("de", "Es war um 8.40 Uhr und um zehn Uhr.", "Es war um 8:40 Uhr und um 10 Uhr."),
    ("de", "Es geht von 18.00 Uhr bis 19.30 Uhr.", "Es geht von 18 bis 19.30 Uhr."),
    ("de", "Es dauert vom 3. bis 5. Mai.", "Es dauert vom 3. bis zum 5. Mai, am 4. Mai ganztägig."),
    ("de", "Es kostet 2.000 Euro für 1.500 Menschen.", "Es kostet 2000 Euro für 1500 Menschen."),
    ("de", "Der Rat tagt im September.", "Folgt der Rat im Herbst, gilt es."),
    ("de", "Die Zölle sind hoch.", "Eine Montage in den USA spart Zölle, zwei Montagen mehr."),
    ("es", "El año pasado cerró.", "Cerró en 2025."),
    ("es", "Cerró hace dos años.", "Cerró en 2024."),
    ("es", "Cerró ayer.", "Cerró el miércoles."),
    ("es", "Del 3 al 5 de mayo.", "Entre el 3 y el 5 de mayo; el 4 de mayo también."),
    ("es", "A las 13.30 horas.", "A las 13:30."),
    ("es", "El mes que viene.", "En abril, el próximo mes."),
    ("es", "Unos 2.000 euros.", "Unos 2000 euros."),
]


@pytest.mark.parametrize(("language", "source", "draft"), FOLLOWING)
def test_what_follows_from_the_source_has_no_finding(language: str, source: str, draft: str) -> None:
    assert check(source, draft, language=language) == []


IDIOMS = [
    "It is the workplace of tomorrow, where a worker gets hurt today.",
    "She sells summer dresses and winter tyres.",
    "The Harbour May Close, Says Theresa May",
    "It may, in a Wedding March, be an august guest.",
]


@pytest.mark.parametrize("draft", IDIOMS)
def test_words_of_other_meaning_are_no_dates(draft: str) -> None:
    assert check(PORT, draft) == []


WRONG = [
    ("en", "It closed on 3 March.", "It closed on 4 March.", "block", "3 March"),
    ("en", "It closed on March 3rd.", "It closed on March 5th.", "block", "March 3rd"),
    ("en", "It closed on July 16.", "It closed on 26 July.", "block", "16 July"),
    ("en", "It closed on 11 July 1999.", "It closed on 11 August 1999.", "block", "11 July 1999"),
    ("en", "It closed in 2011.", "It closed in 2012.", "block", "2011"),
    ("en", "It closed on Tuesday.", "It closed on Saturday.", "block", "Tuesday"),
    ("en", "It closed on 3 May 2026.", "It closed on Monday, 3 May 2026.", "block", "Sunday"),
    (
        "en",
        "It closed on 3 March 2021, reopened on 5 May 2022.",
        "It closed on 3 March 2022.",
        "block",
        "3 March 2021",
    ),
    ("en", "It fell in May 2022 and may rise by 2024.", "It fell in May 2024.", "block", "May 2022"),
    ("en", "It ran in 2007–11.", "It ran in 2007–12.", "block", "2007–11"),
    ("en", "It runs from May 3-5.", "It runs from May 3-6.", "block", "May 3-5"),
    (
        "en",
        "It opened on 3 May 2021 and closed two days later.",
        "It closed on 6 May 2021.",
        "block",
        "3 May 2021",
    ),
    ("en", "It closed nine years ago.", "It closed in 2018.", "block", ""),
    ("en", "It closed in the 1980s.", "It closed in the 1970s.", "block", "1980s"),
    ("en", "It closed in the third quarter.", "It closed in Q2.", "block", "third quarter"),
    ("en", "It starts at 13:00.", "It starts at 2 pm.", "block", "13:00"),
    ("en", "It starts at 8:30 am ET.", "It starts at 14:30 CET.", "warn", "8:30 am"),
    ("en", "It starts in the evening.", "It starts at 8 pm.", "warn", ""),
    ("en", "It was earlier this week.", "It was last week.", "warn", "this week"),
    ("en", "It returns this autumn.", "It returns next spring.", "warn", "autumn"),
    ("en", "It closes at the end of June.", "It closes on 29 June.", "block", ""),
    ("en", "It fell in April.", "In May it fell.", "block", "April"),
    ("de", "Am 13. Mai.", "Am 14. Mai.", "block", "13. Mai"),
    ("de", "Am Dienstagabend.", "Am Montagabend.", "block", "Dienstagabend"),
    ("de", "Am Freitag, dem 8. Mai 2026.", "Am Montag, dem 8. Mai 2026.", "block", "Freitag"),
    ("de", "Um 8.40 Uhr.", "Um 8.50 Uhr.", "block", "8.40 Uhr"),
    ("de", "Mitte November.", "Mitte Oktober.", "block", "November"),
    ("de", "Im Vorjahr.", "Im Jahr 2023.", "block", ""),
    ("es", "Cerró el lunes.", "Cerró el martes.", "block", "lunes"),
    ("es", "El 5 de mayo de 2026.", "El 6 de mayo de 2026.", "block", "5 de mayo de 2026"),
    ("es", "En mayo de 2021.", "En junio de 2021.", "block", "mayo de 2021"),
    ("es", "En 2015.", "En 2016.", "block", "2015"),
    ("es", "El próximo mes.", "La próxima semana.", "warn", ""),
]


@pytest.mark.parametrize(("language", "source", "draft", "severity", "suggestion"), WRONG)
def test_a_wrong_date_is_found_and_the_right_one_is_offered(
    language: str, source: str, draft: str, severity: str, suggestion: str
) -> None:
    assert [found for found, _ in check(source, draft, language=language)] == [severity]
    assert suggestions(source, draft, language=language) == [suggestion]


def test_of_two_dates_that_are_as_near_none_is_offered() -> None:
    assert suggestions("It closed on 3 March, reopened on 7 March.", "It closed on 5 March.") == [""]


def test_a_source_may_be_wrong_about_a_weekday_itself() -> None:
    assert check("It closed on Monday, 3 May 2026.", "On Monday, 3 May 2026, it closed.") == []


PIECES = [
    "On Tuesday, 3 May 2021, at 8 pm. ",
    "in 1999 two years later ",
    "8 to 8 to ",
    "31 May and ",
    "2007-11-",
]


@pytest.mark.parametrize("piece", PIECES)
def test_time_is_linear_in_the_text(piece: str) -> None:
    def seconds(count: int) -> float:
        """Return the CPU time of the fastest of three checks: other work on the machine only adds to it."""
        taken = []
        for source_end in "abc":  # a source that was checked before is prepared already
            begun = process_time()
            check(
                f"{piece * count}{source_end}", piece.replace("8", "9").replace("Tuesday", "Friday") * count
            )
            taken.append(process_time() - begun)
        return min(taken)

    seconds(100)
    assert seconds(4000) < 30 * seconds(500) + 0.1


def test_a_language_without_a_table_is_noted_as_unchecked() -> None:
    [finding] = check_dates(CheckInput(TokenizedText("x"), TokenizedText("x"), "vi"))
    assert (finding.severity, finding.span) == (Severity.NOTE, None)


TOKENS = (
    "on in the 3 14 March May 2021 - / . : Q3 pm am Thursday last next week year 1980s ago two "
    "years , of second quarter"
)
TEXT = st.lists(st.sampled_from(TOKENS.split()), max_size=30).map(" ".join) | st.text(max_size=80)


@given(TEXT, st.sampled_from(["en", "de", "es"]))
def test_dates_are_within_the_text_and_in_order(text: str, language: str) -> None:
    mentions = extract_dates(text, language)
    assert all(0 <= mention.start < mention.end <= len(text) for mention in mentions)
    assert [mention.start for mention in mentions] == sorted({mention.start for mention in mentions})


@given(TEXT)
def test_a_text_has_no_findings_against_itself(text: str) -> None:
    assert check(text, text) == []
