"""Fetches and parses feeds and pages, and selects the items that are new."""
