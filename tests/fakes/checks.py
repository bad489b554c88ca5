"""The checks of a desk, in this process: a worker process costs a test more than all that it checks."""

import asyncio

from pipeline.checks.pairs.sentence_pairs import PairedDraft, pair_sentences
from pipeline.checks.pool import CheckPool
from pipeline.checks.runner import run_checks
from pipeline.domain.models import Beat, Source
from pipeline.domain.reviews import Finding, Front


class ChecksHere(CheckPool):
    """The same findings as from worker processes, and no limit of time or memory."""

    async def check(
        self, source: Source | None, body: str, beat: Beat, front: Front | None
    ) -> tuple[Finding, ...]:
        return await asyncio.to_thread(run_checks, source, body, beat, front=front)

    async def pair(self, source: Source, body: str, beat: Beat, front: Front | None) -> PairedDraft:
        return await asyncio.to_thread(pair_sentences, source, body, beat, front)
