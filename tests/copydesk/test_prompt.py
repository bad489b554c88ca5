"""`copydesk prompt` on the command line."""

import json
from pathlib import Path

import pytest

from pipeline.config import load_feeds
from pipeline.domain.models import external_id
from pipeline.llm.capabilities import KnownCapability, OutputMode, RequestMode
from pipeline.rewrite.article_schema import WireArticle
from pipeline.storage import Database
from tests.commands import call_copydesk
from tests.end_to_end.project import Project
from tests.pipeline.storage.records import NOW, admit, item

TEXT = "It mined 1,250 coins :smile: in [bold]May[/bold], {{ 7 * 7 }}.\n\nNobody said why."


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project.create(tmp_path / "project", {"one": "https://one.example/feed"})
    with db(made) as database:
        database.feeds.sync(load_feeds(made.folder / "feeds.yaml").feeds)
        admit(database, item(1, title="The newest", text=TEXT), item(2, title="An older one"))
    return made


def db(project: Project) -> Database:
    (project.folder / ".copydesk").mkdir(exist_ok=True)
    return Database.open(f"sqlite:///{project.folder / '.copydesk' / 'ledger.db'}")


@pytest.mark.parametrize("ref", ["one", external_id("one", "guid-1")[:8]])
def test_the_exact_request_is_printed(project: Project, ref: str) -> None:
    result = call_copydesk(project, "prompt", "show", ref)
    assert result.returncode == 0, result.stderr
    headings = [line for line in result.stdout.splitlines() if line.startswith("--- ")]
    assert headings == [
        *("--- system ---", "--- user ---", "--- assistant ---", "--- user ---", "--- assistant ---"),
        *("--- user ---", "--- other fields ---"),
    ]
    assert (
        f"title: The newest\npublished: Thursday 2026-02-05 11:00 UTC\ncategory: BTC\ntext:\n{TEXT}\n==="
        in result.stdout
    )
    assert '"temperature": 0.3' in result.stdout
    assert '"from_author"' in result.stdout


def test_json_is_the_request_itself(project: Project) -> None:
    output = json.loads(call_copydesk(project, "prompt", "show", "guid-2", "--json").stdout)
    assert output["prompt"].startswith("article@")
    assert "title: An older one" in output["request"]["messages"][-1]["content"]
    schema = output["request"]["response_format"]["json_schema"]["schema"]
    assert schema == WireArticle.model_json_schema()


def test_without_schema_support_the_schema_is_in_the_prompt(project: Project) -> None:
    url = "http://127.0.0.1:9/v1"
    project.environ |= {"OPENAI_BASE_URL": url, "COPYDESK_MODEL": "m", "COPYDESK_MAX_TOKENS": "99"}
    project.environ["COPYDESK_EXTRA_BODY"] = '{"top_k": 5}'
    with db(project) as database:
        learned = KnownCapability(manner=RequestMode(rung=OutputMode.PROMPT), at=NOW.replace(year=2126))
        database.caches.save_capabilities(url, "m", learned.model_dump_json())
    request = json.loads(call_copydesk(project, "prompt", "show", "one", "--json").stdout)["request"]
    assert "response_format" not in request
    assert "fits this JSON schema" in request["messages"][0]["content"]
    assert (request["model"], request["max_tokens"], request["top_k"]) == ("m", 99, 5)


def test_an_unknown_item_is_a_one_line_error(project: Project) -> None:
    result = call_copydesk(project, "prompt", "show", "nothing")
    assert (result.returncode, result.stderr.count("\n")) == (6, 1)
    assert "'nothing'" in result.stderr


def test_a_feed_without_a_queued_item_is_an_error(tmp_path: Path) -> None:
    empty = Project.create(tmp_path / "project", {"one": "https://one.example/feed"})
    with db(empty) as database:
        database.feeds.sync(load_feeds(empty.folder / "feeds.yaml").feeds)
    result = call_copydesk(empty, "prompt", "show", "one")
    assert (result.returncode, result.stderr.count("\n")) == (6, 1)
    assert "the feed one has no queued item" in result.stderr


def test_templates_are_listed_with_the_length_of_their_fixed_text(project: Project) -> None:
    result = call_copydesk(project, "prompt", "lint")
    assert result.returncode == 0, result.stderr
    [article] = [line.split() for line in result.stdout.splitlines() if line.startswith("article@")]
    assert article[1:3] == ["crypto", "3"]
    assert int(article[3].replace(",", "")) > 7000


def test_every_template_error_names_file_and_line(project: Project) -> None:
    prompts = project.folder / "prompts"
    template = prompts / "article.md.j2"
    template.write_text(template.read_text().replace("{{ tone }}", "{{ tune }}"))
    (prompts / "other.md.j2").write_text("# system\n")
    result = call_copydesk(project, "prompt", "lint")
    assert result.returncode == 2
    wrong = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(wrong) == 2
    assert "article.md.j2:10: tune cannot be used here" in wrong[0]
    assert "other.md.j2:1: needs front matter" in wrong[1]
    assert "mend@" in result.stdout, "the good ones are listed all the same"


def test_a_finding_in_an_example_is_an_error(project: Project) -> None:
    example = project.folder / "prompts/examples/short.yaml"
    example.write_text(
        example.read_text().replace("Other regional banks", "As evil-bank.example/x says, banks")
    )
    result = call_copydesk(project, "prompt", "lint")
    assert result.returncode == 2
    assert "short.yaml: the answer: " in result.stderr
    assert "evil-bank.example/x" in result.stderr
