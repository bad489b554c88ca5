"""Drafts with planted errors: what an editor changes by key, counted."""

from pipeline.articles.files import sha256_of
from pipeline.articles.front_matter import dumps, loads
from pipeline.checks.runner import run_checks
from pipeline.config import Settings, load_feeds
from pipeline.domain.models import build_source
from pipeline.domain.reviews import Draft, Front
from pipeline.storage import Save
from tests.desk.server import database_of, row_of

FALSE = ("Zirkon Bank", "Ruritania", "Palisade Court")
"""Names that are not in the source: findings that an editor dismisses."""


def plant(settings: Settings, ref: str, changes: dict[str, str], *, everywhere: bool = False) -> None:
    """Replace words of a draft's body (`everywhere`: of title and description too), and check it again."""
    row = row_of(settings, ref)
    metadata, body = loads(row.version_text)
    for before, after in changes.items():
        assert before in body, before
        body = body.replace(before, after, 1)
        if everywhere:
            for field in ("title", "description"):
                metadata[field] = str(metadata[field]).replace(before, after)
    subscriptions = load_feeds(settings.feeds_file)
    feed = subscriptions.feed(row.feed_key)
    source, beat = build_source(feed, row.item), subscriptions.beats[feed.beat]
    findings = run_checks(source, body, beat, front=Front(metadata=metadata))
    draft = Draft(external_id=ref, path=row.path, text=dumps(metadata, body), findings=findings)
    (settings.output / row.path).write_text(draft.text, encoding="utf-8")
    with database_of(settings) as db:
        saved = db.versions.begin_save(row, draft, "", Save(base=sha256_of(row.version_text.encode())))
        db.versions.confirm_save(saved)
