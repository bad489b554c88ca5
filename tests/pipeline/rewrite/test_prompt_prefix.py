"""The fixed prefix of a prompt is the same for every item, so that a provider can cache it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.config import load_feeds
from pipeline.domain.models import Beat, Source
from pipeline.llm.chat import Message
from pipeline.rewrite.examples import load_example
from pipeline.rewrite.prompt import describe_item, load_prompt
from pipeline.rewrite.prompt_files import PACKAGED
from pipeline.services.estimate import CHARS_PER_TOKEN
from tests.pipeline.rewrite.sources import source

ROOT = Path(__file__).parents[3]
BEATS = {
    "en": load_feeds(ROOT / "copydesk/init_files/feeds.yaml").beats["crypto"],
    "de": load_feeds(ROOT / "examples" / "klimatechnik" / "feeds.yaml").beats["klimatechnik"],
}


def sources(language: str) -> list[Source]:
    """Items of several feeds that differ in every field."""
    long = source("Ein langer Text. " * 200, language=language, title="Eins", author="A. B.")
    short = source("Zwei.", language=language, guid="2", title="Other", categories=("X", "Y"))
    undated = source("Three.", language=language, guid="3", title="", dated=False)
    names = (("wire", "The Wire"), ("ledger", "Harbour Ledger"), ("daily", "Openchain Daily"))
    return [
        item_source.model_copy(update={"feed_key": key, "feed_name": name})
        for item_source, (key, name) in zip((long, short, undated), names, strict=True)
    ]


def shared_prefix(first: Sequence[Message], second: Sequence[Message]) -> int:
    """Return the length of the common prefix of two requests, in characters, without the roles."""
    texts = ["\0".join(message["content"] for message in messages) for messages in (first, second)]
    pairs = enumerate(zip(*texts, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(map(len, texts)))


@pytest.mark.parametrize("language", BEATS)
def test_all_but_the_item_and_its_marker_is_the_same(language: str) -> None:
    prompt, every = load_prompt(PACKAGED, "article"), sources(language)
    requests = [prompt.messages(item_source, BEATS[language]) for item_source in every]
    for messages, item_source in zip(requests, every, strict=True):
        last = messages[-1]["content"]
        begin = last.index("=== item ") + len("=== item ")
        fixed = sum(len(message["content"]) + 1 for message in messages[:-1]) + begin
        assert last[begin:].count(describe_item(item_source)) == 1
        others = [shared_prefix(messages, other) for other in requests if other is not messages]
        # Two random markers may begin with the same digits.
        assert fixed <= min(others) <= fixed + 4
        assert fixed > 6000
        # Two marker lines around the item, and nothing else.
        assert len(last) - last.index("=== item ") == len(describe_item(item_source)) + 2 * len(
            "=== item " + 20 * "." + "\n"
        )


@pytest.mark.parametrize(("language", "fixed"), [("en", 7_191), ("de", 6_030)])
def test_a_request_about_an_average_item_stays_short(language: str, fixed: int) -> None:
    text = ("A word or 5. " * 200)[:2_500]
    messages = load_prompt(PACKAGED, "article").messages(source(text, language=language), BEATS[language])
    lengths = [len(message["content"]) for message in messages]
    assert sum(lengths[:-1]) <= fixed, "the fixed part has grown: shorten it elsewhere"
    assert sum(lengths) // CHARS_PER_TOKEN <= 2_500, "tokens, as `copydesk prompt show` has them"


def test_two_requests_are_compared_character_by_character() -> None:
    def messages(*texts: str) -> list[Message]:
        return [Message(role="user", content=text) for text in texts]

    assert shared_prefix(messages("same", "one"), messages("same", "other")) == 6
    assert shared_prefix(messages("same"), messages("same")) == 4
    assert shared_prefix(messages("ab", "c"), messages("a", "bc")) == 1


def example(folder: Path, language: str) -> Path:
    path = folder / "example.yaml"
    path.write_text(f"{language}{(PACKAGED / 'examples/short.yaml').read_text()}")
    return path


@pytest.mark.parametrize(
    ("named", "language", "shown"),
    [("", "de", True), ("en", "en-GB", True), ("pt-BR", "pt", True), ("en", "de", False)],
)
def test_an_example_with_a_language_is_used_only_for_it(
    tmp_path: Path, named: str, language: str, *, shown: bool
) -> None:
    path = example(tmp_path, f"language: {named}\n" if named else "")
    assert load_example(path).fits(language) is shown


def test_the_template_knows_how_many_examples_are_shown() -> None:
    prompt = load_prompt(PACKAGED, "article")
    messages = prompt.messages(source(), Beat(key="b"))
    shown = prompt.examples_for("en")
    assert f"come {len(shown)} invented items" in messages[0]["content"]
    assert len(messages) == 2 + 2 * len(shown)


def test_a_language_with_examples_of_its_own_is_shown_no_others() -> None:
    prompt = load_prompt(PACKAGED, "article")
    assert [example.language for example in prompt.examples_for("de-AT")] == ["de"]
    assert [example.language for example in prompt.examples_for("pt")] == [None, None]


def test_an_example_has_the_same_marker_in_every_request() -> None:
    prompt = load_prompt(PACKAGED, "article")
    first, second = (prompt.messages(source(), Beat(key="b")) for _ in range(2))
    assert first[:-1] == second[:-1]
    assert first[-1] != second[-1]
    markers = [example.marker for example in prompt.examples]
    assert len(set(markers)) == len(markers) > 0
