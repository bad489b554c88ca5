"""`copydesk review` in its own process, with piped commands."""

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
    inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    own = {"COPYDESK_EDITOR": "Ada", "HOME": str(settings.base), "COLUMNS": "80"}
    done = call_copydesk(
        Project(settings.base, inherited | own | environ), "review", *arguments, given=answers
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def drafts_in(settings: Settings, folder: str) -> set[str]:
    return {path.stem[-8:] for path in settings.output.glob(f"{folder}/**/*.md")}


def test_drafts_are_reviewed_one_after_another(tmp_path: Path) -> None:
    settings = layout(tmp_path)
    held, clean, *rest = [ref[:8] for ref in fill(settings, 4)]
    output = reviewed(settings, "a\nc 1 known\nc 2 known\nc 3 known\nc 4 known\na\nr old news\ns\nq\n")
    assert "has 4 blocking findings" in output
    assert drafts_in(settings, "published") == {held}
    assert drafts_in(settings, "rejected") == {clean}
    assert drafts_in(settings, "drafts") == set(rest)
    assert "2 drafts left to review." in output


def test_a_decision_is_undone_and_the_draft_shown_again(tmp_path: Path) -> None:
    settings = layout(tmp_path)
    fill(settings, 3, faults=False)
    output = reviewed(settings, "a\nu\nq\n")
    assert drafts_in(settings, "published") == set()
    assert output.count("1 of 3") == 2


@pytest.mark.process
def test_an_edit_is_shown_and_approved(tmp_path: Path) -> None:
    settings = layout(tmp_path / "a project")
    fill(settings, 1, faults=False)
    tool = tmp_path / "tool.py"
    tool.write_text(
        "import sys, pathlib\npath = pathlib.Path(sys.argv[1])\n"
        "path.write_text(path.read_text().replace('title:', 'title: My', 1))\n"
    )
    output = reviewed(settings, "e\na\n", EDITOR=f"{sys.executable} {tool}")
    assert "My Lowmere" in output
    [path] = settings.output.glob("published/**/*.md")
    assert str(loads(path.read_text())[0]["title"]).startswith("My ")


def test_wrong_commands_are_errors_and_change_nothing(tmp_path: Path) -> None:
    settings = layout(tmp_path)
    fill(settings, 1)
    output = reviewed(settings, "r\nc 9 x\nc 1\nu\ne\nzzz\n")
    for message in (
        "give a reason: r REASON",
        "by its number",
        "give a reason",
        "nothing to undo",
        "EDITOR=vim",
    ):
        assert message in output
    assert len(drafts_in(settings, "drafts")) == 1


def test_an_empty_queue_says_so(tmp_path: Path) -> None:
    settings = layout(tmp_path)
    fill(settings, 1, faults=False)
    assert "No drafts to review" in reviewed(settings, "", "--findings", "held")
