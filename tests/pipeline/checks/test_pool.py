"""Drafts are checked in worker processes with the same result as in this process."""

import os
import signal

from pipeline.checks.pairs.sentence_pairs import PairedDraft, pair_sentences
from pipeline.checks.pool import CheckPool
from pipeline.checks.runner import run_checks
from pipeline.domain.models import Beat, Source
from pipeline.domain.reviews import Severity
from tests.fakes.stock import pieces
from tests.pipeline.checks.test_checks import BEAT, GOOD


async def test_findings_come_back_as_they_are_made() -> None:
    async with CheckPool(1) as pool:
        assert await pool.check(None, GOOD, BEAT, None) == run_checks(None, GOOD, BEAT, front=None) == ()
        bad = GOOD.replace("## Overview", "## Overview\n\n## Overview")
        assert await pool.check(None, bad, BEAT, None) == run_checks(None, bad, BEAT, front=None) != ()


def _source() -> Source:
    item = pieces()[0].item
    return Source(item=item, feed_key="f", feed_name="F", first_key="f", category="MARKET", language="en")


async def test_pairs_come_back_as_they_are_made_and_none_where_that_cannot_be() -> None:
    source = _source()
    body = f"## Overview\n\n{source.item.text}"
    async with CheckPool(1) as pool:
        pairs = pair_sentences(source, body, BEAT)
        assert await pool.pair(source, body, BEAT, None) == pairs != PairedDraft()
    async with CheckPool(1, cpu_s=0.01) as pool:
        assert await pool.pair(source, body * 300, BEAT, None) == PairedDraft()


async def test_a_draft_that_cannot_be_checked_is_held() -> None:
    async with CheckPool(1, cpu_s=0.01) as pool:
        [finding] = await pool.check(None, GOOD * 3_000, BEAT, None)
        assert finding.severity is Severity.BLOCK
        assert "could not be checked" in finding.message


async def test_a_killed_worker_is_replaced() -> None:
    async with CheckPool(1) as pool:
        await pool.check(None, GOOD, BEAT, None)
        [worker] = pool._pool.workers
        os.kill(worker._process.pid, signal.SIGKILL)
        await worker._process.wait()
        assert await pool.check(None, GOOD, Beat(**BEAT.model_dump()), None) == ()


async def test_a_signal_to_the_process_group_ends_no_check() -> None:
    async with CheckPool(1) as pool:
        await pool.check(None, GOOD, BEAT, None)
        [worker] = pool._pool.workers
        assert os.getpgid(worker._process.pid) != os.getpgrp()
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(worker._process.pid, number)
        assert await pool.check(None, GOOD, BEAT, None) == ()
        assert pool._pool.workers == {worker}
