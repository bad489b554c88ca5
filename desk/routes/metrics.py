"""Figures for Prometheus, in its text format (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

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
    """A family of samples."""

    name: str
    kind: str
    """gauge, counter or histogram."""
    help: str
    samples: Sequence[tuple[Mapping[str, str], float]]
    endings: Sequence[str] = ()
    """Of the samples' names, in the samples' order; none: the family's own name."""


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Return the figures; to be asked with the header `Authorization: Bearer TOKEN`."""
    ctx = web_context(request)
    figures, feeds, backlog = await asyncio.to_thread(
        lambda: (ctx.db.metrics.snapshot(), ctx.db.feeds.status(), ctx.db.publications.backlog())
    )
    text = "".join(exposed(every(figures, feeds, backlog, ctx.now)))
    return PlainTextResponse(text, media_type=_TYPE)


def every(
    figures: Metrics, feeds: Iterable[FeedStatus], backlog: Iterable[TargetBacklog], now: datetime
) -> Iterator[Metric]:
    """Yield every family. Pure."""
    feeds, backlog = tuple(feeds), tuple(backlog)
    by_state = [({"state": state}, float(count)) for state, count in sorted(figures.items.items())]
    yield Metric("items", "gauge", "Items by state", by_state)
    yield Metric(
        "findings", "gauge", "Open findings of waiting drafts",
        [({"severity": "block"}, figures.blocks), ({"severity": "warn"}, figures.warns)],
    )  # fmt: skip
    yield Metric(
        "draft_age_seconds",
        "gauge",
        "Age of the draft that waits longest",
        [({}, _age(figures.oldest_draft, now))],
    )
    yield Metric("requests", "gauge", "What editors asked for and nobody took up", [({}, figures.requests)])
    yield Metric(
        "request_age_seconds",
        "gauge",
        "Age of the oldest of these",
        [({}, _age(figures.oldest_request, now))],
    )
    yield from _money(figures)
    yield _latency(figures)
    yield from _polls(feeds, now)
    waits = [({"target": one.target}, float(one.waiting)) for one in backlog]
    failed = [({"target": one.target}, float(one.failed)) for one in backlog]
    yield Metric("publications_waiting", "gauge", "Publications to be sent", waits)
    yield Metric("publications_failed", "gauge", "Of these, those that failed", failed)


def _money(figures: Metrics) -> Iterator[Metric]:
    about = [({"model": one.model, "purpose": one.purpose}, one) for one in figures.spent]
    yield Metric(
        "model_calls_total", "counter", "Answers paid for", [(label, one.calls) for label, one in about]
    )
    tokens = [
        ({**label, "kind": kind}, float(count))
        for label, one in about
        for kind, count in (("prompt", one.prompt_tokens), ("completion", one.completion_tokens))
    ]
    yield Metric("model_tokens_total", "counter", "Tokens paid for", tokens)
    spent = [(label, one.micros / 1_000_000) for label, one in about]
    yield Metric("model_dollars_total", "counter", "US dollars, where the price is known", spent)


def _latency(figures: Metrics) -> Metric:
    samples: list[tuple[dict[str, str], float]] = []
    endings = []
    for one in figures.latencies:
        about = {"model": one.model}
        counts = [*((f"{end:g}", count) for end, count in one.within), ("+Inf", one.calls)]
        samples += [({**about, "le": end}, float(count)) for end, count in counts]
        samples += [(about, one.seconds), (about, float(one.calls))]
        endings += [*["_bucket"] * len(counts), "_sum", "_count"]
    said = "From request to answer, repeated attempts included"
    return Metric("model_seconds", "histogram", said, samples, endings)


def _polls(feeds: Sequence[FeedStatus], now: datetime) -> Iterator[Metric]:
    lag = [
        ({"feed": one.key}, _age(one.poll.last_polled_at, now)) for one in feeds if one.poll.last_polled_at
    ]
    yield Metric("feed_poll_age_seconds", "gauge", "Since a feed was polled last", lag)
    failures = [({"feed": one.key}, float(one.poll.failures)) for one in feeds]
    yield Metric("feed_failures", "gauge", "Polls of a feed that failed in a row", failures)


def _age(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds()) if moment else 0.0


def exposed(metrics: Iterable[Metric]) -> Iterator[str]:
    """Yield the lines of the text format. Pure."""
    for one in metrics:
        name = f"copydesk_{one.name}"
        yield f"# HELP {name} {one.help}\n# TYPE {name} {one.kind}\n"
        for (labels, value), ending in zip(one.samples, one.endings or [""] * len(one.samples), strict=True):
            told = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
            yield f"{name}{ending}{{{told}}} {value!r}\n" if told else f"{name}{ending} {value!r}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
