"""Worker process that checks drafts; apart from `pool`, so that it does not import asyncio."""

from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from pipeline.checks.pairs.sentence_pairs import PairedDraft, pair_sentences
from pipeline.checks.runner import run_checks
from pipeline.domain.models import Beat, Source
from pipeline.domain.reviews import Finding, Front
from pipeline.sandbox.worker import run_worker

FINDINGS_ADAPTER = TypeAdapter(tuple[Finding, ...])
PAIRS_ADAPTER = TypeAdapter(PairedDraft)


def work(job: dict[str, Any], body: bytes) -> bytes:
    """Return the findings about a draft, or with `pairs` in the job the draft beside its source, as JSON."""
    source = Source.model_validate_json(job["source"]) if job["source"] else None
    front = Front.model_validate_json(job["front"]) if job["front"] else None
    if job.get("pairs") and source is not None:
        return PAIRS_ADAPTER.dump_json(pair_sentences(source, body.decode(), _beat(job["beat"]), front))
    return FINDINGS_ADAPTER.dump_json(run_checks(source, body.decode(), _beat(job["beat"]), front=front))


@lru_cache(maxsize=64)
def _beat(beat_json: str) -> Beat:
    return Beat.model_validate_json(beat_json)


if __name__ == "__main__":
    run_worker(work)
