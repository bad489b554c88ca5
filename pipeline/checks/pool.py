"""Checks drafts in sandboxed worker processes, so that a long text does not block the event loop."""

from types import TracebackType
from typing import Any, Self

from pipeline.checks.pairs.sentence_pairs import PairedDraft
from pipeline.checks.worker import FINDINGS_ADAPTER, PAIRS_ADAPTER
from pipeline.domain.models import Beat, Source
from pipeline.domain.reviews import Finding, Front, Severity
from pipeline.sandbox import CPU_S, MEMORY_BYTES, JobError, WorkerPool

UNCHECKED = "unchecked"
"""Kind of the finding that blocks a draft whose check failed."""


class CheckPool:
    """Worker processes, started on demand, with limits in CPU seconds and bytes; a context manager."""

    def __init__(self, workers: int | None = None, cpu_s: float = CPU_S, memory: int = MEMORY_BYTES) -> None:
        self._pool = WorkerPool("pipeline.checks.worker", workers, cpu_s, memory)

    async def __aenter__(self) -> Self:
        await self._pool.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.__aexit__(kind, error, trace)

    async def check(
        self, source: Source | None, body: str, beat: Beat, front: Front | None
    ) -> tuple[Finding, ...]:
        """Return the findings of `run_checks`; a single one that blocks if the check fails."""
        job = _job(source, beat, front)
        try:
            return FINDINGS_ADAPTER.validate_json(await self._pool.run(job, body.encode()))
        except JobError as error:
            message = f"this draft could not be checked: checking it {error.message}"
            return (Finding(kind=UNCHECKED, severity=Severity.BLOCK, message=message),)

    async def pair(self, source: Source, body: str, beat: Beat, front: Front | None) -> PairedDraft:
        """Return what `pair_sentences` returns; nothing if that fails."""
        job = {**_job(source, beat, front), "pairs": True}
        try:
            return PAIRS_ADAPTER.validate_json(await self._pool.run(job, body.encode()))
        except JobError:
            return PairedDraft()


def _job(source: Source | None, beat: Beat, front: Front | None) -> dict[str, Any]:
    return {
        "source": source.model_dump_json() if source else None,
        "beat": beat.model_dump_json(),
        "front": front.model_dump_json() if front else None,
    }
