"""Dates that a draft works out of its source: hours, days, months and years, and near misses of them."""

from datetime import UTC, datetime

import pytest

from pipeline.checks.dates import check_dates
from pipeline.checks.tokens import CheckInput, TokenizedText
from pipeline.domain.reviews import Severity

PUBLISHED = datetime(2026, 3, 12, 9, tzinfo=UTC)
"""A Thursday."""


def severities(language: str, source: str, draft: str) -> set[Severity]:
    case = CheckInput(TokenizedText(draft), TokenizedText(source), language, PUBLISHED)
    return {finding.severity for finding in check_dates(case)}


WORKED_OUT = [
    ("en", "The pumps failed at 3.12 a.m. and were back 41 minutes later.", "Power returned at 3.53 a.m."),
    ("en", "The road was closed at 14:35. It reopened at 20:05.", "It reopened shortly after 8 p.m."),
    (
        "en",
        "The road was closed at 14:35. It reopened at 20:05.",
        "It closed at around 2.30 p.m. and reopened just after 8 pm.",
    ),
    ("en", "Sales rose in the three months to December.", "Between October and December sales rose."),
    ("en", "Sales rose in the nine months ended September 30.", "From January to September sales rose."),
    (
        "en",
        "Tax receipts missed their goal in the first half of the fiscal year, which ends on June 30.",
        "From July to December receipts fell short.",
    ),
    ("en", "The rules apply from the 1st of next month.", "The rules apply from 1 April."),
    ("en", "The ferry leaves two days before Christmas.", "The ferry leaves on 23 December."),
    (
        "en",
        "The largest payment was made two days after Christmas in 2021.",
        "The largest payment dates from 27 December 2021.",
    ),
    ("en", "The hall burned on 3 March. Ten days later the roof fell.", "The roof fell on 13 March."),
    ("en", "The fair opens on 20 March and lasts three days.", "The fair runs from 20 to 22 March."),
    ("en", "The fair opens on 20 March and lasts three days.", "The fair ends on 22 March."),
    ("en", "Profits in the first half fell.", "From January to June profits fell."),
    ("en", "The club was founded in 1998 and folded 12 years later.", "It folded in 2010."),
    ("en", "The 52-year-old mayor resigned.", "The mayor, born in 1973, resigned."),
    (
        "en",
        "The mill, founded in 1962, had its best year for 20 years.",
        "The mill had its best year since 2006.",
    ),
    ("en", "The alarm rang at half past eight. Doors opened at 9:00.", "The alarm rang at 8:30."),
    ("en", "The game began at a quarter to nine and ended at 10:40.", "The game began at 8:45 p.m."),
    ("en", "The meeting began at 10:00 and took an hour and a half.", "It ended at 11:30."),
    ("en", "The flight left at 11:00, two and a half hours late.", "It was due at 8:30."),
    ("en", "The flight left at 11:00, half an hour late.", "It was due at 10:30."),
    ("en", "The storm hit overnight into Wednesday.", "The storm hit on Tuesday night."),
    ("en", "The bank's year to March was its best.", "From April to March the bank did well."),
    ("en", "The show starts at 19:30; doors open an hour earlier.", "Doors open at 6.30 p.m."),
    ("en", "He was jailed on 2 February for five weeks.", "He will be free on 9 March."),
    ("en", "Output fell in the first six months of 2025.", "Output fell between January and June 2025."),
    ("en", "The train left at 7:58.", "The train left shortly before 8 a.m."),
    ("en", "In the financial year ended 31 March revenue grew.", "From April to March revenue grew."),
    (
        "de",
        "Um 3.12 Uhr fiel der Strom aus, 41 Minuten später lief er wieder.",
        "Um 3.53 Uhr lief er wieder.",
    ),
    ("de", "Gegen 20.05 Uhr wurde die Fahrbahn freigegeben.", "Kurz nach 20 Uhr war die Bahn frei."),
    ("de", "Um 19.50 Uhr kam Hilfe.", "Kurz vor 20 Uhr kam Hilfe."),
    ("de", "Um 19.50 Uhr kam Hilfe.", "Gegen 20 Uhr kam Hilfe."),
    (
        "de",
        "Die Sperrung begann um 14.35 Uhr und dauerte fünfeinhalb Stunden.",
        "Kurz nach 20 Uhr war die Bahn frei.",
    ),
    (
        "de",
        "Der Umsatz stieg in den drei Monaten bis Ende Dezember.",
        "Von Oktober bis Dezember stieg der Umsatz.",
    ),
    ("de", "Im ersten Halbjahr sank der Gewinn.", "Zwischen Januar und Juni sank der Gewinn."),
    (
        "de",
        "Im Geschäftsjahr, das am 30. September endet, stieg der Umsatz.",
        "Von Oktober bis September stieg der Umsatz.",
    ),
    ("de", "In den ersten neun Monaten stieg der Umsatz.", "Von Januar bis September stieg der Umsatz."),
    ("de", "Die Regel gilt ab dem 1. des nächsten Monats.", "Die Regel gilt ab dem 1. April."),
    ("de", "In der Nacht zum Mittwoch brannte die Halle.", "Am Dienstagabend brannte die Halle."),
    (
        "de",
        "In der Nacht zum Mittwoch brannte die Halle.",
        "In der Nacht vom 10. auf den 11. März brannte die Halle.",
    ),
    (
        "de",
        "In der Nacht auf Mittwoch brannte die Halle.",
        "In der Nacht von Dienstag auf Mittwoch brannte die Halle.",
    ),
    (
        "de",
        "Am Dienstagabend gegen 23 Uhr brannte die Halle.",
        "In der Nacht zum Mittwoch brannte die Halle.",
    ),
    ("de", "Der Zug fuhr um halb drei.", "Der Zug fuhr um 14.30 Uhr."),
    ("de", "Der Zug fuhr um Viertel vor neun, nicht um 9 Uhr.", "Der Zug fuhr um 8.45 Uhr."),
    ("de", "Die Messe beginnt am 20. März und dauert drei Tage.", "Die Messe endet am 22. März."),
    ("de", "Zwei Tage vor Heiligabend schloss das Werk.", "Am 22. Dezember schloss das Werk."),
    ("de", "Der 52-jährige Fahrer starb.", "Der Fahrer, Jahrgang 1974, starb."),
    ("de", "Der 75 Jahre alte Maler starb.", "Der 1950 geborene Maler starb."),
    ("de", "Die Sitzung begann um 10 Uhr und dauerte anderthalb Stunden.", "Sie endete um 11.30 Uhr."),
    ("de", "Die Sitzung begann um 10 Uhr und dauerte eine halbe Stunde.", "Sie endete um 10.30 Uhr."),
    ("de", "Die Brücke wurde 1998 gebaut und nach zwölf Jahren gesperrt.", "2010 wurde sie gesperrt."),
    (
        "de",
        "Am 3. März kam der Brief. Binnen zehn Tagen muss die Firma antworten.",
        "Bis zum 13. März muss sie antworten.",
    ),
    ("de", "Der Export stieg im Halbjahr bis Dezember.", "Von Juli bis Dezember stieg der Export."),
    ("de", "Der Export stieg in der zweiten Jahreshälfte.", "Von Juli bis Dezember stieg der Export."),
    ("es", "La luz se fue a las 3:12 y volvió 41 minutos después.", "La luz volvió a las 3:53."),
    ("es", "La vía se abrió a las 20:05.", "La vía se abrió poco después de las 20:00 horas."),
    ("es", "La vía se abrió a las 19:55.", "La vía se abrió hacia las 20:00."),
    (
        "es",
        "Las ventas subieron en los tres meses hasta diciembre.",
        "Entre octubre y diciembre subieron las ventas.",
    ),
    ("es", "En el primer semestre cayó el beneficio.", "De enero a junio cayó el beneficio."),
    ("es", "En el segundo semestre cayó el beneficio.", "De julio a diciembre cayó el beneficio."),
    ("es", "En los primeros nueve meses cayó el beneficio.", "De enero a septiembre cayó el beneficio."),
    ("es", "La norma rige desde el 1 del próximo mes.", "La norma rige desde el 1 de abril."),
    ("es", "La norma rige desde el 15 del mes que viene.", "La norma rige desde el 15 de abril."),
    ("es", "Ardió en la noche del martes al miércoles.", "Ardió en la noche del martes."),
    ("es", "Ardió en la madrugada del miércoles.", "Ardió en la noche del martes al miércoles."),
    ("es", "El barco sale dos días antes de Navidad.", "El barco sale el 23 de diciembre."),
    ("es", "La feria abre el 20 de marzo y dura tres días.", "La feria cierra el 22 de marzo."),
    ("es", "La reunión empezó a las 10:00 y duró una hora y media.", "Acabó a las 11:30."),
    ("es", "La reunión empezó a las 10:00 y duró media hora.", "Acabó a las 10:30."),
    ("es", "La reunión empezó a las ocho y media, no a las 9:00.", "Empezó a las 8:30."),
    ("es", "La reunión empezó a las nueve menos cuarto, no a las 9:00.", "Empezó a las 8:45."),
    ("es", "El club nació en 1998 y cerró doce años después.", "Cerró en 2010."),
    ("es", "El pintor, de 75 años, murió.", "El pintor, nacido en 1950, murió."),
    (
        "es",
        "El ejercicio fiscal, que termina el 30 de junio, va mal en su primera mitad.",
        "De julio a diciembre fue mal.",
    ),
    ("es", "El incendio empezó el 3 de marzo y duró diez días.", "El 13 de marzo acabó."),
    ("es", "La tienda cumple 30 años.", "La tienda abrió en 1996."),
    ("es", "El tren salió a las 7:58.", "El tren salió poco antes de las 8:00."),
    ("es", "Murió hace 20 años.", "Murió en 2006."),
    ("es", "Abrió el lunes y cerró tres días después.", "Cerró el jueves."),
]


