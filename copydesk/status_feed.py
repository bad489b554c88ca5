"""`copydesk status FEED`: what a feed's items were taken for, by reason."""

from collections.abc import Sequence

from copydesk.console import pluralize, print_json, print_line, printable
from pipeline.config import load_feeds, load_settings, select_feeds
from pipeline.domain.models import PollState
from pipeline.storage import Database, OutcomeCount

_WORDS = {
    "updated": "taken for an update",
    "noticed": "whose source has a notice",
    "merged": "merged into another item",
    "skipped": "left out",
}


def status_feed(key: str, *, as_json: bool) -> None:
    """Print a feed's items by state, and those updated, merged or skipped, by reason.

    Raises ConfigError for a feed that is not subscribed.
    """
    settings = load_settings()
    subscriptions = load_feeds(settings.feeds_file)
    [feed] = select_feeds(subscriptions, [key])
    with Database.open(settings.database_url) as db:
        db.feeds.sync(subscriptions.feeds)
        state = db.feeds.poll_states().get(feed.key, PollState())
        counts, outcomes = db.feeds.item_counts().get(feed.key, {}), db.items.outcomes(feed.key)
    if as_json:
        excerpts = {"excerpts": state.excerpts, "boilerplate": state.boilerplate}
        listed = [each.model_dump() for each in outcomes]
        print_json({"feed": feed.key, "items": counts, "outcomes": listed} | excerpts)
        return
    by_state = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    print_line(f"{printable(feed.key)}: {by_state or 'no items yet'}")
    if state.excerpts:
        print_line(f"{printable(state.excerpts)}: the pages of all items are fetched")
    for line in state.boilerplate:
        print_line(f"taken out of its texts: {printable(line)}")
    _print_outcomes(outcomes)


def _print_outcomes(outcomes: Sequence[OutcomeCount]) -> None:
    for each in outcomes:
        print_line(f"\n{pluralize(each.count, 'item')} {_WORDS[each.outcome]}: {printable(each.reason)}")
        for title in each.titles:
            print_line(f"  {printable(title)}")
        if each.count > len(each.titles):
            print_line(f"  … and {each.count - len(each.titles)} more")
