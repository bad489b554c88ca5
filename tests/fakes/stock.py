"""A desk with work on it: drafts written by hand in a model's place, some with faults."""

import tempfile
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml

from pipeline.articles import files
from pipeline.articles.article import Article
from pipeline.articles.files import draft_path
from pipeline.articles.front_matter import dumps
from pipeline.articles.render import build_front_matter, render_body
from pipeline.checks.runner import run_checks
from pipeline.config import Settings, load_feeds, load_settings
from pipeline.domain.model_calls import Provenance
from pipeline.domain.models import Beat, Item, PollState, Source
from pipeline.domain.reviews import Draft, Finding
from pipeline.rewrite.article_schema import parse_response
from pipeline.rewrite.evaluation.golden_set import GoldenCase, load_cases, load_recorded
from pipeline.storage import Database, Policy, PollResult
from pipeline.storage.engine import file_of
from tests.databases import prepared

EVALS = Path(__file__).parents[2] / "evals"
NOW = datetime(2026, 2, 5, 12, tzinfo=UTC)
TOKEN = "a-token-for-tests-only"
FEED = "stock-wire"
INVENTED = "Regulators in Ruritania fined Zirkon Bank 94 million dollars on 3 March 2019."
MODEL = Provenance(rewritten=True, model="a-model", prompt="article@0000")


class Piece(NamedTuple):
    """An item and the article about it."""

    item: Item
    article: Article
    beat: Beat


@lru_cache
def pieces() -> tuple[Piece, ...]:
    told = load_recorded(EVALS, "hand-written")
    cases = [case for case in load_cases(EVALS) if case.source.language == "en"]
    return tuple(_piece(case, told[case.key].text) for case in cases)


def _piece(case: GoldenCase, answer: str) -> Piece:
    article = parse_response(answer, case.source, case.beat)
    # The description is taken from the Overview, and the title is the source's.
    article = article.model_copy(update={"description": ""})
    return Piece(case.source.item, article, case.beat.model_copy(update={"titles": "source"}))


def layout(folder: Path, environ: dict[str, str] | None = None) -> Settings:
    """Write a project's subscriptions and return its settings."""
    folder.mkdir(parents=True, exist_ok=True)
    beat = pieces()[0].beat.model_dump(mode="json", exclude={"key", "checks", "example_texts"})
    beat["vocabulary"] = list(beat["vocabulary"])
    feed = {"key": FEED, "name": "Stock Wire", "url": "https://wire.example/feed", "category": "MARKET"}
    document = {"defaults": {"beat": "crypto"}, "beats": {"crypto": beat}, "feeds": [feed]}
    (folder / "feeds.yaml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    at_once = {"COPYDESK_READING_WORDS_PER_S": "0"}  # what is on screen counts as shown at once
    values = {"COPYDESK_DESK_TOKEN": TOKEN, "HOME": str(folder), **at_once, **(environ or {})}
    return load_settings(values, folder)


def fill(
    settings: Settings, count: int, *, faults: bool = True, first: int = 0, image: str | None = None
) -> list[str]:
    """Draft items, every third with an invented sentence; returns their external ids, newest first."""
    ledger = file_of(settings.database_url)
    if ledger is None or ledger.exists():
        return _fill(settings, count, faults=faults, first=first, image=image)
    stock = _stock(settings.feeds_file.read_bytes(), count, faults, first, image)
    for path, data in (
        (ledger, stock.ledger),
        *((settings.output / path, data) for path, data in stock.drafts),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o600)
        path.write_bytes(data)
    return list(stock.refs)


class Stock(NamedTuple):
    """What a desk's folder has, to be copied."""

    ledger: bytes
    drafts: tuple[tuple[str, bytes], ...]
    """Path below the output folder, and content."""
    refs: tuple[str, ...]


@lru_cache
def _stock(feeds: bytes, count: int, faults: bool, first: int, image: str | None) -> Stock:
    with tempfile.TemporaryDirectory() as folder:
        settings = layout(Path(folder))
        settings.feeds_file.write_bytes(feeds)
        refs = _fill(settings, count, faults=faults, first=first, image=image)
        output = settings.output
        drafts = [path for path in output.rglob("*") if path.is_file()]
        return Stock(
            (Path(folder) / ".copydesk" / "ledger.db").read_bytes(),
            tuple((path.relative_to(output).as_posix(), path.read_bytes()) for path in drafts),
            tuple(refs),
        )


def _fill(settings: Settings, count: int, *, faults: bool, first: int, image: str | None) -> list[str]:
    with Database.open(prepared(settings.database_url)) as db:
        db.feeds.sync(load_feeds(settings.feeds_file).feeds)
        wanted = [_draft(number, faults=faults, image=image) for number in range(first, first + count)]
        found = [item for item, _ in wanted]
        state, policy = PollState(), Policy()
        for start in range(0, count, 500):
            some = found[start : start + 500]
            db.items.admit(
                FEED, PollResult(new=some, updated=[], skipped=[], merged=[], state=state), policy=policy
            )
        by_guid = {item.guid: draft for item, draft in wanted}
        leases = db.leases.acquire(FEED, 100_000, 900.0)
        db.leases.release([lease for lease in leases if lease.item.guid not in by_guid])
        for lease in (lease for lease in leases if lease.item.guid in by_guid):
            draft = by_guid[lease.item.guid]
            db.leases.begin_write(lease, draft)
            files.write_atomically(settings.output, draft.path, draft.text.encode())
            db.leases.confirm_write(lease)
    return [draft.external_id for _, draft in wanted]


def _draft(number: int, *, faults: bool, image: str | None) -> tuple[Item, Draft]:
    which = number % len(pieces())
    faulty = faults and number % 3 == 0
    item, source, body, findings = _written(which, faulty)
    shown = f"{item.title} ({number + 1})"
    changes = {
        "guid": f"stock-{number}",
        "title": shown,
        "link": f"https://wire.example/{number}",
        "canonical": f"https://wire.example/{number}",
        "published_at": NOW - timedelta(minutes=7 * number),
        # Nothing that two items of the stock share may look like one story.
        "text": item.text,
        "image": image,
    }
    item = item.model_copy(update=changes)
    source = source.model_copy(update={"item": item})
    article = pieces()[which].article.model_copy(update={"title": shown})
    metadata = build_front_matter(source, article, MODEL, findings, now=NOW)
    path = draft_path(shown, item.published_at, source.external_id)
    draft = Draft(external_id=source.external_id, path=path, text=dumps(metadata, body), findings=findings)
    return item, draft


@lru_cache
def _written(which: int, faulty: bool) -> tuple[Item, Source, str, tuple[Finding, ...]]:
    item, article, beat = pieces()[which]
    if faulty:
        article = article.model_copy(update={"overview": f"{article.overview} {INVENTED}"})
    source = Source(
        item=item, feed_key=FEED, feed_name="Stock Wire", first_key=FEED, category="MARKET", language="en"
    )
    body = render_body(article, beat)
    return item, source, body, run_checks(source, body, beat, front=None)
