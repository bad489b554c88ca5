"""Loads a prompt template with its examples, and renders the messages about an item.

A template has front matter, a system part that is the same for every item of a feed, and a user part with
the item. Feed text is data: it is inserted as a value between random markers, against prompt injection.
"""

import hashlib
import re
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
from pipeline.domain.prompt_markers import marker_line
from pipeline.domain.text import one_line, replace_surrogates
from pipeline.llm.chat import Message
from pipeline.rewrite.examples import Example, load_example
from pipeline.rewrite.hidden_text import strip_hidden_text
from pipeline.rewrite.prompt_files import EXAMPLES_FOLDER, TEMPLATE_SUFFIX, example_path, template_path

FIXED_VARIABLES = frozenset((
    "market", "tone", "language", "vocabulary", "overview", "from_author", "impact", "titles", "required",
    "examples",
))  # fmt: skip
"""Variables that are the same for every item of a feed; a system part may use only these."""

ITEM_VARIABLES = frozenset({"marker", "item"})
"""Variables that differ in every request; a user part must use both."""

_TEMPLATE = re.compile(
    r"\A---\n(?P<front>.*?\n)---\n\s*?^# system\n(?P<system>.*?)^# user\n(?P<user>.*)\Z", re.S | re.M
)


class PromptOptions(FrozenModel):
    """A prompt's options for requests; the operator's settings win."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, ge=16)


class TemplateHeader(FrozenModel):
    """The front matter of a template."""

    name: str
    variables: tuple[str, ...]
    examples: tuple[str, ...] = ()
    """Names of files in the folder `examples`, without the suffix."""
    hints: PromptOptions = PromptOptions()


@dataclass(frozen=True)
class TemplateParts:
    """The compiled parts of a template."""

    header: TemplateHeader
    system: Template
    user: Template


def read_parts(path: Path, text: str) -> TemplateParts:
    """Return the parts of a template's text. Raises ConfigError with file and line when it is not valid."""
    match = _TEMPLATE.match(text)
    if match is None:
        raise entry_error(
            path, 1, "needs front matter between two lines `---`, then `# system`, then `# user`"
        )
    header = read_record(path, match["front"], TemplateHeader, before=1)
    _check_header(path, text, header)
    first_lines = {part: text.count("\n", 0, match.start(part)) for part in ("system", "user")}
    system = _compile(path, match["system"], first_lines["system"], header, FIXED_VARIABLES)
    user = _compile(path, match["user"], first_lines["user"], header, FIXED_VARIABLES | ITEM_VARIABLES)
    missing = sorted(ITEM_VARIABLES - {name for name, _ in _variables(_env().parse(match["user"]))})
    if missing:
        raise entry_error(path, first_lines["user"], f"`# user` must use {{{{ {missing[0]} }}}}")
    return TemplateParts(header=header, system=system, user=user)


def render_template(path: Path, template: Template, values: dict[str, object]) -> str:
    """Return a part with its variables filled in. Raises ConfigError when it cannot be rendered."""
    try:
        return template.render(values).strip()
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"{path}: the template cannot be rendered: {error}", file=path) from error


def line_of(text: str, key: str, value: str) -> int:
    """Return the line number of a value after a key of the front matter; without the value, the key's."""
    key_match = re.search(rf"^{key}:", text, re.M)
    key_start = key_match.start() if key_match else 0
    value_match = re.compile(rf"(?<![\w-]){re.escape(value)}(?![\w-])").search(
        text, key_match.end() if key_match else 0
    )
    return text.count("\n", 0, value_match.start() if value_match else key_start) + 1


def _check_header(path: Path, text: str, header: TemplateHeader) -> None:
    expected = path.name.removesuffix(TEMPLATE_SUFFIX)
    if header.name != expected:
        message = f"name is {header.name!r}; write `name: {expected}`, as the file is called"
        raise entry_error(path, line_of(text, "name", header.name), message)
    for name in header.variables:
        if name not in FIXED_VARIABLES | ITEM_VARIABLES:
            hint = did_you_mean(name, FIXED_VARIABLES | ITEM_VARIABLES)
            raise entry_error(path, line_of(text, "variables", name), f"there is no variable {name}; {hint}")


def _compile(path: Path, text: str, offset: int, header: TemplateHeader, allowed: frozenset[str]) -> Template:
    """Return one compiled part, whose first line is line `offset + 1` of the file."""
    try:
        tree = _env().parse(text)
    except TemplateSyntaxError as error:
        raise entry_error(path, offset + error.lineno, str(error.message)) from error
    for name, line in _variables(tree):
        if name not in allowed:
            raise entry_error(
                path, offset + line, f"{name} cannot be used here; known: {', '.join(sorted(allowed))}"
            )
        if name not in header.variables:
            raise entry_error(path, offset + line, f"{name} is missing from `variables` in the front matter")
    return _env().from_string(text)


