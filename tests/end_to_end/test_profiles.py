"""Model profiles on the command line: a model for each feed, fallbacks, keys, headers, what messages name."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.articles.front_matter import loads
from tests.commands import call_copydesk
from tests.end_to_end.project import Project
from tests.fakes.feed_server import FeedServer
from tests.fakes.model_server import ModelServer, Reply, error
from tests.fakes.pages import rss

THIRD = {"key": "three", "url": "http://127.0.0.1:9/", "model": "default", "fallbacks": ["strong"]}
KEY = "a-key-that-nobody-may-see-0123456789"


@pytest.fixture
def strong() -> Iterator[ModelServer]:
    with ModelServer() as server:
        server.models = ["big"]
        yield server


@pytest.fixture
def cheap() -> Iterator[ModelServer]:
    with ModelServer() as server:
        server.models = ["small"]
        yield server


@pytest.fixture
def project(
    new_project: Callable[..., Project], feeds: FeedServer, strong: ModelServer, cheap: ModelServer
) -> Project:
    """Two feeds of three items, and the profiles of both servers; no feed uses the profile `unused`."""
    feeds.add("/one", rss([20, 19, 18]), content_type="application/rss+xml")
    feeds.add("/two", rss([17, 16, 15]), content_type="application/rss+xml")
    made = new_project({"one": feeds.url("/one"), "two": feeds.url("/two")})
    models = {
        "strong": {"base_url": strong.base_url, "model": "big", "key_variable": "BIG_KEY", "price": "10/10"},
        "cheap": {"base_url": cheap.base_url, "model": "small", "price": "1/1"},
        "unused": {"model": "none", "key_variable": "NOT_SET"},
    }
    change(made, lambda content: content.update(models=models))
    (made.folder / ".env").write_text(f"BIG_KEY={KEY}\n")
    return made


def change(project: Project, edit: Callable[[dict[str, Any]], object]) -> None:
    path = project.folder / "feeds.yaml"
    content = yaml.safe_load(path.read_text())
    edit(content)
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def name_models(project: Project, **fields: dict[str, Any]) -> None:
    """Set fields of the feeds with these keys."""
    change(project, lambda content: [feed.update(fields.get(feed["key"], {})) for feed in content["feeds"]])


def models_by_feed(project: Project) -> dict[str, set[str]]:
    """Return the `ai.model` of the drafts by the source's name."""
    found: dict[str, set[str]] = {}
    for path in project.drafts():
        metadata = loads(path.read_text())[0]
        found.setdefault(metadata["source"]["name"], set()).add(metadata["ai"]["model"])
    return found


def costs(project: Project) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(call_copydesk(project, "cost", "--json").stdout)
    return [
        {name: row[name] for name in row if name in {"profile", "model", "answers", "cost"}} for row in rows
    ]


def test_each_feed_has_its_model_in_one_run_and_that_of_env_is_the_default(
    project: Project, strong: ModelServer, cheap: ModelServer
) -> None:
    project.environ |= {"OPENAI_BASE_URL": cheap.base_url, "COPYDESK_MODEL": "small", "COPYDESK_PRICE": "1/1"}
    name_models(project, one={"model": "strong"})
    result = call_copydesk(project, "run")
    assert result.returncode == 0, result.stderr
    assert "6 drafts (3 rewritten by big, 3 by small)" in result.stdout
    assert models_by_feed(project) == {"One": {"big"}, "Two": {"small"}}
    assert {request["model"] for request in strong.received} == {"big"}
    assert {headers["authorization"] for headers in strong.headers} == {f"Bearer {KEY}"}
    assert not any(KEY in str(headers) for headers in cheap.headers)
    assert costs(project) == [
        {"profile": "default", "model": "small", "answers": 3, "cost": 54},
        {"profile": "strong", "model": "big", "answers": 3, "cost": 540},
    ]


def test_a_feed_without_a_model_gets_briefs(project: Project, cheap: ModelServer) -> None:
    name_models(project, two={"model": "cheap"})
    result = call_copydesk(project, "run")
    assert "3 rewritten by small, 3 offline briefs" in result.stdout, result.stderr
    assert models_by_feed(project) == {"One": {"offline"}, "Two": {"small"}}
    assert [row["answers"] for row in costs(project)] == [3]
    assert costs(project)[0].keys() == {"answers", "cost"}, "one model needs no column"
    [row] = json.loads(call_copydesk(project, "cost", "--by", "profile", "--json").stdout)
    assert row["profile"] == "cheap"


