"""Quotations: extracted from a draft with their attribution, and matched with the words of its source."""
