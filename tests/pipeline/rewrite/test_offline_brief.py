from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.articles.article import Sentiment
from pipeline.domain.placeholders import PLACEHOLDERS, brief_labels
from pipeline.domain.text import sentences, truncate
from pipeline.rewrite.offline_brief import BRIEF, find_facts, write_brief
from tests.pipeline.rewrite.sources import BEAT, source

STORY = (
    "On Thursday, Example Corp’s output fell 12.5% to $63,000 a day, Dr. Jane Q. Doe of the Bank of Utopia "
    "said. “We will not stop,” she told The Wire on Feb. 5, 2026.\n\n"
    "The U.S. unit used 3.5 million MWh in 2024. The unit is called Nova."
)


def test_the_overview_attributes_and_quotes_verbatim() -> None:
    brief = write_brief(source(STORY, author="Ann", link="https://x.org/a", title="A drop"), BEAT)
    attribution, *quotation = brief.overview.split("\n\n")
    assert attribution == "From The Wire, by Ann: [A drop](https://x.org/a)"
    assert quotation == ["\n>\n".join(f"> {paragraph}" for paragraph in STORY.split("\n\n"))]


def test_a_brief_is_not_marked_as_rewritten() -> None:
    brief = write_brief(source(STORY), BEAT)
    assert (BRIEF.rewritten, BRIEF.model, BRIEF.prompt) == (False, "offline", None)
    assert {brief.from_author, *brief.impact} <= set(PLACEHOLDERS)
    assert brief.sentiment is Sentiment.NEUTRAL


def test_figures_names_and_dates_are_listed_with_the_words_around() -> None:
    facts = find_facts(STORY)
    assert [figure for figure, _ in facts.numbers] == ["12.5%", "$63,000", "3.5 million MWh"]
    assert facts.numbers[2][1] == "The U.S. unit used 3.5 million MWh in 2024."
    assert facts.names == ("Example Corp", "Dr. Jane Q. Doe", "Bank of Utopia", "The Wire", "U.S.", "Nova")
    assert [date for date, _ in facts.dates] == ["Thursday", "Feb. 5, 2026", "2024"]


@pytest.mark.parametrize(
    ("text", "figures", "dates"),
    [
        ("比特币跌破63000美元，较2025年10月6日下跌50%。", ["63000美元", "50%"], ["2025年10月6日"]),
        ("Der Gewinn stieg am 3. März 2026 um 1,5 Mrd. Euro.", ["1,5 Mrd. Euro"], ["3. März 2026"]),
        ("El 3 de enero de 2026 subió 12 %.", ["12 %"], ["3 de enero de 2026"]),
        ("Released 2026-02-05, up from €1.2bn in Q3 2025.", ["€1.2bn"], ["2026-02-05", "Q3 2025"]),
        ("It counted 2000 votes and COVID19 cases.", ["2000"], []),
        ("ارتفع بنسبة ٥٠٪ اليوم", ["٥٠"], []),
    ],
)
def test_figures_and_dates_of_other_languages(text: str, figures: list[str], dates: list[str]) -> None:
    facts = find_facts(text)
    assert [figure for figure, _ in facts.numbers] == figures
    assert [date for date, _ in facts.dates] == dates


def test_a_german_noun_is_no_name() -> None:
    text = "Gestern sagte der Vorstand der Deutschen Bank, die EZB und ihr Haus seien sich einig."
    assert find_facts(text, nouns_capitalised=True).names == ("Deutschen Bank", "EZB")


def test_an_item_with_only_a_title_makes_a_brief() -> None:
    brief = write_brief(source("", title="Nova raises $5 million", link=None), BEAT)
    assert brief.overview == "From The Wire: Nova raises $5 million"
    assert "- **$5 million**: Nova raises $5 million" in brief.sections[0].body


def test_an_item_without_anything_makes_a_brief_in_its_language() -> None:
    labels = brief_labels("de-AT")
    brief = write_brief(source("", title=" ", language="de-AT"), BEAT)
    assert brief.title == "Meldung ohne Titel"
    assert brief.sections[0].heading == labels.facts
    assert brief.sections[0].body == labels.nothing


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "ftp://x.org/", "//x.org", "http://", "http://[", None]
)
def test_only_web_addresses_become_links(link: str | None) -> None:
    assert write_brief(source("", link=link, title="T"), BEAT).overview == "From The Wire: T"


