"""Checks of a draft against its source; no I/O."""
