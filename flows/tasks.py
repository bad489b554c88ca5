"""Steps as Prefect tasks: visible in its UI."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE

T = TypeVar("T")


async def as_task(name: str, step: Callable[[], Awaitable[T]]) -> T:
    """Run a step as a Prefect task of that name: visible in its UI, and failed there if it raises."""

    @task(name=name.split()[0], task_run_name=name, cache_policy=NO_CACHE, persist_result=False)
    async def run() -> T:
        return await step()

    return await run()
