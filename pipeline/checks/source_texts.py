"""A source as the checks read it: its text, followed by its metadata, tokenized once for all of them."""

from functools import lru_cache

from pipeline.checks.tokens import TokenizedText
from pipeline.domain.models import Source

PREPARED = 4
"""Sources that stay prepared: the body, the title and the description of a draft share theirs."""


def source_metadata(source: Source) -> tuple[str, ...]:
    """Return what supports a claim beside the text: title, author, summary, feeds, categories; none empty."""
    item, others = source.item, (credit.name for credit in source.also)
    texts = (
        item.title,
        item.author,
        item.credit,
        item.rights,
        item.summary,
        source.feed_name,
        *item.categories,
        *others,
    )
    return tuple(text for text in texts if text)


def source_tokens(source: Source | None) -> TokenizedText:
    """Return a source's text followed by its metadata; no words without a source.

    Equal texts are one object, which is the key of what each check prepares of a source.
    """
    return tokenized("\n\n".join((source.item.text, *source_metadata(source))) if source else "")


@lru_cache(maxsize=PREPARED)
def tokenized(text: str) -> TokenizedText:
    """Return the tokens of a source's text; one object for equal texts."""
    return TokenizedText(text)
