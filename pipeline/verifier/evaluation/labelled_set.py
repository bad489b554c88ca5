"""Loads evals/verifier/: invented sources, each with a faultless draft and the errors to plant in it."""

import hashlib
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from pydantic import Field

from pipeline.articles.markdown import sections
from pipeline.config.yaml_source import entry_error, read_record, read_text
from pipeline.domain.errors import ConfigError
from pipeline.domain.models import Beat, FrozenModel, Source
from pipeline.domain.reviews import Front, Place
from pipeline.rewrite.examples import SourceItem
from pipeline.verifier.numbered_draft import NumberedDraft, number_sentences
from pipeline.verifier.objections import ErrorKind

FOLDER = "verifier"
"""Of the labelled set, in evals/."""
SlipKind = Literal[
    "polarity", "role", "relation", "hedge", "quantity", "time", "tense", "place", "cause", "comparison",
    "scope", "attribution-lost", "attribution-wrong", "coreference", "background", "opinion-foisted",
    "certainty",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(SlipKind)
_TEXTS: tuple[Place, ...] = ("title", "description", "body")


class Slip(FrozenModel):
    """An error to plant: `wrong` in place of `right`, which the faultless draft has once."""

    kind: SlipKind
    right: str
    wrong: str
    error: ErrorKind


class LabelledFile(FrozenModel):
    """One file of the set."""

    key: str
    beat: str
    language: str
    source: SourceItem
    title: str
    description: str
    body: str
    """Markdown: the first section is the overview, the last two are opinion."""
    slips: tuple[Slip, ...] = Field(min_length=1)


class PlantedSlip(NamedTuple):
    """An error in a draft."""

    slip: Slip
    field: Place
    span: tuple[int, int]
    """Half-open range of the wrong words in the field's text."""


class LabelledText(NamedTuple):
    """A title, a description and a body."""

    title: str
    description: str
    body: str


class LabelledDraft(NamedTuple):
    """A source with a faultless draft and the same draft with all its errors."""

    key: str
    language: str
    source: Source
    beat: Beat
    faultless: LabelledText
    faulty: LabelledText
    slips: tuple[PlantedSlip, ...]

    def numbered(self, text: LabelledText) -> NumberedDraft:
        """Return one of the two texts with its sentences numbered."""
        return number_sentences(self.source, text.body, self.beat, front_of(text))


class LabelledSet(NamedTuple):
    """All labelled drafts."""

    drafts: tuple[LabelledDraft, ...]
    digest: str
    """Of all files, 8 hex digits: results of two sets cannot be compared."""


def front_of(text: LabelledText) -> Front:
    """Return the front matter of a labelled draft."""
    return Front(metadata={"title": text.title, "description": text.description})


def load_labelled_set(folder: Path) -> LabelledSet:
    """Return the labelled drafts in evals/verifier/. Raises ConfigError with file and line."""
    paths = sorted((folder / FOLDER).glob("*.yaml"))
    if not paths:
        raise ConfigError(
            f"{folder / FOLDER} has no labelled drafts; copy evals/{FOLDER} from Copydesk", file=folder
        )
    contents = [read_text(path) for path in paths]
    drafts = tuple(_load(path, text) for path, (_, text) in zip(paths, contents, strict=True))
    digest = hashlib.sha256(b"\0".join(content for content, _ in contents)).hexdigest()[:8]
    return LabelledSet(drafts, digest)


def _load(path: Path, text: str) -> LabelledDraft:
    file = read_record(path, text, LabelledFile)
    faultless = LabelledText(file.title, file.description, file.body.strip())
    try:
        faulty, planted = _plant(faultless, file.slips)
        beat = _beat(file.beat, faultless.body)
    except ValueError as error:
        raise entry_error(path, 1, str(error)) from error
    source = file.source.source(file.key, file.language, file.beat.upper())
    return LabelledDraft(file.key, file.language, source, beat, faultless, faulty, planted)


def _plant(text: LabelledText, slips: tuple[Slip, ...]) -> tuple[LabelledText, tuple[PlantedSlip, ...]]:
    """Return a text with every slip in place, and where. Raises ValueError."""
    fields, planted = text._asdict(), []
    for slip in slips:
        places = [field for field in _TEXTS if slip.right in fields[field]]
        if len(places) != 1 or fields[places[0]].count(slip.right) != 1:
            raise ValueError(f"slips: the draft must have {slip.right!r} once, besides other slips")
        fields[places[0]] = fields[places[0]].replace(slip.right, slip.wrong)
        planted.append((slip, places[0]))
    for slip, field in planted:
        if fields[field].count(slip.wrong) != 1:
            raise ValueError(f"slips: the draft with all slips must have {slip.wrong!r} once")
    return LabelledText(**fields), tuple(
        PlantedSlip(slip, field, (start := fields[field].index(slip.wrong), start + len(slip.wrong)))
        for slip, field in planted
    )


def _beat(key: str, body: str) -> Beat:
    """Return a beat with the headings of a body. Raises ValueError."""
    headings = [section.heading for section in sections(body)]
    if len(headings) < 3:
        raise ValueError("body: needs an overview and two sections of opinion, each with a heading")
    impact, _, market = headings[-1].partition(" ")
    return Beat(key=key, overview=headings[0], from_author=headings[-2], impact=impact, market=market)
