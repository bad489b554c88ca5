"""Quotations of a draft: their words and speakers, checked against its source."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks.quotations.check import check_quotations
from pipeline.checks.quotations.extract import extract_quotes
from pipeline.checks.tokens import CheckInput, TokenizedText
from pipeline.domain.reviews import Finding, Severity
from tests.lengths import lengths

SOURCE = """The mill will close in spring, its owner said on Friday. "We kept it open for as long as
anybody bought our paper," said Maren Tolle, who runs it.
"Nobody does any more, and 1.5 million euros are gone."

"It is a black day for the valley," Pieter Oost, the mayor, said. He called the plan "cold-hearted
and short-sighted".
"""


def check(text: str, source: str = SOURCE, language: str = "en") -> list[Finding]:
    return check_quotations(CheckInput(TokenizedText(text), TokenizedText(source), language))


def severities(text: str, source: str = SOURCE, language: str = "en") -> list[str]:
    return [finding.severity.value for finding in check(text, source, language)]


@pytest.mark.parametrize(
    "text",
    [
        'Tolle said: "We kept it open for as long as anybody bought our paper."',
        "“We kept it open for as long as anybody bought our paper,” said Tolle.",
        "Tolle said: „we kept it open for as long as anybody bought our paper“.",
        "Tolle said : « We kept it open for as long as anybody bought our paper ».",
        "Tolle said: »We kept it open for as long as anybody bought our paper«.",
        "Tolle said: 'We kept it open for as long as anybody bought our paper.'",
        "Tolle said: ‘We kept it open for as long as anybody bought our paper.’",
        '" We kept it open for as long as anybody bought our paper , " said Tolle .',
        '"We kept it open … as long as anybody bought our paper," said Tolle.',
        '"We kept it open [...] as long as anybody bought our paper," said Tolle.',
        '"We kept [the mill] open for as long as anybody bought our paper," said Tolle.',
        '"[W]e kept it open," said Tolle.',
        'She would have "ke[pt] it open", said Tolle.',
        '"We kept it open for as long as anybody bought our paper. Nobody does any more," said Tolle.',
        "It is called “cold—hearted and short - sighted” by Oost.",
        "> We kept it open for as long as anybody bought our paper.\n> — Maren Tolle, owner of the mill\n",
    ],
)
def test_typography_of_a_quotation_does_not_matter(text: str) -> None:
    assert check(text) == []
    assert check(text, SOURCE.lower()) == []


@pytest.mark.parametrize(
    "text",
    [
        '"We kept it open for as long as everybody bought our paper," said Tolle.',
        '"We kept it closed," said Tolle.',
        '"Nobody does any more, and 15 million euros are gone," said Tolle.',
        '"Nobody does any more, and 1.5 million dollars are gone," said Tolle.',
        '"As long as anybody bought our paper … we kept it open," said Tolle.',
        '"It is a black day [again] for the country," said Oost.',
        "Tolle said 'we kept it shut for as long as anybody bought our paper'.",
        "> We kept it open for as long as we could.\n",
    ],
)
def test_an_altered_quotation_blocks_with_the_source_as_evidence(text: str) -> None:
    [finding] = check(text)
    assert (finding.kind, finding.severity) == ("quotation", Severity.BLOCK)
    assert finding.span
    assert text[slice(*finding.span)].strip('"> \n') in text
    assert "paper" not in text or "paper" in SOURCE[slice(*finding.evidence[0])] or text.startswith(">")


def test_the_message_shows_the_words_of_the_source() -> None:
    [finding] = check('"It is a dark day for the valley," said Oost.')
    assert [SOURCE[slice(*place)] for place in finding.evidence] == ["It is a black day for the valley"]
    assert '"It is a black day for the valley"' in finding.message


def test_another_named_speaker_blocks() -> None:
    [finding] = check('"It is a black day for the valley," said Maren Tolle.')
    assert finding.severity is Severity.BLOCK
    assert "Oost" in finding.message
    assert check('"It is a black day for the valley," said the mayor.') == []
    assert check('"It is a black day for the valley," she said.') == []
    assert severities('Tolle said that it was "a black day for the valley".') == ["block"]
    assert severities('According to Oost, "nobody does any more".') == []  # the source names nobody beside it
    assert severities('"We kept it open," said Oost on Friday.') == ["block"]
    assert severities('Oost said: "We kept it open."') == ["block"]


def test_a_company_and_its_spokesperson_are_one_speaker() -> None:
    source = 'Hanna Brandt of the Tidewater Institute was blunt. "Prices are a guess," said Brandt.'
    assert check('"Prices are a guess," said the Tidewater Institute.', source) == []
    assert check('"Prices are a guess," according to the Tidewater Institute.', source) == []


def test_titles_and_adjectives_are_no_speakers() -> None:
    source = '"The worst may come," Mr Renaud said in Lyon.'
    assert check('The French president warned that "the worst may come".', source) == []
    assert check('"The worst may come," said President Renaud.', source) == []


def test_german_speakers_are_compared() -> None:
    source = (
        "„Der Speicher war nach zwei Stunden leer“, sagte Karla Vogt. „Das ahnte niemand“, sagte Jan Witt."
    )
    assert check("„Der Speicher war nach zwei Stunden leer“, sagte Vogt.", source, "de") == []
    assert severities("„Der Speicher war nach zwei Stunden leer“, sagte Witt.", source, "de") == ["block"]
    assert severities("Laut Witt war der „Speicher nach zwei Stunden leer“.", source, "de") == ["block"]


def test_a_language_without_a_table_has_only_its_words_checked() -> None:
    text = '"It is a black day for the valley," said Tolle.'
    assert check(text, language="tlh") == []
    assert severities(text.replace("black", "blue"), language="tlh") == ["block"]


INTERVIEW = """Q: Why does the mill close?
A: Nobody buys our paper any more, and the debts were too high for a firm of our size.

