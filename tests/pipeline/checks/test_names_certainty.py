"""An absent name blocks only where it is certainly another one than the source's."""

import pytest

from pipeline.checks.names import check_names
from pipeline.checks.tokens import CheckInput, TokenizedText


def check(source: str, draft: str, language: str = "en") -> list[tuple[str, str]]:
    findings = check_names(CheckInput(TokenizedText(draft), TokenizedText(source), language))
    return [(finding.severity.value, draft[slice(*finding.span or ())]) for finding in findings]


NONE = [
    # Units of measurement are no names.
    ("It has 128 gigabytes.", "It has 128 GB and a 5 GHz chip, which takes 3.5 kWh per TB.", "en"),
    ("The line carries two gigawatts.", "The line carries 2 GW, and 400 kV at 50 Hz with 60 dB.", "en"),
    ("Der Speicher fasst 128 Gigabyte.", "Der Speicher fasst 128 GB, die Batterie 5000 mAh je kWh.", "de"),
    ("It takes 3.2µA and 5mV.", "It takes 3.2 µA, or 3.2 μA, and 5 mV.", "en"),
    ("Das Werk leistet 800 Megawatt.", "Das Werk leistet 800 MW und 5 TWh pro Jahr, 120 PS.", "de"),
    ("El disco guarda 2 terabytes.", "El disco guarda 2 TB y gasta 5 kWh.", "es"),
    # Products with a number, in short and in full.
    ("It runs on PlayStation 5.", "It runs on PS5 for now.", "en"),
    ("It runs on PS5.", "It runs on the PlayStation 5 for now.", "en"),
    ("They play Grand Theft Auto 6.", "They play GTA6 for now.", "en"),
    # Time zones.
    (
        "It opens at 10 a.m. PT / 7 p.m. CET.",
        "It opens at 10:00 Pacific time, 19:00 in Central Europe.",
        "en",
    ),
    ("It opens at 9 a.m. EST.", "It opens at 9:00 Eastern time.", "en"),
    ("Es gilt in Deutschland und Österreich.", "Es gilt in den DACH-Ländern.", "de"),
    # Acronyms that are words, currencies by their code, courts by their abbreviation.
    ("It cost 60 dollars.", "It cost USD 60. Its DNA test and GPU are good, as DeFi fans say.", "en"),
    ("Vorstandschefin Roth ging.", "CEO Roth ging.", "de"),
    ("Das Bundesverfassungsgericht urteilte.", "Das BVerfG urteilte.", "de"),
    # What a place is, and the country of a state.
    ("A storm formed in the Atlantic.", "A storm formed in the Atlantic Ocean.", "en"),
    ("It fell into the Thames.", "It fell into the Thames River.", "en"),
    ("Voters in Ohioville of Ohio chose.", "Voters in the US state of Ohio chose.", "en"),
    # The plural of a name, and what a person does.
    ("The Ruby group met.", "So older Rubies met.", "en"),
    ("Amr Malik has a blog.", "Blogger Amr Malik wrote.", "en"),
    # Nouns of German with a foreign ending.
    ("Er wurde verletzt.", "Er erlitt leichte Blessuren. Es gibt viele Mandatare.", "de"),
]


@pytest.mark.parametrize(("source", "draft", "language"), NONE)
def test_no_finding(source: str, draft: str, language: str) -> None:
    assert check(source, draft, language) == []


WARNED = [
    # A first name that the source does not add to its surname.
    ("Obama spoke.", "So Barack Obama spoke.", "Barack", "en"),
    ("Lund spoke.", "So Marte Lund spoke.", "Marte", "en"),
    # A first name that the source spells unusually.
    ("Barak Obama spoke.", "So Barack Obama spoke.", "Barack", "en"),
    # A city that stands for what has its seat there.
    ("The Indian government plans tests.", "From June New Delhi wants to test it.", "Delhi", "en"),
    ("The EU plans tests.", "So Brussels plans tests.", "Brussels", "en"),
    ("Die EZB hält still.", "Impulse kommen aus Frankfurt, das wartet.", "Frankfurt", "de"),
    ("El Reino Unido espera.", "Ahora todo depende de Londres.", "Londres", "es"),
    # Countries that a source without any country implies.
    ("Researchers at ETH Zurich met.", "The Swiss researchers at ETH Zurich met.", "Swiss", "en"),
    ("The firm from Denver cut jobs.", "The firm from Denver, Colorado, cut jobs.", "Colorado", "en"),
    ("Voters in Toledo chose.", "Voters in the US state of Ohio chose.", "Ohio", "en"),
    ("Voters in Toledo chose.", "US voters in Toledo chose.", "US", "en"),
    ("Storm Bella hit Kent.", "Storm Bella hit Kent in Southern England.", "Southern England", "en"),
    ("VW stellt um.", "Das Werk aus Wolfsburg stellt um.", "Wolfsburg", "de"),
    ("Mbappe scored.", "So Kylian Mbappé's goal counted.", "Kylian", "en"),
    # Two first names.
    ("El gobernador Escrivá habló.", "Ayer José Luis Escrivá habló.", "José Luis", "es"),
    # What a person does, before the name.
    ("Amr Malik wrote.", "Welder Amr Malik wrote.", "Welder", "en"),
    # A word of the language that begins a sentence, and perhaps has its capital from there.
    ("The element has targets.", "Plural element has targets.", "Plural", "en"),
    ("Justin has a blog.", "Baker starts a site.", "Baker", "en"),
    # A spelling of the source that is put right.
    ("The Pinnochio page is up.", "So the Pinocchio page is up.", "Pinocchio", "en"),
]


@pytest.mark.parametrize(("source", "draft", "name", "language"), WARNED)
def test_a_name_that_is_likely_right_warns(source: str, draft: str, name: str, language: str) -> None:
    assert check(source, draft, language) == [("warn", name)]


BLOCKED = [
    ("Britain voted.", "So the BP plant of Kent voted.", "BP", "en"),
    ("It runs on PlayStation 5.", "It runs on PS4 for now.", "PS4", "en"),
    ("It runs on PlayStation 5.", "It runs on the XB5 for now.", "XB5", "en"),
    ("Anna Lund spoke.", "So Marte Lund spoke.", "Marte", "en"),
    ("Scholz warned them.", "Merkel warned them.", "Merkel", "en"),
    ("A car maker says so.", "Musk says so.", "Musk", "en"),
    ("A car maker says so.", "The maker of Teslas says so.", "Teslas", "en"),
    ("Maria Lund spoke.", "So Marie Lund spoke.", "Marie", "en"),
    ("The EU met in Vienna.", "The EU met in Brussels.", "Brussels", "en"),
    ("The Indian firm grew.", "So Karachi wants to test it.", "Karachi", "en"),
    ("Die EZB tagt in Wien.", "Die EZB tagt in Frankfurt.", "Frankfurt", "de"),
    ("The firm from Denver, Ohio, cut jobs.", "The Denver firm in Colorado cut jobs.", "Colorado", "en"),
    ("Researchers in France met.", "The Swiss researchers met.", "Swiss", "en"),
    ("The U.S. team met.", "The Swiss team met.", "Swiss", "en"),
    ("It fell into the Thames.", "It fell into the Severn River.", "Severn River", "en"),
    ("It opens at 10 a.m. PT.", "It opens at 10 on the Baltic coast.", "Baltic", "en"),
]


@pytest.mark.parametrize(("source", "draft", "name", "language"), BLOCKED)
def test_another_name_blocks(source: str, draft: str, name: str, language: str) -> None:
    assert ("block", name) in check(source, draft, language)
