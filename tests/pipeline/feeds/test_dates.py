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
        ("ma, 02 feb 2026 09:00:00 +0100", at(2026, 2, 2, 8)),
        ("di, 24 mrt 2025 09:00:00 +0100", at(2025, 3, 24, 8)),
        ("pt., 07 lis 2025 09:00:00 +0100", at(2025, 11, 7, 8)),
        ("7 listopada 2025 09:00", at(2025, 11, 7, 9)),
        ("7. listopadu 2025 09:00", at(2025, 11, 7, 9)),
        ("7 maj 2025", at(2025, 5, 7)),
        ("7 Kas 2025 09:00:00 +0300", at(2025, 11, 7, 6)),
        ("7. marraskuuta 2025 09:00", at(2025, 11, 7, 9)),
        ("7 листопада 2025 09:00", at(2025, 11, 7, 9)),
        ("2025. november 7. 09:00", at(2025, 11, 7, 9)),
        ("Παρ, 07 Νοε 2025 09:00:00 +0200", at(2025, 11, 7, 7)),
        ("7 نوفمبر 2025", at(2025, 11, 7)),
        ("٧ نوفمبر ٢٠٢٥", at(2025, 11, 7)),
        ("7 thg 11 2025 09:00", at(2025, 11, 7, 9)),
        ("7 tháng 11, 2025", at(2025, 11, 7)),
        ("7 noi 2025 09:00:00 +0200", at(2025, 11, 7, 7)),
        ("Jum, 07 Agu 2025 09:00:00 +0700", at(2025, 8, 7, 2)),
        ("27-11-2025 09:00", at(2025, 11, 27, 9)),
        ("02-11-2025 09:00", None),
        ("2025-W48-5", at(2025, 11, 28)),
        ("2025-11-27 09:00:00 America/New_York", at(2025, 11, 27, 14)),
        ("2025-07-27T09:00:00[Europe/Berlin]", at(2025, 7, 27, 7)),
        ("2025-11-27T09:00:00+01:00[Europe/Paris]", at(2025, 11, 27, 8)),
        ("2025-11-27 09:00:00 Nowhere/Town", at(2025, 11, 27, 9)),
        ("/Date(1770109200000)/", at(2026, 2, 3, 9)),
        ("/Date(1770109200000+0100)/", at(2026, 2, 3, 9)),
        ("1770109200000000", at(2026, 2, 3, 9)),
        ("2 hours ago", at(2026, 3, 1, 10)),
        ("vor 3 Tagen", at(2026, 2, 26, 12)),
        ("il y a 20 minutes", at(2026, 3, 1, 11, 40)),
        ("Yesterday 14:00", at(2026, 2, 28, 14)),
        ("yesterday", at(2026, 2, 28)),
        ("today at 9:30", at(2026, 3, 1, 9, 30)),
        ("just now", NOW),
        ("2 дня назад", at(2026, 2, 27, 12)),
        ("3 timmar sedan", at(2026, 3, 1, 9)),
        ("2 dni temu", at(2026, 2, 27, 12)),
        ("3 saat önce", at(2026, 3, 1, 9)),
        ("3時間前", at(2026, 3, 1, 9)),
        ("2일 전", at(2026, 2, 27, 12)),
        ("wczoraj 14:00", at(2026, 2, 28, 14)),
        ("вчера в 14:00", at(2026, 2, 28, 14)),
        ("어제 14:00", at(2026, 2, 28, 14)),
        ("2026년 2월 3일 오후 3:05", at(2026, 2, 3, 15, 5)),
        ("2026年2月3日(火) 9時30分", at(2026, 2, 3, 9, 30)),
        ("3 กุมภาพันธ์ 2569", at(2026, 2, 3)),
        ("tiistai 3. helmikuuta 2026 klo 9.05", at(2026, 2, 3, 9, 5)),
        ("Tue, 03 Feb 2026 09:00:00 −0500", at(2026, 2, 3, 14)),
        ("9000000000 years ago", None),
        ("27 xyz 2025", None),
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
        date = DateReader(NOW).read("the third, at nine", lambda _raw: parsed)
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


def test_dates_that_are_written_and_not_read_are_remembered() -> None:
    dates = DateReader(NOW)
    for raw in ("3 Quux 2026", "3 Quux 2026", "2026-02-03", "", None, "2099-01-01", "0000-00-00"):
        dates.read(raw)
    assert list(dates.unread) == ["3 Quux 2026"]
