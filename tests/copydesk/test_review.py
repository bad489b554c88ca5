"""`copydesk review` with its answers piped in, in a process of its own."""

import os
import sys
from pathlib import Path

import pytest

from pipeline.articles.front_matter import loads
from pipeline.config import Settings
from tests.commands import call_copydesk
from tests.end_to_end.project import Project
from tests.fakes.stock import fill, layout


def reviewed(settings: Settings, answers: str, *arguments: str, **environ: str) -> str:
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    own = {"COPYDESK_EDITOR": "Ada", "HOME": str(settings.base), "COLUMNS": "80"}
    done = call_copydesk(Project(settings.base, kept | own | environ), "review", *arguments, given=answers)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def standing(settings: Settings, folder: str) -> set[str]:
    return {path.stem[-8:] for path in settings.output.glob(f"{folder}/**/*.md")}


def test_one_draft_after_another_is_decided_on(tmp_path: Path) -> None:
    settings = layout(tmp_path)
    held, clean, *rest = [ref[:8] for ref in fill(settings, 4)]
    said = reviewed(settings, "a\nc 1 known\nc 2 known\nc 3 known\nc 4 known\na\nr old news\ns\nq\n")
    assert "has 4 blocking findings" in said
    assert standing(settings, "published") == {held}
    assert standing(settings, "rejected") == {clean}
    assert standing(settings, "drafts") == set(rest)
    assert "2 drafts wait." in said


def test_a_verdict_is_taken_back_and_the_draft_shown_again(tmp_path: Path) -> None:
    settings = layout(tmp_path)
    fill(settings, 3, faults=False)
    said = reviewed(settings, "a\nu\nq\n")
    assert standing(settings, "published") == set()
    assert said.count("1 of 3") == 2


@pytest.mark.process
def test_what_the_editor_wrote_is_shown_and_approved(tmp_path: Path) -> None:
    settings = layout(tmp_path / "a project")
    fill(settings, 1, faults=False)
    tool = tmp_path / "tool.py"
    tool.write_text(
        "import sys, pathlib\npath = pathlib.Path(sys.argv[1])\n"
        "path.write_text(path.read_text().replace('title:', 'title: My', 1))\n"
    )
    said = reviewed(settings, "e\na\n", EDITOR=f"{sys.executable} {tool}")
    assert "My Lowmere" in said
    [path] = settings.output.glob("published/**/*.md")
    assert str(loads(path.read_text())[0]["title"]).startswith("My ")


def test_mistakes_are_told_and_nothing_is_done(tmp_path: Path) -> None:
    settings = layout(tmp_path)
    fill(settings, 1)
    said = reviewed(settings, "r\nc 9 x\nc 1\nu\ne\nzzz\n")
    for words in (
        "say why: r REASON",
        "by its number",
        "give a reason",
        "no verdict here",
        "EDITOR=vim",
    ):
        assert words in said
    assert len(standing(settings, "drafts")) == 1


def test_an_empty_queue_says_so(tmp_path: Path) -> None:
    settings = layout(tmp_path)
    fill(settings, 1, faults=False)
    assert "Nothing waits" in reviewed(settings, "", "--findings", "held")
