"""Named entities: extracted from a draft and looked up in its source in all their forms."""

from pipeline.checks.names.check import check_names

__all__ = ["check_names"]
