"""`copydesk check` for files and pairs."""

import json
from pathlib import Path

import pytest

from copydesk.check import line_of
from pipeline.domain.reviews import Finding, Severity
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
    result = call_copydesk(project, "check", write(project, FRONT + ARTICLE), "--source", "source.txt")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.endswith("No findings.\n")
    assert "   5 ## Overview\n" in result.stdout


def test_findings_are_marked_in_the_text_and_listed_with_their_lines(project: Project) -> None:
    result = call_copydesk(project, "check", write(project, FRONT + BAD), "--source", "source.txt")
    assert (result.returncode, result.stderr) == (10, "")
    lines = result.stdout.splitlines()
    marked = next(
        number for number, line in enumerate(lines) if "[1: We kept it open for as long as everybody" in line
    )
    line = lines[marked].split()[0]
    assert f"  1. block: line {line}, quotation: The source words this differently:" in result.stdout
    assert (FRONT + BAD).splitlines()[int(line) - 1] in lines[marked].replace("[1: ", "").replace(",]", ",")
    assert lines[-1] == "Findings: 1 block."


def test_a_text_without_article_sections_has_no_section_findings(project: Project) -> None:
    result = call_copydesk(project, "check", write(project, "The mill shuts.\n"), "--source", "source.txt")
    assert (result.returncode, result.stdout.splitlines()[-1]) == (0, "No findings.")
    result = call_copydesk(
        project, "check", write(project, "## Overview\n\nIt shuts.\n"), "--source", "source.txt"
    )
    assert (result.returncode, result.stdout.splitlines()[-1]) == (10, "Findings: 2 block.")


def test_json_has_positions_and_keys(project: Project) -> None:
    name = write(project, FRONT + BAD)
    report = json.loads(call_copydesk(project, "check", name, "--source", "source.txt", "--json").stdout)
    [finding] = report["findings"]
    assert report["counts"] == {"block": 1, "warn": 0, "note": 0}
    assert BAD[finding["start"] : finding["end"]] == finding["text"]
    assert (FRONT + BAD).splitlines()[finding["line"] - 1].count("everybody") == 1
    assert [TEXT[row["start"] : row["end"]] for row in finding["evidence"]] == [
        finding["evidence"][0]["text"]
    ]
    assert len(finding["key"]) == 16
    assert report["copied"]["share"] == 0


def test_the_language_is_the_files_or_the_options(project: Project) -> None:
    name = write(project, FRONT.replace("lang: en", "lang: nl") + ARTICLE)
    report = json.loads(call_copydesk(project, "check", name, "--source", "source.txt", "--json").stdout)
    assert report["language"] == "nl"
    assert report["counts"]["note"] > 0
    args = ("check", name, "--source", "source.txt", "--json", "--language", "en")
    report = json.loads(call_copydesk(project, *args).stdout)
    assert (report["language"], report["findings"]) == ("en", [])


@pytest.mark.parametrize(
    ("args", "message"),
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
def test_wrong_usage_has_exit_code_two(project: Project, args: tuple[str, ...], message: str) -> None:
    write(project, ARTICLE)
    (project.folder / "broken.md").write_text("---\ntitle: [\n---\nText.\n")
    (project.folder / "latin.md").write_bytes(b"caf\xe9")
    result = call_copydesk(project, *args)
    assert result.returncode == 2
    assert message in result.stderr


def test_pairs_go_in_and_flags_come_out(project: Project) -> None:
    rows = [
        {"id": "a", "source": 'Tolle said: "We kept it open."', "output": 'Tolle said: "We kept it shut."'},
        {"id": 7, "source": "It \U0001f600 is.", "output": "It is.", "spans": []},
    ]
    text = "\n".join(json.dumps(row) for row in rows)
    (project.folder / "p.jsonl").write_text(text + "\n\n")
    result = call_copydesk(project, "check", "--pairs", "p.jsonl")
    assert (result.returncode, result.stderr) == (0, "")
    first, second = map(json.loads, result.stdout.splitlines())
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


def test_a_pair_with_headings_is_checked_as_an_article(project: Project) -> None:
    body = "## Kurz\n\nTolle opened the mill.\n\n## Stimme\n\nIt may last.\n\n"
    body += "## Folgen for mills\n\nOrel may follow.\n"
    row = {
        "id": "c",
        "title": "Tolle opens a mill",
        "author": "Mara Tolle",
        "feed": "Mill News",
        "published": "2026-02-05 08:00 UTC",
        "language": "en",
        "headings": {"overview": "Kurz", "from_author": "Stimme", "impact": "Folgen for mills"},
        "source": "I opened the mill.",
        "output": body,
    }
    (project.folder / "p.jsonl").write_text(json.dumps(row))
    result = call_copydesk(project, "check", "--pairs", "p.jsonl")
    flags = {(flag["kind"], flag["text"]) for flag in json.loads(result.stdout)["flags"]}
    assert ("name", "Orel") in flags
    assert not {"Kurz", "Stimme", "Folgen", "Tolle"} & {text for _, text in flags}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", '"id" is missing'),
        ('{"id": 1, "source": 2, "output": ""}', '"source" is missing'),
    ],
)
def test_an_invalid_line_is_named(project: Project, line: str, message: str) -> None:
    (project.folder / "p.jsonl").write_text('{"id": 1, "source": "a", "output": "b"}\n' + line + "\n")
    result = call_copydesk(project, "check", "--pairs", "p.jsonl")
    assert result.returncode == 2
    assert f"p.jsonl:2: {message}" in result.stderr


def test_lines_are_counted_in_the_file() -> None:
    finding = Finding(kind="k", severity=Severity.WARN, message="m", span=(4, 5))
    assert line_of("a\nb\nc", finding, 10) == 12
    assert line_of("a", finding.model_copy(update={"span": None}), 10) is None
