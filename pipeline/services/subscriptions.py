"""The subscriptions with what the checks need beside feeds.yaml: the texts of each beat's prompt examples."""

from pipeline.config import Settings, Subscriptions, load_feeds
from pipeline.domain.errors import ConfigError
from pipeline.rewrite.prompt import load_prompt


def load_subscriptions(settings: Settings) -> Subscriptions:
    """Return the subscriptions of feeds.yaml, each beat with the texts of its prompt's examples.

    A prompt that cannot be loaded has none here: a run reports it, and a draft is reviewed without it.
    Raises ConfigError where feeds.yaml is not valid.
    """
    subscriptions = load_feeds(settings.feeds_file)
    texts = {
        name: example_texts(settings, name) for name in {beat.prompt for beat in subscriptions.beats.values()}
    }
    beats = {
        key: beat.model_copy(update={"example_texts": texts[beat.prompt]})
        for key, beat in subscriptions.beats.items()
    }
    return subscriptions.model_copy(update={"beats": beats})


def example_texts(settings: Settings, name: str) -> tuple[str, ...]:
    """Return the texts of a prompt's examples; none where it cannot be loaded."""
    try:
        prompt = load_prompt(settings.prompts, name)
    except ConfigError:
        return ()
    return tuple(text for example in prompt.examples for text in example.texts)