def _variables(tree: Tree) -> list[tuple[str, int]]:
    """Return the variables that a template needs, each with its line number."""
    assigned = {node.name for node in tree.find_all(Name) if node.ctx != "load"}
    return [(node.name, node.lineno) for node in tree.find_all(Name) if node.name not in assigned]


def _env() -> ImmutableSandboxedEnvironment:
    # The output is plain text for a model, so HTML escaping is wrong here.
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class Prompt:
    """A template that was rendered once when it was loaded, so that errors appear before a run."""

    id: str
    """`name@hash`, the hash 8 hex digits of SHA-256 of the template and its examples."""
    path: Path
    system: Template
    user: Template
    examples: tuple[Example, ...] = ()
    hints: PromptOptions = field(default_factory=PromptOptions)

    def messages(self, source: Source, beat: Beat) -> list[Message]:
        """Return the messages about one source: the fixed prefix first, the item last.

        The prefix is the same for every item of a beat and language, so that providers can cache it: the
        instructions, then each example as a question and its answer. The item is inserted as a value, never
        rendered, between two marker lines that are random for each request. Raises ConfigError when the
        template cannot be rendered.
        """
        examples = self.examples_for(source.language)
        fixed = _fixed_values(source, beat) | {"examples": len(examples)}
        messages = [Message(role="system", content=render_template(self.path, self.system, fixed))]
        for example in examples:
            messages.append(self._item_message(example.source, example.marker, fixed))
            messages.append(Message(role="assistant", content=example.answer))
        return [*messages, self._item_message(source, marker_line("item"), fixed)]

    def examples_for(self, language: str) -> tuple[Example, ...]:
        """Return the examples in a language; if there are none, those without a language."""
        own = tuple(example for example in self.examples if example.language and example.fits(language))
        return own or tuple(example for example in self.examples if example.language is None)

    def _item_message(self, source: Source, marker: str, fixed: dict[str, object]) -> Message:
        values = fixed | {"marker": marker, "item": describe_item(source)}
        return Message(role="user", content=render_template(self.path, self.user, values))


def load_prompt(folder: Path, name: str) -> Prompt:
    """Return the prompt `name` and its examples, each file from `folder`, else the packaged one.

    Raises ConfigError with the file, and the line if there is one.
    """
    if not _NAME.fullmatch(name):
        message = f"{name!r} is no name for a prompt: use letters a to z, digits, - and _"
        raise ConfigError(message, file=folder / f"{name}{TEMPLATE_SUFFIX}")
    path = template_path(folder, name)
    content, text = read_text(path)
    parts = read_parts(path, text)
    examples = tuple(_load_example(folder, path, text, example) for example in parts.header.examples)
    prompt = Prompt(
        id=f"{parts.header.name}@{_digest(content, examples)}",
        path=path,
        system=parts.system,
        user=parts.user,
        examples=examples,
        hints=parts.header.hints,
    )
    prompt.messages(SAMPLE, Beat(key="sample", vocabulary=("SAMPLE",)))
    return prompt


def describe_item(source: Source) -> str:
    """Return an item as text for a model: a labelled line for each field, then the item's text."""
    item = source.item
    lines = [("feed", source.feed_name), ("title", item.title), ("author", item.author or "")]
    lines += [("credit", item.credit or ""), ("rights", item.rights or "")]
    if item.dated:
        local = item.published_local
        lines.append(("published", f"{_WEEKDAYS[local.weekday()]} {local:%Y-%m-%d %H:%M %Z}"))
    lines += [("category", source.category), ("labels", ", ".join(item.categories))]
    head = "\n".join(f"{label}: {one_line(value)}" for label, value in lines if value)
    return replace_surrogates(strip_hidden_text(f"{head}\ntext:\n{item.text}").rstrip())


_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""Not `%A`, which depends on the process's locale."""


def _fixed_values(source: Source, beat: Beat) -> dict[str, object]:
    return {
        "market": beat.market,
        "tone": beat.tone,
        "language": source.language,
        "vocabulary": beat.vocabulary,
        "overview": beat.overview,
        "from_author": beat.from_author,
        "impact": beat.headings.impact,
        "titles": beat.titles,
        "required": beat.required_sections,
    }


def _load_example(folder: Path, path: Path, text: str, name: str) -> Example:
    file = example_path(folder, name)
    if file is None:
        message = (
            f"there is no example {name!r}: write {EXAMPLES_FOLDER}/{name}.yaml, or take the name out here"
        )
        raise entry_error(path, line_of(text, "examples", name), message)
    return load_example(file)


def _digest(content: bytes, examples: Sequence[Example]) -> str:
    hashed = b"\0".join([content, *(example.digest.encode() for example in examples)])
    return hashlib.sha256(hashed).hexdigest()[:8]


SAMPLE = Source(
    item=Item(guid="sample", title="Sample", text="Sample.", published_at=datetime(2026, 1, 1, tzinfo=UTC)),
    feed_key="sample",
    feed_name="Sample",
    first_key="sample",
    category="SAMPLE",
    language="en",
)
"""An item of few words, to try a prompt with."""
