"""Loads evals/: the golden set of items with their expectations, and recorded answers."""

import contextlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.config import load_feeds
from pipeline.config.yaml_source import Loc, did_you_mean, entry_error, read_document, read_record, read_text
from pipeline.domain.errors import ConfigError
from pipeline.domain.model_calls import LLMResponse, Provenance, TokenUsage
from pipeline.domain.models import Beat, FrozenModel, Source
from pipeline.rewrite.evaluation.scoring import Expectation, compile_pattern
from pipeline.rewrite.examples import ExampleItem

RECORDED = "recorded"
"""The folder next to the golden files that has one folder for each set of answers."""
KEY = re.compile(r"[a-z0-9][a-z0-9-]*")


class GoldenItem(FrozenModel):
    """One item of a golden file."""

    key: str = Field(pattern=f"^{KEY.pattern}$")
    item: ExampleItem
    wanted: Expectation = Expectation()


class GoldenFile(FrozenModel):
    """One file of the golden set: items of one beat and language."""

    feeds: str
    """Path of the beat's feeds file, relative to this file's folder."""
    beat: str
    language: str
    everywhere: Expectation = Expectation()
    """Added to every item's expectation; only its `must_not` and `opinion_must_not` are used."""
    items: tuple[GoldenItem, ...]


@dataclass(frozen=True)
class GoldenCase:
    """An item to write about, and the expectation for its article."""

    key: str
    source: Source
    beat: Beat
    expectation: Expectation


class RecordedResponse(FrozenModel):
    """An answer in its stored form."""

    by: str
    """The model's name, or who wrote the answer without a model."""
    prompt: str | None = None
    usage: TokenUsage = TokenUsage()
    answer: dict[str, Any] | str
    """The JSON object, or the verbatim text if it is not one."""

    def to_llm_response(self) -> LLMResponse:
        """Return the answer as a model's response."""
        text = self.answer if isinstance(self.answer, str) else json.dumps(self.answer, ensure_ascii=False)
        by = Provenance(rewritten=True, model=self.by, prompt=self.prompt)
        return LLMResponse(text=text, provenance=by, usage=self.usage)


def record(answer: LLMResponse) -> RecordedResponse:
    """Return the stored form of an answer."""
    by = answer.provenance
    try:
        data = json.loads(answer.text)
    except ValueError:
        data = answer.text
    recorded = data if isinstance(data, dict) else answer.text
    return RecordedResponse(by=by.model, prompt=by.prompt, usage=answer.usage, answer=recorded)


def load_cases(folder: Path) -> list[GoldenCase]:
    """Return every item of the golden set. Raises ConfigError with file and line when one is not valid."""
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise ConfigError(f"{folder} has no golden set; write one as docs/prompts.md describes", file=folder)
    cases: dict[str, GoldenCase] = {}
    for path in paths:
        for index, case in enumerate(_cases(path)):
            if case.key in cases:
                raise _error_at(path, ("items", index, "key"), f"key {case.key} is taken; write another")
            cases[case.key] = case
    return list(cases.values())


def load_recorded(folder: Path, name: str) -> dict[str, LLMResponse]:
    """Return a set's recorded answers by item key. Raises ConfigError when there is no such set."""
    path = folder / RECORDED / name
    if not KEY.fullmatch(name) or not os.path.isdir(path):  # noqa: PTH112 - `is_dir` raises PermissionError
        names: list[str] = []
        with contextlib.suppress(OSError):
            names = [each.name for each in path.parent.iterdir()]
        raise ConfigError(f"no answers are recorded as {name!r}; {did_you_mean(name, names)}", file=path)
    paths = sorted(path.glob("*.json"))
    return {
        path.stem: read_record(path, read_text(path)[1], RecordedResponse).to_llm_response() for path in paths
    }


def _cases(path: Path) -> list[GoldenCase]:
    file = read_record(path, read_text(path)[1], GoldenFile)
    _check_patterns(path, ("everywhere",), file.everywhere)
    for index, golden in enumerate(file.items):
        _check_patterns(path, ("items", index, "wanted"), golden.wanted)
    beats = load_feeds(path.parent / file.feeds).beats
    if file.beat not in beats:
        raise _error_at(
            path, ("beat",), f"{file.feeds} has no beat {file.beat}; {did_you_mean(file.beat, beats)}"
        )
    return [_case(file, golden, beats[file.beat]) for golden in file.items]


def _case(file: GoldenFile, golden: GoldenItem, beat: Beat) -> GoldenCase:
    expectation = golden.wanted.model_copy(
        update={
            name: (*getattr(golden.wanted, name), *getattr(file.everywhere, name))
            for name in ("must_not", "opinion_must_not")
        }
    )
    source = golden.item.source(golden.key, file.language, golden.item.category)
    return GoldenCase(key=golden.key, source=source, beat=beat, expectation=expectation)


def _check_patterns(path: Path, loc: Loc, expectation: Expectation) -> None:
    for name in ("must", "must_not", "opinion_must_not"):
        for index, pattern in enumerate(getattr(expectation, name)):
            try:
                compile_pattern(pattern)
            except re.error as error:
                message = f"{pattern} is no regular expression ({error}); correct it or remove the slashes"
                raise _error_at(path, (*loc, name, index), message) from error


def _error_at(path: Path, loc: Loc, message: str) -> ConfigError:
    return entry_error(path, read_document(read_text(path)[1]).line(loc), message)
