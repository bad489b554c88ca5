"""A message about a lasting error is logged once an hour."""

from pipeline.services.repeated_messages import REPEAT_S, RepeatFilter


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


def test_numbers_and_ids_of_requests_make_no_new_message() -> None:
    messages = RepeatFilter(lambda: 0.0)
    assert messages.passes("refused (id req_01aB); 3 items stay queued")
    assert not messages.passes("refused (id req_7Zz9); 12 items stay queued")
    assert messages.passes("refused (id req_7Zz9); 1 item stays queued")
    assert messages.passes("run 01a22e17-6231-78a0-900f-cceccb38e5f5 failed")
    assert not messages.passes("run fa22e172-6231-78a0-900f-cceccb38e5f5 failed")
    assert messages.passes("the key of gpt-4o is rejected")
    assert messages.passes("the key of gpt-4.1-mini is rejected"), "another model"
