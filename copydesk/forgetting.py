"""`copydesk forget`: unpublish an item, remove every text about it, and never take it again."""

import sys
from datetime import UTC, datetime

from copydesk.console import counted, plain, say
from copydesk.publishing import published, send
from pipeline import review
from pipeline.errors import ConfigError, PublishError
from pipeline.ledger import Ledger
from pipeline.models import feed_address
from pipeline.settings import desk_settings, load_feeds


def forget(url: str) -> None:
    """Forget the item at a URL. Raises ConfigError for what is none, ReviewError while a run works on it."""
    if feed_address(url) is None:
        raise ConfigError(f"{plain(url)} is no http(s) URL; give the item's link as `drafts show` prints it")
    settings = desk_settings()
    subscriptions = load_feeds(settings.feeds_file)
    with Ledger.open(settings.database_url) as ledger:
        review.finish(ledger, settings.output)
        removed = review.forget(ledger, settings.output, url, datetime.now(UTC))
        for path in removed:
            say(f"removed: {plain(path)}")
        say(f"Forgotten; {counted(len(removed), 'file')} removed. It is never taken again.")
        outcomes = send(ledger, settings, subscriptions)
    published(outcomes)
    if any(path.startswith("published/") for path in removed) and not outcomes:
        say("It was published: build the site again to take it down.")
    if any(outcome.error for outcome in outcomes):
        sys.exit(PublishError.exit_code)
