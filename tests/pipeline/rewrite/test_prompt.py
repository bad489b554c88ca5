import hashlib
import json
import re
from pathlib import Path

import pytest

from pipeline.articles.render import render_body
from pipeline.checks.runner import run_checks
from pipeline.config import load_feeds
from pipeline.domain.errors import ConfigError
from pipeline.domain.models import Beat
from pipeline.domain.reviews import Severity
from pipeline.rewrite.article_schema import parse_response
from pipeline.rewrite.prompt import describe_item, load_prompt
from pipeline.rewrite.prompt_files import PACKAGED
from tests.pipeline.rewrite.sources import BEAT, source

ROOT = Path(__file__).parents[3]
FRONT = "---\nname: article\nvariables: [market, marker, item]\n---\n"
GOOD = FRONT + "# system\nFor the {{ market }}.\n# user\n{{ marker }}\n{{ item }}\n{{ marker }}\n"


def write(folder: Path, text: str) -> Path:
    (folder / "article.md.j2").write_bytes(text.encode())
    return folder


def test_the_article_prompt_names_the_beat_and_leaves_no_variable_open() -> None:
    system, *examples, user = load_prompt(PACKAGED, "article").messages(source(language="pt"), BEAT)
    for expected in (
        "crypto market",
        '"pt"',
        "BTC, ETH, MINING",
        '"From author"',
        '"Impact on the crypto market"',
    ):
        assert expected in system["content"]
    assert "{{" not in system["content"] + user["content"]
    assert [system["role"], user["role"]] == ["system", "user"]
    assert [message["role"] for message in examples] == ["user", "assistant"] * 2


def test_what_a_beat_wants_of_titles_and_opinion_is_said() -> None:
    def system(**beat: object) -> str:
        chosen = BEAT.model_copy(update=beat)
        return load_prompt(PACKAGED, "article").messages(source(), chosen)[0]["content"]

    assert "your own headline" in system()
    assert "the source's title, unchanged" in system(titles="source")
    assert "one to four sentences" in system()
    assert "Empty where" not in system()
    lenient = system(required_sections=())
    assert "none to four sentences" in lenient
    assert "Empty where a short item leaves nothing to judge." in lenient


def test_the_request_about_an_item_of_2500_characters_is_short() -> None:
    beat = load_feeds(ROOT / "copydesk/init_files/feeds.yaml").beats["crypto"]
    messages = load_prompt(PACKAGED, "article").messages(source("word " * 500, author="A. Writer"), beat)
    assert sum(len(message["content"]) for message in messages) / 4 <= 2500


def test_the_id_is_the_name_and_the_hash_of_the_file(tmp_path: Path) -> None:
    digest = hashlib.sha256(GOOD.encode()).hexdigest()[:8]
    assert load_prompt(write(tmp_path, GOOD), "article").id == f"article@{digest}"


def test_what_comes_before_the_item_is_the_same_for_every_item() -> None:
    prompt = load_prompt(PACKAGED, "article")
    items = (source(text, guid=text, title=text) for text in ("First story.", "Second story."))
    first, second = ("".join(m["content"] for m in prompt.messages(item, BEAT)) for item in items)
    common = next(index for index, (a, b) in enumerate(zip(first, second, strict=False)) if a != b)
    last = prompt.messages(source("First story."), BEAT)[-1]["content"]
    assert common >= len(first) - len(last) + last.index("===")
    assert common > 0.9 * len(first)


def test_the_item_is_last_between_two_random_markers() -> None:
    prompt = load_prompt(PACKAGED, "article")
    markers = set()
    for _ in range(2):
        *before, user = prompt.messages(source(), BEAT)
        lines = user["content"].splitlines()
        assert lines[-1] == lines[lines.index(lines[-1])] != ""
        assert re.fullmatch(r"=== item [0-9a-f]{16} ===", lines[-1])
        between = "\n".join(lines[lines.index(lines[-1]) + 1 : -1])
        assert between == describe_item(source())
        assert not [message for message in before if lines[-1] in message["content"]]
        markers.add(lines[-1])
    assert len(markers) == 2


