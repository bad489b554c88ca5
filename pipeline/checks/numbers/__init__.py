"""Figures: found in words and digits, held against those of the source, or worked out of them."""

from pipeline.checks.numbers.check import check_figures
from pipeline.checks.numbers.extract import figures
from pipeline.checks.numbers.models import Figure

__all__ = ["Figure", "check_figures", "figures"]
