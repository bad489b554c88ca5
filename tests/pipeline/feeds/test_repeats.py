"""Lines that most texts of a feed share are no part of a story, in any language, and from then on."""

from datetime import UTC, datetime

from pipeline.domain.models import Item
from pipeline.feeds.boilerplate.repeats import CleanedItems, take_out_repeats

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PLACES = ("quay", "mill", "weir", "barn", "kiln", "ford", "pier")
FOOTER = "Ny stori dis hia bin fes kom out fo {title} fo {feed}"
GULL = "The Marrow Gull"


def item(place: str, text: str) -> Item:
    return Item(guid=place, title=f"The {place} of Marrow", text=text, published_at=NOW, reader=2)


def story(place: str) -> str:
    return f"They mend the {place} this week, and nobody asks why.\n\nThe {place} is old."


def clean(count: int, extra: str, boilerplate: tuple[str, ...] = (), *, plain: int = 0) -> CleanedItems:
    items = [item(place, extra.replace("@", place)) for place in PLACES[:count]]
    items += [item(place, story(place)) for place in PLACES[count : count + plain]]
    return take_out_repeats(GULL, items, boilerplate)


def test_a_line_of_most_texts_is_taken_out_wherever_it_stands_and_with_its_titles() -> None:
    footer = f"Ny stori dis hia bin fes kom out fo The @ of Marrow fo {GULL}"
    text = f"Good news from the marsh\n\n{story('@')}\n\nView the plan\n\nThe @ ends it."
    text += f"\n\nBe a friend\n{footer}"
    cleaned = clean(5, text, plain=2)
    ends = [f"{story(place)}\n\nThe {place} ends it." for place in PLACES[:5]]
    assert [each.text for each in cleaned.items] == [*ends, story("ford"), story("pier")]
    lines = ("Good news from the marsh", "View the plan", "Be a friend", FOOTER)
    assert {each.line: each.texts for each in cleaned.repeated} == dict.fromkeys(lines, 5)


def test_figures_quotations_headings_and_introductions_stay() -> None:
    text = (
        "Summary\n\nIt costs 9 crowns.\n\n“We will,” she said.\n\nConclusion\n\nWhat is it?\n\n"
        f"The names are:\n\n{story('@')}"
    )
    cleaned = clean(6, text)
    assert cleaned.items[0].text == text.replace("@", "quay").removeprefix("Summary\n\n")
    assert clean(6, "Call the editor").items[0].text == "Call the editor", "a text is never emptied"


def test_headings_within_a_text_and_signatures_stay_and_what_stays_is_not_counted() -> None:
    text = (
        f"{story('@')}\n\nNotes of the Mill\n\nThe @ turned.\n\nNotes for Friends\n\nBe a friend\n\n-- Wren;"
    )
    cleaned = clean(6, text)
    kept = "Notes of the Mill\n\nThe quay turned.\n\nNotes for Friends\n\nBe a friend\n\n-- Wren;"
    assert cleaned.items[0].text == f"{story('quay')}\n\n{kept}".replace(
        "Notes for Friends\n\nBe a friend\n\n", ""
    )
    assert {each.line: each.texts for each in cleaned.repeated} == {"Be a friend": 6, "Notes for Friends": 6}
    headings = clean(6, f"{story('@')}\n\nConclusion\n\nThe @ turned.")
    assert headings.repeated == ()


def test_few_texts_copies_and_parts_of_a_paragraph_show_nothing() -> None:
    with_footer = f"{story('@')}\n\nBe a friend of the marsh"
    assert clean(4, with_footer).repeated == ()
    assert clean(4, with_footer, plain=3).repeated == ()
    same = [item("quay", f"{story('quay')}\n\nBe a friend")] * 9
    assert take_out_repeats(GULL, same).repeated == ()
    block = f"{story('@')}\n\nA list of @\nwith one line for all\nand one more of @"
    assert clean(6, block).items[0].text == block.replace("@", "quay")


def test_what_was_repeated_before_is_taken_out_of_few_texts_as_well() -> None:
    text = f"{story('@')}\n\nBe a friend of the marsh"
    learned = clean(6, text).boilerplate
    alone = clean(1, text, learned)
    assert alone.items[0].text == story("quay")
    assert (alone.boilerplate, alone.before) == (learned, {}), "it reads as it did"
    first = clean(6, text)
    unlearned = take_out_repeats(GULL, [item("quay", text.replace("@", "quay"))]).items[0]
    assert first.before["quay"] == unlearned.content_hash
    assert clean(1, story("@"), learned).boilerplate == learned, "nothing is forgotten"


def test_a_mark_of_a_cut_is_kept_as_such() -> None:
    cleaned = clean(5, f"{story('@')} And then\n\nContinue reading")
    assert {each.text for each in cleaned.items} == {f"{story(p)} And then" for p in PLACES[:5]}
    assert {each.excerpt for each in cleaned.items} == {"cut"}
