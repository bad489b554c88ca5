import ast
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.config import VARIABLES, load_settings, parse_day, parse_span, user_agent
from pipeline.domain.errors import ConfigError

ROOT = Path(__file__).parents[3]


def refused(environ: dict[str, str], base: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(environ, base)
    assert "\n" not in caught.value.message
    assert caught.value.__cause__ is None or "sesame" not in str(caught.value.__cause__)
    return caught.value.message


def test_an_empty_environment_gives_the_defaults(tmp_path: Path) -> None:
    settings = load_settings({"LOGNAME": "ada"}, tmp_path)
    assert settings.model_dump() == {
        "base": tmp_path,
        "feeds_file": tmp_path / "feeds.yaml",
        "output": tmp_path / "output",
        "database_url": f"sqlite:///{tmp_path}/.copydesk/ledger.db",
        "model": None,
        "base_url": None,
        "api_key": None,
        "verifier": "off",
        "timezone": "UTC",
        "max_in_flight": 8,
        "model_timeout_s": 120.0,
        "deadline_s": 600.0,
        "stop_grace_s": 60.0,
        "server": None,
        "max_tokens": None,
        "temperature": None,
        "seed": None,
        "extra_body": {},
        "price": None,
        "cap_run": None,
        "cap_day": None,
        "cap_month": None,
        "confirm": Decimal(1),
        "contact": None,
        "allow_hosts": frozenset(),
        "editor": "ada",
        "desk_token": None,
        "desk_hosts": frozenset(),
        "desk_user_header": None,
        "desk_user_secret": None,
        "desk_url": "http://127.0.0.1:8484",
        "reading_words_per_s": 15,
        "review_times": True,
        "alert_url": None,
        "alert_hours": 24,
        "log": None,
        "metrics_port": None,
        "max_in_flight_total": None,
        "calls_per_minute": None,
        "writes_drafts": True,
        "prefect": True,
        "prefect_port": None,
        "cap_backfill": None,
        "unsplash_key": None,
        "hooks": {},
    }


def test_every_variable_fills_its_setting(tmp_path: Path) -> None:
    value = {
        "COPYDESK_FEEDS": "conf/mine.yaml",
        "COPYDESK_OUTPUT": "/srv/out",
        "COPYDESK_DATABASE_URL": "postgresql://u:p@db/copydesk",
        "COPYDESK_MODEL": "m-1",
        "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
        "OPENAI_API_KEY": "sesame",
        "COPYDESK_VERIFIER": "default",
        "COPYDESK_TIMEZONE": "Europe/Paris",
        "COPYDESK_MAX_IN_FLIGHT": "3",
        "COPYDESK_MODEL_TIMEOUT": "1.5",
        "COPYDESK_MODEL_DEADLINE": "9",
        "COPYDESK_STOP_GRACE": "0",
        "COPYDESK_SERVER": "local",
        "COPYDESK_MAX_TOKENS": "900",
        "COPYDESK_TEMPERATURE": "0.2",
        "COPYDESK_SEED": "7",
        "COPYDESK_EXTRA_BODY": '{"top_p": 0.9}',
        "COPYDESK_PRICE": "$0.4/0.1/1.6",
        "COPYDESK_CAP_RUN": "0.5",
        "COPYDESK_CAP_DAY": "2",
        "COPYDESK_CAP_MONTH": "40",
        "COPYDESK_CONFIRM": "2.5",
        "COPYDESK_CONTACT": "desk@example.org",
        "COPYDESK_ALLOW_HOSTS": "Feeds.Intra:80, [::1]:8080,",
        "COPYDESK_EDITOR": "Grace",
        "COPYDESK_DESK_TOKEN": "sixteen-letters!",
        "COPYDESK_DESK_HOSTS": "Desk.example.org, other.example:8443,",
        "COPYDESK_DESK_USER_HEADER": "X-Forwarded-User",
        "COPYDESK_DESK_USER_SECRET": "the proxy's own word",
        "COPYDESK_DESK_URL": "https://desk.example.org",
        "COPYDESK_READING_WORDS_PER_S": "0",
        "COPYDESK_REVIEW_TIMES": "off",
        "COPYDESK_ALERT_URL": "https://chat.example/hooks/a-secret",
        "COPYDESK_ALERT_HOURS": "6",
        "COPYDESK_LOG": "json",
        "COPYDESK_METRICS_PORT": "[::1]:9484",
        "COPYDESK_MAX_IN_FLIGHT_TOTAL": "30",
        "COPYDESK_CALLS_PER_MINUTE": "500",
        "COPYDESK_WRITES_DRAFTS": "no",
        "COPYDESK_PREFECT": "off",
        "COPYDESK_PREFECT_PORT": "4200",
        "COPYDESK_CAP_BACKFILL": "3",
        "UNSPLASH_ACCESS_KEY": "a-key",
    }
    assert value.keys() == VARIABLES.keys()
    settings = load_settings(value, tmp_path)
    assert settings.feeds_file == tmp_path / "conf/mine.yaml"
    assert settings.output == Path("/srv/out")
    assert settings.metrics_port == ("::1", 9484)
    assert settings.database_url == "postgresql+psycopg://u:p@db/copydesk"
    assert (settings.model, settings.base_url) == ("m-1", "http://127.0.0.1:1/v1")
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "sesame"
    assert (settings.timezone, settings.max_in_flight) == ("Europe/Paris", 3)
    assert (settings.model_timeout_s, settings.deadline_s, settings.stop_grace_s) == (1.5, 9.0, 0.0)
    assert (settings.server, settings.max_tokens, settings.temperature, settings.seed) == (
        "local",
        900,
        0.2,
        7,
    )
    assert settings.extra_body == {"top_p": 0.9}
    assert settings.price == (Decimal("0.4"), Decimal("0.1"), Decimal("1.6"))
    assert [settings.cap_run, settings.cap_day, settings.cap_month] == [Decimal("0.5"), 2, 40]
    assert settings.confirm == Decimal("2.5")
    assert settings.allow_hosts == {"feeds.intra:80", "[::1]:8080"}
    assert (settings.contact, settings.editor) == ("desk@example.org", "Grace")
    assert settings.desk_token
    assert settings.desk_token.get_secret_value() == "sixteen-letters!"
    assert settings.desk_hosts == {"desk.example.org", "other.example:8443"}
    assert settings.desk_user_header == "X-Forwarded-User"
    assert settings.desk_user_secret
    assert settings.desk_user_secret.get_secret_value() == "the proxy's own word"
    assert "own word" not in repr(settings)
    assert (settings.desk_url, settings.alert_hours, settings.log) == ("https://desk.example.org", 6, "json")
    assert (settings.max_in_flight_total, settings.calls_per_minute) == (30, 500)
    assert settings.cap_backfill == 3
    assert (settings.reading_words_per_s, settings.review_times) == (0, False)
    assert (settings.writes_drafts, settings.prefect, settings.prefect_port) == (False, False, 4200)
    assert settings.alert_url
    assert "a-secret" not in repr(settings)
    assert settings.unsplash_key
    assert "a-key" not in repr(settings)
    assert re.fullmatch(r"Copydesk/[\d.]+ \(\+desk@example\.org\)", user_agent(settings))
    assert "sesame" not in repr(settings)
    assert "u:p@" not in repr(settings)


def test_the_environment_wins_over_the_file_even_when_empty(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "\ufeff# comment\nexport COPYDESK_MODEL=m-file\nOPENAI_API_KEY='k$HOME'\nCOPYDESK_EDITOR=File\nX=1\n"
    )
    settings = load_settings({"COPYDESK_MODEL": "", "COPYDESK_EDITOR": "Env"}, tmp_path)
    assert (settings.model, settings.editor) == (None, "Env")
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "k$HOME"
    assert load_settings({}, tmp_path).model == "m-file"


@pytest.mark.parametrize("line", ["COPYDESK_MODEL", "COPYDESK_MODEL='open", "just words here"])
def test_a_malformed_line_is_reported_with_its_number(tmp_path: Path, line: str) -> None:
    (tmp_path / ".env").write_text(f"COPYDESK_EDITOR=x\n\n{line}\n")
    assert refused({}, tmp_path).startswith(".env:3: not NAME=value")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"COPYDESK_EDITOR=\xff\n")
    assert "not UTF-8" in refused({}, tmp_path)
    (tmp_path / ".env").unlink()
    (tmp_path / ".env").mkdir()
    assert ".env cannot be read" in refused({}, tmp_path)


