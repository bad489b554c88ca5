"""Dates: found in a text, and held against those of the source and the day it was published."""

from pipeline.checks.dates.check import check_dates
from pipeline.checks.dates.extract import date_spans, extract_dates

__all__ = ["check_dates", "date_spans", "extract_dates"]
