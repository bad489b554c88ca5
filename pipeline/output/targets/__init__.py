"""Puts approved articles where sites read them: a folder, a git repository, a feed.

Each target may be told the same twice, takes back only what we wrote, and never touches what an operator
changed there.
"""

from pipeline.output.targets.job import Job, Result

__all__ = ["Job", "Result"]
