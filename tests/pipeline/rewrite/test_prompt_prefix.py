"""What is alike for every item comes first, so that a provider can keep it at hand."""

from pathlib import Path

import pytest

from pipeline.config import load_feeds
from pipeline.domain.models import Beat, Source
from pipeline.llm.chat import Message
from pipeline.rewrite.examples import load_example
from pipeline.rewrite.prompt import describe, load_prompt, shared_prefix
from tests.pipeline.rewrite.sources import source

ROOT = Path(__file__).parents[3]
BEATS = {
    "en": load_feeds(ROOT / "feeds.yaml").beats["crypto"],
    "de": load_feeds(ROOT / "examples" / "klimatechnik" / "feeds.yaml").beats["klimatechnik"],
}


def sources(language: str) -> list[Source]:
    """Items of several feeds, alike in nothing."""
    long = source("Ein langer Text. " * 200, language=language, title="Eins", author="A. B.")
    short = source("Zwei.", language=language, guid="2", title="Other", categories=("X", "Y"))
    undated = source("Three.", language=language, guid="3", title="", dated=False)
    names = (("wire", "The Wire"), ("ledger", "Harbour Ledger"), ("daily", "Openchain Daily"))
    return [
        one.model_copy(update={"feed_key": key, "feed_name": name})
        for one, (key, name) in zip((long, short, undated), names, strict=True)
    ]


@pytest.mark.parametrize("language", BEATS)
def test_all_but_the_item_and_its_marker_is_the_same(language: str) -> None:
    prompt, every = load_prompt(ROOT / "prompts", "article"), sources(language)
    requests = [prompt.messages(one, BEATS[language]) for one in every]
    for told, one in zip(requests, every, strict=True):
        last = told[-1]["content"]
        begin = last.index("=== item ") + len("=== item ")
        fixed = sum(len(message["content"]) + 1 for message in told[:-1]) + begin
        assert last[begin:].count(describe(one)) == 1
        others = [shared_prefix(told, other) for other in requests if other is not told]
        # Two random markers may begin with the same digits.
        assert fixed <= min(others) <= fixed + 4
        assert fixed > 6000
        # Two marker lines around the item, and nothing else.
        assert len(last) - last.index("=== item ") == len(describe(one)) + 2 * len(
            "=== item " + 20 * "." + "\n"
        )


def test_two_requests_are_compared_character_by_character() -> None:
    def asked(*texts: str) -> list[Message]:
        return [Message(role="user", content=text) for text in texts]

    assert shared_prefix(asked("same", "one"), asked("same", "other")) == 6
    assert shared_prefix(asked("same"), asked("same")) == 4
    assert shared_prefix(asked("ab", "c"), asked("a", "bc")) == 1


def example(folder: Path, language: str) -> Path:
    path = folder / "example.yaml"
    path.write_text(f"{language}{(ROOT / 'prompts/examples/short.yaml').read_text()}")
    return path


@pytest.mark.parametrize(
    ("named", "wanted", "shown"),
    [("", "de", True), ("en", "en-GB", True), ("pt-BR", "pt", True), ("en", "de", False)],
)
def test_an_example_that_names_its_language_is_shown_for_it_alone(
    tmp_path: Path, named: str, wanted: str, *, shown: bool
) -> None:
    path = example(tmp_path, f"language: {named}\n" if named else "")
    assert load_example(path).fits(wanted) is shown


def test_the_template_knows_how_many_examples_are_shown() -> None:
    prompt = load_prompt(ROOT / "prompts", "article")
    told = prompt.messages(source(), Beat(key="b"))
    shown = prompt.shown("en")
    assert f"come {len(shown)} examples" in told[0]["content"]
    assert len(told) == 2 + 2 * len(shown)


def test_a_language_with_examples_of_its_own_is_shown_no_others() -> None:
    prompt = load_prompt(ROOT / "prompts", "article")
    assert [one.language for one in prompt.shown("de-AT")] == ["de"]
    assert [one.language for one in prompt.shown("pt")] == [None, None]


def test_an_example_has_the_same_marker_in_every_request() -> None:
    prompt = load_prompt(ROOT / "prompts", "article")
    one, other = (prompt.messages(source(), Beat(key="b")) for _ in range(2))
    assert one[:-1] == other[:-1]
    assert one[-1] != other[-1]
    markers = [example.marker for example in prompt.examples]
    assert len(set(markers)) == len(markers) > 0
