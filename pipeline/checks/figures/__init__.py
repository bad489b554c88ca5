"""Figures: found in words and digits, held against those of the source, or worked out of them."""

from pipeline.checks.figures.check import check_figures
from pipeline.checks.figures.find import figures
from pipeline.checks.figures.records import Figure

__all__ = ["Figure", "check_figures", "figures"]
