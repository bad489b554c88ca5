"""Numbers in digits and words: extracted from a text and checked against the numbers of its source."""

from pipeline.checks.numbers.check import check_numbers
from pipeline.checks.numbers.extract import extract_numbers
from pipeline.checks.numbers.models import NumberMention

__all__ = ["NumberMention", "check_numbers", "extract_numbers"]