**Maren Tolle:** We will miss the river most of all, said my father. The rest is history.
**Pieter Oost:** The region has to help us now.
**Maren Tolle:** We asked for that in March.
**Pieter Oost:** It did not answer.
"""


@pytest.mark.parametrize(
    "text",
    [
        '"Nobody buys our paper any more," she says.',
        'Tolle explains that "nobody buys our paper any more, and the debts were too high".',
        'The blog calls the debts "too high for a firm of our size", as its author puts it.',
        '"We will miss the river most of all," says Maren Tolle.',
        '"The region has to help us now," the mayor, Oost, says.',
        "> We will miss the river most of all.\n> — Maren Tolle\n",
        'It is called "The Rest is History".',
        'He writes: "It did not answer."',
    ],
)
def test_words_of_the_source_are_a_quotation_without_marks_as_well(text: str) -> None:
    assert check(text, INTERVIEW) == []


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ('"The region has to help us now," says Maren Tolle.', "Pieter Oost"),
        ('"We asked for that in March," says Oost.', "Maren Tolle"),
    ],
)
def test_another_turn_of_an_interview_warns(text: str, speaker: str) -> None:
    [finding] = check(text, INTERVIEW)
    assert (finding.severity, finding.suggestion) == (Severity.WARN, speaker)


def test_indirect_speech_of_another_speaker_warns() -> None:
    source = "Maren Tolle said that the debts were far too high. Pieter Oost said the town will help."
    [finding] = check('"The debts were far too high," said Pieter Oost.', source)
    assert (finding.severity, finding.suggestion) == (Severity.WARN, "Maren Tolle")
    assert check('"The debts were far too high," said Maren Tolle.', source) == []
    assert check('"The debts were far too high," said the town.', source) == []


def test_the_finding_is_at_the_wrong_name_and_proposes_the_right_one() -> None:
    text = '"It is a black day for the valley," the owner Maren Tolle said.'
    [finding] = check(text)
    assert finding.span
    assert text[slice(*finding.span)] == "Maren Tolle"
    assert finding.suggestion == "Pieter Oost"
    assert [SOURCE[slice(*span)] for span in finding.evidence] == [
        "It is a black day for the valley",
        "Pieter Oost",
    ]


SPEAKERS = """"The river is ours," Ada Brint of Free Millers told Reuters on Monday.
"We shall see," the Dane said. "It never was," said spokesman Olaf Rask of Tidewater Mills.
Pieter Oost, the mayor, said: "The town has had enough." Reuters asked Jan Kolm about it.
He told Kolm: "Not in my time." HTF is near. "Rents will rise," said the Housing Trust Fund.
Kolm is described as "a very careful man", Rask said.
"""


@pytest.mark.parametrize(
    "text",
    [
        '"The river is ours," said the Free Millers.',
        '"Rents will rise," said HTF.',
        '"The river is ours," Reuters quotes her as saying.',
        '"The river is ours," according to a statement quoted by Reuters.',
        '"We shall see," said Oost.',
        '"It never was," says Tidewater Mills.',
        '"It never was," said Mr Rask.',
        '"The town has had enough," he told Reuters.',
        '"Not in my time," said Oost.',
        'Kolm is described as "a very careful man".',
        'Kolm has "a very careful man" in him.',
        'According to Reuters, "it never was".',
        '"The town has had enough," Reuters reports.',
        'Valley Post writes of a "very careful man".',
        '"The river is ours," said Nobody Known.',
        '"The river is ours," the Brit said.',
    ],
)
def test_another_form_of_a_speaker_is_no_other_one(text: str) -> None:
    assert check(text, SPEAKERS) == []


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ('"The river is ours," said Pieter Oost.', "Ada Brint"),
        ('"It never was," Ada Brint said.', "Olaf Rask"),
        ('According to Brint, "it never was".', "Olaf Rask"),
        ('Rask said: "The town has had enough."', "Pieter Oost"),
        ('"The town has had enough," said the owner Ada Brint of the millers.', "Pieter Oost"),
    ],
)
def test_another_speaker_of_the_source_blocks(text: str, speaker: str) -> None:
    [finding] = check(text, SPEAKERS)
    assert (finding.severity, finding.suggestion) == (Severity.BLOCK, speaker)


def test_spanish_speakers_are_compared() -> None:
    source = "«La puerta sigue abierta», resumió Íñigo Larrea. «Nadie lo sabe», dijo Ana Prado."
    assert check("«La puerta sigue abierta», afirmó Larrea.", source, "es") == []
    [finding] = check("«La puerta sigue abierta», afirmó Ana Prado.", source, "es")
    assert (finding.severity, finding.suggestion) == (Severity.BLOCK, "Íñigo Larrea")


WORDING = """The harbour is closed. We do not want to sell the old ferry to anybody, she wrote. She said: "The
crew was pleasant and apologetic throughout, and free of fault. It will never happen again on this line."
The tower gave the guests a hyperactive homecoming. They can't blame the weather for all of it.
"""


@pytest.mark.parametrize(
    ("text", "wording"),
    [
        ('The crew was "polite and apologetic throughout".', "pleasant and apologetic throughout"),
        (
            '"The crew was pleasant and rude throughout," she said.',
            "The crew was pleasant and apologetic throughout,",
        ),
        ('They "want to sell the new ferry to anybody".', "not want to sell the old ferry to anybody"),
        ('It will "happen again on that line".', "never happen again on this line"),
        ('They "blame the weather for most of it".', "can't blame the weather for all of it"),
        ('It was a "triumphant homecoming".', "hyperactive homecoming"),
    ],
)
def test_the_words_of_the_source_are_proposed(text: str, wording: str) -> None:
    [finding] = check(text, WORDING)
    assert (finding.severity, finding.suggestion) == (Severity.BLOCK, wording)
    repaired = text[: finding.span[0]] + finding.suggestion + text[finding.span[1] :] if finding.span else ""
    assert check(repaired, WORDING) == []


def test_a_quotation_of_nothing_in_the_source_has_no_proposal() -> None:
    [finding] = check('"Our best days are ahead of us," she said.', WORDING)
    assert (finding.severity, finding.suggestion, finding.evidence) == (Severity.BLOCK, "", ())
    [finding] = check('It was a "paper tiger".', WORDING)
    assert (finding.severity, finding.suggestion) == (Severity.WARN, "")


def test_accents_may_be_written_in_two_ways() -> None:
    source = "Er nennt es „über alle Maßen schön und gut“."
    assert check("Er nennt es „u\u0308ber alle Maßen schön“.", source, "de") == []
    assert check("Er nennt es „über alle Maßen scho\u0308n“.", source.replace("ü", "u\u0308"), "de") == []
    assert severities("Er nennt es „unter allen Maßen schön“.", source, "de") == ["block"]


def test_scare_quotes_of_one_word_have_no_finding() -> None:
    assert (
        check("The \"visionary\" left; the 'genius' stayed; 6'2\" tall in the '90s, the miners' fees rose.")
        == []
    )
    assert severities('A "paper tiger" it was.') == ["warn"]


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ('He said "one two" and "three four".', ["one two", "three four"]),
        ('He is 6\'2" tall and said "one two".', ["one two"]),
        ("« un deux » et „eins zwei“ und »drei vier«", [" un deux ", "eins zwei", "drei vier"]),
        ("”ett två” sade hon", ["ett två"]),
        ("The miners' fees, the owners' cut: 'one two', rock 'n' roll", ["one two", "n"]),
        ('"One paragraph\n\n"and another," she said.', ["One paragraph", "and another,"]),
        ('"One paragraph. "And another," she said.', ["One paragraph. ", "And another,"]),
        ('An open "mark\n\nA new "paragraph" here', ["paragraph"]),
        ("「一二」と『三四』", ["一二", "三四"]),
        ("a > b\n> one two\n> three\n\nfour", ["> one two\n> three\n"]),
    ],
)
def test_quotations_are_extracted_by_their_marks(text: str, quotes: list[str]) -> None:
    assert [text[quote.start : quote.end] for quote in extract_quotes(text)] == quotes


@given(st.text(alphabet="ab \"'“”„«»‘’>\n.[]…", max_size=80))
def test_any_text_is_checked_without_error(text: str) -> None:
    quotes = extract_quotes(text)
    assert all(0 <= quote.start <= quote.end <= len(text) for quote in quotes)
    assert all(quote.end <= other.start for quote, other in pairwise(quotes))
    assert check(text, text) == [] or all(finding.span for finding in check(text, text))


@pytest.mark.parametrize("length", lengths(600_000))
@pytest.mark.parametrize("source", ["a b a c. ", "Bo: a b\n", "Al said a b. "])
@pytest.mark.parametrize("piece", ['"a b" ', "'a b ", '"', "> a b\n", '"a … b [c] ', '"a a a a" said Bo. '])
def test_time_is_linear_in_the_text(piece: str, source: str, length: int) -> None:
    begun = time.process_time()
    check(piece * (length // len(piece)), source * (length // 12))
    assert time.process_time() - begun < 10


@pytest.mark.parametrize(
    ("quoted", "expected"),
    [("großen Erfolg des Vorhabens", "warn"), ("großen Erfolg des Verfahrens", "block")],
)
def test_a_german_ending_fitted_to_the_sentence_is_a_look(quoted: str, expected: str) -> None:
    source = "„Das ist ein großer Erfolg des Vorhabens“, sagte Mette Lund."
    assert severities(f"Lund nannte es einen „{quoted}“.", source, "de") == [expected]
