from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.llm.error_body import read_error
from pipeline.llm.waits import LONGEST_WAIT_S, parse_duration, requested_wait

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3", 3), ("2.5", 2.5), ("3s", 3), ("20s", 20), ("340ms", 0.34), ("1m30s", 90), ("1m2.5s", 62.5),
        ("7m12s", 432), ("2h", 7200), ("1h2m3s", 3723), ("20 seconds", 20), ("1 hr", 3600),
        ("1 hour, 5 minutes", 3900), ("1d", 86_400), ("0", 0), ("-4", 0), ("1e400", None), ("nan", None),
        ("", None), ("soon", None), ("3 apples", None),
        ("3months", None), ("9" * 12, LONGEST_WAIT_S),
    ],
)  # fmt: skip
def test_durations(text: str, seconds: float | None) -> None:
    assert parse_duration(text) == (None if seconds is None else pytest.approx(seconds))


def wait(headers: dict[str, str], message: str = "slow down", status: int = 429) -> float | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requested_wait(named, read_error(status, {"error": {"message": message}}), NOW)


def wait_of(error: object) -> float | None:
    return requested_wait({}, read_error(429, {"error": error}), NOW)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after_ms": "2500"}, 2.5),
        ({"retry_after_ms": "2500", "retry_after": "9"}, 2.5),
        ({"retry_after_ms": "86400000"}, 86_400),
        ({"retry_after": "17"}, 17),
        ({"retry_after": "3s"}, 3),
        ({"retry_after": "1m30s"}, 90),
        ({"retry_after": "Mon, 04 May 2026 12:00:40 GMT"}, 40),
        ({"retry_after": "Sat, 28 Nov 2020 00:00:00 GMT"}, 0),
        ({"retry_after": "soon"}, None),
        ({"retry_after": str(int(NOW.timestamp()) + 30)}, 30),
        ({"retry_after": str(int(NOW.timestamp()) * 1000 + 30_000)}, 30),
        ({"retry_after": "2026-05-04T12:00:25+00:00"}, 25),
        ({"x_ratelimit_reset_tokens": "6.2s"}, 6.2),
        (
            {
                "x_ratelimit_reset_tokens": "6s",
                "x_ratelimit_remaining_tokens": "0",
                "x_ratelimit_reset_requests": "8h",
                "x_ratelimit_remaining_requests": "99",
            },
            6,
        ),
        (
            {
                "x_ratelimit_reset_tokens": "6s",
                "x_ratelimit_remaining_tokens": "0",
                "x_ratelimit_reset_requests": "9s",
                "x_ratelimit_remaining_requests": "0",
            },
            9,
        ),
        ({"x_ratelimit_reset_tokens": "6s", "x_ratelimit_remaining_tokens": "5"}, None),
        ({"x_ratelimit_reset_tokens": "6s", "x_ratelimit_reset_requests": "8h"}, 6),
        ({"x_ratelimit_reset": str(int(NOW.timestamp()) + 30), "x_ratelimit_remaining": "0"}, 30),
        ({"anthropic_ratelimit_tokens_reset": "2026-05-04T12:01:00Z"}, 60),
        ({"ratelimitbysize_reset": "12"}, 12),
    ],
)
def test_headers_name_the_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert wait(headers) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Rate limit reached. Please try again in 6.2s. Visit the page.", 6.2),
        ("Please try again in 1m2.5s.", 62.5),
        ("Used 3. Try again in 340ms", 0.34),
        ("Please retry after 26 seconds.", 26),
        ("Please retry in 21.936s.", 21.936),
        ("max RPM: 20, please try again after 1 seconds", 1),
        ("Please wait 2 minutes.", 120),
        ("Your quota resets in 3h5m", 11_100),
        ("Too many requests. Come back in 340ms", 0.34),
        ("Try again at noon", None),
        ("Limit 30000, Used 29000", None),
    ],
)
def test_words_name_the_wait(message: str, seconds: float | None) -> None:
    assert wait({}, message) == (None if seconds is None else pytest.approx(seconds))


def test_the_most_exact_wait_counts() -> None:
    windows = "Limit of 10 requests in 1 minute."
    pause = f"{windows} Please retry in 7s."
    reset = {"x_ratelimit_reset_requests": "9s"}
    assert wait(reset, windows) == 9
    assert wait(reset, pause) == 7
    assert wait({"retry_after": "5", **reset}, pause) == 5
    assert wait({}, windows) == 60


def test_fields_of_the_error_name_the_wait() -> None:
    details = [{"@type": "x/google.rpc.RetryInfo", "retryDelay": "13s"}]
    assert wait_of({"message": "no", "code": 429, "details": details}) == 13
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str((int(NOW.timestamp()) + 90) * 1000)}
    assert wait_of({"message": "no", "metadata": {"headers": reset}}) == 90
    assert wait_of({"message": "no", "retry_after": 7}) == 7


def test_the_reset_of_a_limit_is_no_wait_after_another_error() -> None:
    assert wait({"x_ratelimit_reset_requests": "8h"}, status=500) is None


@given(st.text(), st.text())
def test_any_header_and_message_is_read(value: str, message: str) -> None:
    for name in ("retry_after", "retry_after_ms", "x_ratelimit_reset_tokens"):
        seconds = wait({name: value}, message)
        assert seconds is None or 0 <= seconds <= LONGEST_WAIT_S
