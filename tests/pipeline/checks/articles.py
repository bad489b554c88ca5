"""An invented source and an article about it that has no findings."""

from datetime import UTC, datetime

from pipeline.checks.runner import run_checks
from pipeline.domain.models import Beat, Item, Source
from pipeline.domain.reviews import Finding

BEAT = Beat(key="paper", market="paper market")
TEXT = """The paper mill at Arden will close in spring, its owner said on Friday. "We kept it open for as
long as anybody bought our paper," said Maren Tolle, who runs it. The mill has 240 workers and
made 31,000 tonnes last year.

"It is a black day for the valley," Pieter Oost, the mayor, said. He is going to ask the region
for help."""
ARTICLE = """## Overview

Arden loses its paper mill: the owner shuts it in spring, and 240 jobs go with it.

## Buyers stayed away

Maren Tolle told of dwindling sales. "We kept it open for as long as anybody bought our paper," she said.
Last year's output came to 31,000 tonnes. For Pieter Oost, the mayor, it is "a black day for the valley";
he hopes for the region.

## From author

The mayor's grief looks honest to us, and late.

## Impact on the paper market

- Buyers may turn to other mills.
- Other firms in the valley could lose work.
"""


def source(text: str = TEXT, language: str = "en", title: str = "Arden mill to close") -> Source:
    when = datetime(2026, 3, 2, 9, tzinfo=UTC)
    item = Item(guid="g", link="https://news.example/mill", title=title, text=text, published_at=when)
    return Source(
        item=item, feed_key="one", feed_name="Valley Post", first_key="one", category="X", language=language
    )


def run(body: str, beat: Beat = BEAT, of: Source | None = None) -> tuple[Finding, ...]:
    return run_checks(of or source(), body, beat, front=None)


def summarize(body: str, *findings: Finding) -> list[tuple[str, str, str]]:
    """Return kind, severity and text of findings."""
    return [
        (finding.kind, finding.severity.value, body[slice(*finding.span)] if finding.span else "")
        for finding in findings
    ]
