"""The turns of one conversation about one item: what to ask after an answer of no use. Pure."""

from typing import NamedTuple

from pipeline.rewrite.ladder import Manner, after_refusal, lower

RAISED = 4
"""Times the length cap, once, after an answer was cut off at it."""


class Turn(NamedTuple):
    """How the next request is asked."""

    manner: Manner
    cap: int
    """Tokens that the answer may take."""
    raised: bool = False
    unfit: int = 0
    """Answers of the wrong shape on this rung."""
    mend: tuple[str, str] | None = None
    """An answer, and what is wrong with it: the model is to repair it."""

    @property
    def repairs(self) -> bool:
        """Tell whether this turn quotes an earlier answer."""
        return self.mend is not None


def after_cut(turn: Turn) -> Turn | None:
    """Return the turn after an answer that was cut off at the cap: a higher one, once."""
    return None if turn.raised else turn._replace(cap=turn.cap * RAISED, raised=True)


def after_unfit(turn: Turn, text: str, reason: str) -> Turn | None:
    """Return the turn after an answer of the wrong shape: one repair, then the next rung down."""
    if turn.unfit == 0:
        return turn._replace(unfit=1, mend=(text, reason) if text.strip() else None)
    manner = lower(turn.manner)
    return None if manner is None else turn._replace(manner=manner, unfit=0, mend=None)


def after_refused(turn: Turn, status: int, said: str) -> Turn | None:
    """Return the turn after the server refused the request; None where no manner of asking would help."""
    manner = after_refusal(turn.manner, status, said)
    if manner is None:
        return None
    same = manner.rung == turn.manner.rung
    return turn._replace(manner=manner, unfit=turn.unfit if same else 0, mend=turn.mend if same else None)
