"""Lays out what a model is told about one item, from a template under prompts/ and its examples."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

from jinja2 import Template

from pipeline.errors import ConfigError
from pipeline.models import Beat, Item, Source
from pipeline.rewrite.examples import FOLDER, Example, load_example
from pipeline.rewrite.hidden import visible
from pipeline.rewrite.templates import Hints, line_of, read_parts, rendered
from pipeline.rewrite.text import encodable, one_line
from pipeline.rewrite.yamlfile import read_text, wrong

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


class Message(TypedDict):
    """One message of a chat request."""

    role: str
    content: str


@dataclass(frozen=True)
class Prompt:
    """A template that has rendered once already, so that it fails before anything starts."""

    id: str
    """`name@hash`, the hash 8 hex digits of SHA-256 of the template and its examples."""
    path: Path
    system: Template
    user: Template
    examples: tuple[Example, ...] = ()
    hints: Hints = field(default_factory=Hints)

    def messages(self, source: Source, beat: Beat) -> list[Message]:
        """Return the messages about one source: what is fixed first, the item last.

        What is fixed is the same for every item of a beat and language: the instructions, then each example
        in that language as a question and its answer. The item is data: a value that is put in, never
        rendered, between two lines with a marker that is random for each request. Raises ConfigError where
        the template cannot be rendered.
        """
        shown = self.shown(source.language)
        fixed = _fixed(source, beat) | {"examples": len(shown)}
        laid_out = [Message(role="system", content=rendered(self.path, self.system, fixed))]
        for example in shown:
            laid_out.append(self._about(example.source, example.marker, fixed))
            laid_out.append(Message(role="assistant", content=example.answer))
        return [*laid_out, self._about(source, f"=== item {secrets.token_hex(8)} ===", fixed)]

    def shown(self, language: str) -> tuple[Example, ...]:
        """Return the examples in a language; where there are none, those that are for every one."""
        own = tuple(example for example in self.examples if example.language and example.fits(language))
        return own or tuple(example for example in self.examples if example.language is None)

    def _about(self, source: Source, marker: str, fixed: dict[str, object]) -> Message:
        values = fixed | {"marker": marker, "item": describe(source)}
        return Message(role="user", content=rendered(self.path, self.user, values))


def load_prompt(folder: Path, name: str) -> Prompt:
    """Read `<folder>/<name>.md.j2` and its examples.

    Raises ConfigError naming the file, and the line where there is one.
    """
    path = folder / f"{name}.md.j2"
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is no name for a prompt: use letters a to z, digits, - and _", file=path)
    content, text = read_text(path)
    parts = read_parts(path, text)
    examples = tuple(_example(path, text, wanted) for wanted in parts.front.examples)
    prompt = Prompt(
        id=f"{parts.front.name}@{_digest(content, examples)}",
        path=path,
        system=parts.system,
        user=parts.user,
        examples=examples,
        hints=parts.front.hints,
    )
    prompt.messages(_SAMPLE, Beat(key="sample", vocabulary=("SAMPLE",)))
    return prompt


def shared_prefix(one: Sequence[Message], other: Sequence[Message]) -> int:
    """Return how many characters two requests have in common before they part, roles not counted."""
    texts = ["\0".join(message["content"] for message in messages) for messages in (one, other)]
    pairs = enumerate(zip(*texts, strict=False))
    return next((place for place, (mine, theirs) in pairs if mine != theirs), min(map(len, texts)))


def describe(source: Source) -> str:
    """Return what is known of an item, a labelled line each and the text last, as data for a model."""
    item = source.item
    lines = [("feed", source.feed_name), ("title", item.title), ("author", item.author or "")]
    if item.dated:
        lines.append(("published", f"{item.published_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"))
    lines += [("category", source.category), ("labels", ", ".join(item.categories))]
    head = "\n".join(f"{label}: {one_line(value)}" for label, value in lines if value)
    return encodable(visible(f"{head}\ntext:\n{item.text}").rstrip())


def _fixed(source: Source, beat: Beat) -> dict[str, object]:
    return {
        "market": beat.market,
        "tone": beat.tone,
        "language": source.language,
        "vocabulary": beat.vocabulary,
        "overview": beat.overview,
        "from_author": beat.from_author,
        "impact": f"{beat.impact} {beat.market}",
    }


def _example(path: Path, text: str, name: str) -> Example:
    place = path.parent / FOLDER / f"{name}.yaml"
    if Path(name).name != name or not place.is_file():
        said = f"there is no example {name!r}: write {FOLDER}/{name}.yaml, or take the name out here"
        raise wrong(path, line_of(text, "examples", name), said)
    return load_example(place)


def _digest(content: bytes, examples: Sequence[Example]) -> str:
    told = b"\0".join([content, *(example.digest.encode() for example in examples)])
    return hashlib.sha256(told).hexdigest()[:8]


_SAMPLE = Source(
    item=Item(guid="sample", title="Sample", text="Sample.", published_at=datetime(2026, 1, 1, tzinfo=UTC)),
    feed_key="sample",
    feed_name="Sample",
    first_key="sample",
    category="SAMPLE",
    language="en",
)
