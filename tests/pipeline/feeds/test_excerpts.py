"""Whether texts are excerpts is judged by all texts of a feed."""

from datetime import UTC, datetime

from pipeline.domain.models import Item
from pipeline.feeds.excerpts import FeedExcerpts, mark_excerpts

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LONG = "The mill at Marrow is to turn again, the parish said, once its wheel has been carved anew. " * 9


def judge(*texts: str) -> FeedExcerpts:
    items = [Item(guid=f"{at}", title=f"T{at}", text=text, published_at=NOW) for at, text in enumerate(texts)]
    return mark_excerpts(items)


def marks(excerpts: FeedExcerpts) -> list[str | None]:
    return [item.excerpt for item in excerpts.items]


def cut_at(limit: int, number: int) -> str:
    """Return a text cut at a word before a limit."""
    return f"Tale {number} of Marrow: {LONG * 2}"[:limit].rpartition(" ")[0].rstrip(" ,.")


def test_texts_that_pile_up_at_the_longest_length_are_cut() -> None:
    judged = judge(*(cut_at(700, number) for number in range(6)), "It rains in Marrow.", LONG[:400] + ".")
    assert marks(judged) == ["cut"] * 6 + ["teaser"] * 2, "the pages of all items are fetched"
    assert "cut after at most 69" in (judged.description or "")
    chance = [cut_at(700, 1), cut_at(700, 2), f"{cut_at(695, 3)}.", f"{LONG[:600]}.", f"{LONG[:400]}."]
    assert judge(*chance).description is None, "three of five may be of one length by chance"
    whole = [f"{LONG[: 500 + 40 * number]}." for number in range(6)]
    assert marks(judge(*whole)) == [None] * 6
    same_length = [f"{cut_at(700, number)}." for number in range(6)]
    assert marks(judge(*same_length)) == [None] * 6, "whole sentences are not cut"


def test_texts_that_end_within_sentences_are_excerpts_where_all_are_short() -> None:
    lengths = (510, 580, 640, 700, 760, 820)
    opened = [cut_at(length, number) for number, length in enumerate(lengths)]
    assert judge(*opened[:5], f"{LONG[:600]}.").description == "5 of its 6 texts end within a sentence"
    assert judge(*opened, LONG * 4).description is None, "a blog with signatures"
    signed = [f"{LONG[:length]}.\n\nWren Adair" for length in lengths]
    assert judge(*signed).description is None
    listed = [f"{LONG[:length]}.\n\n- the mill and the weir and the barn and the kiln" for length in lengths]
    assert judge(*listed).description is None


def test_a_feed_of_short_texts_has_teasers_in_the_unit_of_its_script() -> None:
    teaser = LONG[:230] + "."
    assert marks(judge(teaser)) == marks(judge("It rains.")) == ["teaser"]
    assert marks(judge(teaser, "", LONG)) == [None] * 3
    shorts = [f"{number} {teaser}" for number in range(10)]
    assert judge(*shorts, LONG[:700]).description == "10 of its 11 texts are teasers"
    assert judge(*shorts, *[f"{number} {LONG}" for number in range(3)]).description is None
    assert marks(judge("港" * 199 + "。")) == ["teaser"]
    assert marks(judge("港" * 299 + "。")) == [None], "as long as 750 letters"
    assert judge("", "").description is None


def summary(number: int, words: int) -> str:
    """Return a text of one paragraph whose last sentence begins before its 70th word."""
    return f"{' '.join(['mills'] * 40)}. {' '.join(['marrowstone'] * (words - 40 - 1))} {number}."


def test_texts_that_end_soon_after_one_number_of_words_are_summaries() -> None:
    summaries = [summary(number, 72 + number) for number in range(6)]
    judged = judge(*summaries, "The mill stands.")
    assert judged.description == "its texts end soon after 70 words"
    assert marks(judged) == ["teaser"] * 7
    paragraphs = [each.replace(". ", ".\n\n") for each in summaries]
    assert marks(judge(*paragraphs)) == ["teaser"] * 6
    lists = [each.replace(". ", ".\n\n- ") for each in summaries]
    assert marks(judge(*lists)) == [None] * 6, "a list may be as long as it is"
    whole = [f"{each} {each}" for each in summaries]
    assert marks(judge(*summaries[:3], *whole)) == [None] * 9, "others go on after the 70th word"
    assert marks(judge(*summaries[:4])) == [None] * 4, "four texts show nothing"
