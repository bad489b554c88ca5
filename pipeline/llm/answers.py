"""Answers: reads the object that a model was asked for, whatever the model or its server wrapped it in. Pure.

The strict reader comes first: an answer that is the object. Behind it stands one lenient reader, for what
follows the last thought: the object in code fences, prose, lists or other objects, with slips in its JSON.
What it had to do is noted. No object that stands inside a thought is ever read.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.domain.errors import FailureCause, LLMError
from pipeline.domain.text import one_line
from pipeline.llm.answer_fields import count_fields, fit_fields, plain_name
from pipeline.llm.lenient_json import END_OF_TURN, find_objects, load_json
from pipeline.llm.thoughts import split_thoughts

W = TypeVar("W", bound=BaseModel)
_FENCE = re.compile(r"(```+|~~~+)[ \t]*(?:[\w.+-]+[ \t]*)?\r?\n")
_MAX_DEPTH = 3
"""Objects, lists and texts around the object that is looked for. Chosen, not measured."""
_THOUGHT_NAME = re.compile(
    r"(?:\w*(?:think|thought|reasoning|scratchpad|monologue)\w*|analysis|commentary|cot|drafts?|examples?|plan"
    r"|reflection)"
)
"""Keys under which a model thinks, and types of such objects; what stands there is no answer."""
_KIND_FIELDS = ("type", "role", "channel")
_NO_DEFAULTS: Mapping[str, object] = MappingProxyType({})


def read_answer(
    model: type[W], text: str, notes: list[str] | None = None, defaults: Mapping[str, object] = _NO_DEFAULTS
) -> W:
    """Return a model's answer as an instance of `model`.

    `notes` gets a line for each thing that was read leniently. `defaults` replace missing fields.
    Raises LLMError (retry) with the reason; its context has `unfit` where no object fits the schema at all.
    """
    read_leniently: list[str] = []
    value = _find_value(model, text, read_leniently)
    if isinstance(value, dict):
        value = fit_fields(model, value, read_leniently, defaults)
    try:
        answer = model.model_validate(value)
    except ValidationError as error:
        reasons = "; ".join(map(_reason, error.errors(include_url=False)[:5]))
        raise validation_error(reasons, unfit=True) from error
    if notes is not None:
        notes += read_leniently
    return answer


def is_complete(text: str) -> bool:
    """Tell whether an answer that a server calls cut off is a whole object all the same."""
    try:
        return isinstance(load_json(split_thoughts(text).answer), dict)
    except ValueError:
        return False


def validation_error(reason: str, *, unfit: bool = False) -> LLMError:
    """Return the error of an unusable answer; the reason is sent to the model."""
    message = f"the model's answer cannot be used: {reason}"
    return LLMError(message, cause=FailureCause.FORMAT, reason=reason, unfit=unfit)


def _reason(detail: ErrorDetails) -> str:
    location = ".".join(str(step) for step in detail["loc"]) or "the whole"
    return f"{location[:60]}: {detail['msg'].lower()}"


class _Candidate(NamedTuple):
    """An object that may be the answer."""

    value: dict[str, object]
    fields: int
    """How many of the model's fields it has."""
    notes: tuple[str, ...] = ()


def _find_value(model: type[BaseModel], text: str, notes: list[str]) -> object:
    """Return the object that fits the model, or the nearest value. Raises LLMError where there is no JSON."""
    text = text.strip().removeprefix("\ufeff").strip()
    strict, inner = _strict(text)
    if strict is _NOTHING:
        candidate = _find_leniently(model, text, notes)
    else:
        candidate = _unwrapped(model, strict)
        notes += ["code fence"] if inner else []
    if candidate is not None:
        notes += candidate.notes
        return candidate.value
    if strict is not _NOTHING:
        return strict
    answer = split_thoughts(text).answer.strip()
    if not answer:
        raise validation_error("it is empty", unfit=True)
    try:
        return load_json(answer)
    except ValueError as error:
        raise validation_error(f"it is not JSON ({one_line(str(error))[:80]})", unfit=True) from error


_NOTHING = object()


