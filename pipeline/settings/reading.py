"""Reads one entry of feeds.yaml as a record, and puts what is wrong with it into words."""

from collections.abc import Collection, Mapping
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pipeline.models import Checks, Record
from pipeline.settings.crosschecks import place
from pipeline.settings.fieldchecks import POLL_ADVICE
from pipeline.settings.problems import Problem, advice, did_you_mean, shown
from pipeline.settings.yamlnodes import Document, Loc

R = TypeVar("R", bound=Record)

_UNSHOWN = {"url_variable"}
"""Fields that a secret may stand in by mistake."""


def record(
    document: Document,
    loc: Loc,
    kind: type[R],
    value: object,
    given: Mapping[str, object],
    *,
    unwritten: Collection[str] = (),
    inherited: Collection[str] = (),
) -> R | None:
    """Return `value` over what is `given` as a record, or None after reporting what is wrong with it.

    Fields in `unwritten` are not the entry's to write; those in `inherited` may stand under `defaults`.
    """
    merged = {**given, **value} if isinstance(value, dict) else value
    try:
        # Strict, as YAML has types of its own: `max_items: yes` is not 1. Lists come as tuples already.
        return kind.model_validate(merged, strict=True)
    except ValidationError as error:
        known = kind.model_fields.keys() - set(unwritten)
        for detail in error.errors(include_url=False):
            line = place(document, loc, detail["loc"])
            document.problems.append(Problem(line, _sentence(detail, known, inherited)))
        return None


def _sentence(detail: ErrorDetails, known: Collection[str], inherited: Collection[str]) -> str:
    names = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]]
    name = "".join(names).removeprefix(".") or "this entry"
    if detail["loc"][:1] == ("checks",) and len(detail["loc"]) > 1:
        known = Checks.model_fields.keys()
    if detail["type"] == "extra_forbidden":
        return f"unknown field {name}; {did_you_mean(name.rpartition('.')[2], known)}"
    if detail["loc"][:1] == ("poll_minutes",):
        return f"poll_minutes is no pair of minutes; {POLL_ADVICE}"
    if detail["type"] == "missing":
        return f"{name} is missing; add `{name}: …`" + (
            " here or under defaults" if name in inherited else ""
        )
    if detail["input"] is None:
        return f"{name} has no value; write one or remove the line"
    value = "(its value is not shown)" if name in _UNSHOWN else shown(detail["input"])
    return f"{name} {value} {advice(detail)}"
