"""Metrics for Prometheus, in its text format (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from desk.responses import web_context
from pipeline.storage import FeedStatus, Metrics, TargetBacklog

router = APIRouter()
_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metric(NamedTuple):
    """A metric family: the samples of one metric."""

    name: str
    kind: str
    """gauge, counter or histogram."""
    help: str
    samples: Sequence[tuple[Mapping[str, str], float]]
    endings: Sequence[str] = ()
    """Suffixes of the samples' names, in the samples' order; empty: all have the family's name."""


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Return all metrics. Scrapers send the header `Authorization: Bearer TOKEN`."""
    ctx = web_context(request)
    snapshot, feeds, backlog = await asyncio.to_thread(
        lambda: (ctx.db.metrics.snapshot(), ctx.db.feeds.status(), ctx.db.publications.backlog())
    )
    text = "".join(format_metrics(collect_metrics(snapshot, feeds, backlog, ctx.now)))
    return PlainTextResponse(text, media_type=_TYPE)


def collect_metrics(
    snapshot: Metrics, feeds: Iterable[FeedStatus], backlog: Iterable[TargetBacklog], now: datetime
) -> Iterator[Metric]:
    """Yield every metric family. Pure."""
    feeds, backlog = tuple(feeds), tuple(backlog)
    by_state = [({"state": state}, float(count)) for state, count in sorted(snapshot.items.items())]
    yield Metric("items", "gauge", "Items by state", by_state)
    yield Metric(
        "findings", "gauge", "Open findings of waiting drafts",
        [({"severity": "block"}, snapshot.blocks), ({"severity": "warn"}, snapshot.warns)],
    )  # fmt: skip
    yield Metric(
        "draft_age_seconds",
        "gauge",
        "Age of the oldest waiting draft, in seconds",
        [({}, _age(snapshot.oldest_draft, now))],
    )
    yield Metric(
        "requests", "gauge", "Rewrite requests that no run has carried out", [({}, snapshot.requests)]
    )
    yield Metric(
        "request_age_seconds",
        "gauge",
        "Age of the oldest of these requests, in seconds",
        [({}, _age(snapshot.oldest_request, now))],
    )
    yield _outcomes(snapshot)
    yield from _costs(snapshot)
    yield _latency(snapshot)
    yield from _polls(feeds, now)
    waiting = [({"target": target.target}, float(target.waiting)) for target in backlog]
    failed = [({"target": target.target}, float(target.failed)) for target in backlog]
    yield Metric("publications_waiting", "gauge", "Publications that wait to be sent", waiting)
    yield Metric("publications_failed", "gauge", "Waiting publications whose last attempt failed", failed)


def _outcomes(snapshot: Metrics) -> Metric:
    samples: list[tuple[dict[str, str], float]] = []
    for each in snapshot.outcomes:
        ends = {f"dismissed: {preset}": count for preset, count in each.dismissed.items()}
        ends |= {"taken": each.taken, "edited": each.edited, "passed": each.passed}
        samples += [({"check": each.kind, "end": end}, float(count)) for end, count in ends.items()]
    return Metric("findings_ended", "gauge", "Findings by how editors ended them, over all drafts", samples)


def _costs(snapshot: Metrics) -> Iterator[Metric]:
    costs = [({"model": cost.model, "purpose": cost.purpose}, cost) for cost in snapshot.spent]
    yield Metric(
        "model_calls_total", "counter", "Responses paid for", [(label, cost.calls) for label, cost in costs]
    )
    tokens = [
        ({**label, "kind": kind}, float(count))
        for label, cost in costs
        for kind, count in (("prompt", cost.prompt_tokens), ("completion", cost.completion_tokens))
    ]
    yield Metric("model_tokens_total", "counter", "Tokens paid for", tokens)
    spent = [(label, cost.micros / 1_000_000) for label, cost in costs if cost.micros is not None]
    yield Metric("model_dollars_total", "counter", "US dollars, where the price is known", spent)


def _latency(snapshot: Metrics) -> Metric:
    samples: list[tuple[dict[str, str], float]] = []
    endings = []
    for latency in snapshot.latencies:
        label = {"model": latency.model}
        counts = [*((f"{end:g}", count) for end, count in latency.within), ("+Inf", latency.calls)]
        samples += [({**label, "le": end}, float(count)) for end, count in counts]
        samples += [(label, latency.seconds), (label, float(latency.calls))]
        endings += [*["_bucket"] * len(counts), "_sum", "_count"]
    description = "Seconds from request to response, including retries"
    return Metric("model_seconds", "histogram", description, samples, endings)


def _polls(feeds: Sequence[FeedStatus], now: datetime) -> Iterator[Metric]:
    lag = [
        ({"feed": feed.key}, _age(feed.poll.last_polled_at, now))
        for feed in feeds
        if feed.poll.last_polled_at
    ]
    yield Metric("feed_poll_age_seconds", "gauge", "Seconds since the last poll of a feed", lag)
    failures = [({"feed": feed.key}, float(feed.poll.failures)) for feed in feeds]
    yield Metric("feed_failures", "gauge", "Consecutive failed polls of a feed", failures)


def _age(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds()) if moment else 0.0


def format_metrics(metrics: Iterable[Metric]) -> Iterator[str]:
    """Yield the lines of the text format. Pure."""
    for metric in metrics:
        name = f"copydesk_{metric.name}"
        yield f"# HELP {name} {metric.help}\n# TYPE {name} {metric.kind}\n"
        endings = metric.endings or [""] * len(metric.samples)
        for (labels, value), ending in zip(metric.samples, endings, strict=True):
            label_list = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
            yield (
                f"{name}{ending}{{{label_list}}} {value!r}\n" if label_list else f"{name}{ending} {value!r}\n"
            )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