def test_a_gone_model_is_replaced_and_the_report_says_so(
    project: Project, strong: ModelServer, cheap: ModelServer
) -> None:
    strong.refuse = lambda _request: error(404, "The model `big` does not exist", code="model_not_found")
    change(project, lambda content: content["beats"]["crypto"].update(model="strong", fallbacks=["cheap"]))
    result = call_copydesk(project, "run", "--json")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["model"] == "small"
    assert [feed["models"] for feed in report["feeds"]] == [{"small": 3}, {"small": 3}]
    notes = {note for feed in report["feeds"] for note in feed["notes"]}
    assert any(
        note.startswith("cheap was asked instead of strong: the model server does not have 'big'")
        for note in notes
    )
    assert [row["answers"] for row in costs(project)] == [6]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (
            error(401, f"Incorrect API key provided: {KEY}", code="invalid_api_key"),
            "check BIG_KEY, the key of models: strong: in feeds.yaml",
        ),
        (
            error(429, "no money", code="insufficient_quota"),
            "BIG_KEY, the key of models: strong: in feeds.yaml",
        ),
        (
            error(404, "The model `big` does not exist", code="model_not_found"),
            "check model of models: strong: in feeds.yaml",
        ),
        (
            Reply(404, b"<html>no</html>", content_type="text/html"),
            "base_url of models: strong: in feeds.yaml",
        ),
    ],
    ids=["key", "credit", "model", "url"],
)
def test_what_ends_a_run_names_the_setting_of_the_profile(
    project: Project, strong: ModelServer, cheap: ModelServer, reply: Reply, words: str
) -> None:
    strong.refuse = lambda _request: reply
    change(project, lambda content: content["feeds"].pop())
    fallbacks = {} if b"model_not_found" in (reply.body or b"") else {"fallbacks": ["cheap"]}
    name_models(project, one={"model": "strong"} | fallbacks)
    result = call_copydesk(project, "run")
    assert result.returncode == 4, result.stdout
    assert words in result.stderr
    assert "OPENAI_" not in result.stderr
    assert "COPYDESK_MODEL" not in result.stderr
    assert KEY not in result.stdout + result.stderr
    assert cheap.requests == 0
    assert "3 items left in the queue" in result.stdout


def test_a_missing_key_is_said_before_anything_is_done(project: Project, cheap: ModelServer) -> None:
    (project.folder / ".env").unlink()
    name_models(project, one={"model": "cheap", "fallbacks": ["strong"]}, two={"model": "cheap"})
    result = call_copydesk(project, "run")
    assert (result.returncode, cheap.requests) == (2, 0)
    assert (
        "models: strong: in feeds.yaml needs BIG_KEY, which is not set: put BIG_KEY=… into .env"
        in result.stderr
    )
    # A feed that is not polled needs no key, and one without a model has no fallback that needs one.
    name_models(project, one={"enabled": False, "fallbacks": ["strong", "default"]})
    change(project, lambda content: content["feeds"].append(content["feeds"][1] | THIRD))
    result = call_copydesk(project, "run")
    assert (result.returncode, models_by_feed(project)["Two"]) == (0, {"small"}), result.stderr
    rows = json.loads(call_copydesk(project, "doctor", "--json").stdout)
    models = {row["what"]: row["ok"] for row in rows if row["what"].startswith("model")}
    assert models == {"model cheap": True, "model": True}


def test_azure_gets_its_header_its_query_and_its_path(project: Project, strong: ModelServer) -> None:
    azure = {
        "base_url": strong.base_url.replace("/v1", "/openai/deployments/news"),
        "model": "big",
        "headers": {"api-key": "$BIG_KEY", "X-Team": "news"},
        "query": {"api-version": "2024-10-21"},
    }
    change(project, lambda content: content["models"].update(azure=azure))
    name_models(project, one={"model": "azure"})

    def as_azure(_request: dict[str, Any]) -> Reply | None:
        headers, path = strong.headers[-1], strong.paths[-1]
        asked_well = (
            path == "/openai/deployments/news/chat/completions?api-version=2024-10-21"
            and headers.get("api-key") == KEY
            and headers.get("x-team") == "news"
            and "authorization" not in headers
        )
        return None if asked_well else error(401, f"refused {path}, {headers.get('api-key')}")

    strong.refuse = as_azure
    result = call_copydesk(project, "run", "one")
    assert result.returncode == 0, result.stderr
    assert models_by_feed(project) == {"One": {"big"}}

    strong.refuse = lambda _request: error(401, f"Access denied for {KEY}")
    change(project, lambda content: content["feeds"][1].update(model="azure"))
    refused = call_copydesk(project, "run", "two")
    assert refused.returncode == 4
    assert (
        "check BIG_KEY, the key of models: azure: in feeds.yaml (401, the server says: Access denied for …)"
        in refused.stderr
    )


