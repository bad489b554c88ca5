"""Retry-After headers."""

from datetime import UTC, datetime

import pytest

from pipeline.http_client.headers import parse_retry_after

NOW = datetime(2026, 2, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("-5", 0.0),
        ("1.5", 1.5),
        ("Thu, 05 Feb 2026 12:00:30 GMT", 30.0),
        ("Thu, 05 Feb 2026 11:00:00 GMT", 0.0),
        ("Thu, 05 Feb 2026 12:00:30 -0000", 30.0),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header, NOW) == seconds
