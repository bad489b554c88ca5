"""The review desk: editors compare drafts with their sources in a browser and decide on them."""

from desk.app import create_app

__all__ = ["create_app"]
