"""Records of model calls: what wrote an article, the answer, and the tokens that it took."""

from pipeline.domain.models import FrozenModel


class Provenance(FrozenModel):
    """What wrote an article: a model with a prompt, or the offline brief."""

    rewritten: bool
    """True only when a model wrote it."""
    model: str
    prompt: str | None = None
    """`name@hash` of the template; None for the brief."""


class TokenUsage(FrozenModel):
    """Tokens that one model call was billed for."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Prompt tokens that the server read from its cache."""
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    """Completion tokens that are not part of the answer's text."""

    def __add__(self, other: "TokenUsage") -> "TokenUsage":
        """Return the sum of two calls' tokens, count by count."""
        counts = type(self).model_fields
        return TokenUsage(**{name: getattr(self, name) + getattr(other, name) for name in counts})


class LLMResponse(FrozenModel):
    """What a model answered, verbatim; it is stored before it is parsed."""

    text: str
    provenance: Provenance
    usage: TokenUsage = TokenUsage()
    estimated: bool = False
    """The server did not give the whole usage: `usage` is the most that it can have been."""
    arrived: bool = True
    """False: the answer was lost on its way; `usage` is what the server may bill even so."""
    notes: tuple[str, ...] = ()
    """What was read leniently, such as an answer inside a code fence."""
    seconds: float | None = None
    """From the request to its answer, without waits before it."""
