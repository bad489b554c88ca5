"""Cover images: a feed's own, or one found by a search of Unsplash."""

from pipeline.covers.cover import IMAGE_ORIGIN, UNSPLASH_URL, Photo, build_query, feed_cover, photo_cover
from pipeline.covers.unsplash import API_URL, UnsplashClient

__all__ = [
    "API_URL",
    "IMAGE_ORIGIN",
    "UNSPLASH_URL",
    "Photo",
    "UnsplashClient",
    "build_query",
    "feed_cover",
    "photo_cover",
]
