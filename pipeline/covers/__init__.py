"""Cover images: a feed's own, or one that is searched for; none where neither is to be had."""

from pipeline.covers.cover import HOME, IMAGES, Photo, feed_cover, photo_cover, query_of
from pipeline.covers.unsplash import API, UnsplashClient

__all__ = ["API", "HOME", "IMAGES", "Photo", "UnsplashClient", "feed_cover", "photo_cover", "query_of"]
