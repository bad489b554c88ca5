"""A message about a lasting error is logged once an hour."""

import pytest

from pipeline.services.repeated_messages import _MAX_EVENTS, REPEAT_S, RepeatFilter, without_numbers


def test_a_message_passes_once_an_hour_and_another_at_once() -> None:
    now = [0.0]
    messages = RepeatFilter(lambda: now[0])
    passed = []
    for minute in range(180):
        now[0] = 60.0 * minute
        texts = ["the key is rejected"] + (["the day's cap is reached"] if minute >= 30 else [])
        passed += [(minute, text) for text in texts if messages.passes(text)]
    assert REPEAT_S == 3600
    assert passed == [
        (0, "the key is rejected"), (30, "the day's cap is reached"), (60, "the key is rejected"),
        (90, "the day's cap is reached"), (120, "the key is rejected"), (150, "the day's cap is reached"),
    ]  # fmt: skip


def test_what_is_remembered_is_bounded() -> None:
    messages = RepeatFilter(lambda: 0.0)
    assert all(messages.passes(number) for number in range(3 * _MAX_EVENTS))
    assert len(messages._passed) == _MAX_EVENTS
    assert not messages.passes(3 * _MAX_EVENTS - 1)
    assert messages.passes(0), "the oldest is forgotten"


@pytest.mark.parametrize(
    ("first", "second", "are_same"),
    [
        ("refused (id req_01aB); 3 items stay queued", "refused (id req_7Zz9); 12 items stay queued", True),
        ("refused (id req_01aB); 3 items stay queued", "refused (id req_7Zz9); 1 item stays queued", False),
        ("run 01a22e17-6231-78a0 failed", "run fa22e172-6231-78a1 failed", True),
        ("the key of gpt-4o is rejected", "the key of gpt-4.1-mini is rejected", False),
    ],
)
def test_numbers_and_ids_of_requests_make_no_new_message(first: str, second: str, are_same: bool) -> None:
    assert (without_numbers(first) == without_numbers(second)) is are_same
