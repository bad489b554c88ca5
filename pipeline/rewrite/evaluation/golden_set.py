"""Reads evals/: the golden set, what each item asks for, and the answers that were recorded for it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.config import load_feeds
from pipeline.config.yaml_source import Loc, did_you_mean, entry_error, read_document, read_record, read_text
from pipeline.domain.errors import ConfigError
from pipeline.domain.models import Beat, FrozenModel, LLMResponse, Provenance, Source, TokenUsage
from pipeline.rewrite.evaluation.scoring import Expectation, compiled
from pipeline.rewrite.examples import ExampleItem

RECORDED = "recorded"
"""The folder beside the golden files with a folder for each set of answers."""
KEY = re.compile(r"[a-z0-9][a-z0-9-]*")


class GoldenItem(FrozenModel):
    """One item of a golden file."""

    key: str = Field(pattern=f"^{KEY.pattern}$")
    item: ExampleItem
    wanted: Expectation = Expectation()


class GoldenFile(FrozenModel):
    """One file of the golden set: items of one beat and language."""

    feeds: str
    """Where the beat is configured, from this file's folder."""
    beat: str
    language: str
    everywhere: Expectation = Expectation()
    """What holds for every item besides; of it only what must not be."""
    items: tuple[GoldenItem, ...]


@dataclass(frozen=True)
class GoldenCase:
    """An item to be written about, and what is asked of the article."""

    key: str
    source: Source
    beat: Beat
    wanted: Expectation


class RecordedResponse(FrozenModel):
    """An answer that was given once, as its file holds it."""

    by: str
    """The model's name, or who wrote it instead of a model."""
    prompt: str | None = None
    usage: TokenUsage = TokenUsage()
    answer: dict[str, Any] | str
    """The JSON, or verbatim what was no JSON object."""

    def to_llm_response(self) -> LLMResponse:
        """Return it as if it had just been given."""
        told = self.answer if isinstance(self.answer, str) else json.dumps(self.answer, ensure_ascii=False)
        by = Provenance(rewritten=True, model=self.by, prompt=self.prompt)
        return LLMResponse(text=told, provenance=by, usage=self.usage)


def record(answer: LLMResponse) -> RecordedResponse:
    """Return an answer as it is to be kept."""
    by = answer.provenance
    try:
        told = json.loads(answer.text)
    except ValueError:
        told = answer.text
    kept = told if isinstance(told, dict) else answer.text
    return RecordedResponse(by=by.model, prompt=by.prompt, usage=answer.usage, answer=kept)


def load_cases(folder: Path) -> list[GoldenCase]:
    """Return every item of the golden set. Raises ConfigError with file and line."""
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise ConfigError(f"{folder} has no golden set; write one as docs/prompts.md tells", file=folder)
    cases: dict[str, GoldenCase] = {}
    for path in paths:
        for place, case in enumerate(_cases(path)):
            if case.key in cases:
                raise _wrong(path, ("items", place, "key"), f"key {case.key} is taken; write another")
            cases[case.key] = case
    return list(cases.values())


def load_recorded(folder: Path, name: str) -> dict[str, LLMResponse]:
    """Return the recorded answers of a set by item. Raises ConfigError with file and line."""
    place = folder / RECORDED / name
    if not KEY.fullmatch(name) or not place.is_dir():
        known = [path.name for path in (folder / RECORDED).glob("*") if path.is_dir()]
        raise ConfigError(f"no answers are recorded as {name!r}; {did_you_mean(name, known)}", file=place)
    paths = sorted(place.glob("*.json"))
    return {
        path.stem: read_record(path, read_text(path)[1], RecordedResponse).to_llm_response() for path in paths
    }


def _cases(path: Path) -> list[GoldenCase]:
    file = read_record(path, read_text(path)[1], GoldenFile)
    _refuse_unfit(path, ("everywhere",), file.everywhere)
    for place, golden in enumerate(file.items):
        _refuse_unfit(path, ("items", place, "wanted"), golden.wanted)
    beats = load_feeds(path.parent / file.feeds).beats
    if file.beat not in beats:
        raise _wrong(
            path, ("beat",), f"{file.feeds} has no beat {file.beat}; {did_you_mean(file.beat, beats)}"
        )
    return [_case(file, golden, beats[file.beat]) for golden in file.items]


def _case(file: GoldenFile, golden: GoldenItem, beat: Beat) -> GoldenCase:
    wanted = golden.wanted.model_copy(
        update={
            name: (*getattr(golden.wanted, name), *getattr(file.everywhere, name))
            for name in ("must_not", "opinion_must_not")
        }
    )
    source = golden.item.source(golden.key, file.language)
    return GoldenCase(key=golden.key, source=source, beat=beat, wanted=wanted)


def _refuse_unfit(path: Path, loc: Loc, wanted: Expectation) -> None:
    for name in ("must", "must_not", "opinion_must_not"):
        for place, pattern in enumerate(getattr(wanted, name)):
            try:
                compiled(pattern)
            except re.error as error:
                said = f"{pattern} is no regular expression ({error}); mend it, or take the slashes off"
                raise _wrong(path, (*loc, name, place), said) from error


def _wrong(path: Path, loc: Loc, what: str) -> ConfigError:
    return entry_error(path, read_document(read_text(path)[1]).line(loc), what)