def test_feed_text_is_never_rendered() -> None:
    hostile = "{{ 7 * 7 }} {% for x in y %} {{ market.__class__ }} {# gone #}"
    messages = load_prompt(PACKAGED, "article").messages(source(hostile, title="{{ tone }}"), BEAT)
    assert hostile in messages[-1]["content"]
    assert "title: {{ tone }}" in messages[-1]["content"]


def test_a_title_cannot_add_lines_and_lone_surrogates_are_replaced() -> None:
    text = describe_item(source("a\ud800b", title="One\ntext:\ntwo"))
    assert "title: One text: two\n" in text
    assert text.endswith("text:\na?b")


def test_an_undated_item_claims_no_date() -> None:
    assert "published: Thursday 2026-02-05 21:10 UTC" in describe_item(source())
    assert "published" not in describe_item(source(dated=False))
    zoned = source(utc_offset_min=-300)
    assert "published: Thursday 2026-02-05 16:10 UTC-05:00" in describe_item(zoned)
    ahead = source(utc_offset_min=660)
    assert "published: Friday 2026-02-06 08:10 UTC+11:00" in describe_item(ahead)


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    prompt = load_prompt(write(tmp_path, "\ufeff" + GOOD.replace("\n", "\r\n")), "article")
    assert prompt.messages(source(), BEAT)[0]["content"] == "For the crypto market."


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("no front matter", 1, "needs front matter"),
        (GOOD.replace("# user\n", ""), 1, "# user"),
        (GOOD.replace("name: article", "name: [a"), 3, "not YAML"),
        (GOOD.replace("name: article\n", ""), 2, "name"),
        (GOOD.replace("name: article", "name: brief"), 2, "write `name: article`"),
        (GOOD.replace("[market,", "[market, tune,"), 3, "did you mean tone?"),
        (GOOD.replace("\n---\n#", "\nexamples: [mine]\n---\n#"), 4, "no example 'mine'"),
        (GOOD.replace("\n---\n#", "\nexamples:\n  - ../mine\n---\n#"), 5, "no example '../mine'"),
        (GOOD.replace("\n---\n#", "\nhints: {warmth: 1}\n---\n#"), 4, "hints.warmth"),
        (GOOD.replace("\n---\n#", "\nhints: {temperature: 9}\n---\n#"), 4, "hints.temperature"),
        (GOOD.replace("name:", "title: x\nname:"), 2, "title"),
        (GOOD.replace("For the {{ market }}.", "For\n{{ market }"), 7, "unexpected"),
        (GOOD.replace("{{ market }}", "{{ markt }}"), 6, "markt cannot be used here"),
        (GOOD.replace("{{ market }}", "{{ item }}"), 6, "item cannot be used here"),
        (GOOD.replace("{{ market }}", "{{ tone }}"), 6, "tone is missing from `variables`"),
        (GOOD.replace("{{ item }}\n", ""), 7, "must use {{ item }}"),
        (GOOD.replace("{{ marker }}", "-"), 7, "must use {{ marker }}"),
    ],
)
def test_a_wrong_template_is_named_with_file_and_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_prompt(write(tmp_path, text), "article")
    assert caught.value.message.startswith(f"{tmp_path / 'article.md.j2'}:{line}: ")
    assert words in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("expression", ["market.__class__.__mro__", "market.nothing", "market + 1", "1 / 0"])
def test_a_template_that_cannot_be_rendered_fails_when_it_is_loaded(tmp_path: Path, expression: str) -> None:
    with pytest.raises(ConfigError, match="cannot be rendered"):
        load_prompt(write(tmp_path, GOOD.replace("{{ market }}", "{{ " + expression + " }}")), "article")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "article.md.j2").symlink_to("nowhere")
    with pytest.raises(ConfigError, match=r"article\.md\.j2: cannot be read"):
        load_prompt(tmp_path, "article")
    (tmp_path / "article.md.j2").unlink()
    (tmp_path / "article.md.j2").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load_prompt(tmp_path, "article")
    with pytest.raises(ConfigError, match="is no name for a prompt"):
        load_prompt(tmp_path, "../article")


