"""Names of a draft that the source has in another form, and near misses that it does not have."""

import pytest

from pipeline.checks.names import check_names
from pipeline.checks.tokens import CheckInput, TokenizedText


def check(source: str, draft: str) -> list[tuple[str, str]]:
    findings = check_names(CheckInput(TokenizedText(draft), TokenizedText(source), "en"))
    return [(finding.severity.value, draft[slice(*finding.span or ())]) for finding in findings]


def suggested(source: str, draft: str, language: str = "en") -> list[str]:
    findings = check_names(CheckInput(TokenizedText(draft), TokenizedText(source), language))
    return [finding.suggestion for finding in findings]


SUPPORTED = [
    # Acronyms and what they stand for, also as part of a longer name.
    ("The FCA fined it.", "So the Financial Conduct Authority fined it."),
    ("The Financial Conduct Authority fined it.", "So the FCA fined it."),
    ("The S.E.C. sued.", "So the US Securities and Exchange Commission sued."),
    ("The Bank of England met.", "So the BoE met."),
    ("The BoE met.", "So the Bank of England met."),
    ("The consumer price index rose.", "So the CPI rose."),
    ("Collateralized debt obligations fell.", "So the CDOs fell. A CDO's price fell."),
    ("The Department of Justice sued.", "So the DoJ sued. The Justice Department sued."),
    ("He teaches at M.I.T.", "He teaches at MIT, the Massachusetts Institute of Technology."),
    # The United States, in every spelling.
    ("The U.S. economy grew.", "So the United States grew, as America's economy and US-based firms did."),
    ("The United States grew.", "So the U.S. economy grew. The US economy grew."),
    ("Voters in Ohio chose.", "Voters in the US state of Ohio chose."),
    ("It cost $5.", "So it cost five US dollars."),
    # States, provinces and currencies, abbreviated and written out.
    ("A court in Scranton, Pa., ruled.", "So a court in Scranton, Pennsylvania, ruled."),
    ("Voters in California chose.", "So the voters of Calif. chose."),
    ("He was born in Springfield, Ill.", "He was born in Springfield, IL, which is in Illinois."),
    ("It opened in D.C.", "It opened in Washington, D.C."),
    ("It opened in the Washington DC area.", "It opened in Washington, D.C."),
    ("He moved to Ontario.", "He moved to Ont. with us."),
    ("It cost CHF 5.", "So it cost five Swiss francs."),
    ("It cost five Swiss francs.", "So it cost CHF 5."),
    # Demonyms, possessives, followers.
    ("Reports came from Tehran.", "So Tehran's reports came. A Tehran-based group came."),
    ("They came from Chicago.", "So the Chicagoan came."),
    ("He is from New York.", "So the New Yorker came. In NYC it rained."),
    ("Marx wrote. Keynes wrote.", "So Marxists and Keynesian writers wrote."),
    # Accents, umlauts, composed and decomposed letters, signs.
    ("Angela Müller came.", "Angela Mueller came."),
    ("Angela Muller came.", "Angela Müller came."),
    ("He lives in Zurich.", "He lives in Zu\u0308rich."),
    ("He lives in Zu\u0308rich.", "He lives in Z\u00fcrich."),
    ("AT&T sells phones.", "So ATT sells AT&T's phones."),
    ("The euro zone grew.", "So the Eurozone grew."),
    ("See techcrunch.com.", "So Tech Crunch wrote."),
    ("The network X failed.", "They called, and X's staff did not answer."),
    # Dates are no names; titles, headings and first words neither.
    ("Ms Lund spoke.", "She met on Jan. 5, 2020, and on Sept. 3. Since Monday Lund spoke. In May it rained."),
    ("Ms Lund spoke.", "They heard Saturday's speech, and in June's heat Monday’s speech of Lund."),
    ("It closed on February 10.", "In the paper, which it published on February 10, 2026, it closed."),
    ("Senator Warren spoke.", "So Sen. Warren and Rep. Warren spoke."),
    ("It closed.", "  Why Does the Company Close Its Books?\n\nIt closed."),
    ("It closed.", "Commenters agreed. Bloggers complained… Startups follow. ¿Nobody?"),
]


@pytest.mark.parametrize(("source", "draft"), SUPPORTED)
def test_a_name_in_another_form_has_no_finding(source: str, draft: str) -> None:
    assert check(source, draft) == []


ABSENT = [
    ("Hawking and Hertog wrote.", "So Hartle and Hawking wrote.", "Hartle"),
    ("He lives in Scranton, Pa.", "He lives in Scranton, Maryland.", "Maryland"),
    ("Springfield, Ill., is small.", "So Springfield, Missouri, is small.", "Missouri"),
    ("The Financial Conduct Authority fined it.", "So the FSA fined it.", "FSA"),
    ("Londoners came.", "They came from Londonderry.", "Londonderry"),
    ("Iranian forces struck.", "So Iraq struck.", "Iraq"),
    ("Müller came.", "So Miller came.", "Miller"),
    ("It cost five Swiss francs.", "So it cost five Danish crowns.", "Danish"),
    ("Theresa Ford spoke.", "So Theresa May spoke.", "May"),
    ("The firm is Chinese.", "So the firm of Taiwan grew.", "Taiwan"),
]


@pytest.mark.parametrize(("source", "draft", "name"), ABSENT)
def test_a_near_miss_still_blocks(source: str, draft: str, name: str) -> None:
    assert check(source, draft) == [("block", name)]


def test_a_generic_word_alone_warns() -> None:
    assert check("It closed.", "So the Commission closed it.") == [("warn", "Commission")]


SUGGESTED = [
    ("Sam Stephenson came.", "So Sam Stevenson came.", "Stephenson"),
    ("Antje Voss came.", "So Antje Meier came.", "Voss"),
    ("Antje Voss came.", "So Anke Voss came.", "Antje"),
    ("Antje Voss came. Antje Lund came.", "So Antje Meier came.", ""),
    ("Warren spoke.", "So they heard Warner's speech.", ""),
    ("Stephenson spoke.", "So they heard Stevenson's speech.", "Stephenson's"),
]


@pytest.mark.parametrize(("source", "draft", "suggestion"), SUGGESTED)
def test_the_one_name_that_is_meant_is_suggested(source: str, draft: str, suggestion: str) -> None:
    assert suggested(source, draft) == [suggestion]


def test_a_suggestion_has_evidence() -> None:
    case = CheckInput(TokenizedText("So Antje Meier came."), TokenizedText("Antje Voss came."))
    [finding] = check_names(case)
    assert [case.source.text[slice(*span)] for span in finding.evidence] == ["Voss"]
