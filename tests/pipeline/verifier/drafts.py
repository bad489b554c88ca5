"""An invented source, a draft about it with errors, and answers of a second reader."""

import json
from datetime import UTC, datetime
from typing import Any

from pipeline.domain.models import Beat, Item, Source
from pipeline.domain.readings import SentenceReading
from pipeline.domain.reviews import Front
from pipeline.verifier.confirm import Confirmation, confirm_answer
from pipeline.verifier.numbered_draft import NumberedDraft, number_sentences
from pipeline.verifier.objections import parse_answer
from pipeline.verifier.question import Question
from pipeline.verifier.readings import sentence_readings

BEAT = Beat(key="ferry", market="ferry market")
TEXT = """The ferry line Norrsund may close its winter route to Hellby, its director Ada Brandt said on
Tuesday. “We lose about 40 crowns on every passenger,” Brandt said. Revenue was down 6 percent to 12
million crowns.

The town council of Hellby rejected a subsidy in March. Mayor Jon Ruud – a former captain – opposed it.
Most commuters already use the bridge, which opened in 2019."""
BODY = """## Overview

The ferry line Norrsund will close its winter route to Hellby, its director Ada Brandt said. Revenue rose 6
percent to 12 million crowns.

## Council said no

The town council rejected a subsidy in March, which had been paid since 1998. Mayor Jon Ruud *supported* it.
All commuters use the bridge.

## From author

The route looks hard to save.

## Impact on the ferry market

- Other lines may follow.
- Fares could rise.
"""
TITLE = "Norrsund ends winter ferry"
DESCRIPTION = "The line will close its route to Hellby."


def source(text: str = TEXT, language: str = "en", **item: Any) -> Source:
    fields = {"title": "Ferry may stop in winter", "author": "Lena Holm"} | item
    when = datetime(2026, 3, 3, 9, tzinfo=UTC)
    return Source(
        item=Item(guid="g", text=text, published_at=when, **fields),
        feed_key="post",
        feed_name="Coast Post",
        first_key="post",
        category="FERRY",
        language=language,
    )


def draft(body: str = BODY, title: str = TITLE, description: str = DESCRIPTION) -> NumberedDraft:
    front = Front(metadata={"title": title, "description": description})
    return number_sentences(source(), body, BEAT, front)


def number_of(numbered: NumberedDraft, words: str) -> int:
    """Return the number of the first sentence with some words."""
    return next(each.number for each in numbered.sentences if words in numbered.text_of(each))


def objection(sentence: int, wrong: str, quoted: str = "", fix: str = "") -> dict[str, Any]:
    error = "contradicted" if quoted else "not_stated"
    return {"sentence": sentence, "error": error, "wrong": wrong, "source": quoted, "fix": fix}


def confirm(numbered: NumberedDraft, *objections: dict[str, Any], of: Source | None = None) -> Confirmation:
    answer = parse_answer(json.dumps({"objections": objections}), notes=[])
    return confirm_answer(Question(of or source(), numbered), answer)


def readings(numbered: NumberedDraft, *objections: dict[str, Any]) -> tuple[SentenceReading, ...]:
    """Return what a second reader with these objections said of every sentence of a draft."""
    question = Question(source(), numbered)
    return tuple(sentence_readings(question, confirm(numbered, *objections), "m", "default"))
