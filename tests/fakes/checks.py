"""The checks of a desk, in this process: a worker process costs a test more than all that it checks."""

import asyncio

from pipeline.checks.claims import trace_claims
from pipeline.checks.pool import CheckPool
from pipeline.checks.runner import run_checks
from pipeline.checks.tokens import SupportedClaim
from pipeline.domain.models import Beat, Source
from pipeline.domain.reviews import Finding, Front


class ChecksHere(CheckPool):
    """The same findings as from worker processes, and no limit of time or memory."""

    async def check(
        self, source: Source | None, body: str, beat: Beat, front: Front | None
    ) -> tuple[Finding, ...]:
        return await asyncio.to_thread(run_checks, source, body, beat, front=front)

    async def trace(self, source: Source, body: str, beat: Beat) -> list[SupportedClaim]:
        return await asyncio.to_thread(trace_claims, source, body, beat)