def test_a_port_of_any_number_of_digits_is_refused_in_plain_words(tmp_path: Path) -> None:
    assert "is no port; write one such as 9484" in refused({"COPYDESK_METRICS_PORT": "9" * 5000}, tmp_path)


@pytest.mark.parametrize("name", ["", "offline", "OFFLINE", "  "])
def test_offline_means_no_model(tmp_path: Path, name: str) -> None:
    assert load_settings({"COPYDESK_MODEL": name}, tmp_path).model is None


def test_a_model_needs_a_server(tmp_path: Path) -> None:
    message = refused({"COPYDESK_MODEL": "m-1"}, tmp_path)
    assert "'m-1'" in message
    assert "OPENAI_API_KEY" in message
    local = {"COPYDESK_MODEL": "m-1", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}
    assert load_settings(local, tmp_path).model == "m-1"
    assert load_settings({"COPYDESK_MODEL": "m-1", "OPENAI_API_KEY": "k"}, tmp_path).model == "m-1"


def test_an_unknown_variable_is_refused_with_a_guess(tmp_path: Path) -> None:
    message = refused({"COPYDESK_MODLE": "x"}, tmp_path)
    assert message == "COPYDESK_MODLE is not a setting of Copydesk; did you mean COPYDESK_MODEL?"


