"""A deadline that is paused while an item waits for others' calls."""

import asyncio

from pipeline.llm.deadline import Deadline


async def test_waiting_for_others_does_not_count() -> None:
    deadline = Deadline(0.05)
    with deadline.paused():
        await asyncio.sleep(0.1)
    assert 0 < deadline.left_s() <= 0.05
    assert deadline.at - asyncio.get_running_loop().time() <= 0.05
