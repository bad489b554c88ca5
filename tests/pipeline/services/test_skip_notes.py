"""One line a cause for the items of a feed that are not drafted."""

from pipeline.domain.skip_causes import skip_cause
from pipeline.services.skip_notes import skip_notes


def test_items_with_one_cause_are_counted_and_a_single_one_is_named() -> None:
    page = "may not be fetched by robots (robots.txt)"
    assert skip_notes(
        [
            ("A", f"thin source: 0 of 200 characters; its page: https://a.example/1 {page}"),
            ("B", f"thin source: 22 of 200 characters; its page: https://a.example/2 {page}"),
            ("C", f"thin source: 22 of 200 characters; its page: https://b.example/3 {page}"),
        ]
    ) == [
        f"2 skipped: thin source; its page: a.example {page}",
        f"skipped C: thin source: 22 of 200 characters; its page: https://b.example/3 {page}",
    ]


def test_a_cause_has_no_figures_dates_or_paths() -> None:
    assert (
        skip_cause("too old: published 2026-02-01, more than 7 days ago") == "too old: more than 7 days ago"
    )
    assert skip_cause("https://a.example/1 is reserved by its publisher: x in y") == (
        "a.example is reserved by its publisher: x in y"
    )
    assert skip_cause("its page is that of 'A ferry sails'") == "its page is that of another item"
    assert skip_cause("excluded word: buy") == "excluded word: buy"
