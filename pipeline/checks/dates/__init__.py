"""Dates: extracted from a text and checked against those of its source and its day of publication."""

from pipeline.checks.dates.check import check_dates
from pipeline.checks.dates.extract import date_spans, extract_dates

__all__ = ["check_dates", "date_spans", "extract_dates"]
