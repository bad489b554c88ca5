import time

import pytest

from pipeline.checks.document import DraftDocument
from pipeline.checks.opinion import check_opinion
from pipeline.domain.models import Beat
from tests.lengths import lengths
from tests.pipeline.checks.articles import BEAT

FACTS = "The Arden mill of Tolle Paper closes; 240 workers lose 1.5 million euros, said Maren Tolle in Ghent."
GERMAN = Beat(
    key="b", market="Papiermarkt", overview="Überblick", from_author="Vom Autor", impact="Folgen für den"
)


def build_document(
    author: str, impact: str = "Much may follow.", beat: Beat = BEAT, facts: str = FACTS
) -> DraftDocument:
    heading = f"{beat.impact} {beat.market}"
    body = (
        f"## {beat.overview}\n\n{facts}\n\n## {beat.from_author}\n\n{author}\n\n## {heading}\n\n- {impact}\n"
    )
    return DraftDocument(body, beat)


def check(
    author: str, impact: str = "Much may follow.", language: str = "en", beat: Beat = BEAT
) -> list[tuple[str, str]]:
    document = build_document(author, impact, beat)
    findings = check_opinion(document, language, "A title about Lisbon")
    return [
        (finding.severity.value, document.text[slice(*finding.span)] if finding.span else finding.message)
        for finding in findings
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Tolle's choice for Arden looks right to us, and Tolle Paper knows it.",
        "What 240 people do next we do not know; 1.5 million is little.",
        "In Lisbon they may think otherwise. I'd wait.",
        "Prices may rise, and sellers could hold back stock. Buyers will want to know more.",
        "The mill will not be missed. It will take years. The market may fall.",
        "Whether prices will rise, nobody knows. Those who bet that prices will fall may be wrong.",
        "It will fall to the mayor. The market will lose a mill, and prices could reach 240.",
        "It will reach an agreement with Tolle. The market will gain a voice.",
        "Miners may sell or hold their reserves; investors could lose interest.",
    ],
)
def test_opinion_may_discuss_the_articles_facts(text: str) -> None:
    assert check(text, text) == []


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("We recall the 12 mills of old.", "12"),
        ("It is 1.7 million, we think.", "1.7"),
        ("We are reminded of Porto and the sea.", "Porto"),
        ("We are reminded of the Old Harbour Fund and the sea.", "Old Harbour Fund"),
        ("Much as in March, it rained.", "March"),
    ],
)
def test_new_facts_warn(text: str, new: str) -> None:
    assert check(text) == [("warn", new)]
    assert check("A view.", text) == [("warn", new)]


@pytest.mark.parametrize(
    "text",
    [
        "Investors should sell now.",
        "Anyone with sense ought to buy.",
        "We recommend buying shares of mills.",
        "This is a good time to sell.",
        "It is a rare buying opportunity.",
        "Buy the dip, some say.",
        "Paper is worth holding.",
        "Don't sell yet.",
        "Readers would be wise to avoid the shares.",
    ],
)
def test_advice_about_money_blocks(text: str) -> None:
    assert [severity for severity, _ in check(text)] == ["block"]


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("Prices will rise.", "block"),
        ("The price will soon double.", "block"),
        ("Paper shares will certainly fall.", "block"),
        ("If so? Prices will fall.", "block"),
        ("The price will reach a record high.", "block"),
        ("Shares will soon hit 1.5 million.", "block"),
        ("It will plunge.", "warn"),
        ("Paper is bound to climb.", "block"),
        ("Guaranteed returns are rare.", "block"),
        ("The market is set to surge.", "warn"),
        ("Shortages will inevitably follow.", "warn"),
        ("This will push prices up.", "warn"),
        ("It is only a matter of time.", "warn"),
    ],
)
def test_certainty_about_prices_blocks_and_other_certainty_warns(text: str, severity: str) -> None:
    assert [actual for actual, _ in check(text)] == [severity]


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("Anleger sollten jetzt kaufen.", "block"),
        ("Jetzt sollten Anleger ihre Anteile verkaufen.", "block"),
        ("Wir empfehlen den Verkauf.", "block"),
        ("Es ist ein guter Zeitpunkt zum Einstieg.", "block"),
        ("Der Preis wird bis zum Sommer kräftig steigen.", "block"),
        ("Die Preise werden fallen.", "block"),
        ("Es wird zwangsläufig teurer.", "warn"),
        ("Wir denken an die Papierfabrik Hinterwald.", "warn"),
        ("Man denkt an die EZB.", "warn"),
    ],
)
def test_german_opinion(text: str, severity: str) -> None:
    assert [actual for actual, _ in check(text, "Vieles kann folgen.", "de", GERMAN)] == [severity]


@pytest.mark.parametrize(
    "text",
    ["Die Preise könnten steigen.", "Der Verkauf der Fabrik wird dauern.", "Die Trauer der Stadt ist echt."],
)
def test_german_opinion_may_discuss_facts(text: str) -> None:
    assert check(text, "Vieles kann folgen.", "de", GERMAN) == []


def test_a_language_without_a_table_is_checked_for_figures_and_a_note_says_so() -> None:
    note, figure = check("Zeven van de 12 molens.", language="nl")
    assert note[0] == "note"
    assert '"nl"' in note[1]
    assert figure == ("warn", "12")


def test_new_facts_are_found_after_many_existing_ones() -> None:
    assert check("Of 240 jobs at Arden we know. " * 30 + "In Porto they lost 12.") == [
        ("warn", "Porto"),
        ("warn", "12"),
    ]


def test_other_sections_are_not_checked_for_opinion() -> None:
    document = build_document(
        "A view.", facts="Investors should sell, he said: prices will rise by 12% in Porto."
    )
    assert check_opinion(document, "en") == []
    assert check_opinion(DraftDocument("Prices will rise.", BEAT), "en") == []


@pytest.mark.parametrize("length", lengths(300_000))
@pytest.mark.parametrize("piece", ["Investors should ", "a ", "12 Porto ", "prices will "])
def test_time_is_linear_in_the_text(piece: str, length: int) -> None:
    begun = time.process_time()
    check_opinion(build_document(piece * (length // len(piece))), "en")
    assert time.process_time() - begun < 10