def test_doctor_asks_every_profile_in_use(project: Project, strong: ModelServer) -> None:
    name_models(project, one={"model": "strong"}, two={"model": "cheap", "fallbacks": ["strong"]})
    strong.listing = error(401, f"bad key {KEY}")
    rows = json.loads(call_copydesk(project, "doctor", "--json").stdout)
    models = {row["what"]: row["said"] for row in rows if row["what"].startswith("model")}
    assert models.keys() == {"model strong", "model cheap"}
    assert models["model cheap"] == "the server answers and knows 'small'"
    assert "check BIG_KEY, the key of models: strong: in feeds.yaml" in models["model strong"]
    assert KEY not in str(rows)
    (project.folder / ".env").unlink()
    rows = json.loads(call_copydesk(project, "doctor", "--json").stdout)
    assert "needs BIG_KEY, which is not set" in str(rows)


def test_prompt_show_is_the_request_to_the_feeds_model(project: Project) -> None:
    change(
        project, lambda content: content["models"]["strong"].update(max_tokens=77, extra_body={"top_k": 5})
    )
    name_models(project, one={"max_items_per_day": 1}, two={"max_items_per_day": 1})
    assert call_copydesk(project, "run").returncode == 0
    name_models(project, one={"model": "strong"})
    request = json.loads(call_copydesk(project, "prompt", "show", "one", "--json").stdout)["request"]
    assert (request["model"], request["max_tokens"], request["top_k"]) == ("big", 77, 5)
    request = json.loads(call_copydesk(project, "prompt", "show", "two", "--json").stdout)["request"]
    assert request["model"] is None


def test_a_redraft_of_a_section_is_for_the_feeds_model(
    project: Project, strong: ModelServer, cheap: ModelServer
) -> None:
    assert call_copydesk(project, "run", "one").returncode == 0
    refused = call_copydesk(project, "redraft", project.drafts()[0].name, "--section", "Overview")
    assert refused.returncode == 2
    assert "no model is set" in refused.stderr
    name_models(project, one={"model": "strong"})
    strong.refuse = lambda _request: error(401, "no")
    ended = call_copydesk(project, "redraft", "--offline")
    assert ended.returncode == 4
    for path in project.drafts():
        assert f"{path.name} waits for the next `copydesk run`." in ended.stdout
    strong.refuse, before = lambda _request: None, strong.requests
    result = call_copydesk(project, "run", "one")
    assert result.returncode == 0, result.stderr
    assert models_by_feed(project) == {"One": {"big"}}
    assert (strong.requests - before, cheap.requests) == (3, 0)


def test_a_dry_run_costs_what_the_feeds_model_costs(project: Project) -> None:
    name_models(project, one={"model": "strong"}, two={"model": "cheap"})
    plans = {
        key: json.loads(call_copydesk(project, "backfill", key, "--dry-run", "--json").stdout)["estimate"]
        for key in ("one", "two")
    }
    assert plans["one"]["most"] > 9 * plans["two"]["most"] > 0


def test_the_log_has_no_secret(project: Project, strong: ModelServer) -> None:
    name_models(project, one={"model": "strong"}, two={"model": "strong"})
    project.environ["COPYDESK_LOG"] = "json"
    strong.refuse = lambda _request: error(400, f"bad {KEY}"[:200])
    result = call_copydesk(project, "run")
    assert "no draft of" in result.stderr
    assert KEY not in result.stderr


def test_a_file_with_a_key_is_refused_without_showing_it(project: Project, tmp_path: Path) -> None:
    change(project, lambda content: content["models"]["strong"].update(api_key=KEY))
    result = call_copydesk(project, "run")
    assert result.returncode == 2
    assert "api_key (its value is not shown) does not belong in this file" in result.stderr
    assert KEY not in result.stderr


def test_a_disabled_feed_that_is_named_has_its_second_reader_or_costs_nothing(
    project: Project, strong: ModelServer, cheap: ModelServer
) -> None:
    change(project, lambda content: [feed.update(enabled=False, model="cheap") for feed in content["feeds"]])
    project.environ["COPYDESK_VERIFIER"] = "unused"
    refused = call_copydesk(project, "run", "one")
    assert refused.returncode == 2, refused.stderr
    assert "NOT_SET" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert cheap.requests == 0
    project.environ["COPYDESK_VERIFIER"] = "strong"
    finished = call_copydesk(project, "run", "one")
    assert finished.returncode == 0, finished.stderr
    assert (len(project.drafts()), cheap.requests, strong.requests) == (3, 3, 3)
