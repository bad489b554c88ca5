"""`copydesk prompt` as an editor calls it."""

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
    with db(made) as kept:
        kept.feeds.sync(load_feeds(made.folder / "feeds.yaml").feeds)
        admit(kept, item(1, title="The newest", text=TEXT), item(2, title="An older one"))
    return made


def db(project: Project) -> Database:
    (project.folder / ".copydesk").mkdir(exist_ok=True)
    return Database.open(f"sqlite:///{project.folder / '.copydesk' / 'ledger.db'}")


@pytest.mark.parametrize("ref", ["one", external_id("one", "guid-1")[:8]])
def test_what_would_be_sent_is_printed_to_the_letter(project: Project, ref: str) -> None:
    found = call_copydesk(project, "prompt", "show", ref)
    assert found.returncode == 0, found.stderr
    said = [line for line in found.stdout.splitlines() if line.startswith("--- ")]
    assert said == [
        *("--- system ---", "--- user ---", "--- assistant ---", "--- user ---", "--- assistant ---"),
        *("--- user ---", "--- other fields ---"),
    ]
    assert (
        f"title: The newest\npublished: 2026-02-05 11:00 UTC\ncategory: BTC\ntext:\n{TEXT}\n==="
        in found.stdout
    )
    assert '"temperature": 0.3' in found.stdout
    assert '"WireArticle"' in found.stdout


def test_machines_get_the_request_itself(project: Project) -> None:
    told = json.loads(call_copydesk(project, "prompt", "show", "guid-2", "--json").stdout)
    assert told["prompt"].startswith("article@")
    assert "title: An older one" in told["request"]["messages"][-1]["content"]
    schema = told["request"]["response_format"]["json_schema"]["schema"]
    assert schema == WireArticle.model_json_schema()


def test_a_server_that_takes_no_schema_is_told_of_it_in_words(project: Project) -> None:
    url = "http://127.0.0.1:9/v1"
    project.environ |= {"OPENAI_BASE_URL": url, "COPYDESK_MODEL": "m", "COPYDESK_MAX_TOKENS": "99"}
    project.environ["COPYDESK_EXTRA_BODY"] = '{"top_k": 5}'
    with db(project) as kept:
        learned = KnownCapability(manner=RequestMode(rung=OutputMode.PROMPT), at=NOW.replace(year=2126))
        kept.caches.save_capabilities(url, "m", learned.model_dump_json())
    asked = json.loads(call_copydesk(project, "prompt", "show", "one", "--json").stdout)["request"]
    assert "response_format" not in asked
    assert "fits this JSON schema" in asked["messages"][0]["content"]
    assert (asked["model"], asked["max_tokens"], asked["top_k"]) == ("m", 99, 5)


def test_an_item_that_is_not_there_is_one_line(project: Project) -> None:
    found = call_copydesk(project, "prompt", "show", "nothing")
    assert (found.returncode, found.stderr.count("\n")) == (6, 1)
    assert "'nothing'" in found.stderr


def test_a_feed_without_a_waiting_item_says_so(tmp_path: Path) -> None:
    empty = Project.create(tmp_path / "project", {"one": "https://one.example/feed"})
    with db(empty) as kept:
        kept.feeds.sync(load_feeds(empty.folder / "feeds.yaml").feeds)
    found = call_copydesk(empty, "prompt", "show", "one")
    assert (found.returncode, found.stderr.count("\n")) == (6, 1)
    assert "the feed one has no queued item" in found.stderr


def test_good_templates_are_listed_with_the_length_of_what_is_fixed(project: Project) -> None:
    found = call_copydesk(project, "prompt", "lint")
    assert found.returncode == 0, found.stderr
    [article] = [line.split() for line in found.stdout.splitlines() if line.startswith("article@")]
    assert article[1:3] == ["crypto", "3"]
    assert int(article[3].replace(",", "")) > 7000


def test_every_mistake_is_told_with_its_file_and_line(project: Project) -> None:
    prompts = project.folder / "prompts"
    template = prompts / "article.md.j2"
    template.write_text(template.read_text().replace("{{ tone }}", "{{ tune }}"))
    (prompts / "other.md.j2").write_text("# system\n")
    found = call_copydesk(project, "prompt", "lint")
    assert found.returncode == 2
    wrong = [line for line in found.stderr.splitlines() if line.startswith("error: ")]
    assert len(wrong) == 2
    assert "article.md.j2:11: tune cannot be used here" in wrong[0]
    assert "other.md.j2:1: needs front matter" in wrong[1]
    assert "mend@" in found.stdout, "the good ones are listed all the same"


def test_an_example_that_our_own_checks_would_block_is_wrong(project: Project) -> None:
    example = project.folder / "prompts/examples/short.yaml"
    example.write_text(
        example.read_text().replace("Other regional banks", "As evil-bank.example/x says, banks")
    )
    found = call_copydesk(project, "prompt", "lint")
    assert found.returncode == 2
    assert "short.yaml: the answer: " in found.stderr
    assert "evil-bank.example/x" in found.stderr
