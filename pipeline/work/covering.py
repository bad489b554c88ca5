"""The cover that a new draft begins with, as its feed is configured."""

from typing import Any

from pipeline.covers import feed_cover, photo_cover, query_of
from pipeline.models import Article, FeedConfig, Source
from pipeline.work.room import Newsroom


async def cover_of(
    room: Newsroom, feed: FeedConfig, source: Source, article: Article
) -> dict[str, Any] | None:
    """Return `coverImage`: the item's own image, or the first of a search; None where there is none."""
    if feed.covers == "feed":
        return feed_cover(source)
    if feed.covers != "unsplash" or feed.cover_choice != "first" or room.covers is None:
        return None
    query = query_of(article.title, article.category, article.tags)
    photos = await room.covers.search(query, 1)
    if not photos:
        return None
    await room.covers.used(photos[0])
    return photo_cover(photos[0])
