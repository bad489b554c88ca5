"""Metrics for Prometheus, parsed by its own client; they need the token."""

from datetime import UTC, datetime, timedelta

import httpx
from prometheus_client.parser import text_string_to_metric_families

from pipeline.domain.models import PollState
from pipeline.services.metrics import CapUse, Readings, collect_metrics, format_metrics
from pipeline.storage import (
    FeedBacklog,
    FeedStatus,
    LastRun,
    Latency,
    LatencyBucket,
    Metrics,
    ModelUsage,
    TargetBacklog,
)
from tests.desk.conftest import Desk
from tests.desk.server import database_of
from tests.fakes.stock import TOKEN

NOW = datetime(2026, 2, 5, tzinfo=UTC)


def read(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_hold_items_findings_and_requests(desk: Desk) -> None:
    with database_of(desk.settings) as db:
        oldest = min(each.oldest for each in db.daily.waiting())
    before = datetime.now(UTC)
    with httpx.Client(base_url=desk.server.url) as scraper:
        assert scraper.get("/metrics").status_code == 401
        assert scraper.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
        answer = scraper.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    after = datetime.now(UTC)
    samples = read(answer.text)
    assert samples["copydesk_items", (("state", "drafted"),)] == 6
    assert samples["copydesk_findings", (("severity", "block"),)] == 8
    assert samples["copydesk_requests", ()] == 0
    age = timedelta(seconds=samples["copydesk_draft_age_seconds", ()])
    assert before - oldest <= age <= after - oldest


def test_probes_need_no_token_and_no_host_name(desk: Desk) -> None:
    with httpx.Client(base_url=desk.server.url, headers={"Host": "10.0.0.7:8484"}) as prober:
        assert (prober.get("/health").status_code, prober.get("/health").text) == (200, "ok\n")
        assert prober.get("/ready").json() == {"ready": True, "failed": []}
        for path in ("/health", "/ready"):
            head = prober.head(path)
            assert (head.status_code, head.content) == (200, b"")
            assert prober.options(path).status_code == 405
        assert prober.get("/").status_code == 400
        assert prober.post("/ready").status_code == 400, "only what reads is free"


def test_a_token_in_a_header_changes_nothing_from_elsewhere(desk: Desk) -> None:
    with httpx.Client(base_url=desk.server.url, headers={"Authorization": f"Bearer {TOKEN}"}) as other:
        assert other.post("/bulk").status_code == 403


def test_costs_ages_and_escaped_names_are_exact() -> None:
    spent = (ModelUsage('a "model"\n\\x', "draft", 3, 1000, 200, 2_500_000),)
    requested, drafted = NOW - timedelta(seconds=90), NOW - timedelta(hours=2)
    slow = Latency("m", 3, 95.5, (LatencyBucket(5.0, 1), LatencyBucket(60.0, 2)))
    figures = Metrics(spent, 1, drafted, 2, requested, 0, 1, (slow,))
    backlog = [TargetBacklog(target="site", waiting=3, failed=1, error="x")]
    samples = read("".join(format_metrics(collect_metrics(Readings(figures, [], publications=backlog), NOW))))
    label = (("model", 'a "model"\n\\x'), ("purpose", "draft"))
    assert samples["copydesk_model_dollars_total", label] == 2.5
    assert samples["copydesk_model_tokens_total", (("kind", "completion"), *label)] == 200
    assert samples["copydesk_draft_age_seconds", ()] == 7200
    assert samples["copydesk_request_age_seconds", ()] == 90
    buckets = {
        end: samples["copydesk_model_seconds_bucket", (("le", end), ("model", "m"))]
        for end in ("5", "60", "+Inf")
    }
    assert buckets == {"5": 1, "60": 2, "+Inf": 3}
    assert samples["copydesk_model_seconds_sum", (("model", "m"),)] == 95.5
    assert samples["copydesk_publications_failed", (("target", "site"),)] == 1


def test_a_feed_that_was_removed_has_no_metrics_but_its_items_count() -> None:
    polled = PollState(failures=3, last_polled_at=NOW - timedelta(minutes=5))
    counts = {"seen": 2, "answered": 1, "drafted": 4, "failed": 5, "skipped": 9}
    feeds = [
        FeedStatus(key=key, url="https://x.example/", poll=polled, counts=counts) for key in ("in", "out")
    ]
    snapshot = Metrics((), 0, None, 0, None, 0, 0, last_runs=(LastRun("ingest", NOW, 4),))
    caps = (CapUse("day", 5_000_000, 1_250_000), CapUse("month", None, 7_500_000))
    backlogs = {"in": FeedBacklog(queued=1, waiting=7, failed=2)}
    readings = Readings(snapshot, feeds, backlogs, caps=caps, configured=frozenset({"in", "new"}))
    samples = read("".join(format_metrics(collect_metrics(readings, NOW))))
    named = {dict(labels)["feed"] for _, labels in samples if "feed" in dict(labels)}
    assert named == {"in"}
    assert samples["copydesk_items", (("state", "skipped"),)] == 18
    mine = (("feed", "in"),)
    assert samples["copydesk_feed_items_queued", mine] == 1
    assert samples["copydesk_feed_items_waiting", mine] == 7
    assert samples["copydesk_feed_drafts_waiting", mine] == 4
    assert samples["copydesk_feed_items_failed", mine] == 7, "for good, or until the next run"
    assert (samples["copydesk_feed_failures", mine], samples["copydesk_feed_poll_age_seconds", mine]) == (
        3,
        300,
    )
    assert samples["copydesk_cap_dollars", (("cap", "day"),)] == 5
    assert ("copydesk_cap_dollars", (("cap", "month"),)) not in samples
    assert samples["copydesk_cap_spent_dollars", (("cap", "month"),)] == 7.5
    assert samples["copydesk_last_run_timestamp_seconds", (("flow", "ingest"),)] == NOW.timestamp()
    assert samples["copydesk_last_run_exit_code", (("flow", "ingest"),)] == 4
    assert [dict(labels).keys() for name, labels in samples if name == "copydesk_build_info"] == [
        {"version", "python"}
    ]
