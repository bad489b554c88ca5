import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.articles.markdown import find_section, replace_section, section_text, sections
from pipeline.domain.errors import ReviewError

BODY = "## Overview\n\nFirst.\n\n## Output rises\n\nSecond.\n\nThird.\n\n## Impact on the market\n\n- One.\n"
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="#`~\r"), max_size=40)


def test_sections_are_found_by_their_headings() -> None:
    assert [section.heading for section in sections(BODY)] == [
        "Overview",
        "Output rises",
        "Impact on the market",
    ]
    assert section_text(BODY, find_section(BODY, "output RISES ")) == "Second.\n\nThird."


def test_a_heading_in_code_is_no_heading() -> None:
    body = "## One\n\n```\n## not one\n```\n\n## Two\n\nx\n"
    assert [section.heading for section in sections(body)] == ["One", "Two"]


def test_a_section_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ReviewError, match='no section "Outlook"; it has "Overview", "Output rises"'):
        find_section(BODY, "Outlook")


def test_an_empty_section_gets_its_text() -> None:
    body = "## One\n\n## Two\n\nx\n"
    assert replace_section(body, find_section(body, "One"), "new") == "## One\n\nnew\n\n## Two\n\nx\n"
    assert replace_section("## One\n", find_section("## One\n", "One"), "new") == "## One\n\nnew\n"


@given(texts=st.lists(WORDS, min_size=1, max_size=5), place=st.integers(0, 4), new=WORDS.filter(str.strip))
def test_every_other_byte_of_a_body_stays(texts: list[str], place: int, new: str) -> None:
    place %= len(texts)
    blocks = [f"## Heading {number}\n\n{text}\n\n" for number, text in enumerate(texts)]
    body = "".join(blocks)
    section = sections(body)[place]
    after = replace_section(body, section, new)
    before, behind = "".join(blocks[:place]), "".join(blocks[place + 1 :])
    assert after.startswith(f"{before}## Heading {place}\n")
    assert after.endswith(behind)
    assert section_text(after, sections(after)[place]) == new.strip()


def test_a_body_without_headings_has_no_sections() -> None:
    assert sections("No heading here.\n") == []
    with pytest.raises(ReviewError, match="it has none"):
        find_section("No heading here.\n", "Overview")
