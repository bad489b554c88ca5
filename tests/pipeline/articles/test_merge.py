"""Three-way merge by sentence."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.articles.merge import Conflict, merge, two_way
from pipeline.articles.sentence_diff import moved, tokens

BASE = (
    "## Overview\n\nThe fund bought 98,000 coins on Friday. Seven trustees voted for it.\n\n"
    "- The bank gave no reason.\n- Prices rose.\n\n## From author\n\nWe wait.\n"
)

SENTENCES = (
    "It fell.",
    "It rose on 3 May.",
    "The U.S. bank said no.",
    "- One",
    "## Head",
    "Ja? Nein!",
    "你好。再见。",
)
WORDS = st.sampled_from((*SENTENCES, "New words.", "Other words here."))
TEXT = st.lists(st.tuples(WORDS, st.sampled_from((" ", "\n", "\n\n", "\r\n", "  ", ""))), max_size=14).map(
    lambda parts: "".join(word + space for word, space in parts)
)


def merged(mine: str, theirs: str, base: str = BASE) -> str:
    result = merge(base, mine, theirs)
    assert result.text is not None, result.conflicts
    return result.text


def conflicts(mine: str, theirs: str, base: str = BASE) -> list[tuple[str, str, str]]:
    return [(each.base, each.mine, each.theirs) for each in merge(base, mine, theirs).conflicts]


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (("98,000", "88,000"), ("Seven", "Eight")),
        (("98,000", "88,000"), ("Prices rose", "Prices fell")),
        (("Friday.", "Friday. It said so."), ("Seven", "Eight")),
        ((" Seven trustees voted for it.", ""), ("98,000", "88,000")),
        (("- Prices rose.\n", ""), ("gave no reason", "gave a reason")),
        (("We wait.\n", "We wait.\n\nAnd wait.\n"), ("We wait", "We hope")),
        (("- Prices rose.\n", "- Prices rose.\n- More.\n"), ("Prices rose", "Prices fell")),
        (("## Overview", "## Summary"), ("The fund", "A fund")),
        ((" Seven", "\n\nSeven"), ("98,000", "88,000")),
    ],
)  # fmt: skip
def test_changes_of_different_sentences_become_one_text(
    mine: tuple[str, str], theirs: tuple[str, str]
) -> None:
    expected = BASE.replace(*mine).replace(*theirs)
    assert merged(BASE.replace(*mine), BASE.replace(*theirs)) == expected
    assert merged(BASE.replace(*theirs), BASE.replace(*mine)) == expected


def test_one_sentence_changed_by_both_is_a_conflict() -> None:
    mine, theirs = BASE.replace("98,000", "88,000"), BASE.replace("Friday", "Thursday")
    [conflict] = merge(BASE, mine, theirs).conflicts
    assert conflict == Conflict(
        "The fund bought 98,000 coins on Friday.",
        "The fund bought 88,000 coins on Friday.",
        "The fund bought 98,000 coins on Thursday.",
        BASE.index("The fund"),
    )


def test_the_same_change_of_both_is_made_once() -> None:
    both = BASE.replace("98,000", "88,000")
    assert merged(both.replace("Seven", "Eight"), both.replace("We wait", "We hope")) == both.replace(
        "Seven", "Eight"
    ).replace("We wait", "We hope")
    added = BASE.replace("Friday.", "Friday. It said so.")
    assert merged(added, added.replace("We wait", "We hope")) == added.replace("We wait", "We hope")


def test_a_deleted_sentence_that_the_other_side_changed_is_a_conflict() -> None:
    mine, theirs = BASE.replace("- Prices rose.\n", ""), BASE.replace("Prices rose", "Prices fell")
    [(base, own, other)] = conflicts(mine, theirs)
    assert ("Prices rose." in base, "Prices" in own, other.strip()) == (True, False, "- Prices fell.")


def test_two_insertions_at_one_place_are_a_conflict_unless_equal() -> None:
    mine, theirs = BASE.replace("for it.", "for it. One."), BASE.replace("for it.", "for it. Two.")
    assert conflicts(mine, theirs) == [("", "One.", "Two.")]
    assert merged(mine, mine) == mine
    longer = BASE.replace("for it.", "for it. One. And more.")
    assert merged(mine, longer) == merged(longer, mine) == longer


def test_a_settled_conflict_gives_the_text() -> None:
    mine, theirs = BASE.replace("98,000", "88,000"), BASE.replace("Friday", "Thursday")
    result = merge(BASE, mine, theirs.replace("We wait", "We hope"))
    [conflict] = result.conflicts
    assert result.settled({}).text is None
    settled = result.settled({conflict.key: "The fund bought 88,000 coins on Thursday."})
    assert settled.text == BASE.replace("98,000", "88,000").replace("Friday", "Thursday").replace(
        "We wait", "We hope"
    )


def test_several_changes_in_a_row_are_one_of_each_sentence() -> None:
    mine = BASE.replace("98,000", "88,000").replace("Seven trustees", "Eight trustees")
    theirs = BASE.replace("Friday", "Thursday")
    [conflict] = merge(BASE, mine, theirs).conflicts
    assert conflict.mine == "The fund bought 88,000 coins on Friday."


@pytest.mark.parametrize(
    "sentence",
    ["The U.S. Treasury paid.", "Am 10. Februar fiel er.", "It has 400 sq. ft. of space.", "1. One item."],
)
def test_a_full_stop_within_a_sentence_does_not_divide_it(sentence: str) -> None:
    first, last = sentence.split(" ", 1)[0], sentence.rsplit(" ", 1)[1]
    assert conflicts(sentence.replace(first, "Other"), sentence.replace(last, "other"), sentence)


def test_line_ends_that_one_side_changed_stay_changed() -> None:
    theirs = BASE.replace("\n", "\r\n")
    assert merged(BASE.replace("98,000", "88,000"), theirs) == theirs.replace("98,000", "88,000")


def test_without_a_base_every_difference_is_a_conflict() -> None:
    mine, theirs = BASE.replace("98,000", "88,000"), BASE.replace("We wait.", "We hope. So far.")
    result = two_way(mine, theirs)
    assert len(result.conflicts) == 2
    assert result.settled({each.key: each.mine for each in result.conflicts}).text == mine
    assert result.settled({each.key: each.theirs for each in result.conflicts}).text == theirs
    assert two_way(BASE, BASE).text == BASE


def test_a_sentence_is_followed_to_its_new_place() -> None:
    new = BASE.replace("The fund", "It is new. The big fund").replace("98,000", "88,000")
    assert moved(BASE.index("We wait"), BASE, new) == new.index("We wait")
    assert moved(BASE.index("Seven"), BASE, new) == new.index("Seven")
    assert moved(BASE.index("We wait"), BASE, "We wait.") == 0


@given(TEXT)
def test_tokens_are_the_text(text: str) -> None:
    assert "".join(tokens(text)) == text


@given(TEXT, TEXT, TEXT)
@settings(max_examples=300)
def test_a_merge_loses_nothing_and_has_no_favourite(base: str, mine: str, theirs: str) -> None:
    assert merge(base, mine, base).text == mine
    assert merge(base, base, theirs).text == theirs
    assert merge(base, mine, mine).text == mine
    result, mirrored = merge(base, mine, theirs), merge(base, theirs, mine)
    assert result.text == mirrored.text
    assert [each._replace(mine=each.theirs, theirs=each.mine) for each in mirrored.conflicts] == list(
        result.conflicts
    )
    choices = {each.key: f"{each.mine} {each.theirs}" for each in result.conflicts}
    text = result.settled(choices).text
    assert text is not None
    assert (words(mine) | words(theirs)) - words(base) <= words(text)
    assert words(text) <= words(base) | words(mine) | words(theirs)


@given(TEXT, TEXT)
def test_two_texts_without_a_base_are_both_in_what_is_asked(mine: str, theirs: str) -> None:
    result = two_way(mine, theirs)
    assert result.settled({each.key: each.mine for each in result.conflicts}).text == mine
    assert result.settled({each.key: each.theirs for each in result.conflicts}).text == theirs


@pytest.mark.parametrize("size", [1, 40])
def test_huge_texts_of_equal_sentences_are_merged(size: int) -> None:
    random.seed(1)
    base = [f"{random.randrange(size)}b." for _ in range(75_000)]
    mine, theirs = [*base], [*base]
    random.shuffle(mine)
    theirs[5] = "Other."
    result = merge(" ".join(base), " ".join(mine), " ".join(theirs))
    assert result.conflicts or "Other." in str(result.text)


def test_huge_texts_with_changes_everywhere_are_merged() -> None:
    base = [f"Sentence {number} of the text is here." for number in range(9_000)]
    mine = [each.replace("is", "was") if number % 3 == 0 else each for number, each in enumerate(base)]
    theirs = [each.replace("is", "will be") if number % 3 == 1 else each for number, each in enumerate(base)]
    expected = [own if own != old else other for old, own, other in zip(base, mine, theirs, strict=True)]
    assert merge(" ".join(base), " ".join(mine), " ".join(theirs)).text == " ".join(expected)
