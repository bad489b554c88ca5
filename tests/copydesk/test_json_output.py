"""`--json`: every command that ends by itself has it, and prints one JSON document on stdout."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer
import yaml

from copydesk.main import app
from tests.commands import call_copydesk
from tests.copydesk.newsroom import Newsroom, newsroom
from tests.fakes.model_server import completion, whole_article

DIALOGUES = {"review", "desk", "serve"}
"""Commands that talk with a person, or run until they are stopped."""


def commands(group: Any, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{before}{name} ")
        else:
            yield before + name, command


def test_every_command_that_ends_by_itself_prints_json_on_demand() -> None:
    without = {
        name
        for name, command in commands(typer.main.get_command(app))
        if "--json" not in {option for parameter in command.params for option in parameter.opts}
    }
    assert without == DIALOGUES


OWN_WORDS = {
    "title": "A new port",
    "description": "What a board says about the weeks until its port opens.",
    "overview": "Its board expects the new port to open in a few weeks.",
    "sections": [{"heading": "When it opens", "body": "The weeks until then are counted by the board."}],
}
"""An answer that copies nothing of its source, and adds nothing that is not there."""


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Newsroom]:
    with newsroom(tmp_path) as made:
        made.model.refuse = lambda _request: completion(whole_article(**OWN_WORDS))
        path = made.project.folder / "feeds.yaml"
        content = yaml.safe_load(path.read_text()) | {"publish": {"site": {"kind": "folder", "path": "site"}}}
        path.write_text(yaml.safe_dump(content, sort_keys=False))
        yield made


def document(room: Newsroom, *arguments: str, code: int = 0) -> Any:
    done = call_copydesk(room.project, *arguments, "--json")
    assert done.returncode == code, f"{arguments}: {done.stdout}{done.stderr}"
    return json.loads(done.stdout)


def test_each_prints_one_document(room: Newsroom) -> None:
    plan = document(room, "backfill", "news", "--dry-run")
    assert len(plan["items"]) == 3
    assert len(document(room, "run")["feeds"][0]["drafts"]) == 3
    for arguments in (
        ("status",), ("status", "news"), ("drafts", "list"), ("cost",), ("feeds", "list"), ("feeds", "check"),
        ("feeds", "check", "news"), ("prompt", "lint"), ("doctor",), ("retry",), ("publish",),
    ):  # fmt: skip
        document(room, *arguments)
    first, second, third = [row["short_id"] for row in document(room, "drafts", "list")]
    for arguments in (("drafts", "show", first), ("prompt", "show", first)):
        document(room, *arguments)
    assert document(room, "check", first)["findings"] == []
    [version] = document(room, "versions", first)["versions"]
    assert document(room, "restore", first, version["label"])["version"] == 2
    assert len(document(room, "redraft", first, "--later")["requested"]) == 1
    report = document(room, "redraft", second)["report"]
    assert len(report["feeds"][0]["drafts"]) == 2, "with what was requested for a later run"
    assert len(document(room, "reject", third)["rejected"]) == 1
    assert document(room, "approve", third, code=6)["approved"] == []


def test_decisions_on_published_articles_print_one_document_each(room: Newsroom) -> None:
    document(room, "run")
    rows = document(room, "drafts", "list")
    ids = [row["short_id"] for row in rows]
    approved = document(room, "approve", *ids)
    assert (len(approved["approved"]), approved["errors"]) == (3, [])
    document(room, "proof", ids[0])
    assert [target["error"] for target in document(room, "publish")["targets"]] == [None]
    assert document(room, "correct", ids[0], "--note", "A number was wrong.")["draft"]
    assert len(document(room, "retract", ids[1], "--note", "It is not so.")["articles"]) == 1
    assert len(document(room, "unpublish", ids[2])["articles"]) == 1
    assert document(room, "forget", rows[2]["item"]["link"])["articles"]


def test_files_are_written_and_read_with_one_document_each(room: Newsroom) -> None:
    document(room, "run")
    saved = document(room, "backup", "save", "copy.tar.gz")
    assert saved["database"]
    assert document(room, "feeds", "export", "feeds.opml")["feeds"] == 1
    assert "yaml" in document(room, "feeds", "import", "feeds.opml")
    (room.project.folder / ".copydesk").rename(room.project.folder / "before")
    (room.project.folder / "output").rename(room.project.folder / "output-before")
    assert document(room, "backup", "restore", "copy.tar.gz")["files"] == saved["files"]