def _strict(text: str) -> tuple[object, bool]:
    """Return the value of a text that is JSON as a whole, or inside one fence; whether there is a fence."""
    fence = _FENCE.match(text)
    inside = text[fence.end() : -len(fence[1])] if fence and text.endswith(fence[1]) else None
    try:
        return load_json(text if inside is None else inside), inside is not None
    except ValueError:
        return _NOTHING, False


def _find_leniently(model: type[BaseModel], text: str, notes: list[str]) -> _Candidate | None:
    """Return the object that fits best among those after the last thought, the last one of several equals.

    The last one, because models that think without marks end with their answer.
    """
    thoughts = split_thoughts(text)
    answer = thoughts.answer
    if thoughts.outside and not answer.strip():
        # A thought that follows an answer that is whole.
        answer = thoughts.outside if _strict(thoughts.outside.strip())[0] is not _NOTHING else ""
    candidate = _best(_candidates(model, answer)) or _best(_candidates(model, _unescaped(answer)))
    if candidate is not None:
        notes += ["thoughts ignored"] if thoughts.is_marked else []
        notes += _surroundings(answer) or (
            [] if candidate.notes or notes else ["text after the answer ignored"]
        )
    return candidate


def _candidates(model: type[BaseModel], text: str) -> Iterable[_Candidate]:
    for item in find_objects(text):
        candidate = _unwrapped(model, item.value)
        if candidate is None or (item.unclosed and not _is_whole(model, candidate)):
            continue
        repaired = ("JSON repaired",) if item.repaired else ()
        yield candidate._replace(notes=(*repaired, *candidate.notes))


def _is_whole(model: type[BaseModel], candidate: _Candidate) -> bool:
    """Tell whether an object lacks only its last brace: it has all fields, or ends with the last one."""
    names = [plain_name(name) for name in model.model_fields]
    return candidate.fields == len(names) or plain_name([*candidate.value][-1]) == names[-1]


def _best(candidates: Iterable[_Candidate]) -> _Candidate | None:
    return max(reversed(list(candidates)), key=lambda candidate: candidate.fields, default=None)


def _unescaped(text: str) -> str:
    """Return a text whose quotation marks are escaped as the text that was escaped; else an empty text."""
    if '{\\"' not in text.replace(" ", "").replace("\\n", ""):
        return ""
    try:
        value = load_json('"' + text.strip().strip('"') + '"')
    except ValueError:
        return ""
    return value if isinstance(value, str) else ""


def _surroundings(answer: str) -> list[str]:
    """Return notes about what stands around the object."""
    if "```" in answer or "~~~" in answer:
        return ["code fence"]
    bare = END_OF_TURN.sub("", answer).strip()
    before, after = not bare.startswith(("{", "[", '"')), not bare.endswith(("}", "]", '"'))
    return ["text before the answer ignored"] * before + ["text after the answer ignored"] * after


def _unwrapped(model: type[BaseModel], value: object, depth: int = 0) -> _Candidate | None:
    """Return the one object that fits the model in a value: itself, or what it wraps; else None."""
    if isinstance(value, str) and depth < _MAX_DEPTH:
        try:
            inner = load_json(value)
        except ValueError:
            return None
        return _noted(_unwrapped(model, inner, depth + 1), "in a JSON text")
    if isinstance(value, dict):
        fields = count_fields(model, value)
        if 2 * fields > len(model.model_fields):
            return _Candidate(value, fields)
        if value.get("thought") is True or any(_is_thought(value.get(name)) for name in _KIND_FIELDS):
            return None
    if depth == _MAX_DEPTH or not isinstance(value, (dict, list)):
        return None
    named = value.items() if isinstance(value, dict) else [("", inner) for inner in value]
    wrapped = [
        _noted(candidate, f"wrapped in `{name[:40]}`" if name else "in a list")
        for name, inner in named
        if not _is_thought(name) and (candidate := _unwrapped(model, inner, depth + 1))
    ]
    return wrapped[0] if len(wrapped) == 1 else None


def _is_thought(name: object) -> bool:
    return isinstance(name, str) and _THOUGHT_NAME.fullmatch(plain_name(name)) is not None


def _noted(candidate: _Candidate | None, note: str) -> _Candidate | None:
    return candidate._replace(notes=(note, *candidate.notes)) if candidate else None
