"""Names: found in a draft by their capitals, and looked for in the source in all forms that mean the same."""

from pipeline.checks.names.check import check_names

__all__ = ["check_names"]
