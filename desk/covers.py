"""Cover images that an editor may choose: none, the item's own, or one that is searched for."""

import asyncio
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from desk.office import Office, Seen
from desk.pages import filters, office, onward, render, who
from desk.view import Page, page_of
from pipeline.covers import IMAGES, Photo, feed_cover, photo_cover, query_of
from pipeline.editing import Changes, save
from pipeline.errors import ReviewError
from pipeline.models import Sentiment
from pipeline.settings import Subscriptions

router = APIRouter(prefix="/drafts/{ref}")
_NO_KEY = "No key is set: UNSPLASH_ACCESS_KEY."


class Offer(NamedTuple):
    """A choice in the form."""

    value: str
    label: str


def image_hosts(subscriptions: Subscriptions) -> tuple[str, ...]:
    """Return where pages may show images from: nowhere, unless a feed has covers searched for."""
    return (IMAGES,) if any(feed.covers == "unsplash" for feed in subscriptions.feeds) else ()


def offered(seen: Seen) -> list[Offer]:
    """Return the choices beside leaving the cover as it is."""
    own = seen.feed is not None and seen.feed.covers == "feed" and feed_cover(seen.source)
    return [Offer("none", "no cover"), *([Offer("feed", "the item's own image")] if own else [])]


def chosen(seen: Seen, choice: str) -> dict[str, Any] | None:
    """Return the cover that a choice means: `{}` for none, None for as it is."""
    if choice == "feed" and any(one.value == "feed" for one in offered(seen)):
        return feed_cover(seen.source)
    return {} if choice == "none" else None


def searches(seen: Seen) -> bool:
    """Tell whether covers of a draft's feed are searched for."""
    return seen.feed is not None and seen.feed.covers == "unsplash"


@router.get("/covers")
async def find(request: Request, ref: str, q: str = "") -> Response:
    """Show what a search finds."""
    who(request)
    room = office(request)
    seen = await room.seen(ref)
    page = page_of(seen)
    query = q.strip()[:100] or _query(page)
    photos, trouble = await _found(room, seen, query)
    return render(
        request, "covers.html", page=page, row=seen.row, query=query, photos=photos, trouble=trouble,
        cover=page.metadata.get("coverImage"), waits=seen.row.state == "drafted",
    )  # fmt: skip


def _query(page: Page) -> str:
    tags = page.metadata.get("tags")
    return query_of(
        page.title, str(page.metadata.get("category", "")), tags if isinstance(tags, list) else ()
    )


async def _found(room: Office, seen: Seen, query: str) -> tuple[list[Photo], str]:
    if not searches(seen):
        return [], "Covers of this feed are not searched for: `covers: unsplash` in feeds.yaml."
    search = room.search()
    if search is None:
        return [], _NO_KEY
    photos = await search.search(query)
    return photos, search.trouble or ("" if photos else "Nothing was found; try other words.")


@router.post("/cover")
async def take(request: Request, ref: str, photo: Annotated[str, Form()] = "") -> Response:
    """Set the cover that an editor chose: asked for again by its id, so that no form can name another."""
    room, name = office(request), who(request)
    seen = await room.seen(ref)
    search = room.search() if searches(seen) else None
    if search is None:
        raise ReviewError(_NO_KEY)
    got = await search.photo(photo)
    if got is None:
        raise ReviewError(search.trouble or "that photo is not to be had any more; choose another")
    page = page_of(seen)
    if page.trouble:
        raise ReviewError(page.trouble)
    await asyncio.to_thread(
        save, room.ledger, room.settings.output, room.subscriptions, ref, _changes(page, photo_cover(got)),
        seen.findings, base=seen.sha256, by=name, now=room.now,
    )  # fmt: skip
    await search.used(got)
    return onward(f"/drafts/{ref}", filters(request).query(), saved=ref)


def _changes(page: Page, cover: dict[str, Any]) -> Changes:
    """Return a draft as it is, but for its cover."""
    told = page.metadata
    try:
        return Changes(
            title=page.title,
            description=str(told.get("description", "")),
            category=str(told.get("category", "")),
            tags=tuple(told.get("tags") or ()),
            sentiment=Sentiment(str(told.get("sentiment"))),
            sticky_weight=int(told.get("stickyWeight") or 0),
            body=page.body,
            cover=cover,
        )
    except (ValueError, TypeError) as error:
        raise ReviewError("its front matter is not as an article's; mend it in the editor first") from error
