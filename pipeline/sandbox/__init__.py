"""Work in processes apart: what costs too much costs one of them, and nobody else's time."""

from pipeline.sandbox.pool import CPU_S, MEMORY_BYTES, JobError, WorkerPool
from pipeline.sandbox.worker import run_worker

__all__ = ["CPU_S", "MEMORY_BYTES", "JobError", "WorkerPool", "run_worker"]
