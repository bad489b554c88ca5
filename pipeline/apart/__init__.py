"""Work in processes apart: what costs too much costs one of them, and nobody else's time."""

from pipeline.apart.child import serve
from pipeline.apart.pool import CPU_S, MEMORY, JobFailed, Pool

__all__ = ["CPU_S", "MEMORY", "JobFailed", "Pool", "serve"]
