"""Names in German, where every noun has a capital, and in Spanish."""

import pytest

from pipeline.checks.names import check_names
from pipeline.checks.tokens import CheckInput, TokenizedText


def check(source: str, draft: str, language: str) -> list[tuple[str, str]]:
    findings = check_names(CheckInput(TokenizedText(draft), TokenizedText(source), language))
    return [(finding.severity.value, draft[slice(*finding.span or ())]) for finding in findings]


GERMAN = [
    # Nouns, compounds, inflections, loan words, nouns beside nouns.
    (
        "Der Verein tagte.",
        "Bewerbungen nimmt das Portal an. Den Verbrauchern helfen Wärmepumpen seit zwei Jahren.",
    ),
    (
        "Der Verein tagte.",
        "Es kostet 186,4 Millionen Euro, Ende September mehr. Haushaltslöcher drohen Notenbanken.",
    ),
    (
        "Der Verein tagte.",
        "Das gilt für Cleantech-Firmen, Kryptobörsen, Ladesäulenbetreiber und E-Auto-Fahrer.",
    ),
    (
        "Der Verein tagte.",
        "Das sagten Kritiker. Laut Bericht der Agentur tagten Vorstand und Aufsichtsrat, so Experten.",
    ),
    (
        "Der Verein tagte.",
        "Dort sitzt der Herr der Lage, die Frau Doktor, ein Mittelständler und ein Whistleblower.",
    ),
    (
        "Der Verein tagte.",
        "## Was Sparer jetzt wissen müssen\n\nDer große Überblick Für Anleger\n\nEr tagte.",
    ),
    (
        "Der Verein tagte.",
        "Es fanden Forscher Hinweise, die Sprecher von Verbänden lobten. Es kostet fünf Mark Gebühr.",
    ),
    # Acronyms, countries, peoples.
    ("Die Fed tagte.", "Die US-Notenbank Fed tagte."),
    ("Die EZB tagte.", "Die Europäische Zentralbank tagte."),
    ("Kleine und mittlere Unternehmen wuchsen.", "Alle KMU wuchsen."),
    ("Der Markt in der D-A-CH-Region wuchs.", "Der Markt in CH, also der Schweiz, wuchs. In DACH wuchs er."),
    (
        "Die USA wuchsen.",
        "Die Vereinigten Staaten und die amerikanische Wirtschaft wuchsen. Es wuchsen US-Bürger.",
    ),
    # Inhabitants of cities.
    ("Er lebt in München.", "Dort leben der Münchner und die Münchnerin. Münchens Werk schließt."),
    ("Er lebt in Lugano.", "Er gründet ein Luganeser Start-up."),
    ("Er lebt in Zürich.", "Er sitzt im Zürcher Stadtrat. Er lebt in Zuerich."),
    ("Das Wiener Werk schließt.", "Das Werk in Wien schließt."),
    ("Eva Herzog lebt in Basel.", "Das sagte die Basler Sozialdemokratin Eva Herzog."),
    # A surname behind another title, inflected, with its umlaut spelled out.
    ("Angela Mueller sprach.", "Angela Müller sprach. Müllers Rede war lang."),
    ("Jürg Stocker sprach.", "Firmenchef Stocker sprach, so Stocker. Stockers Rede war lang."),
]


@pytest.mark.parametrize(("source", "draft"), GERMAN)
def test_german_nouns_and_forms_of_names_have_no_finding(source: str, draft: str) -> None:
    assert check(source, draft, "de") == []


GERMAN_ABSENT = [
    ("Frau Kessler sprach.", "Frau Keller sprach.", "Keller"),
    ("Herr Brandt sprach.", "Es sprach Herr Brand.", "Brand"),
    ("Reto Gfeller sprach.", "Reto Gschwend sprach.", "Gschwend"),
    ("Antje Voss sprach.", "Da sprach Antje Meier.", "Meier"),
    ("Antje Voss sprach.", "Anke Voss sprach.", "Anke"),
    ("Ministerin Voss sprach.", "Es sprach Ministerin Radtke.", "Radtke"),
    ("Karin Keller-Sutter sprach.", "Karin Keller-Suter sprach.", "Suter"),
    ("Die Firma Hohner wuchs.", "Die Firma Radtke wuchs.", "Radtke"),
    ("Das Werk in Zwickau schließt.", "Das Werk in Chemnitz schließt.", "Chemnitz"),
    ("Das Werk in Zwickau schließt.", "Das Werk in Ravensburg schließt.", "Ravensburg"),
    ("Das gilt für die Schweiz.", "Das gilt für Frankreich.", "Frankreich"),
    ("Die BaFin prüft.", "Die EBA prüft.", "EBA"),
]


@pytest.mark.parametrize(("source", "draft", "name"), GERMAN_ABSENT)
def test_a_wrong_german_name_blocks(source: str, draft: str, name: str) -> None:
    assert check(source, draft, "de") == [("block", name)]


def test_a_german_name_that_may_be_a_noun_warns() -> None:
    assert check("„Ja“, sagte Stocker.", "„Ja“, sagte Gerber.", "de") == [("warn", "Gerber")]


SPANISH = [
    (
        "El banco cerró en Estados Unidos.",
        "El banco cerró en EE.UU. y en EE. UU., dicen los estadounidenses.",
    ),
    ("El Banco Central Europeo subió.", "El BCE subió. Además, los analistas pagan. Comenzó la sesión."),
    ("El BCE subió los tipos.", "El Banco Central Europeo subió los tipos."),
    ("Los franceses votaron.", "Francia votó. El Gobierno de Francia pagó. El Congreso votó."),
    ("José Pérez habló.", "Ayer habló Jose Perez. Don José calló. Según Pérez, llueve."),
    ("Habló.", "¿Por qué? ¡Claro! Encabezó la lista. Crece la deuda. Cayeron las bolsas."),
    ("Costó $ 5.", "Costó US$ 5. El Lunes costó menos que en Enero."),
]


@pytest.mark.parametrize(("source", "draft"), SPANISH)
def test_forms_of_spanish_names_have_no_finding(source: str, draft: str) -> None:
    assert check(source, draft, "es") == []


SPANISH_ABSENT = [
    ("José Pérez habló.", "Ayer habló José Gómez.", "Gómez"),
    ("José Pérez habló.", "Según Luis Pérez, llueve.", "Luis"),
    ("Francia votó.", "Por eso Portugal votó.", "Portugal"),
    ("El BCE subió.", "La CNMV subió.", "CNMV"),
    ("El banco Santander ganó.", "El banco Bankia ganó.", "Bankia"),
]


@pytest.mark.parametrize(("source", "draft", "name"), SPANISH_ABSENT)
def test_a_wrong_spanish_name_blocks(source: str, draft: str, name: str) -> None:
    assert check(source, draft, "es") == [("block", name)]


@pytest.mark.parametrize("language", ["en", "de", "es"])
def test_a_text_has_no_findings_against_itself(language: str) -> None:
    text = "Frau Keller und Antje Voss (CDU): „Nein.“ Die US-Notenbank tagte in D-A-CH. St. Gallen, EE. UU."
    assert check(text, text, language) == []
