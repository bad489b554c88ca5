"""Dates of feeds: aware UTC, or None."""

import calendar
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.feeds.parsing.dates import DateReader

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ("2026-02-03T09:00:00Z", at(2026, 2, 3, 9)),
        ("2026-02-03T09:00:00+0530", at(2026, 2, 3, 3, 30)),
        ("2026-02-03T09:00:00-05:30", at(2026, 2, 3, 14, 30)),
        ("2026-02-03 09:00", at(2026, 2, 3, 9)),
        (" 2026-02-03T09:00:00.123456Z ", at(2026, 2, 3, 9, 0, 0, 123456)),
        ("20260203T090000Z", at(2026, 2, 3, 9)),
        ("3 de febrero de 2026, 9:00", at(2026, 2, 3, 9)),
        ("February 3, 2026 9:00 AM EST", at(2026, 2, 3, 14)),
        ("2026-02-03T09:00:00.5+05:30", at(2026, 2, 3, 3, 30, 0, 500_000)),
        ("Tue, 03 Feb 2026 09:00:00 IST", at(2026, 2, 3, 3, 30)),
        ("Tue, 03 Feb 2026 09:00:00 PDT", at(2026, 2, 3, 16)),
        ("Tue, 03 Feb 2026 09:00:00 CEST", at(2026, 2, 3, 7)),
        ("Tue, 03 Feb 2026 09:00:00 MSK", at(2026, 2, 3, 6)),
        ("Tue, 03 Feb 2026 09:00:00 +0530", at(2026, 2, 3, 3, 30)),
        ("Tue, 03 Feb 26 09:00 GMT", at(2026, 2, 3, 9)),
        ("1770109200", at(2026, 2, 3, 9)),
        ("1770109200000", at(2026, 2, 3, 9)),
        ("mar., 03 févr. 2026 09:00:00 +0100", at(2026, 2, 3, 8)),
        ("3 февраля 2026, 09:00", at(2026, 2, 3, 9)),
        ("Вт, 03 фев 2026 09:00:00 +0300", at(2026, 2, 3, 6)),
        ("Di, 03 Feb 2026 09:00:00 +0100", at(2026, 2, 3, 8)),
        ("3. Februar 2026 09:00 MEZ", at(2026, 2, 3, 8)),
        ("2. März 2026", at(2026, 3, 2)),
        ("03.02.2026 09:00", at(2026, 2, 3, 9)),
        ("2026年2月3日", at(2026, 2, 3)),
        ("Tue, 03 Feb 2026 09:00:00 PDT -0700", at(2026, 2, 3, 16)),
        ("Tue, 03 Feb 2026 09.00.01 GMT", at(2026, 2, 3, 9, 0, 1)),
        ("3.2.2026 09.00", at(2026, 2, 3, 9)),
        ("02/03/2026", None),  # which of the two days?
        ("2026-03-02T11:59:59Z", at(2026, 3, 2, 11, 59, 59)),
        ("2026-03-02T12:00:01Z", None),
        ("1994-12-31T23:59:59Z", None),
        ("0000-00-00T00:00:00", None),
        ("9999-12-31T23:59:59-23:59", None),
        ("yesterday", None),
        ("February", None),
        ("1", None),
        ("", None),
        (None, None),
        ("9" * 10_000, None),
    ],
)
def test_dates(raw: str | None, moment: datetime | None) -> None:
    date = DateReader(NOW).read(raw)
    assert (date and date.moment) == moment


@pytest.mark.parametrize(
    ("raw", "offset_min"),
    [
        ("2026-02-03T09:00:00Z", 0),
        ("2026-02-03T09:00:00+0530", 330),
        ("2026-02-03T09:00:00-05:00", -300),
        ("Tue, 03 Feb 2026 09:00:00 +1345", 825),
        ("Tue, 03 Feb 2026 09:00:00 PDT", -420),
        ("Tue, 03 Feb 2026 09:00:00 PDT -0700", -420),
        ("Tue, 03 Feb 2026 09:00:00 GMT", 0),
        ("3. Februar 2026 09:00 MEZ", 60),
        ("Tue, 03 Feb 2026 09:00:00 XYZ", None),
        ("Tue, 03 Feb 2026 09:00:00 +9900", None),
        ("2026-02-03 09:00", None),
        ("2026-02-03", None),
        ("1770109200", None),
    ],
)
def test_the_offset_of_a_date_is_the_one_that_it_is_written_with(raw: str, offset_min: int | None) -> None:
    date = DateReader(NOW).read(raw)
    assert date is not None
    assert date.utc_offset_min == offset_min


def test_what_feedparser_read_is_utc_whatever_this_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        parsed = time.gmtime(calendar.timegm((2026, 2, 3, 9, 0, 0)))
        date = DateReader(NOW).read("Tue, 03 Feb 2026 09:00:00 GMT", parsed)
        assert date is not None
        assert date.moment == at(2026, 2, 3, 9)
    finally:
        monkeypatch.undo()
        time.tzset()


@settings(max_examples=40, deadline=None)
@given(st.text("0123456789-:T+Z. JanMo,", max_size=30))
def test_nothing_raises(raw: str) -> None:
    date = DateReader(NOW).read(raw)
    assert date is None or date.moment.tzinfo is UTC
