"""Kind `injection`: what a model writes that was led astray by a text in its source.

Nobody can tell from a source whether it will lead a model astray, and news about such texts is news: it is
the answer that is looked at. An offline brief quotes its source on purpose, and is blocked as long as it is
one.
"""

from collections.abc import Mapping
from typing import Any

from pipeline.brieftext import PLACEHOLDERS
from pipeline.checks.appeals import check_appeals
from pipeline.checks.known import Known
from pipeline.checks.outsiders import check_headline, check_outsiders
from pipeline.checks.seen import seen
from pipeline.checks.strayed import check_markers, check_strayed
from pipeline.checks.tongue import check_tongue
from pipeline.models import Beat, Finding, Source


def check_injection(source: Source | None, body: str, beat: Beat) -> tuple[Finding, ...]:
    """Return findings, most of them blocking, about what leads readers elsewhere or is no article.

    Where the source is not known any more, only what no article ever has is found: a request's marker,
    raw HTML.
    """
    if source is not None and any(text in body for text in PLACEHOLDERS):
        return ()
    shown = seen(body)
    known = Known(source) if source else None
    sure = check_markers(known, shown, body)
    if source is None or known is None:
        return sure
    return (
        *sure,
        *check_outsiders(known, shown),
        *check_appeals(known, shown),
        *check_strayed(known, shown),
        *check_tongue(known, shown, source.language),
    )


def check_origin(source: Source | None, metadata: Mapping[str, Any]) -> list[Finding]:
    """Return a blocking finding for each address in the source's headline, where front matter names that."""
    told = metadata.get("source")
    title = told.get("title") if isinstance(told, dict) else None
    if source is None or not isinstance(title, str):
        return []
    found = check_headline(Known(source), seen(title))
    return [one.model_copy(update={"span": None, "field": "front matter"}) for one in found]
