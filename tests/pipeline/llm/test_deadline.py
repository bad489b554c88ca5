"""A deadline that is paused while an item waits for others' calls."""

import asyncio

import pytest

from pipeline.llm.deadline import Deadline


async def test_waiting_for_others_does_not_count() -> None:
    async with asyncio.timeout(1) as timeout:
        with Deadline(timeout).paused():
            await asyncio.sleep(1.2)
        left = timeout.when()
        assert left is not None
        assert 0 < left - asyncio.get_running_loop().time() <= 1


async def worked_too_long() -> None:
    async with asyncio.timeout(0.05) as timeout:
        with Deadline(timeout).paused():
            await asyncio.sleep(0)
        await asyncio.sleep(60)


async def test_what_is_done_after_it_counts_again() -> None:
    with pytest.raises(TimeoutError):
        await worked_too_long()


async def test_without_a_deadline_nothing_happens() -> None:
    async with asyncio.timeout(None) as timeout:
        with Deadline(timeout).paused():
            await asyncio.sleep(0)
        assert timeout.when() is None
