"""Worker processes under CPU and memory limits, for work on hostile input."""

from pipeline.sandbox.pool import CPU_S, MEMORY_BYTES, JobError, WorkerPool
from pipeline.sandbox.worker import run_worker

__all__ = ["CPU_S", "MEMORY_BYTES", "JobError", "WorkerPool", "run_worker"]
