"""Fetches the web pages of items, and extracts the article from them."""
