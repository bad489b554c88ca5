"""Work in processes apart: what costs too much costs one of them, and nobody else's time."""

from pipeline.sandbox.pool import CPU_S, MEMORY, JobFailed, Pool
from pipeline.sandbox.worker import serve

__all__ = ["CPU_S", "MEMORY", "JobFailed", "Pool", "serve"]
