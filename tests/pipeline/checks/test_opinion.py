import time

import pytest

from pipeline.checks.document import DraftDocument
from pipeline.checks.opinion import check_opinion
from pipeline.checks.tokens import TokenizedText
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
    author: str,
    impact: str = "Much may follow.",
    language: str = "en",
    beat: Beat = BEAT,
    source: str = f"A title about Lisbon. {FACTS}",
) -> list[tuple[str, str]]:
    document = build_document(author, impact, beat)
    findings = check_opinion(document, language, TokenizedText(source))
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
        "The Arden's owner, whom Brussels and the EU know from 1998, sold 12 mills of old.",
        "Prices may rise, and sellers could hold back stock. Buyers will perhaps want to know more.",
        "Whether prices will rise, nobody knows. Those who bet that prices will fall may be wrong.",
        "It will fall to the mayor if the market loses a mill; prices could reach 240.",
        "Miners may sell or hold their reserves; investors could lose interest.",
        "Prices will rise, we suspect, and more mills will close.",
        "Buyers will turn elsewhere, Tolle said.",
        'Tolle is sure: "Prices will rise, and readers should sell."',
        "Buyers will turn to other mills if Tolle Paper closes. Will they? Time will tell.",
    ],
)
def test_opinion_may_discuss_facts_and_what_may_happen(text: str) -> None:
    assert check(text, text) == []


@pytest.mark.parametrize(
    ("text", "certain"),
    [
        ("Buyers will turn to other mills.", "will turn"),
        ("Tolle's shares will recover once buyers see the growth.", "will recover"),
        ("The mill will not be missed.", "will not be"),
        ("Other firms are going to lose work.", "are going to lose"),
        ("Wages won't keep up. They may fall.", "won't keep"),
        ("They may wait. Other towns will soon follow Arden.", "will soon follow"),
    ],
)
def test_the_future_without_a_modal_warns_in_the_section_of_impact_alone(text: str, certain: str) -> None:
    assert check("A view.", text) == [("warn", certain)]
    assert check(text) == []


def test_a_future_that_the_source_announces_may_be_repeated() -> None:
    source = f"{FACTS} The mill will close in spring, and Ghent is to build a school there."
    assert check("A view.", "The mill will soon close, and a school will build on it.", source=source) == []
    assert check("A view.", "The town will close its books.", source="It closes.") == [("warn", "will close")]


@pytest.mark.parametrize(
    ("language", "text", "certain"),
    [
        ("de", "Die Käufer werden zu anderen Fabriken wechseln.", "werden zu anderen Fabriken wechseln"),
        ("de", "Der Ort wird viele Stellen verlieren, und das schmerzt.", "wird viele Stellen verlieren"),
        ("es", "Los compradores buscarán otras fábricas.", "buscarán"),
        ("es", "El pueblo va a perder muchos empleos.", "va a perder"),
    ],
)
def test_the_future_in_german_and_spanish(language: str, text: str, certain: str) -> None:
    assert check("A view.", text, language) == [("warn", certain)]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Die Käufer werden wohl zu anderen Fabriken wechseln."),
        ("de", "Der Ort könnte Stellen verlieren und wird dann kleiner werden."),
        ("de", "Das Papier wird in Gent gelagert und aufgenommen."),
        ("es", "Los compradores podrían buscar otras fábricas; quizá no las encontrarán."),
        ("es", "Según el alcalde, el pueblo perderá empleos."),
        ("es", "Irán compra papel, y Beltrán lo vende."),
    ],
)
def test_an_open_future_in_german_and_spanish(language: str, text: str) -> None:
    assert check("A view.", text, language) == []


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


def test_figures_of_the_source_pass_in_a_language_without_a_table() -> None:
    [note] = check("Zeven van de 240 molens, 1.5 en 12.", language="nl", source="12 molens")
    assert note[0] == "note"


def test_advice_that_somebody_else_gives_warns() -> None:
    assert check("Readers should sell now, he argues.")[0][0] == "warn"
    assert check("Readers should sell now.")[0][0] == "block"
    assert check("Prices will rise, the author predicts.") == [("warn", "Prices will rise")]


def test_other_sections_are_not_checked_for_opinion() -> None:
    document = build_document(
        "A view.", facts="Investors should sell, he said: prices will rise by 12% in Porto."
    )
    assert check_opinion(document, "en", TokenizedText(FACTS)) == []
    assert check_opinion(DraftDocument("Prices will rise.", BEAT), "en", TokenizedText(FACTS)) == []


@pytest.mark.parametrize("length", lengths(300_000))
@pytest.mark.parametrize("language", ["en", "de", "es"])
@pytest.mark.parametrize(
    "piece",
    ["Investors should ", "a ", "12 Porto ", "prices will ", "It will rise. ", "wird ", "va a subir "],
)
def test_time_is_linear_in_the_text(piece: str, language: str, length: int) -> None:
    begun = time.process_time()
    text = piece * (length // len(piece))
    check_opinion(build_document(text, text), language, TokenizedText(text))
    assert time.process_time() - begun < 10
