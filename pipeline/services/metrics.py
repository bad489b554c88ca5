"""Metrics for Prometheus, in its text format (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from platform import python_version
from types import MappingProxyType
from typing import NamedTuple

from pipeline.config import own_version
from pipeline.storage import NO_BACKLOG, FeedBacklog, FeedStatus, LastRun, Metrics, TargetBacklog

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metric(NamedTuple):
    """A metric family: the samples of one metric."""

    name: str
    kind: str
    """gauge, counter or histogram."""
    help: str
    samples: Sequence[tuple[Mapping[str, str], float]]
    endings: Sequence[str] = ()
    """Suffixes of the samples' names, in the samples' order; empty: all have the family's name."""


class CapUse(NamedTuple):
    """A spending cap and what is spent of it, in millionths of a US dollar."""

    name: str
    """Its period: day, month or day's backfills."""
    limit: int | None
    """None: no cap is set."""
    spent: int


class Readings(NamedTuple):
    """All that the metrics are made of, at one time."""

    snapshot: Metrics
    feeds: Sequence[FeedStatus]
    """Every feed of the database, also those that are no longer in feeds.yaml."""
    backlogs: Mapping[str, FeedBacklog] = MappingProxyType({})
    """What waits to be drafted, by feed; feeds without any are left out."""
    publications: Sequence[TargetBacklog] = ()
    caps: Sequence[CapUse] = ()
    configured: frozenset[str] = frozenset()
    """Keys of the feeds of feeds.yaml: only these have metrics of their own."""


def collect_metrics(readings: Readings, now: datetime) -> Iterator[Metric]:
    """Yield every metric family. Pure."""
    snapshot, publications = readings.snapshot, readings.publications
    yield _build()
    yield from _items(readings)
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
    yield from _caps(readings.caps)
    yield from _runs(snapshot.last_runs)
    yield from _polls([feed for feed in readings.feeds if feed.key in readings.configured], now)
    waiting = [({"target": target.target}, float(target.waiting)) for target in publications]
    failed = [({"target": target.target}, float(target.failed)) for target in publications]
    yield Metric("publications_waiting", "gauge", "Publications that wait to be sent", waiting)
    yield Metric("publications_failed", "gauge", "Waiting publications whose last attempt failed", failed)


def _build() -> Metric:
    labels = {"version": own_version(), "python": python_version()}
    return Metric("build_info", "gauge", "Version of Copydesk and of Python", [(labels, 1.0)])


def _items(readings: Readings) -> Iterator[Metric]:
    states: Counter[str] = Counter()
    for feed in readings.feeds:
        states.update(feed.counts)
    by_state = [({"state": state}, float(count)) for state, count in sorted(states.items())]
    yield Metric("items", "gauge", "Items by state", by_state)
    feeds = [feed for feed in readings.feeds if feed.key in readings.configured]
    for name, description, count in _FEED_COUNTS:
        samples = [
            ({"feed": feed.key}, float(count(feed.counts, readings.backlogs.get(feed.key, NO_BACKLOG))))
            for feed in feeds
        ]
        yield Metric(name, "gauge", description, samples)


_FEED_COUNTS: Sequence[tuple[str, str, Callable[[Mapping[str, int], FeedBacklog], int]]] = (
    (
        "feed_items_queued",
        "Items of a feed that the next run drafts: new ones, and redrafts that editors requested",
        lambda _, backlog: backlog.queued,
    ),
    (
        "feed_items_waiting",
        "Items of a feed whose pages could not be had, and that wait for a time",
        lambda _, backlog: backlog.waiting,
    ),
    (
        "feed_items_failed",
        "Items of a feed whose last attempt failed",
        lambda counts, backlog: backlog.failed + counts.get("failed", 0),
    ),
    (
        "feed_drafts_waiting",
        "Drafts of a feed that wait for review",
        lambda counts, _: counts.get("drafted", 0),
    ),
)
"""Name, description and count of each metric of a feed; the counts are those of `copydesk status`."""


def _outcomes(snapshot: Metrics) -> Metric:
    samples: list[tuple[dict[str, str], float]] = []
    for each in snapshot.outcomes:
        ends = {f"dismissed: {preset}": count for preset, count in each.dismissed.items()}
        ends |= {"taken": each.taken, "edited": each.edited, "passed": each.passed}
        samples += [({"check": each.kind, "end": end}, float(count)) for end, count in ends.items()]
    return Metric(
        "findings_ended",
        "gauge",
        "Findings by how editors ended them; of the last 30 days if times are recorded",
        samples,
    )


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


def _caps(caps: Sequence[CapUse]) -> Iterator[Metric]:
    limits = [({"cap": cap.name}, cap.limit / 1_000_000) for cap in caps if cap.limit is not None]
    yield Metric("cap_dollars", "gauge", "Spending caps that are set, in US dollars", limits)
    spent = [({"cap": cap.name}, cap.spent / 1_000_000) for cap in caps]
    yield Metric("cap_spent_dollars", "gauge", "US dollars spent in the period of each cap", spent)


def _runs(runs: Sequence[LastRun]) -> Iterator[Metric]:
    ended = [({"flow": run.flow}, run.ended_at.timestamp()) for run in runs]
    yield Metric("last_run_timestamp_seconds", "gauge", "When the last run of a flow ended", ended)
    codes = [({"flow": run.flow}, float(run.exit_code)) for run in runs]
    yield Metric("last_run_exit_code", "gauge", "Exit code of that run; 0: no error", codes)


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
