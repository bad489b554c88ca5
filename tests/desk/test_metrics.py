"""Figures for Prometheus: its own client reads them, and nobody without the token does."""

from datetime import UTC, datetime, timedelta

import httpx
from prometheus_client.parser import text_string_to_metric_families

from desk.routes.metrics import every, exposed
from pipeline.storage import Latency, LatencyBucket, Metrics, ModelUsage, TargetBacklog
from tests.desk.conftest import Desk
from tests.fakes.stock import TOKEN

NOW = datetime(2026, 2, 5, tzinfo=UTC)


def read(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_desk_tells_what_waits_and_what_is_open(desk: Desk) -> None:
    with httpx.Client(base_url=desk.server.url) as scraper:
        assert scraper.get("/metrics").status_code == 401
        assert scraper.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
        answer = scraper.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = read(answer.text)
    assert found["copydesk_items", (("state", "drafted"),)] == 6
    assert found["copydesk_findings", (("severity", "block"),)] == 8
    assert found["copydesk_requests", ()] == 0
    assert found["copydesk_draft_age_seconds", ()] >= 0


def test_a_token_in_a_header_changes_nothing_from_elsewhere(desk: Desk) -> None:
    with httpx.Client(base_url=desk.server.url, headers={"Authorization": f"Bearer {TOKEN}"}) as other:
        assert other.post("/bulk").status_code == 403


def test_money_ages_and_odd_names_are_told_as_they_are() -> None:
    spent = (ModelUsage('a "model"\n\\x', "draft", 3, 1000, 200, 2_500_000),)
    asked, drafted = NOW - timedelta(seconds=90), NOW - timedelta(hours=2)
    slow = Latency("m", 3, 95.5, (LatencyBucket(5.0, 1), LatencyBucket(60.0, 2)))
    figures = Metrics({"seen": 1}, spent, drafted, 2, asked, 0, 1, (slow,))
    backlog = [TargetBacklog(target="site", waiting=3, failed=1, error="x")]
    found = read("".join(exposed(every(figures, [], backlog, NOW))))
    label = (("model", 'a "model"\n\\x'), ("purpose", "draft"))
    assert found["copydesk_model_dollars_total", label] == 2.5
    assert found["copydesk_model_tokens_total", (("kind", "completion"), *label)] == 200
    assert found["copydesk_draft_age_seconds", ()] == 7200
    assert found["copydesk_request_age_seconds", ()] == 90
    buckets = {
        end: found["copydesk_model_seconds_bucket", (("le", end), ("model", "m"))]
        for end in ("5", "60", "+Inf")
    }
    assert buckets == {"5": 1, "60": 2, "+Inf": 3}
    assert found["copydesk_model_seconds_sum", (("model", "m"),)] == 95.5
    assert found["copydesk_publications_failed", (("target", "site"),)] == 1
