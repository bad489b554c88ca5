"""The names under which proxies and clouds offer a model, read as provider and the model's own name. Pure."""

import re
from typing import NamedTuple


class ModelName(NamedTuple):
    """One reading of a model's name."""

    provider: str | None
    """Identifier in the table of `genai-prices`; None: whoever made the model."""
    name: str


_PROVIDERS = {
    "azure": "azure",
    "azure_ai": "azure",
    "bedrock": "aws",
    "deepinfra": None,
    "fireworks_ai": "fireworks",
    "gemini": "google",
    "google": "google",
    "mistralai": "mistral",
    "models": "google",
    "together_ai": "together",
    "vertex_ai": "google",
    "xai": "x-ai",
    **{name: name for name in ("anthropic", "cohere", "deepseek", "groq", "mistral", "openai", "openrouter")},
    **{name: name for name in ("cerebras", "fireworks", "perplexity", "together", "x-ai", "moonshotai")},
}
"""Provider by the part of a name before its first slash. Source: https://docs.litellm.ai/docs/providers"""

_REGION = re.compile(r"^(?:us|eu|apac|global|us-gov|jp|au)\.(?=[a-z])")
_MAKER = re.compile(r"^(?:anthropic|meta|mistral|amazon|openai|deepseek|cohere|qwen)\.(?=[a-z])")
"""Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html"""
_REVISION = re.compile(r"-v\d+(?::\d+)?$")
_AGE = re.compile(r"(?:[-@](?:20\d{2}-?[01]\d-?[0-3]\d)|[-@]latest|[-@]default|[-@]\d{3,4})$")


def readings(name: str) -> list[ModelName]:
    """Return what a name may mean, the most literal reading first."""
    name = name.strip().lower()
    parts = name.split("/")
    provider = next((_PROVIDERS[part] for part in parts[:-1] if part in _PROVIDERS), None)
    rest = name.partition("/")[2]
    spellings = [name, rest, parts[-1], without_region(parts[-1])]
    candidates = [ModelName(owner, text) for text in spellings if text for owner in (provider, None)]
    return list(dict.fromkeys(candidates))


def without_region(name: str) -> str:
    """Return a cloud's name of a model without the region and the maker in front."""
    return _MAKER.sub("", _REGION.sub("", name))


def plain(name: str) -> str:
    """Return a name without region, maker, revision and date: what all versions of a model share."""
    name = _REVISION.sub("", without_region(name.lower().rpartition("/")[2]))
    return _AGE.sub("", name)
