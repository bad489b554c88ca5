"""Few-shot examples of a prompt: an invented item and a good answer to it."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime

from pipeline.config.yaml_source import entry_error, read_record, read_text
from pipeline.domain.errors import LLMError
from pipeline.domain.models import Beat, FrozenModel, Item, Source
from pipeline.domain.prompt_markers import marker_line
from pipeline.rewrite.article_schema import WireArticle, parse_response


class SourceItem(FrozenModel):
    """An item as it is written in a YAML file."""

    feed: str
    title: str
    text: str
    author: str | None = None
    published: AwareDatetime
    """At the publisher's own UTC offset."""
    labels: tuple[str, ...] = ()

    def source(self, name: str, language: str, category: str) -> Source:
        """Return the source of the item, as if it came from a feed with this category."""
        item = Item(
            guid=name,
            title=self.title,
            text=self.text.strip(),
            author=self.author,
            published_at=self.published.astimezone(UTC),
            utc_offset_min=_offset_minutes(self.published),
            categories=self.labels,
        )
        return Source(
            item=item,
            feed_key=name,
            feed_name=self.feed,
            first_key=name,
            category=category,
            language=language,
        )


class ExampleItem(SourceItem):
    """The item of an example."""

    category: str


class ExampleFile(FrozenModel):
    """One file under prompts/examples/."""

    language: str | None = None
    """Used only for articles in this language; None: for languages without examples of their own."""
    item: ExampleItem
    answer: WireArticle


@dataclass(frozen=True)
class Example:
    """A validated example."""

    path: Path
    source: Source
    answer: str
    """JSON, as a model would answer."""
    language: str | None
    digest: str
    """SHA-256 of the file."""

    @property
    def texts(self) -> tuple[str, str]:
        """The item's and the answer's text, which no article may copy."""
        answer = WireArticle.model_validate_json(self.answer)
        sections = [text for section in answer.sections for text in (section.heading, section.body)]
        parts = (
            answer.title,
            answer.description,
            answer.overview,
            *sections,
            answer.from_author,
            *answer.impact,
        )
        return f"{self.source.item.title}\n\n{self.source.item.text}", "\n\n".join(parts)

    @property
    def marker(self) -> str:
        """The marker line around its item: the form of every item's, but the same in every request."""
        return marker_line("item", self.digest[:16])

    def fits(self, language: str) -> bool:
        """Tell whether it is used for articles in a language; `en` matches `en-GB` too."""
        return self.language is None or _primary(language) == _primary(self.language)


def load_example(path: Path) -> Example:
    """Return the example in a file. Raises ConfigError with file and line when it is not valid."""
    content, text = read_text(path)
    file = read_record(path, text, ExampleFile)
    source = file.item.source(path.stem, file.language or "en", file.item.category)
    answer = file.answer.model_dump_json()
    vocabulary = (file.answer.category, *file.answer.tags)
    line = next((number for number, line in enumerate(text.split("\n"), 1) if line.startswith("answer:")), 1)
    for field in ("title", "description"):
        if not getattr(file.answer, field).strip():
            raise entry_error(
                path, line, f"the answer has no {field}; write one, as models leave out what it lacks"
            )
    for word in vocabulary:
        if word != word.upper():
            raise entry_error(path, line, f"{word} is not in capitals; write {word.upper()}")
    notes: list[str] = []
    try:
        parse_response(answer, source, Beat(key="example", vocabulary=vocabulary), notes=notes)
    except LLMError as error:
        raise entry_error(path, line, f"no valid answer: {error.context.get('reason')}") from error
    if notes:  # models copy the examples, so nothing may have to be put right
        raise entry_error(path, line, f"no valid answer: {'; '.join(notes)}")
    digest = hashlib.sha256(content).hexdigest()
    return Example(path=path, source=source, answer=answer, language=file.language, digest=digest)


def _offset_minutes(moment: datetime) -> int:
    return (moment.utcoffset() or timedelta()) // timedelta(minutes=1)


def _primary(language: str) -> str:
    return language.lower().replace("_", "-").partition("-")[0]