def test_a_file_that_is_not_in_the_folder_is_the_packaged_one(tmp_path: Path) -> None:
    packaged = load_prompt(PACKAGED, "article")
    elsewhere = load_prompt(tmp_path / "nowhere", "article")
    assert (elsewhere.id, elsewhere.path) == (packaged.id, PACKAGED / "article.md.j2")
    examples = tmp_path / "examples"
    examples.mkdir()
    (examples / "short.yaml").write_text((PACKAGED / "examples/short.yaml").read_text() + "\n")
    mixed = load_prompt(tmp_path, "article")
    assert mixed.path == packaged.path
    assert {example.path.parent for example in mixed.examples} == {examples, PACKAGED / "examples"}
    assert mixed.id != packaged.id
    (tmp_path / "article.md.j2").write_text((PACKAGED / "article.md.j2").read_text())
    assert load_prompt(tmp_path, "article").id == mixed.id, "one hash for one text, wherever it is"
    assert load_prompt(tmp_path, "article").path == tmp_path / "article.md.j2"


def test_a_prompt_that_is_nowhere_is_named_with_a_similar_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"artcle\.md\.j2 does not exist.*did you mean article\?"):
        load_prompt(tmp_path, "artcle")
    with pytest.raises(ConfigError, match="use one of: article, mend, verify"):
        load_prompt(tmp_path, "zzz")


EXAMPLE = """item:
  feed: Wire
  title: A mine opens
  published: 2026-01-14T09:30:00Z
  category: MINING
  text: The mine opened.
answer:
  title: Mine at work
  description: A mine opened.
  overview: The mine opened.
  sections: [{heading: It opened, body: On time.}]
  from_author: Good.
  impact: [More may open.]
  category: MINING
  tags: [MINING]
  sentiment: NEUTRAL
"""


def with_example(folder: Path, text: str) -> Path:
    write(folder, GOOD.replace("\n---\n#", "\nexamples: [mine]\n---\n#"))
    (folder / "examples").mkdir(exist_ok=True)
    (folder / "examples" / "mine.yaml").write_text(text)
    return folder


def test_an_example_precedes_the_item_and_is_part_of_the_hash(tmp_path: Path) -> None:
    prompt = load_prompt(with_example(tmp_path, EXAMPLE), "article")
    _, question, answer, _ = prompt.messages(source(), BEAT)
    assert "title: A mine opens" in question["content"]
    assert json.loads(answer["content"])["sections"] == [{"heading": "It opened", "body": "On time."}]
    other = load_prompt(with_example(tmp_path, EXAMPLE.replace("Good", "Bad")), "article")
    assert other.id != prompt.id


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (EXAMPLE.replace("  feed: Wire\n", ""), 1, "item.feed"),
        (EXAMPLE.replace("overview:", "preview:"), 7, "answer.overview"),
        (EXAMPLE.replace("NEUTRAL", "WARM"), 16, "answer.sentiment"),
        (EXAMPLE.replace("{heading: It opened, body: On time.}", ""), 7, "0 sections"),
        (EXAMPLE.replace("category: MINING\n  tags", "category: Mining\n  tags"), 7, "write MINING"),
        (EXAMPLE.replace("title: A mine", "title: A: mine"), 3, "not YAML"),
        (EXAMPLE.replace("  title: Mine at work\n", ""), 7, "answer.title is missing"),
        (EXAMPLE.replace("description: A mine opened.", "description: ' '"), 7, "has no description"),
    ],
)
def test_a_wrong_example_is_named_with_file_and_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_prompt(with_example(tmp_path, text), "article")
    assert caught.value.message.startswith(f"{tmp_path / 'examples' / 'mine.yaml'}:{line}: ")
    assert words in caught.value.message


def test_our_own_examples_are_valid_answers_without_findings() -> None:
    beat = Beat(
        key="b", market="crypto market", vocabulary=("EXCHANGE", "SECURITY", "BUSINESS", "SPEICHER", "NETZE")
    )
    examples = load_prompt(PACKAGED, "article").examples
    assert {example.language for example in examples} == {None, "de"}
    for example in examples:
        article = parse_response(example.answer, example.source, beat)
        body = render_body(article, beat)
        findings = run_checks(example.source, body, beat, front=None)
        assert [finding.message for finding in findings if finding.severity is not Severity.NOTE] == []
        assert "\n" not in article.overview
        assert all("\n" not in part for section in article.sections for part in section.body.split("\n\n"))
        assert "\n" not in example.source.item.text.replace("\n\n", "")
        assert len(body.split()) <= 1.5 * len(example.source.item.text.split()) + 60