def test_nothing_in_title_or_address_ends_the_link_early() -> None:
    brief = write_brief(source("", link="https://x.org/a_(b) c>", title="[x](y) \\"), BEAT)
    assert brief.overview == "From The Wire: [\\[x\\](y) \\\\](https://x.org/a_%28b%29%20c%3E)"


def test_names_with_braces_are_not_format_fields() -> None:
    assert write_brief(source("", author="{feed.__class__}", title="T"), BEAT).overview == (
        "From The Wire, by {feed.__class__}: T"
    )


def test_labels_of_the_vocabulary_become_tags() -> None:
    assert write_brief(source(categories=("mining ", "Sports", "btc")), BEAT).tags == ("BTC", "MINING")


@pytest.mark.parametrize("text", ["word " * 400, "長" * 4000, "Short one. " + "word " * 100, "x" * 5000])
def test_the_quotation_is_short(text: str) -> None:
    quoted = write_brief(source(text), BEAT).overview.partition("> ")[2]
    assert 0 < len(quoted.split()) <= 61
    assert len(quoted) <= 601
    assert text.startswith(quoted.rstrip(" …"))


def test_sentences_end_where_a_reader_would_say_so() -> None:
    text = "Mr. Smith of the U.S. unit paid $3.5 million. He left! “Why?” Nobody knows… 終わり。次"
    assert [sentence.strip() for sentence in sentences(text)] == [
        "Mr. Smith of the U.S. unit paid $3.5 million.",
        "He left!",
        "“Why?”",
        "Nobody knows…",
        "終わり。",
        "次",
    ]


@given(st.text(max_size=200))
def test_sentences_are_their_text(text: str) -> None:
    assert "".join(sentences(text)) == text


@given(st.text(max_size=60), st.integers(min_value=1, max_value=30))
def test_a_cut_text_fits(text: str, limit: int) -> None:
    assert len(truncate(text, limit)) <= limit
    assert text.startswith(truncate(text, limit).removesuffix("…"))


hostile = st.text(alphabet=st.characters(), max_size=300) | st.text("Aa1. \n$%年。-'’&…", max_size=300)


@settings(max_examples=150, deadline=None)
@given(
    text=hostile,
    title=hostile,
    author=st.none() | hostile,
    link=st.none() | hostile | hostile.map("https://x.org/".__add__),
    language=st.sampled_from(["en", "de", "zh", "", "xx-YY"]),
)
def test_no_source_breaks_it(
    text: str, title: str, author: str | None, link: str | None, language: str
) -> None:
    item = {"title": title, "author": author, "link": link}
    brief = write_brief(source(text, language=language, **item), BEAT)
    assert brief.title
    assert brief.overview.strip()
    assert brief.sections[0].body.strip()
    brief.model_dump_json().encode()


@settings(max_examples=150, deadline=None)
@given(hostile)
def test_every_fact_is_in_the_text(text: str) -> None:
    facts, flat = find_facts(text), " ".join(text.split())
    for fact, around in (*facts.numbers, *facts.dates):
        assert fact in flat
        assert around.strip("…").strip() in flat
    assert len(facts.names) <= 12


def test_only_the_beginning_of_a_huge_text_is_scanned() -> None:
    early, late = "It cost $5. ", "It cost $7. "
    text = early + "Aa 1. " * 500_000 + late
    facts = find_facts(text, limit=10**6)
    assert "$5" in dict(facts.numbers)
    assert "$7" not in dict(facts.numbers)
    assert write_brief(source(text, published_at=datetime(2026, 1, 1, tzinfo=UTC)), BEAT).overview


def test_a_time_of_day_is_one_figure() -> None:
    text = "13:00 Update 3: gusts of 93 km/h. At 9:05 p.m. it ended, after 1:2 and 13:05:22. Um 8:15 Uhr."
    figures = [figure for figure, _ in find_facts(text).numbers]
    assert figures == ["13:00", "3", "93", "9:05 p.m.", "1", "2", "13:05:22", "8:15 Uhr"]
