"""`copydesk proof`, `copydesk eval --field` and the line of `copydesk status`."""

import json
import os
import re
from hashlib import sha256
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import sqlalchemy as sa

from pipeline.articles.front_matter import loads
from pipeline.config import Settings, load_feeds
from pipeline.services.draft_file import EditorContext
from pipeline.services.edit import acknowledge
from pipeline.storage import Database, schema
from tests.commands import call_copydesk
from tests.end_to_end.project import Project
from tests.fakes.stock import fill, layout


def call(settings: Settings, *arguments: str) -> "CompletedProcess[str]":
    inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    own = {"COPYDESK_EDITOR": "Ada", "HOME": str(settings.base), "COLUMNS": "200"}
    return call_copydesk(Project(settings.base, inherited | own), *arguments)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return layout(tmp_path)


@pytest.fixture
def approved(settings: Settings) -> str:
    ref = fill(settings, 1, faults=False)[0]
    done = call(settings, "approve", ref, "--note", "fine")
    assert done.returncode == 0, done.stderr
    return ref


def article(settings: Settings) -> Path:
    [path] = settings.output.glob("published/**/*.md")
    return path


def test_the_record_is_printed_and_agrees(settings: Settings, approved: str) -> None:
    done = call(settings, "proof", approved[:8])
    assert done.returncode == 0, done.stderr
    assert "approved by Ada, on the command line" in done.stdout
    assert "light: not every section was shown" in done.stdout
    assert re.search(r"^Overview\s+not shown", done.stdout, re.MULTILINE)
    assert "The record agrees with the article on disk." in done.stdout


def test_json_has_the_text_whose_hash_is_published(settings: Settings, approved: str) -> None:
    told = json.loads(call(settings, "proof", approved, "--json").stdout)
    metadata, _ = loads(article(settings).read_text())
    assert told["agrees"] is True
    assert sha256(told["canonical"].encode()).hexdigest() == metadata["review"]["proof"] == told["proof"]
    assert json.loads(told["canonical"]) == told["record"]


def test_the_page_needs_no_script_and_no_other_file(
    settings: Settings, approved: str, tmp_path: Path
) -> None:
    page = tmp_path / "proof.html"
    done = call(settings, "proof", approved, "--page", str(page))
    assert (done.returncode, done.stdout) == (0, "The record agrees with the article on disk.\n")
    html = page.read_text()
    assert html.startswith("<!doctype html>")
    assert not any(word in html for word in ("<script", "src=", "href=", "url("))
    assert "Light: not every section was shown." in html
    assert call(settings, "proof", approved, "--page", str(tmp_path / "none" / "x.html")).returncode == 5


def test_a_change_of_either_is_told_with_exit_code_1(settings: Settings, approved: str) -> None:
    path = article(settings)
    text = path.read_text()
    path.write_text(f"{text}More.\n")
    done = call(settings, "proof", approved)
    assert done.returncode == 1
    assert "article on disk was changed" in done.stdout
    path.write_text(text)
    with Database.open(settings.database_url) as db, db._writing() as connection:
        record = connection.scalar(sa.select(schema.verdicts.c.record)) or ""
        changed = record.replace("light", "full")
        connection.execute(schema.verdicts.update().values(record=changed))
    done = call(settings, "proof", approved, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["message"].startswith("The record was changed after the review")


def test_a_draft_without_a_record_is_no_proof(settings: Settings) -> None:
    ref = fill(settings, 1, faults=False)[0]
    done = call(settings, "proof", ref)
    assert (done.returncode, done.stdout) == (1, "")
    assert "has no decision yet" in done.stderr
    assert call(settings, "proof", "nobody").returncode == 6


def test_a_beat_that_refuses_light_reviews_refuses_commands(settings: Settings) -> None:
    ref = fill(settings, 1, faults=False)[0]
    feeds = settings.feeds_file
    feeds.write_text(feeds.read_text().replace("light_reviews: allow", "light_reviews: refuse"))
    done = call(settings, "approve", ref)
    assert done.returncode == 6
    assert "light_reviews: refuse" in done.stderr
    feeds.write_text(feeds.read_text().replace("light_reviews: refuse", "light_reviews: never"))
    done = call(settings, "approve", ref)
    assert done.returncode == 2
    assert "light_reviews" in done.stderr


def test_ends_of_findings_are_counted_by_check(settings: Settings) -> None:
    ref = fill(settings, 1)[0]
    assert call(settings, "eval", "--field").stdout.startswith("No finding has an end yet")
    assert "False alarms" not in call(settings, "status").stdout
    with Database.open(settings.database_url) as db:
        ctx = EditorContext(db, settings.output, load_feeds(settings.feeds_file), "Ada")
        findings = db.drafts.get(ref).findings
        name = next(each for each in findings if each.kind == "name")
        figure = next(each for each in findings if each.kind == "figure")
        acknowledge(ctx, ref, name.key, findings, "", preset="checker-wrong")
        acknowledge(ctx, ref, figure.key, findings, "I saw it.", preset="other")
    header, *lines = call(settings, "eval", "--field").stdout.splitlines()
    assert header.split() == [
        "check", "decided", "derived", "common-knowledge", "checker-wrong", "other", "taken", "edited",
        "passed", "false", "alarms",
    ]  # fmt: skip
    assert [line.split() for line in lines[:2]] == [
        ["figure", "1", "0", "0", "0", "1", "0", "0", "0", "0%"],
        ["name", "1", "0", "0", "1", "0", "0", "0", "0", "100%"],
    ]
    assert lines[-1] == "False alarms: 1 of 2 decided findings (50%)."
    assert "False alarms: 1 of 2 decided findings (50%)." in call(settings, "status").stdout
    told = json.loads(call(settings, "eval", "--field", "--json").stdout)
    assert {each["kind"]: each["false_alarm_rate"] for each in told} == {"figure": 0.0, "name": 1.0}
    assert call(settings, "eval", "--field", "--ask").returncode == 2
