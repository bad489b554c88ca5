"""Scores of a prompt over a golden set of items."""
