"""Reads a template under prompts/: front matter, what is told to every item, and the item's own part.

Lays out what a model is told about one item, from a template under prompts/ and its examples.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.nodes import Name
from jinja2.nodes import Template as Tree
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import Field

from pipeline.config.yaml_source import did_you_mean, entry_error, read_record, read_text
from pipeline.domain.errors import ConfigError
from pipeline.domain.models import Beat, FrozenModel, Item, Source
from pipeline.domain.text import one_line, replace_surrogates
from pipeline.llm.chat import Message
from pipeline.rewrite.examples import FOLDER, Example, load_example
from pipeline.rewrite.hidden_text import strip_hidden_text

FIXED = frozenset(
    {"market", "tone", "language", "vocabulary", "overview", "from_author", "impact", "examples"}
)
"""Variables that are alike for every item of a feed; all that a system part may use."""

PER_ITEM = frozenset({"marker", "item"})
"""Variables that differ with every request; the user part needs both."""

_FILE = re.compile(
    r"\A---\n(?P<front>.*?\n)---\n\s*?^# system\n(?P<system>.*?)^# user\n(?P<user>.*)\Z", re.S | re.M
)


class PromptOptions(FrozenModel):
    """What a prompt wants of a request; the operator's settings win."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, ge=16)


class TemplateHeader(FrozenModel):
    """The front matter of a template."""

    name: str
    variables: tuple[str, ...]
    examples: tuple[str, ...] = ()
    """Names of files in the folder `examples` beside the template, without their ending."""
    hints: PromptOptions = PromptOptions()


@dataclass(frozen=True)
class TemplateParts:
    """A template's parts, compiled."""

    front: TemplateHeader
    system: Template
    user: Template


def read_parts(path: Path, text: str) -> TemplateParts:
    """Return the parts of a template's text. Raises ConfigError with file and line."""
    found = _FILE.match(text)
    if found is None:
        raise entry_error(
            path, 1, "needs front matter between two lines `---`, then `# system`, then `# user`"
        )
    front = read_record(path, found["front"], TemplateHeader, before=1)
    _check(path, text, front)
    first = {part: text.count("\n", 0, found.start(part)) for part in ("system", "user")}
    system = _compile(path, found["system"], first["system"], front, FIXED)
    user = _compile(path, found["user"], first["user"], front, FIXED | PER_ITEM)
    missing = sorted(PER_ITEM - {name for name, _ in _names(_env().parse(found["user"]))})
    if missing:
        raise entry_error(path, first["user"], f"`# user` must use {{{{ {missing[0]} }}}}")
    return TemplateParts(front=front, system=system, user=user)


def render_template(path: Path, template: Template, values: dict[str, object]) -> str:
    """Return a part with its variables filled in. Raises ConfigError where that cannot be done."""
    try:
        return template.render(values).strip()
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"{path}: the template cannot be rendered: {error}", file=path) from error


def line_of(text: str, key: str, word: str) -> int:
    """Return the line of a file on which a word follows a key of the front matter; else that of the key."""
    begin = re.search(rf"^{key}:", text, re.M)
    at = begin.start() if begin else 0
    found = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])").search(text, begin.end() if begin else 0)
    return text.count("\n", 0, found.start() if found else at) + 1


def _check(path: Path, text: str, front: TemplateHeader) -> None:
    expected = path.name.removesuffix(".md.j2")
    if front.name != expected:
        said = f"name is {front.name!r}; write `name: {expected}`, as the file is called"
        raise entry_error(path, line_of(text, "name", front.name), said)
    for name in front.variables:
        if name not in FIXED | PER_ITEM:
            hint = did_you_mean(name, FIXED | PER_ITEM)
            raise entry_error(path, line_of(text, "variables", name), f"there is no variable {name}; {hint}")


def _compile(path: Path, text: str, offset: int, front: TemplateHeader, allowed: frozenset[str]) -> Template:
    """Compile one part whose first line is line `offset + 1` of the file."""
    try:
        tree = _env().parse(text)
    except TemplateSyntaxError as error:
        raise entry_error(path, offset + error.lineno, str(error.message)) from error
    for name, line in _names(tree):
        if name not in allowed:
            raise entry_error(
                path, offset + line, f"{name} cannot be used here; known: {', '.join(sorted(allowed))}"
            )
        if name not in front.variables:
            raise entry_error(path, offset + line, f"{name} is missing from `variables` in the front matter")
    return _env().from_string(text)


def _names(tree: Tree) -> list[tuple[str, int]]:
    """Return the variables that a template reads from outside, each with its line."""
    local = {node.name for node in tree.find_all(Name) if node.ctx != "load"}
    return [(node.name, node.lineno) for node in tree.find_all(Name) if node.name not in local]


def _env() -> ImmutableSandboxedEnvironment:
    # The output is plain text for a model, so nothing is to be escaped for HTML.
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class Prompt:
    """A template that has rendered once already, so that it fails before anything starts."""

    id: str
    """`name@hash`, the hash 8 hex digits of SHA-256 of the template and its examples."""
    path: Path
    system: Template
    user: Template
    examples: tuple[Example, ...] = ()
    hints: PromptOptions = field(default_factory=PromptOptions)

    def messages(self, source: Source, beat: Beat) -> list[Message]:
        """Return the messages about one source: what is fixed first, the item last.

        What is fixed is the same for every item of a beat and language: the instructions, then each example
        in that language as a question and its answer. The item is data: a value that is put in, never
        rendered, between two lines with a marker that is random for each request. Raises ConfigError where
        the template cannot be rendered.
        """
        shown = self.shown(source.language)
        fixed = _fixed(source, beat) | {"examples": len(shown)}
        laid_out = [Message(role="system", content=render_template(self.path, self.system, fixed))]
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
        return Message(role="user", content=render_template(self.path, self.user, values))


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
    return replace_surrogates(strip_hidden_text(f"{head}\ntext:\n{item.text}").rstrip())


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
        raise entry_error(path, line_of(text, "examples", name), said)
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
