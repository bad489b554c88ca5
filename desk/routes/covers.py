"""Cover images that an editor may choose: none, the item's own, or one that is searched for."""

import asyncio
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from desk.context import DraftView, WebContext
from desk.responses import current_editor, filters, redirect, render, web_context
from desk.views import DraftPage, page_of
from pipeline.covers import (
    IMAGE_ORIGIN,
    UNSPLASH_URL,
    Photo,
    UnsplashClient,
    build_query,
    feed_cover,
    photo_cover,
)
from pipeline.domain.errors import ReviewError
from pipeline.domain.models import Sentiment
from pipeline.services.edit import DraftEdit, save_edit

router = APIRouter(prefix="/drafts/{ref}")


class CoverOption(NamedTuple):
    """A choice in the form."""

    value: str
    label: str


def offered(seen: DraftView) -> list[CoverOption]:
    """Return the choices beside leaving the cover as it is."""
    own = seen.feed is not None and seen.feed.covers == "feed" and feed_cover(seen.source)
    return [CoverOption("none", "no cover"), *([CoverOption("feed", "the item's own image")] if own else [])]


def chosen(seen: DraftView, choice: str) -> dict[str, Any] | None:
    """Return the cover that a choice means: `{}` for none, None for as it is."""
    if choice == "feed" and any(one.value == "feed" for one in offered(seen)):
        return feed_cover(seen.source)
    return {} if choice == "none" else None


def searches(seen: DraftView) -> bool:
    """Tell whether covers of a draft's feed are searched for."""
    return seen.feed is not None and seen.feed.covers == "unsplash"


@router.get("/covers")
async def find(request: Request, ref: str, about: str = "") -> Response:
    """Show what a search finds."""
    current_editor(request)
    ctx = web_context(request)
    seen = await ctx.draft_view(ref)
    page = page_of(seen)
    asked = about.strip()[:100] or _query(page)
    photos, trouble = await _found(ctx, seen, asked)
    # No other page shows anything that is not the desk's own.
    request.state.images = (IMAGE_ORIGIN,) if photos else ()
    return render(
        request, "covers.html", page=page, row=seen.row, about=asked, photos=photos, trouble=trouble,
        home=UNSPLASH_URL, waits=seen.row.state == "drafted",
    )  # fmt: skip


def _query(page: DraftPage) -> str:
    return build_query(page.title, page.metadata.get("category", ""), page.metadata.get("tags", ()))


async def _found(ctx: WebContext, seen: DraftView, query: str) -> tuple[list[Photo], str]:
    """Return photos, or why there are none."""
    try:
        search = _search(ctx, seen)
    except ReviewError as error:
        return [], error.message
    photos = await search.search(query)
    return photos, search.error or ("" if photos else "Nothing was found; try other words.")


def _search(ctx: WebContext, seen: DraftView) -> UnsplashClient:
    """Return where a draft's cover is searched for. Raises ReviewError where it is not."""
    if not searches(seen):
        raise ReviewError("Covers of this feed are not searched for: write `covers: unsplash` in feeds.yaml.")
    search = ctx.search()
    if search is None:
        raise ReviewError("No key is set: write UNSPLASH_ACCESS_KEY into .env and start the desk again.")
    return search


@router.post("/cover")
async def take(request: Request, ref: str, photo: Annotated[str, Form()] = "") -> Response:
    """Set the cover that an editor chose: asked for again by its id, so that no form can name another."""
    ctx, name = web_context(request), current_editor(request)
    seen = await ctx.draft_view(ref)
    page, search = page_of(seen), _search(ctx, seen)
    if page.trouble:
        raise ReviewError(page.trouble)
    got = await search.photo(photo)
    if got is None:
        raise ReviewError(search.error or "That photo is not to be had any more; choose another.")
    await asyncio.to_thread(
        save_edit, ctx.editor_context(name), ref, _changes(page, photo_cover(got)),
        seen.findings, base=seen.sha256,
    )  # fmt: skip
    await search.track_download(got)
    return redirect(f"/drafts/{ref}", filters(request).query(), saved=ref)


def _changes(page: DraftPage, cover: dict[str, Any]) -> DraftEdit:
    """Return a draft as it is, but for its cover."""
    told = page.metadata
    try:
        return DraftEdit(
            title=page.title,
            description=None,
            category=str(told.get("category", "")),
            tags=tuple(told.get("tags") or ()),
            sentiment=Sentiment(str(told.get("sentiment"))),
            sticky_weight=int(told.get("stickyWeight") or 0),
            body=page.body,
            cover=cover,
        )
    except (ValueError, TypeError) as error:
        raise ReviewError("its front matter is not as an article's; mend it in the editor first") from error
