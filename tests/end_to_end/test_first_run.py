"""What a newcomer sees: the sample beat, on the embedded server, twice; then a verdict."""

import json
from pathlib import Path

from pipeline.output.frontmatter import dumps, loads
from tests.end_to_end.project import Project, run_copydesk


def contents(project: Project) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in project.drafts()}


def test_the_sample_beat_drafts_once_and_says_what_to_do_next(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", {})
    first = run_copydesk(project, "--sample", "run")
    assert first.returncode == 0, first.stderr
    written = contents(project)
    assert len(written) >= 10
    assert "offline briefs" in first.stdout
    assert "broken" in first.stdout, "the malformed feed is named"
    assert "drafts list" in first.stdout
    for text in written.values():
        metadata, body = loads(text.decode())
        assert metadata["ai"]["rewritten"] is False
        assert metadata["ai"]["model"] == "offline"
        assert dumps(metadata, body) == text.decode()

    second = run_copydesk(project, "--sample", "run")
    assert second.returncode == 0, second.stderr
    assert "Nothing new" in second.stdout
    assert contents(project) == written

    listed = json.loads(run_copydesk(project, "--sample", "drafts", "list", "--json").stdout)
    assert len(listed) == len(written)
    refused = run_copydesk(project, "--sample", "approve", listed[0]["short_id"])
    assert refused.returncode == 6
    assert "brief" in refused.stderr
    assert contents(project) == written
