"""How long the texts are on which time has to grow with the length alone."""

from typing import Any

import pytest


def lengths(whole: int) -> list[Any]:
    """Return a third of a length for every run, and the whole for the long tests."""
    return [whole // 3, pytest.param(whole, marks=pytest.mark.soak)]
