"""Pages for choosing a draft's cover image: none, the item's own image, or a photo from a search."""

import asyncio
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Form, Request
from starlette.responses import PlainTextResponse, Response

from desk.context import DraftView, WebContext
from desk.responses import REF, current_editor, filters, redirect, render, web_context
from desk.views import DraftPage, page_of
from pipeline.articles.article import Sentiment
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
from pipeline.services.edit import DraftEdit, save_edit

router = APIRouter(prefix="/drafts/{ref}")


class CoverOption(NamedTuple):
    """An option of the select element."""

    value: str
    label: str


def cover_options(view: DraftView) -> list[CoverOption]:
    """Return the options besides leaving the cover unchanged."""
    own = view.feed is not None and view.feed.covers == "feed" and feed_cover(view.source)
    return [CoverOption("none", "no cover"), *([CoverOption("feed", "the item's own image")] if own else [])]


def selected_cover(view: DraftView, choice: str) -> dict[str, Any] | None:
    """Return the cover of an option: `{}` for no cover, None for unchanged."""
    if choice == "feed" and any(option.value == "feed" for option in cover_options(view)):
        return feed_cover(view.source)
    return {} if choice == "none" else None


def search_enabled(view: DraftView) -> bool:
    """Whether the draft's feed is configured for cover search."""
    return view.feed is not None and view.feed.covers == "unsplash"


@router.get("/covers")
async def search_covers(request: Request, ref: str, about: str = "") -> Response:
    """Show the photos of a search; by default for the draft's title, category and tags."""
    current_editor(request)
    ctx = web_context(request)
    view = await ctx.draft_view(ref)
    page = page_of(view)
    query = about.strip()[:100] or _default_query(page)
    photos, error = await _photos(ctx, view, query)
    # This is the only page with images from elsewhere, so only its CSP allows them.
    request.state.images = (IMAGE_ORIGIN,) if photos else ()
    return render(
        request, "covers.html", page=page, row=view.row, about=query, photos=photos, error=error,
        home=UNSPLASH_URL, waiting=view.row.state == "drafted",
    )  # fmt: skip


def _default_query(page: DraftPage) -> str:
    return build_query(page.title, page.metadata.get("category", ""), page.metadata.get("tags", ()))


async def _photos(ctx: WebContext, view: DraftView, query: str) -> tuple[list[Photo], str]:
    """Return photos and an empty string, or an empty list and why there are none."""
    try:
        search = _search(ctx, view)
    except ReviewError as error:
        return [], error.message
    photos = await search.search(query)
    return photos, search.error or ("" if photos else "No photos match. Try other words.")


def _search(ctx: WebContext, view: DraftView) -> UnsplashClient:
    """Return the search client. Raises ReviewError if the feed does not use the search or no key is set."""
    if not search_enabled(view):
        raise ReviewError("Cover search is off for this feed: set `covers: unsplash` in feeds.yaml.")
    search = ctx.cover_search()
    if search is None:
        raise ReviewError("Cover search needs a key: set UNSPLASH_ACCESS_KEY in .env and restart the desk.")
    return search


@router.get("/cover")
async def cover_image(request: Request, ref: str) -> Response:
    """Send the image of the draft's cover, whose URL the front matter names, never the request."""
    current_editor(request)
    ctx = web_context(request)
    try:
        url = await asyncio.to_thread(ctx.cover_url, ref) if REF.fullmatch(ref) else ""
    except ReviewError:
        url = ""
    if not url:
        return PlainTextResponse("This draft has no cover image.\n", 404)
    image = await ctx.cover_images.get(url)
    if image.error:
        return PlainTextResponse(f"No image: {image.error}.\n", 404 if image.is_missing else 502)
    request.state.image = True  # for the headers of the middleware
    headers = {"etag": image.etag}
    if image.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(image.data, headers=headers | {"content-type": image.media_type})


@router.post("/cover")
async def set_cover(request: Request, ref: str, photo: Annotated[str, Form()] = "") -> Response:
    """Set the cover to a photo. It is fetched again by its id, so a form cannot set any other image."""
    ctx, name = web_context(request), current_editor(request)
    view = await ctx.draft_view(ref)
    page, search = page_of(view), _search(ctx, view)
    if page.error:
        raise ReviewError(page.error)
    selected = await search.photo(photo)
    if selected is None:
        raise ReviewError(search.error or "That photo is no longer available. Choose another.")
    await asyncio.to_thread(
        save_edit, ctx.editor_context(name), ref, _with_cover(page, photo_cover(selected)), view.findings,
        base=view.sha256,
    )  # fmt: skip
    await search.track_download(selected)
    return redirect(f"/drafts/{ref}", filters(request).query(), saved=ref)


def _with_cover(page: DraftPage, cover: dict[str, Any]) -> DraftEdit:
    """Return the edit that changes only the cover."""
    metadata = page.metadata
    try:
        return DraftEdit(
            title=page.title,
            description=None,
            category=str(metadata.get("category", "")),
            tags=tuple(metadata.get("tags") or ()),
            sentiment=Sentiment(str(metadata.get("sentiment"))),
            sticky_weight=int(metadata.get("stickyWeight") or 0),
            body=page.body,
            cover=cover,
        )
    except (ValueError, TypeError) as error:
        raise ReviewError(
            "its front matter is not valid for an article; fix it in the editor first"
        ) from error
