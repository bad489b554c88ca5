"""Cover images: a feed's own, or one found by a search of Unsplash."""

from pipeline.covers.cover import (
    IMAGE_ORIGIN,
    UNSPLASH_URL,
    CoverFacts,
    Photo,
    build_query,
    cover_facts,
    cover_url,
    feed_cover,
    photo_cover,
)
from pipeline.covers.unsplash import API_URL, UnsplashClient

__all__ = [
    "API_URL",
    "IMAGE_ORIGIN",
    "UNSPLASH_URL",
    "CoverFacts",
    "Photo",
    "UnsplashClient",
    "build_query",
    "cover_facts",
    "cover_url",
    "feed_cover",
    "photo_cover",
]
