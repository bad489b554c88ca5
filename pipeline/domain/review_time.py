"""How long an editor needs for a draft: an estimate from its words and its open findings. Pure."""

READING_WPM = 240
"""Words that an editor reads in a minute.

Source: https://doi.org/10.1016/j.jml.2019.104047 (238 words a minute in silent reading, over 190 studies).
"""
MUST_S = 20
"""Seconds for a finding that blocks. Source: chosen, not measured."""
LOOK_S = 10
"""Seconds for a finding that warns. Source: chosen, not measured."""
_MINUTE_S = 60


def review_seconds(words: int, musts: int, looks: int) -> float:
    """Return the seconds that an editor needs for words not shown yet and for open findings."""
    return _MINUTE_S * words / READING_WPM + MUST_S * musts + LOOK_S * looks


def as_minutes(seconds: float) -> int:
    """Return seconds as whole minutes, rounded up: no work is done in 0 minutes."""
    return max(1, -int(-seconds // _MINUTE_S)) if seconds else 0
