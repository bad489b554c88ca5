"""Web pages of items: fetched, extracted, judged for completeness."""
