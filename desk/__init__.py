"""The review desk: a web page on which an editor reads drafts beside their sources and decides about them."""

from desk.app import create_app

__all__ = ["create_app"]
