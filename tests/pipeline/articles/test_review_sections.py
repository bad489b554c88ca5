"""The sections of an article, as an editor is shown them: white space is no change."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.articles.review_sections import ReviewSection, review_sections, sentence_hash, unshown

METADATA = {
    "title": "Output rises",
    "description": "It rose by 3%. Nobody knows why.",
    "tags": ["BTC", "MARKET"],
    "coverImage": {"alt": "A mine in the snow"},
}
BODY = """## Overview

Output rose by 3% on Friday. Mr. Keane praised it.

## A  close   vote ##

Seven trustees were in favour.

- One more
- And another

## Impact

Little.
"""
WORDS = st.text("abcdefgXYZ0123456789äß", min_size=1, max_size=8)
SENTENCES = st.lists(WORDS, min_size=1, max_size=5).map(lambda words: " ".join(words).capitalize() + "!")
TEXTS = st.lists(st.lists(SENTENCES, min_size=1, max_size=4), min_size=1, max_size=4)
SPACE = st.sampled_from((" ", "  ", "\t", "\n", "\r\n", "\u00a0", " \n "))
"""White space within a paragraph."""


def headings(body: str) -> list[str]:
    return [section.heading for section in review_sections(METADATA, body)]


def render(sections: list[list[str]]) -> str:
    return "\n\n".join(f"## Part {at}\n\n{' '.join(texts)}" for at, texts in enumerate(sections)) + "\n"


def test_the_first_section_is_what_stands_above_the_body() -> None:
    lead = review_sections(METADATA, BODY)[0]
    texts = ("Output rises", "It rose by 3%.", "Nobody knows why.", "BTC, MARKET", "A mine in the snow")
    assert lead == ReviewSection("", tuple(map(sentence_hash, texts)), (2, 4, 3, 2, 5))


def test_sections_are_those_of_the_headings_and_begin_with_them() -> None:
    assert headings(BODY) == ["", "Overview", "A close vote", "Impact"]
    vote = review_sections(METADATA, BODY)[2]
    texts = ("A close vote", "Seven trustees were in favour.", "- One more", "- And another")
    assert vote.sentences == tuple(map(sentence_hash, texts))
    assert vote.words == (3, 5, 2, 2)


def test_text_before_the_first_heading_is_a_section_and_equal_headings_stay_two() -> None:
    assert headings("Before.\n\n## One\n\na\n\n## One\n\nb\n") == ["", "Text", "One", "One"]
    assert headings("No heading.") == ["", "Text"]
    assert headings(" \n\n## One\n") == ["", "One"]
    assert headings("") == [""]


def test_front_matter_of_any_shape_is_read() -> None:
    odd = {"title": 7, "description": None, "tags": "one", "coverImage": [1]}
    assert review_sections(odd, "")[0].sentences == (sentence_hash("7"), sentence_hash("one"))
    assert review_sections({}, "") == (ReviewSection("", (), ()),)


def test_what_was_shown_elsewhere_counts_as_shown() -> None:
    _, overview, vote, _ = review_sections(METADATA, BODY)
    assert unshown(overview, frozenset()) == sum(overview.words)
    assert unshown(overview, overview.sentences) == 0
    assert unshown(vote, vote.sentences[:2]) == 4


def test_words_are_counted_in_scripts_without_spaces_and_a_sentence_has_at_least_one() -> None:
    [_, text] = review_sections({}, "ビットコインの価格が上がった。\n\n---\n")
    assert text.words == (7, 1)


def test_a_link_that_leads_elsewhere_is_a_change() -> None:
    one, other = (review_sections({}, f"See [it](https://{host}/).")[1] for host in ("a.org", "b.org"))
    assert one.sentences != other.sentences


@given(TEXTS, st.data())
def test_white_space_does_not_change_a_hash(sections: list[list[str]], data: st.DataObject) -> None:
    body = render(sections)
    blocks = body.split("\n\n")
    spaced = [block if block.startswith("#") else data.draw(SPACE).join(block.split(" ")) for block in blocks]
    ends = data.draw(st.sampled_from(("\n\n", "\r\n\r\n", "\n \n", "\n\n\n\n")))
    assert review_sections(METADATA, ends.join(spaced)) == review_sections(METADATA, body)


@given(TEXTS, SENTENCES, st.data())
def test_a_changed_sentence_changes_only_its_section(
    sections: list[list[str]], sentence: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(sections) - 1))
    place = data.draw(st.integers(0, len(sections[at]) - 1))
    changed = [list(texts) for texts in sections]
    changed[at][place] = sentence
    before, after = (review_sections(METADATA, render(texts)) for texts in (sections, changed))
    differ = [number for number, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
    assert differ == ([] if sections[at][place] == sentence else [at + 1])
    known = {each for section in before for each in section.sentences}
    unread = sum(unshown(section, known) for section in after)
    assert unread == (0 if sentence_hash(sentence) in known else len(sentence.split()))


@given(TEXTS)
def test_the_same_article_has_the_same_sections(sections: list[list[str]]) -> None:
    body = render(sections)
    first, again = review_sections(METADATA, body), review_sections(dict(METADATA), body)
    assert first == again
    assert all(len(section.sentences) == len(section.words) for section in first)
    assert all(words > 0 for section in first for words in section.words)
