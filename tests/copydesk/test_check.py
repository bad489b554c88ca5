"""`copydesk check` as an editor calls it."""

import json
from pathlib import Path

import pytest

from copydesk.check import line_of
from pipeline.domain.models import Finding, Severity
from tests.commands import call_copydesk
from tests.end_to_end.project import Project
from tests.pipeline.checks.articles import ARTICLE, TEXT

BAD = ARTICLE.replace("as long as anybody", "as long as everybody")
FRONT = "---\ntitle: Arden mill to close\nlang: en\n---\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project.create(tmp_path / "project", {"one": "https://one.example/feed"})
    (made.folder / "feeds.yaml").unlink()
    (made.folder / "source.txt").write_text(TEXT)
    return made


def write(project: Project, text: str) -> str:
    (project.folder / "mill.md").write_text(text)
    return "mill.md"


def test_a_file_with_a_source_needs_no_feeds(project: Project) -> None:
    found = call_copydesk(project, "check", write(project, FRONT + ARTICLE), "--source", "source.txt")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.endswith("No findings.\n")
    assert "   5 ## Overview\n" in found.stdout


def test_findings_are_marked_where_they_stand_and_listed_with_their_lines(project: Project) -> None:
    found = call_copydesk(project, "check", write(project, FRONT + BAD), "--source", "source.txt")
    assert (found.returncode, found.stderr) == (1, "")
    lines = found.stdout.splitlines()
    marked = next(
        number for number, line in enumerate(lines) if "[1: We kept it open for as long as everybody" in line
    )
    line = lines[marked].split()[0]
    assert f"  1. block: line {line}, quotation: The source has this in other words:" in found.stdout
    assert (FRONT + BAD).splitlines()[int(line) - 1] in lines[marked].replace("[1: ", "").replace(",]", ",")
    assert lines[-1] == "1 block."


def test_any_text_is_no_article_that_lacks_its_sections(project: Project) -> None:
    found = call_copydesk(project, "check", write(project, "The mill shuts.\n"), "--source", "source.txt")
    assert (found.returncode, found.stdout.splitlines()[-1]) == (0, "No findings.")
    found = call_copydesk(
        project, "check", write(project, "## Overview\n\nIt shuts.\n"), "--source", "source.txt"
    )
    assert (found.returncode, found.stdout.splitlines()[-1]) == (1, "2 block.")


def test_machines_get_places_and_keys(project: Project) -> None:
    name = write(project, FRONT + BAD)
    told = json.loads(call_copydesk(project, "check", name, "--source", "source.txt", "--json").stdout)
    [finding] = told["findings"]
    assert told["counts"] == {"block": 1, "warn": 0, "note": 0}
    assert BAD[finding["start"] : finding["end"]] == finding["text"]
    assert (FRONT + BAD).splitlines()[finding["line"] - 1].count("everybody") == 1
    assert [TEXT[one["start"] : one["end"]] for one in finding["evidence"]] == [
        finding["evidence"][0]["text"]
    ]
    assert len(finding["key"]) == 16
    assert told["copied"]["share"] == 0


def test_the_language_is_the_files_or_the_one_that_is_told(project: Project) -> None:
    name = write(project, FRONT.replace("lang: en", "lang: nl") + ARTICLE)
    told = json.loads(call_copydesk(project, "check", name, "--source", "source.txt", "--json").stdout)
    assert told["language"] == "nl"
    assert told["counts"]["note"] > 0
    args = ("check", name, "--source", "source.txt", "--json", "--language", "en")
    told = json.loads(call_copydesk(project, *args).stdout)
    assert (told["language"], told["findings"]) == ("en", [])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("check",), "name a draft"),
        (("check", "mill.md", "--source", "none.txt"), "none.txt cannot be read"),
        (("check", "none.md", "--source", "source.txt"), "none.md cannot be read"),
        (("check", "mill.md", "--pairs", "p.jsonl"), "use --pairs FILE without a draft"),
        (("check", "broken.md", "--source", "source.txt"), "broken.md"),
        (("check", "latin.md", "--source", "source.txt"), "latin.md is not UTF-8"),
        (("check", "--nonsense"), "No such option"),
    ],
)
def test_wrong_usage_is_told_by_code_two(project: Project, args: tuple[str, ...], said: str) -> None:
    write(project, ARTICLE)
    (project.folder / "broken.md").write_text("---\ntitle: [\n---\nText.\n")
    (project.folder / "latin.md").write_bytes(b"caf\xe9")
    found = call_copydesk(project, *args)
    assert found.returncode == 2
    assert said in found.stderr


def test_pairs_go_in_and_flags_come_out(project: Project) -> None:
    rows = [
        {"id": "a", "source": 'Tolle said: "We kept it open."', "output": 'Tolle said: "We kept it shut."'},
        {"id": 7, "source": "It \U0001f600 is.", "output": "It is.", "spans": []},
    ]
    text = "\n".join(json.dumps(row) for row in rows)
    (project.folder / "p.jsonl").write_text(text + "\n\n")
    found = call_copydesk(project, "check", "--pairs", "p.jsonl")
    assert (found.returncode, found.stderr) == (0, "")
    first, second = map(json.loads, found.stdout.splitlines())
    [flag] = first["flags"]
    assert flag == {
        "start": 13,
        "end": 28,
        "text": "We kept it shut",
        "kind": "quotation",
        "severity": "block",
    } | {
        "end": 29,
        "text": "We kept it shut.",
    }
    assert (first["id"], first["notes"]) == ("a", [])
    assert first["ms"] > 0
    assert (second["id"], second["flags"]) == (7, [])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not valid JSON"),
        ("[]", '"id" is missing'),
        ('{"id": 1, "source": 2, "output": ""}', '"source" is missing'),
    ],
)
def test_a_broken_line_is_named(project: Project, line: str, said: str) -> None:
    (project.folder / "p.jsonl").write_text('{"id": 1, "source": "a", "output": "b"}\n' + line + "\n")
    found = call_copydesk(project, "check", "--pairs", "p.jsonl")
    assert found.returncode == 2
    assert f"p.jsonl:2: {said}" in found.stderr


def test_lines_are_counted_in_the_file() -> None:
    finding = Finding(kind="k", severity=Severity.WARN, message="m", span=(4, 5))
    assert line_of("a\nb\nc", finding, 10) == 12
    assert line_of("a", finding.model_copy(update={"span": None}), 10) is None
