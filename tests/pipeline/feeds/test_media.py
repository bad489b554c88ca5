"""Medium and language of an item."""

from datetime import UTC, datetime

import pytest

from pipeline.domain.models import Item
from pipeline.feeds.entries import language_of, media_of
from pipeline.feeds.parsing.parse import parse_feed


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ([("audio/mpeg", "https://a.example/1")], "audio"),
        ([("image/png", "https://a.example/1.png"), ("video/mp4", "https://a.example/1")], "video"),
        ([("", "https://a.example/1.MP3?x=1")], "audio"),
        ([("application/octet-stream", "https://a.example/1.m4v")], "video"),
        ([("image/png", "https://a.example/song.mp3")], None),
        ([("", "https://a.example/page")], None),
        ([], None),
    ],
)
def test_the_first_audio_or_video_file_decides(files: list[tuple[str, str]], kind: str | None) -> None:
    assert media_of(files) == kind


def test_the_first_valid_language_tag_is_returned() -> None:
    assert language_of("en_GB") == "en-gb"
    assert language_of("", "English (UK)", "de") == "de"
    assert language_of("<b>", "") is None


def test_the_lines_of_a_video_description_stay() -> None:
    video = item(
        b"<feed xmlns='http://www.w3.org/2005/Atom' xmlns:media='http://search.yahoo.com/mrss/'"
        b" xmlns:yt='http://www.youtube.com/xml/schemas/2015'><title>T</title><entry><id>yt:video:a</id>"
        b"<yt:videoId>a</yt:videoId><title>Fog</title><link href='https://v.example/watch?v=a'/><media:group>"
        b"<media:description>We ride.\n\n0:00 Quay\n1:30 Fog</media:description></media:group></entry></feed>"
    )
    assert (video.media, video.text) == ("video", "We ride.\n\n0:00 Quay\n1:30 Fog")


def item(body: bytes) -> Item:
    return parse_feed(body, None, "https://f.example/", datetime(2026, 3, 1, tzinfo=UTC)).items[0]


def test_an_episode_of_an_rss_feed() -> None:
    episode = item(
        b"<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel><title>F</title>"
        b"<language>de-AT</language><item><title>Folge 1</title><description>Kurz.</description>"
        b"<content:encoded>Lang und breit erz\xc3\xa4hlt.</content:encoded>"
        b"<enclosure url='https://f.example/1.mp3' type='audio/mpeg' length='1'/></item></channel></rss>"
    )
    assert (episode.media, episode.language) == ("audio", "de-at")
    assert (episode.summary, episode.text) == ("Kurz.", "Lang und breit erzählt.")


def test_an_item_of_a_json_feed() -> None:
    video = item(
        b'{"version": "https://jsonfeed.org/version/1.1", "title": "F", "language": "fr", "items": [{'
        b'"id": "1", "content_text": "Une histoire.", "summary": "Court.", '
        b'"attachments": [{"url": "https://f.example/1.mp4", "mime_type": "video/mp4"}]}]}'
    )
    assert (video.media, video.language, video.summary) == ("video", "fr", "Court.")
