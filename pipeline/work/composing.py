"""Makes an item's draft: of answers that were paid for, or asked for now, or of the offline brief."""

import asyncio
from functools import partial
from typing import Any, NamedTuple

from pipeline.errors import ModelError
from pipeline.ledger import Claim, Sibling, same_story
from pipeline.models import Article, Beat, Credit, Draft, FeedConfig, Finding, Provenance, Source, source_of
from pipeline.output.frontmatter import dumps, loads
from pipeline.output.paths import draft_path
from pipeline.output.render import build_metadata, render_body
from pipeline.output.sections import part, text_of
from pipeline.output.settling import front_of, is_overview_start
from pipeline.rewrite.asking import Task, ask
from pipeline.rewrite.brief import BRIEF, write_brief
from pipeline.rewrite.redraft import with_request
from pipeline.rewrite.wire import WireArticle, read_answer
from pipeline.sanitize import without_elements
from pipeline.work.books import ItemBooks
from pipeline.work.covering import cover_of
from pipeline.work.mending import mend
from pipeline.work.room import Newsroom


class Composed(NamedTuple):
    """A draft that is ready to be written."""

    draft: Draft
    number: int
    """Its `ai.version`."""
    cause: str
    rewritten: bool
    before: Draft | None = None
    """What the model wrote first, where its sentences were mended since."""


async def compose(room: Newsroom, feed: FeedConfig, claim: Claim, books: ItemBooks) -> Composed:
    """Return an item's draft: written by the model, or the brief.

    Raises ModelError, LeaseLost, BudgetSpent.
    """
    siblings = await asyncio.to_thread(room.ledger.siblings, claim.item_id)
    source, beat = claimed_source(feed, claim, siblings), room.beats[feed.beat]
    article, provenance = await _article(room, source, beat, claim, books)
    cover = None if claim.previous else await cover_of(room, feed, source, article)
    lay_out = partial(_laid_out, room, source, beat, claim, siblings, provenance, cover)
    draft = await lay_out(article, None)
    number = claim.previous.version + 1 if claim.previous else 1
    composed = Composed(draft, number, "redraft" if claim.previous else "draft", provenance.rewritten)
    if not (beat.verify and provenance.rewritten):
        return composed
    mended = await mend(room, source, beat, claim, books, draft)
    if mended is None:
        return composed
    after = await lay_out(article, mended)
    return composed._replace(draft=after, cause="repair", before=draft)


def claimed_source(feed: FeedConfig, claim: Claim, siblings: list[Sibling]) -> Source:
    """Return the text to be rewritten: the item beside what its feed says of it."""
    merged = {sibling.url: sibling for sibling in siblings if sibling.state == "merged" and sibling.url}
    merged.pop(claim.item.link or "", None)
    also = tuple(Credit(name=one.feed_name, url=url) for url, one in merged.items())
    return source_of(feed, claim.item, first_key=claim.first_key, also=also)


async def _article(
    room: Newsroom, source: Source, beat: Beat, claim: Claim, books: ItemBooks
) -> tuple[Article, Provenance]:
    read = partial(read_answer, source=source, beat=beat)
    if claim.answer is not None:  # paid for by an earlier run
        try:
            return await asyncio.to_thread(read, claim.answer.text), claim.answer.provenance
        except ModelError as error:
            await books.discard(error.message)
    if room.model is None:
        return await asyncio.to_thread(write_brief, source, beat), BRIEF
    prompt = room.prompts[beat.key]
    messages = prompt.messages(source, beat)
    if claim.request and claim.previous:
        messages = with_request(messages, claim.request, _body(claim.previous.text))
    task = Task(
        messages=messages,
        prompt_id=prompt.id,
        shape=WireArticle,
        read=read,
        purpose="redraft" if claim.previous else "draft",
        max_tokens=prompt.hints.max_tokens,
        temperature=prompt.hints.temperature,
    )
    answer, article = await ask(room.model, task, books)
    return article, answer.provenance


def _body(text: str) -> str:
    return loads(text, "an earlier version")[1]


async def _laid_out(
    room: Newsroom,
    source: Source,
    beat: Beat,
    claim: Claim,
    siblings: list[Sibling],
    provenance: Provenance,
    cover: dict[str, Any] | None,
    article: Article,
    body: str | None,
) -> Draft:
    """Return the draft of an article; `body` stands in for its own where sentences were mended."""
    if body is None:
        body = render_body(article, beat)
    else:
        article = article.model_copy(update={"overview": text_of(body, part(body, beat.overview))})
    previous = claim.previous
    front_matter = partial(
        build_metadata,
        source,
        article,
        provenance,
        now=room.clock(),
        version=previous.version + 1 if previous else 1,
        previous=kept(previous.text, beat) if previous else None,
        cover=cover,
    )
    front = await asyncio.to_thread(lambda: front_of(front_matter(()), body, beat))
    findings = (*await room.check(source, body, beat, front), *_told_too(siblings))
    return Draft(
        external_id=source.external_id,
        path=previous.path if previous else _path(source, article),
        text=await asyncio.to_thread(lambda: dumps(front_matter(findings), body)),
        findings=findings,
    )


def _path(source: Source, article: Article) -> str:
    title = without_elements(article.title)
    return draft_path(title, source.item.published_at, source.external_id)


def kept(text: str, beat: Beat) -> dict[str, Any]:
    """Return front matter for a redraft to keep an editor's part of; without a description that was ours."""
    metadata, body = loads(text, "an earlier version")
    if is_overview_start(metadata.get("description"), body, beat):
        del metadata["description"]
    return metadata


def _told_too(siblings: list[Sibling]) -> list[Finding]:
    return [same_story(one.feed_name, one.title, one.path) for one in siblings]
