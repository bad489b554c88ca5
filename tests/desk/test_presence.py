"""Who has which draft open, with a clock of the test's own."""

from desk.presence import FORGET_AFTER_S, Presence


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_editors_are_forgotten_without_a_sign() -> None:
    clock = Clock()
    presence = Presence(clock)
    presence.note("a", "Ada", edits=False)
    clock.now += FORGET_AFTER_S - 1
    presence.note("a", "Ola", edits=True)
    assert [holder.message for holder in presence.others("a", "Ben")] == [
        "Ola edits this",
        "Ada reads this too",
    ]
    assert presence.holders(["a", "b"]).keys() == {"a"}
    clock.now += 2
    assert [holder.name for holder in presence.others("a", "Ben")] == ["Ola"]
    assert presence.others("a", "Ola") == []
    presence.leave("a", "Ola")
    presence.leave("b", "Ola")
    assert presence.holders(["a"]) == {}


def test_drafts_that_everybody_left_take_no_memory() -> None:
    clock = Clock()
    presence = Presence(clock)
    for number in range(2_000):
        presence.note(str(number), "Ada", edits=False)
    clock.now += FORGET_AFTER_S + 1
    presence.note("new", "Ada", edits=False)
    assert list(presence._signs) == ["new"]
