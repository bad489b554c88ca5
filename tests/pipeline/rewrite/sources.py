"""A source and a beat for tests."""

from datetime import UTC, datetime
from typing import Any

from pipeline.domain.models import Beat, Item, Source

BEAT = Beat(key="crypto", market="crypto market", vocabulary=("BTC", "ETH", "MINING"))


def source(
    text: str = "Example Corp mined 1,250 BTC in May.", *, language: str = "en", **item: Any
) -> Source:
    fields = {
        "guid": "1",
        "title": "Output rises",
        "published_at": datetime(2026, 2, 5, 21, 10, tzinfo=UTC),
    } | item
    return Source(
        item=Item(text=text, **fields),
        feed_key="wire",
        feed_name="The Wire",
        first_key="wire",
        category="BTC",
        language=language,
    )
