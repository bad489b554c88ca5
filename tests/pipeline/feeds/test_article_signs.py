"""Items that are no articles are recognised by several signs, never by one."""

from datetime import UTC, datetime

import pytest

from pipeline.domain.models import FeedConfig, Item
from pipeline.feeds.article_signs import not_an_article
from pipeline.feeds.parsing.parse import parse_feed
from pipeline.feeds.select import exclusion_reason
from tests.pipeline.feeds.webpages import PARAGRAPHS

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROSE = "\n\n".join(PARAGRAPHS)
VIDEO = "We ride the ferry.\n\n► SUBSCRIBE: https://v.example\n0:00 Quay\n1:30 Fog\n\nMerch below."
RSS = (
    "<rss version='2.0'><channel><title>T</title><item><title>A</title>"
    "<description><![CDATA[{}]]></description></item></channel></rss>"
)
NOTES = (
    "This week's episode is about ferries and fog.\n\n00:00 Hello\n04:10 The fog\n31:20 Letters\n\n"
    "Follow us on Mastodon. Listen wherever you get your podcasts, and get 15% off with code FOG."
)
WEEKLY = "On this week's podcast we ride the ferry again. Listen now wherever you get your podcasts."
CHAPTERS = f"{PROSE}\n\n0:00 Quay\n1:30 Fog\n9:10 Letters"
LINKS = "- Ropes of the coast\nOld, and well tied.\n- The heron\nA tale.\n- A map of the fog\n- Ferries"
JOB = "The basin is looking for a keeper.\n\nSalary: 40 herrings\n\nTo apply, write to the parish."
SIGN_UP = (
    "Sign up now and have the Gazette in your inbox each evening. It is free, cancel any time. "
    "Over 9,000 people read it; click the button below and join them."
)


def item(**changes: object) -> Item:
    base = {"guid": "1", "title": "Basin closes", "text": PROSE, "published_at": NOW}
    return Item.model_validate(base | changes)


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"text": NOTES, "media": "audio"}, "show notes"),
        ({"text": NOTES, "title": "Episode 12: Fog"}, "show notes"),
        ({"text": VIDEO, "media": "video"}, "a video description"),
        ({"categories": ("News", "Sponsored Content"), "author": "Harbour Brand Studio"}, "advertising"),
        ({"title": "Anzeige: Boote", "text": f"Anzeige: \n\n{PROSE}"}, "advertising"),
        ({"link": "https://n.example/sponsored/boats", "text": f"Sponsored by B.\n\n{PROSE}"}, "advertising"),
        ({"title": "Sign up for our newsletter", "text": SIGN_UP}, "a sign-up page"),
        (
            {
                "categories": ("Bezahlte Partnerschaft",),
                "text": f"Dieser Beitrag ist eine bezahlte Partnerschaft mit B.\n\n{PROSE}",
            },
            "advertising",
        ),
        ({"guid": "yt:video:q", "media": "video", "text": "A look at the quay."}, "a video description"),
        ({"title": "Our paper", "link": "https://n.example/newsletter", "text": SIGN_UP}, "a sign-up page"),
        ({"link_list": True}, "a list of links"),
        ({"title": "Links for 2 March", "text": LINKS}, "a list of links"),
        ({"title": "Weekly link roundup", "text": LINKS}, "a list of links"),
        ({"link": "https://jobs.example/4", "text": JOB}, "a job advertisement"),
        ({"link": "https://n.example/careers/keeper", "text": JOB}, "a job advertisement"),
        ({"text": f"{PARAGRAPHS[0]}\n\nThis post is sponsored by Knott's Ropes.\n\n{PROSE}"}, "advertising"),
        (
            {"link": "https://n.example/podcasts/fog", "title": "Episode 3: Fog", "text": WEEKLY},
            "show notes",
        ),
        ({"guid": "yt:video:q", "media": "video", "text": CHAPTERS}, "a video description"),
        (
            {
                "link": "https://n.example/podcasts/fog",
                "title": "Fog: Episode 9",
                "text": "Wren talks about the last episode of our podcast.",
            },
            "show notes",
        ),
    ],
)  # fmt: skip
def test_what_is_no_article_is_named(values: dict[str, object], what: str) -> None:
    assert not_an_article(item(**values)) == what
    feed = FeedConfig(key="one", name="One", url="https://o.example/f", beat="b", category="NEWS")
    assert exclusion_reason(feed, item(**values), NOW) == f"not an article ({what})"
    assert exclusion_reason(feed.model_copy(update={"only_articles": False}), item(**values), NOW) is None


