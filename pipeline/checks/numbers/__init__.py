"""Figures: found in words and digits, held against those of the source, or worked out of them."""

from pipeline.checks.numbers.check import check_numbers
from pipeline.checks.numbers.extract import extract_numbers
from pipeline.checks.numbers.models import NumberMention

__all__ = ["NumberMention", "check_numbers", "extract_numbers"]