@pytest.mark.parametrize(("language", "source", "draft"), WORKED_OUT)
def test_a_date_that_follows_is_a_note_at_most(language: str, source: str, draft: str) -> None:
    assert severities(language, source, draft) <= {Severity.NOTE}


NEAR_MISSES = [
    ("en", "The pumps failed at 3.12 a.m. and were back 41 minutes later.", "Power returned at 3.43 a.m."),
    ("en", "The road reopened at 20:05.", "It reopened shortly after 9 p.m."),
    ("en", "The road reopened at 20:05.", "It reopened shortly before 8 p.m."),
    ("en", "Sales rose in the three months to December.", "Between September and December sales rose."),
    ("en", "The rules apply from the 1st of next month.", "The rules apply from 1 May."),
    ("en", "The ferry leaves two days before Christmas.", "The ferry leaves on 22 December."),
    ("en", "Profits in the first half fell.", "From January to August profits fell."),
    ("en", "The club was founded in 1998 and folded 12 years later.", "It folded in 2011."),
    ("en", "The storm hit overnight into Wednesday.", "The storm hit on Monday night."),
    ("en", "The meeting began at 10:00 and took an hour and a half.", "It ended at 11:45."),
    (
        "de",
        "Um 3.12 Uhr fiel der Strom aus, 41 Minuten später lief er wieder.",
        "Um 3.54 Uhr lief er wieder.",
    ),
    ("de", "Gegen 20.05 Uhr wurde die Fahrbahn freigegeben.", "Kurz nach 21 Uhr war die Bahn frei."),
    ("de", "In der Nacht zum Mittwoch brannte die Halle.", "Am Montagabend brannte die Halle."),
    ("de", "Die Regel gilt ab dem 1. des nächsten Monats.", "Die Regel gilt ab dem 1. Mai."),
    ("de", "Der Zug fuhr um halb drei, nicht um 3 Uhr.", "Der Zug fuhr um 15.30 Uhr."),
    ("de", "Im ersten Halbjahr sank der Gewinn.", "Zwischen Januar und August sank der Gewinn."),
    ("de", "Die Messe beginnt am 20. März und dauert drei Tage.", "Die Messe endet am 25. März."),
    ("de", "Zwei Tage vor Heiligabend schloss das Werk.", "Am 21. Dezember schloss das Werk."),
    ("de", "Der 75 Jahre alte Maler starb.", "Der 1940 geborene Maler starb."),
    ("de", "Die Brücke wurde 1998 gebaut und nach zwölf Jahren gesperrt.", "2012 wurde sie gesperrt."),
    ("es", "La luz se fue a las 3:12 y volvió 41 minutos después.", "La luz volvió a las 3:35."),
    ("es", "La vía se abrió a las 20:05.", "La vía se abrió poco después de las 21:00."),
    (
        "es",
        "Las ventas subieron en los tres meses hasta diciembre.",
        "Entre agosto y diciembre subieron las ventas.",
    ),
    ("es", "En el primer semestre cayó el beneficio.", "De enero a julio cayó el beneficio."),
    ("es", "La norma rige desde el 1 del próximo mes.", "La norma rige desde el 2 de abril."),
    ("es", "El barco sale dos días antes de Navidad.", "El barco sale el 21 de diciembre."),
    ("es", "La feria abre el 20 de marzo y dura tres días.", "La feria cierra el 26 de marzo."),
    ("es", "La reunión empezó a las 10:00 y duró media hora.", "Acabó a las 10:45."),
    ("es", "El club nació en 1998 y cerró doce años después.", "Cerró en 2011."),
    ("es", "Abrió el lunes y cerró tres días después.", "Cerró el sábado."),
]


@pytest.mark.parametrize(("language", "source", "draft"), NEAR_MISSES)
def test_a_date_that_nearly_follows_is_reported(language: str, source: str, draft: str) -> None:
    assert severities(language, source, draft) & {Severity.BLOCK, Severity.WARN}


COMPARED = [
    ("en", "Sales of 2025 trail those of last year.", "They trail the same months of 2024.", "note"),
    ("en", "Sales fell in 2025.", "They were below the same months of 2022.", "block"),
    ("de", "Vor 2019 geschah das zehn Mal.", "Bis einschließlich 2018 geschah es zehnmal.", "note"),
    ("de", "Vor 2019 geschah das zehn Mal.", "Bis einschließlich 2016 geschah es zehnmal.", "block"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "source", "draft", "severity"), COMPARED)
def test_a_compared_year_is_noted(language: str, source: str, draft: str, severity: str) -> None:
    assert severities(language, source, draft) == {severity}


def test_spanish_calls_a_year_ejercicio() -> None:
    assert (
        severities(
            "es", "Parte de los ingresos del anterior ejercicio.", "Son los ingresos del año anterior."
        )
        == set()
    )
