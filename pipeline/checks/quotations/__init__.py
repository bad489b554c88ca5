"""Quotations of a draft, their speakers, and the source's words."""
