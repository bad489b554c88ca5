"""What Prefect shows: names, tags, tasks and events of runs; backfills by deployment; a killed server."""

import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.commands import call_copydesk
from tests.end_to_end.project import Project, free_port, run_copydesk
from tests.end_to_end.test_direct import FEED
from tests.end_to_end.test_serving import servers, working_in
from tests.fakes.feed_server import FeedServer
from tests.fakes.model_server import ModelServer

pytestmark = [pytest.mark.soak, pytest.mark.process]
_PATIENCE_S = 300


def query(api: str, path: str, **body: Any) -> Any:
    answer = httpx.post(f"{api}/{path}", json=body, timeout=60)
    answer.raise_for_status()
    return answer.json()


def awaited(look: Callable[[], Any]) -> Any:
    """Return what `look` returns once that is true; while a server starts, it may not answer."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            if result := look():
                return result
        except httpx.HTTPError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.3)


def events(api: str, name: str, run: dict[str, Any]) -> list[dict[str, Any]]:
    past = {"since": "2026-01-01T00:00:00Z", "until": datetime.now(UTC).isoformat()}
    of_run = {"id": [f"prefect.flow-run.{run['id']}"]}
    wanted = {"occurred": past, "event": {"name": [name]}, "related": of_run}
    return list(query(api, "events/filter", filter=wanted, limit=50)["events"])


def finished(api: str, flow_run: str) -> dict[str, Any] | None:
    run: dict[str, Any] = httpx.get(f"{api}/flow_runs/{flow_run}", timeout=60).json()
    return run if run["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED") else None


def model_environ(model: ModelServer) -> dict[str, str]:
    return {"COPYDESK_MODEL": "fake-1", "OPENAI_BASE_URL": model.base_url, "COPYDESK_PRICE": "500/500"}


def test_a_run_has_a_name_tags_and_events_and_an_item_that_waits_is_no_failure(
    flow_project: Callable[..., Project], feeds: FeedServer
) -> None:
    feeds.add("/news.xml", FEED, content_type="application/rss+xml")
    link = feeds.add("/page", status=503)
    thin = FEED.replace(b"https://news.example/Cadiz", link.encode())
    feeds.add("/thin.xml", thin, content_type="application/rss+xml")
    # No other test on the shared server has feeds of these names.
    project = flow_project({"named": feeds.url("/news.xml")}, min_chars=0)
    api = project.environ["PREFECT_API_URL"]
    with ModelServer() as model:
        project.environ |= model_environ(model) | {"COPYDESK_CAP_RUN": "1000"}
        done = call_copydesk(project, "run", "named")
        assert done.returncode == 0, done.stderr
    [run] = [run for run in query(api, "flow_runs/filter") if run["name"].startswith("ingest-named-")]
    assert {"feed:named", "beat:crypto", "model:fake-1"} <= set(run["tags"])
    ready = awaited(
        lambda: len(found := events(api, "draft.ready", run) + events(api, "draft.held", run)) == 3 and found
    )
    assert {event["resource"]["copydesk.feed"] for event in ready} == {"named"}
    assert all(event["resource"]["prefect.resource.id"].startswith("copydesk.draft.") for event in ready)
    project.subscribe({"named-thin": feeds.url("/thin.xml")}, min_chars=2000, full_text="auto")
    assert call_copydesk(project, "run", "named-thin").returncode == 0
    [run] = [run for run in query(api, "flow_runs/filter") if run["name"].startswith("ingest-named-thin-")]
    [task] = awaited(
        lambda: query(api, "task_runs/filter", task_runs={"name": {"any_": ["draft named-thin"]}})
    )
    assert (run["state_type"], task["state_type"]) == ("COMPLETED", "COMPLETED")


def test_a_backfill_by_deployment_asks_as_the_command_does_and_serve_outlives_its_server(
    new_project: Callable[..., Project], migrate_prefect: Callable[..., None], feeds: FeedServer
) -> None:
    feeds.add("/news.xml", FEED, content_type="application/rss+xml")
    project = new_project({"news": feeds.url("/news.xml")}, schedule="never")
    migrate_prefect(project.folder / "home")
    port = free_port()
    api = f"http://127.0.0.1:{port}/api"
    with ModelServer() as model:
        project.environ |= model_environ(model)
        project.environ |= {
            "COPYDESK_PREFECT": "on",
            "COPYDESK_PREFECT_PORT": str(port),
            "COPYDESK_CONFIRM": "0",
        }
        serving = run_copydesk(project, "serve", wait=False)
        try:

            def deployment() -> Any:
                return (
                    httpx.get(f"{api}/deployments/name/backfill/manual", timeout=60).raise_for_status().json()
                )

            def backfill(**parameters: Any) -> dict[str, Any]:
                create = f"deployments/{deployment()['id']}/create_flow_run"
                chosen = {"feed": "news", **parameters}
                begun = awaited(lambda: query(api, create, parameters=chosen))
                ended: dict[str, Any] = awaited(lambda: finished(api, begun["id"]))
                return ended

            awaited(deployment)
            refused = backfill(since="2026-01-01")
            assert (refused["state_type"], refused["name"]) == ("FAILED", "backfill-news-2026-01-01..now")
            assert (
                "COPYDESK_CONFIRM allows ($0); set the parameter confirm_cost" in refused["state"]["message"]
            )
            assert model.requests == 0
            logs = query(api, "logs/filter", logs={"flow_run_id": {"any_": [refused["id"]]}})
            assert not any("Traceback" in line["message"] for line in logs)
            dry = backfill(dry_run=True)
            assert (dry["state_type"], dry["name"]) == ("COMPLETED", "backfill-news-first..now-dry-run")
            [server] = [pid for pid, line in working_in(project.folder) if "server start" in line]
            os.kill(server, signal.SIGKILL)
            awaited(deployment)
            done = backfill(confirm_cost=100)
            assert (done["state_type"], len(project.drafts()), model.requests) == ("COMPLETED", 3, 3)
            assert serving.poll() is None
        finally:
            serving.send_signal(signal.SIGINT)
            assert serving.wait(120) == 0
    assert servers(project.folder) == []
