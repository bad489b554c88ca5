"""Feeds in: fetch, parse to items, decide what is new."""
