"""The stored result of measuring a second reader: one file for each profile, in evals/measured/."""

import os
from pathlib import Path

from pydantic import AwareDatetime

from pipeline.articles.files import write_atomically
from pipeline.config.yaml_source import read_record, read_text
from pipeline.domain.model_calls import TokenUsage
from pipeline.domain.models import FrozenModel
from pipeline.verifier.evaluation.scoring import Scores

FOLDER = "measured"
"""In evals/, so that it is kept with the project and under version control."""


class Measurement(FrozenModel):
    """How good a model was as second reader, with which prompt and when."""

    profile: str
    model: str
    prompt: str
    """Id of the prompt, `name@hash`."""
    labelled_set: str
    """Digest of the labelled drafts."""
    measured_at: AwareDatetime
    seconds: float
    """From the first request to the last answer."""
    micros: int | None
    """Cost in millionths of a US dollar; None where the price is not known."""
    usage: TokenUsage
    """Of all calls, lost ones at their upper bound."""
    scores: Scores

    def is_of(self, model: str, prompt: str) -> bool:
        """Tell whether it holds for a model and a prompt: those that were measured."""
        return (self.model, self.prompt) == (model, prompt)


def page_path(folder: Path, profile: str) -> Path:
    """Return the path of the page about a profile; `folder` is evals/."""
    return folder / FOLDER / f"{profile}.html"


def save_measurement(folder: Path, measurement: Measurement, page: str) -> None:
    """Write a measurement and its page, in place of earlier ones. Raises OutputError."""
    names = [f"{FOLDER}/{measurement.profile}.{suffix}" for suffix in ("json", "html")]
    for name, text in zip(names, (measurement.model_dump_json(indent=1), page), strict=True):
        write_atomically(folder, name, text.encode("utf-8", "replace") + b"\n")


def load_measurement(folder: Path, profile: str) -> Measurement | None:
    """Return the measurement of a profile, None where it was not measured.

    `folder` is evals/. Raises ConfigError where the file is not valid.
    """
    path = folder / FOLDER / f"{profile}.json"
    return read_record(path, read_text(path)[1], Measurement) if os.path.lexists(path) else None