@pytest.mark.parametrize(
    ("variable", "value", "fix"),
    [
        ("COPYDESK_MAX_IN_FLIGHT", "many", "whole number"),
        ("COPYDESK_MAX_IN_FLIGHT", "0", "1 or more"),
        ("COPYDESK_MAX_IN_FLIGHT", "999", "256 or less"),
        ("COPYDESK_WRITES_DRAFTS", "maybe", "neither yes nor no"),
        ("COPYDESK_PREFECT", "maybe", "neither yes nor no"),
        ("COPYDESK_PREFECT_PORT", "65536", "65535 or less"),
        ("COPYDESK_PREFECT_PORT", "100000", "65535 or less"),
        ("COPYDESK_METRICS_PORT", "65536", "is no port; write one such as"),
        ("COPYDESK_MODEL_TIMEOUT", "soon", "not a number"),
        ("COPYDESK_MODEL_TIMEOUT", "-1", "above zero"),
        ("COPYDESK_MODEL_DEADLINE", "nan", "finite number"),
        ("COPYDESK_STOP_GRACE", "a minute", "not a number"),
        ("COPYDESK_STOP_GRACE", "-1", "0 or more"),
        ("COPYDESK_STOP_GRACE", "3601", "too large"),
        ("COPYDESK_SERVER", "openia", "openai"),
        ("COPYDESK_MAX_TOKENS", "3", "16 or more"),
        ("COPYDESK_TEMPERATURE", "hot", "not a number"),
        ("COPYDESK_EXTRA_BODY", "top_p", '{"top_p": 0.9}'),
        ("COPYDESK_EXTRA_BODY", "[1]", '{"top_p": 0.9}'),
        ("COPYDESK_PRICE", "cheap", "0.4/1.6"),
        ("COPYDESK_PRICE", "0.4", "0.4/1.6"),
        ("COPYDESK_CAP_DAY", "-1", "0 or more"),
        ("COPYDESK_CAP_DAY", "ten", "not a number"),
        ("COPYDESK_TIMEZONE", "Mars/Olympus", "Europe/Paris"),
        ("COPYDESK_TIMEZONE", "../etc/passwd", "Europe/Paris"),
        ("COPYDESK_TIMEZONE", "America", "Europe/Paris"),
        ("COPYDESK_CONTACT", "desk\r\nX-Evil: 1", "on one line"),
        ("COPYDESK_ALLOW_HOSTS", "feeds.intra", "127.0.0.1:8080"),
        ("COPYDESK_ALLOW_HOSTS", "http://feeds.intra:80", "127.0.0.1:8080"),
        ("COPYDESK_ALLOW_HOSTS", "feeds.intra:99999", "127.0.0.1:8080"),
        ("COPYDESK_FEEDS", "~nobody-of-that-name/feeds.yaml", "full path"),
    ],
)
def test_a_wrong_value_is_named_with_its_fix(tmp_path: Path, variable: str, value: str, fix: str) -> None:
    message = refused({variable: value}, tmp_path)
    assert message.startswith(f"{variable} {value!r} ")
    assert fix in message


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OPENAI_API_KEY", "sesame\u2028"),
        ("OPENAI_BASE_URL", "sesame.example.org"),
        ("OPENAI_BASE_URL", "http://["),
        ("OPENAI_BASE_URL", "http://sesame:99999/"),
        ("OPENAI_BASE_URL", "http://1.2.3.999/sesame"),
        ("OPENAI_BASE_URL", "http://ü_sesame.example/"),
        ("OPENAI_BASE_URL", "http://sesame..example/"),
        ("OPENAI_BASE_URL", "http://sesame .example/"),
        ("COPYDESK_DATABASE_URL", "mysql://root:sesame@db/x"),
        ("COPYDESK_DATABASE_URL", "sesame"),
    ],
)
def test_a_possible_secret_is_not_shown(tmp_path: Path, variable: str, value: str) -> None:
    # The middle of a value cannot be stripped away, its end can.
    message = refused({variable: f"{value}x"}, tmp_path)
    assert message.startswith(variable)
    assert "sesame" not in message


