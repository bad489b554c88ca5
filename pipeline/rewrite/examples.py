"""The examples that a prompt shows: an invented item, and the answer that a good writer gives."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import AwareDatetime

from pipeline.config.yaml_source import entry_error, read_record, read_text
from pipeline.domain.errors import LLMError
from pipeline.domain.models import Beat, FrozenModel, Item, Source
from pipeline.rewrite.article_schema import WireArticle, parse_response

FOLDER = "examples"
"""Beside the templates."""


class ExampleItem(FrozenModel):
    """An item as somebody writes it into a file."""

    feed: str
    title: str
    text: str
    category: str
    author: str | None = None
    published: AwareDatetime
    labels: tuple[str, ...] = ()

    def source(self, name: str, language: str) -> Source:
        """Return it as if a feed had brought it."""
        item = Item(
            guid=name,
            title=self.title,
            text=self.text.strip(),
            author=self.author,
            published_at=self.published,
            categories=self.labels,
        )
        return Source(
            item=item,
            feed_key=name,
            feed_name=self.feed,
            first_key=name,
            category=self.category,
            language=language,
        )


class ExampleFile(FrozenModel):
    """One file under prompts/examples/."""

    language: str | None = None
    """Shown for articles in this language alone; None: for those in a language that has none of its own."""
    item: ExampleItem
    answer: WireArticle


@dataclass(frozen=True)
class Example:
    """An example that has proved to be a valid answer."""

    path: Path
    source: Source
    answer: str
    """As a model would give it."""
    language: str | None
    digest: str
    """SHA-256 of the file."""

    @property
    def marker(self) -> str:
        """The line around its item: of the form that every item has, but the same in every request."""
        return f"=== item {self.digest[:16]} ==="

    def fits(self, language: str) -> bool:
        """Tell whether it is shown for articles in a language; `en` stands for `en-GB`, too."""
        return self.language is None or _primary(language) == _primary(self.language)


def load_example(path: Path) -> Example:
    """Read an example. Raises ConfigError with file and line where it is none, or no valid answer."""
    content, text = read_text(path)
    file = read_record(path, text, ExampleFile)
    source, answer = file.item.source(path.stem, file.language or "en"), file.answer.model_dump_json()
    vocabulary = (file.answer.category, *file.answer.tags)
    line = next((number for number, line in enumerate(text.split("\n"), 1) if line.startswith("answer:")), 1)
    for word in vocabulary:
        if word != word.upper():
            raise entry_error(path, line, f"{word} is not in capitals; write {word.upper()}")
    try:
        parse_response(answer, source, Beat(key="example", vocabulary=vocabulary))
    except LLMError as error:
        raise entry_error(path, line, f"no valid answer: {error.context.get('reason')}") from error
    digest = hashlib.sha256(content).hexdigest()
    return Example(path=path, source=source, answer=answer, language=file.language, digest=digest)


def _primary(language: str) -> str:
    return language.lower().replace("_", "-").partition("-")[0]
