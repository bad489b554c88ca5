"""What all pages of operations share: the period, names of feeds, the page's frame."""

import asyncio
from datetime import tzinfo
from typing import Any, NamedTuple

from fastapi import Request
from starlette.responses import Response

from desk.context import WebContext
from desk.periods import CHOICES, Period, read_period
from desk.responses import current_editor, render, web_context
from pipeline.config import Subscriptions
from pipeline.config.time_syntax import timezone_of

PAGES = ("runs", "feeds", "money", "checks", "articles")


class Frame(NamedTuple):
    """What a page of operations needs first."""

    ctx: WebContext
    zone: tzinfo
    period: Period
    subscriptions: Subscriptions

    @property
    def names(self) -> dict[str, str]:
        """Names of the subscribed feeds, by key."""
        return {feed.key: feed.name for feed in self.subscriptions.feeds}


async def frame(request: Request) -> Frame:
    """Return the frame of a page. Raises EditorNameMissing."""
    current_editor(request)
    ctx = web_context(request)
    subscriptions = await asyncio.to_thread(lambda: ctx.subscriptions)
    zone = timezone_of(ctx.settings.timezone)
    return Frame(ctx, zone, read_period(request.query_params, ctx.now, zone), subscriptions)


def show(request: Request, page: Frame, name: str, template: str, **values: Any) -> Response:  # noqa: ANN401
    """Return the page called `name` of PAGES from a template, in which `at` writes a time."""
    return render(
        request,
        f"operations/{template}.html",
        section=name,
        sections=PAGES,
        period=page.period,
        choices=CHOICES,
        timezone=page.ctx.settings.timezone,
        names=page.names,
        at=lambda moment: f"{moment.astimezone(page.zone):%Y-%m-%d %H:%M %Z}",
        **values,
    )