def test_all_wrong_values_are_counted(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"and 1 more settings? .*wrong") as caught:
        load_settings({"COPYDESK_MAX_IN_FLIGHT": "x", "COPYDESK_TIMEZONE": "y"}, tmp_path)
    problems = caught.value.context["problems"]
    assert isinstance(problems, tuple)
    assert [text.split()[0] for text in problems] == ["COPYDESK_TIMEZONE", "COPYDESK_MAX_IN_FLIGHT"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("sqlite:///mine.db", "sqlite:///{base}/mine.db"),
        ("sqlite:////srv/mine.db", "sqlite:////srv/mine.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("postgres://db/x", "postgresql+psycopg://db/x"),
    ],
)
def test_database_urls(tmp_path: Path, value: str, expected: str) -> None:
    url = load_settings({"COPYDESK_DATABASE_URL": value}, tmp_path).database_url
    assert url == expected.format(base=tmp_path)


def test_the_example_names_every_variable_and_sets_the_second_reader_alone(tmp_path: Path) -> None:
    text = (ROOT / "copydesk/init_files/env").read_text()
    assert set(re.findall(r"^#?([A-Z_]+)=", text, re.M)) == VARIABLES.keys()
    assert [line for line in text.splitlines() if line and not line.startswith("#")] == [
        "COPYDESK_VERIFIER=default"
    ]
    uncommented = re.sub(r"^#([A-Z_]+=)", r"\1", text, flags=re.M)
    (tmp_path / ".env").write_text(uncommented)
    assert load_settings({"LOGNAME": "ada"}, tmp_path).model is not None


def test_nothing_else_in_the_pipeline_reads_the_environment() -> None:
    readers = set()
    for path in (ROOT / "pipeline").rglob("*.py"):
        names = {
            node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)
        }
        if names & {"environ", "getenv", "environb"}:
            readers.add(path.relative_to(ROOT).as_posix())
    # The transport reads the proxies, as every HTTP client does, and names the variable of an unusable one.
    assert readers == {
        "pipeline/config/env_values.py",
        "pipeline/config/settings.py",
        "pipeline/http_client/transport.py",
    }


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("2026-01-31", "UTC", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31", "America/New_York", datetime(2026, 1, 31, 5, tzinfo=UTC)),
        (" 2026-07-01 ", "Europe/Paris", datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("2026-07-01T18:30", "Europe/Paris", datetime(2026, 7, 1, 16, 30, tzinfo=UTC)),
        ("2026-07-01T18:30:00+09:00", "Europe/Paris", datetime(2026, 7, 1, 9, 30, tzinfo=UTC)),
        ("2026-07-01T18:30Z", "Europe/Paris", datetime(2026, 7, 1, 18, 30, tzinfo=UTC)),
        # The clocks went forward at midnight: the day began at one o'clock.
        ("2018-11-04", "America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),
    ],
)
def test_days(text: str, zone: str, moment: datetime) -> None:
    parsed = parse_day(text, zone)
    assert parsed == moment
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-02-30", "31.01.2026", "2026-01-31T25:00", "1" * 5000]
)
def test_rubbish_is_no_day(text: str) -> None:
    with pytest.raises(ConfigError, match="2026-01-31") as caught:
        parse_day(text, "UTC")
    assert len(caught.value.message) < 200


def test_a_day_before_time_began_is_refused() -> None:
    with pytest.raises(ConfigError, match="is not a day"):
        parse_day("0001-01-01", "Asia/Tokyo")


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2026-02-01", "2026-02-01"),
        ("2026-02-02", "2026-02-01"),
        ("2026-02-01T10:00", "2026-02-01T10:00"),
        ("2026-02-01T10:00", "2026-02-01"),
        ("2026-02-01", "2026-01-31T23:00Z"),  # that very moment, where the day begins an hour before UTC's
        ("2026-02-01T10:00+02:00", "2026-02-01T08:00Z"),
    ],
)
def test_a_span_that_nothing_can_be_in_is_refused(since: str, until: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_span(since, until, "Europe/Paris")
    assert caught.value.message == (
        f"--since {since} is not before --until {until}, so nothing is between them: "
        "the end is not included; write a later one"
    )


@pytest.mark.parametrize(
    ("since", "until", "span"),
    [
        (None, None, (None, None)),
        ("", "2026-02-01", (None, datetime(2026, 1, 31, 23, tzinfo=UTC))),
        ("2026-02-01", None, (datetime(2026, 1, 31, 23, tzinfo=UTC), None)),
        (
            "2026-02-01",
            "2026-01-31T23:01Z",
            (datetime(2026, 1, 31, 23, tzinfo=UTC), datetime(2026, 1, 31, 23, 1, tzinfo=UTC)),
        ),
    ],
)
def test_spans_may_be_open(since: str | None, until: str | None, span: object) -> None:
    assert parse_span(since, until, "Europe/Paris") == span