@pytest.mark.parametrize(
    "values",
    [
        {"media": "audio"},
        {"media": "video", "text": f"{PROSE}\n\n{PROSE}\n\n{NOTES}"},
        {"text": f"Sponsored by Boats Inc.\n\n{PROSE}"},
        {"categories": ("Sponsored",)},
        {"author": "Brand Studio"},
        {
            "title": "Subscribe to nothing: newsletters are dying",
            "text": f"Sign up, they say.\n\n{PROSE}",
        },
        {"text": "10:00 The council met.\n11:30 It voted on the port.\n12:00 The mayor spoke.\n\n" + PROSE},
        {"title": "Episode 3 of the strike ends", "text": PARAGRAPHS[0]},
        {"text": f"{PROSE}\n\nSubscribe to our newsletter. Follow us on Mastodon."},
        {"title": "Links for the port", "text": PROSE},
        {"title": "Links between ports grow", "text": LINKS},
        {"link": "https://n.example/2", "text": JOB},
        {"link": "https://n.example/jobs/strike", "text": PROSE},
        {"text": f"{PROSE}\n\nThe race, he said, this post is sponsored by nobody."},
        {"link": "https://n.example/podcasts/", "title": "Episode 3: Fog", "text": f"{PROSE}\n\n{PROSE}"},
    ],
)
def test_one_sign_makes_no_article_something_else(values: dict[str, object]) -> None:
    assert not_an_article(item(**values)) is None


def test_a_list_of_links_is_seen_in_the_markup() -> None:
    names = ("Crane lifts a ship in Varnhem", "Port of Brodal gets a crane", "What a crane means for all")
    entries = "".join(
        f"<li><a href='https://a.example/{n}'>{name}</a> <font>Post</font></li>"
        for n, name in enumerate(names)
    )
    prose = "".join(f"<p>{each} <a href='/x'>More on this</a></p>" for each in PARAGRAPHS)
    for markup, expected in (
        (f"<ol>{entries}</ol>", True),
        (f"<OL>{entries.replace('<li><a href', '<LI><A HREF').replace('</li>', '</LI>')}</OL>", True),
        (prose, False),
        (f"{prose}<ul>{entries}</ul>", False),
    ):
        [parsed] = parse_feed(RSS.format(markup).encode(), None, "https://o.example/f", NOW).items
        assert parsed.link_list is expected


def test_authors_links_and_media_are_filtered() -> None:
    feed = FeedConfig(key="one", name="One", url="https://o.example/f", beat="b", category="NEWS")
    written = item(author="Ada Quill, Jo Lund", link="https://o.example/live/1", media="audio")
    for settings, reason in (
        ({"exclude_authors": ("jo lund",)}, "excluded author: jo lund"),
        ({"include_authors": ("Olav Brandt",)}, "no include author"),
        ({"include_authors": ("ada quill",)}, None),
        ({"exclude_links": (r"/live/",)}, "excluded link: /live/"),
        ({"include_links": (r"/news/",)}, "no include link"),
        ({"exclude_media": ("audio",)}, "excluded media: audio"),
        ({"exclude_media": ("video",)}, None),
    ):
        assert exclusion_reason(feed.model_copy(update=settings), written, NOW) == reason
