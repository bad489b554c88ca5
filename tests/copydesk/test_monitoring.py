"""The monitoring port of `copydesk serve`: /health, /ready and /metrics over real HTTP."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from copydesk.monitoring import _listening, monitoring_port
from pipeline.config import ListenAddress, load_settings
from pipeline.domain.errors import ConfigError
from pipeline.services.feeds_file import FeedsFile
from pipeline.services.probes import Probes
from pipeline.services.watched_feeds import WatchedFeeds, served_copy
from pipeline.storage import Database
from tests.databases import prepared
from tests.end_to_end.project import free_port

FEEDS = """
beats: {b: {}}
feeds: [{key: one, name: One, url: "https://one.example/feed", beat: b, category: N}]
"""
TOKEN = "a-token-of-length"


@contextmanager
def monitored(folder: Path, **environ: str) -> Iterator[httpx.Client]:
    (folder / "feeds.yaml").write_text(FEEDS)
    own = {
        "COPYDESK_METRICS_PORT": str(free_port()),
        "COPYDESK_DATABASE_URL": prepared(f"sqlite:///{folder / 'ledger.db'}"),
    }
    with (
        monitoring_port(load_settings(own | environ, folder)) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", verify=False) as scraper,
    ):
        yield scraper


def test_a_process_that_can_work_is_alive_and_ready_and_has_metrics(tmp_path: Path) -> None:
    with monitored(tmp_path, COPYDESK_CAP_DAY="5") as scraper:
        assert (scraper.get("/health").status_code, scraper.get("/health").text) == (200, "ok\n")
        ready = scraper.get("/ready")
        assert (ready.status_code, ready.json()) == (200, {"ready": True, "failed": []})
        head = scraper.head("/ready")
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "29")
        answer = scraper.get("/metrics")
        assert scraper.get("/").status_code == 404
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert families["copydesk_build_info"].samples[0].value == 1
    assert families["copydesk_cap_dollars"].samples[0].value == 5


def test_a_broken_edit_that_changes_no_run_leaves_serve_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "feeds.yaml"
    path.write_text(FEEDS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COPYDESK_METRICS_PORT", str(free_port()))
    monkeypatch.setenv("COPYDESK_DATABASE_URL", prepared(f"sqlite:///{tmp_path / 'ledger.db'}"))
    with served_copy(path, WatchedFeeds(path).checked), monitoring_port(load_settings()) as port:
        path.write_text("feeds: 1")
        ready = httpx.get(f"http://127.0.0.1:{port}/ready")
        assert (ready.status_code, ready.json()["failed"]) == (200, [])


def test_a_database_that_is_gone_is_named_and_the_process_stays_alive(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text(FEEDS)
    settings, address = load_settings({}, tmp_path), ListenAddress("127.0.0.1", free_port())
    with Database.open(prepared(settings.database_url)) as db:
        db._engine.dispose()
        for path in (tmp_path / ".copydesk").glob("ledger.db*"):
            path.unlink()
        (tmp_path / ".copydesk/ledger.db").mkdir()
        with _listening(address, Probes(settings, db, FeedsFile(settings)), None) as port:
            url = f"http://127.0.0.1:{port}"
            assert httpx.get(f"{url}/ready").json()["failed"] == ["database"]
            assert httpx.get(f"{url}/metrics").status_code == 503
            assert httpx.get(f"{url}/health").status_code == 200


def test_what_fails_is_named(tmp_path: Path) -> None:
    with monitored(tmp_path) as scraper:
        (tmp_path / "feeds.yaml").write_text("feeds: [")
        unread = scraper.get("/ready")
        assert (unread.status_code, unread.json()["failed"]) == (503, ["feeds.yaml"])
        (tmp_path / "feeds.yaml").write_text(FEEDS)
        with Database.open(f"sqlite:///{tmp_path / 'ledger.db'}") as db, db._engine.begin() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        assert scraper.get("/ready").json()["failed"] == ["schema"]


def test_the_desks_token_protects_the_metrics_and_not_the_probes(tmp_path: Path) -> None:
    with monitored(tmp_path, COPYDESK_DESK_TOKEN=TOKEN) as scraper:
        assert scraper.get("/metrics").status_code == 401
        assert scraper.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert scraper.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        assert scraper.get("/ready").status_code == 200


def test_nothing_listens_unless_the_port_is_set(tmp_path: Path) -> None:
    with monitoring_port(load_settings({}, tmp_path)) as port:
        assert port is None


@pytest.mark.parametrize("value", ["0.0.0.0:9484", "[::]:9484"])
def test_other_machines_reach_it_only_with_a_token(tmp_path: Path, value: str) -> None:
    settings = load_settings({"COPYDESK_METRICS_PORT": value}, tmp_path)
    with pytest.raises(ConfigError, match="COPYDESK_DESK_TOKEN"), monitoring_port(settings):
        raise AssertionError


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        message = "COPYDESK_METRICS_PORT: nothing can listen at 127"
        with pytest.raises(ConfigError, match=message), monitored(tmp_path, COPYDESK_METRICS_PORT=port):
            raise AssertionError


@pytest.mark.parametrize("value", ["0", "65536", "http", "host.example:80", "1.2.3:4", "-1"])
def test_a_wrong_port_is_named(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError, match=r"COPYDESK_METRICS_PORT .* is no port; write one such as 9484"):
        load_settings({"COPYDESK_METRICS_PORT": value}, tmp_path)
