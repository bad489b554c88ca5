"""After a source has changed, `copydesk check`, `review` and `drafts show` use its new text."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from copydesk import check, review, run, status
from pipeline.services.context import PollReport
from pipeline.services.feed_report import feed_report
from pipeline.services.report import RunReport
from tests.desk.corrected import Wire, story
from tests.fakes.feed_server import FeedServer


@pytest.fixture
def wire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """A draft that says what the source said first; the terminal is in its project."""
    with FeedServer() as server:
        made = Wire(tmp_path / "project", server)
        made.publish(story(34, 61))
        made.run()
        made.publish(story(43, 16))
        made.run()
        monkeypatch.chdir(made.settings.base)
        yield made


def test_check_blocks_the_old_numbers_and_accepts_the_new(
    wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        check.check(wire.row.external_id, None, None, None, as_json=False)
    assert ended.value.code == 10
    assert "34 is not in the source" in capsys.readouterr().out
    wire.correct_draft()
    check.check(wire.row.external_id, None, None, None, as_json=False)
    assert capsys.readouterr().out.endswith("No findings.\n")


def test_review_blocks_the_old_numbers_shows_both_sources_and_approves_the_new(
    wire: Wire, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a\no\nq\n"))
    review.review_drafts(None, None)
    output = capsys.readouterr()
    assert "has 2 blocking findings" in output.err
    assert output.out.count("The source changed after this was drafted") == 1
    now, _, before = output.out.partition("Source before the change")
    assert "43 staff" in now
    assert "34 staff" in before
    wire.correct_draft()
    monkeypatch.setattr("sys.stdin", io.StringIO("a\n"))
    review.review_drafts(None, None)
    assert wire.row.state == "approved"


def test_a_draft_is_shown_with_its_source_as_it_is_now(
    wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    status.show(wire.row.external_id, as_json=False)
    now, _, before = capsys.readouterr().out.partition("Source before the change")
    assert "43 staff" in now
    assert "34 staff" in before


def test_a_run_reports_changed_sources(capsys: pytest.CaptureFixture[str]) -> None:
    feed = feed_report("wire", PollReport(feed="wire", updated=1), None, [], 0)
    done = RunReport(flow="ingest", seconds=1, feeds=(feed,), model="m", output="output", desk="")
    run.print_report(done.model_dump(), as_json=False)
    output = capsys.readouterr().out
    assert "nothing new" not in output.lower()
    assert output.count("1 source changed") == 2, "of the feed and of the run"
