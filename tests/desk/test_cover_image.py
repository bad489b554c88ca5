"""The image of a draft's cover: by the draft's id alone, signed in, and inert whatever its server sends."""

from collections.abc import Iterator
from typing import NamedTuple

import httpx
import pytest

from pipeline.articles.front_matter import dumps, loads
from pipeline.config import Settings
from pipeline.covers.cover import SIZES
from tests.desk.server import DeskServer, Visitor, database_of, form_of, row_of
from tests.fakes.feed_server import FeedServer
from tests.fakes.images import png
from tests.fakes.stock import fill, layout


class Covered(NamedTuple):
    settings: Settings
    refs: list[str]
    images: FeedServer
    ada: Visitor
    url: str
    """Of the desk."""

    def set_cover(self, ref: str, url: str, **more: object) -> None:
        """Write a cover into a draft's file, as somebody who edits it on disk."""
        path = self.settings.output / row_of(self.settings, ref).path
        metadata, body = loads(path.read_text(encoding="utf-8"))
        cover = {**dict.fromkeys(SIZES, url), "credit": {"name": "The Gull", "url": "https://gull.example/1"}}
        path.write_text(dumps(metadata | {"coverImage": cover | more}, body), encoding="utf-8")

    def cover(self, ref: str) -> httpx.Response:
        return self.ada.get(f"/drafts/{ref}/cover")

    def alt(self, ref: str) -> object:
        path = self.settings.output / row_of(self.settings, ref).path
        return loads(path.read_text(encoding="utf-8"))[0]["coverImage"].get("alt")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Covered]:
    with FeedServer() as images:
        [place] = images.hosts
        settings = layout(tmp_path_factory.mktemp("covers") / "project", {"COPYDESK_ALLOW_HOSTS": place})
        refs = fill(settings, 9, faults=False)
        with DeskServer(settings) as server, Visitor(server) as ada:
            yield Covered(settings, refs, images, ada, server.url)


def test_the_image_is_sent_with_headers_that_keep_it_inert(desk: Covered) -> None:
    ref = desk.refs[0]
    desk.set_cover(ref, desk.images.add("/a", png(), content_type="text/html"))
    answer = desk.cover(ref)
    assert (answer.status_code, answer.content) == (200, png())
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "private, no-cache"
    again = desk.ada.get(f"/drafts/{ref}/cover", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
    assert desk.images.requests_of("/a") == 1
    page = desk.ada.get(f"/drafts/{ref}")
    assert "img-src 'self';" in page.headers["content-security-policy"]


def test_no_address_of_a_request_is_fetched(desk: Covered) -> None:
    ref, other = desk.refs[1], desk.images.add("/other", png())
    assert desk.ada.get(f"/drafts/{ref}/cover", params={"url": other, "src": other}).status_code == 404
    for name in (f"x{ref[1:]}", ref[:8], f"{ref}%2f..", "http:%2f%2f127.0.0.1", "0" * 16):
        answer = desk.ada.get(f"/drafts/{name}/cover")
        assert answer.status_code == 404
        assert "<img" not in answer.text
    assert desk.images.requests_of("/other") == 0


def test_a_draft_has_its_own_cover_only_and_a_new_one_is_shown_at_once(desk: Covered) -> None:
    first, second = desk.refs[2:4]
    desk.set_cover(first, desk.images.add("/first", png(30, 30)))
    desk.set_cover(second, desk.images.add("/second", png(40, 40)))
    assert desk.cover(first).content == png(30, 30)
    assert desk.cover(second).content == png(40, 40)
    tag = desk.cover(first).headers["etag"]
    desk.set_cover(first, desk.images.url("/second"))
    answer = desk.ada.get(f"/drafts/{first}/cover", headers={"if-none-match": tag})
    assert (answer.status_code, answer.content) == (200, png(40, 40))


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 502, "no JPEG"),
        (b"<script>alert(1)</script>", 502, "no JPEG"),
        (png(50_000, 50_000), 502, "megapixels"),
        (png(1, 1), 404, "tracking pixel"),
    ],
)
def test_no_image_is_a_short_text(desk: Covered, data: bytes, status: int, words: str) -> None:
    ref, path = desk.refs[4], f"/{hash(data)}"
    desk.set_cover(ref, desk.images.add(path, data, content_type="image/png"))
    answer = desk.cover(ref)
    assert answer.status_code == status
    assert words in answer.text
    assert len(answer.text) < 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["cache-control"] == "no-store"
    assert desk.ada.page(f"/drafts/{ref}")


@pytest.mark.parametrize(
    "url",
    ["", "javascript:alert(1)", "file:///etc/passwd", "//gull.example/a.png", "data:image/png;base64,AA"],
)
def test_another_kind_of_address_is_no_cover(desk: Covered, url: str) -> None:
    desk.set_cover(desk.refs[4], url)
    assert desk.cover(desk.refs[4]).status_code == 404


def test_who_is_not_signed_in_or_has_no_name_sees_no_cover(desk: Covered) -> None:
    ref = desk.refs[5]
    desk.set_cover(ref, desk.images.add("/private", png()))
    with httpx.Client(base_url=desk.url) as stranger:
        assert stranger.get(f"/drafts/{ref}/cover").status_code == 401
        stranger.cookies.update(
            {name: value for name, value in desk.ada.cookies.items() if "editor" not in name}
        )
        assert stranger.get(f"/drafts/{ref}/cover").headers["location"].startswith("/name")
    assert desk.images.requests_of("/private") == 0


def test_a_rejected_and_an_approved_article_keep_their_cover(desk: Covered) -> None:
    for ref, decision in zip(desk.refs[6:8], ("reject", "approve"), strict=True):
        desk.set_cover(ref, desk.images.add(f"/{decision}", png()), alt="A harbour at dawn")
        sha256 = desk.ada.hidden(f"/drafts/{ref}", "sha256")
        desk.ada.post(f"/drafts/{ref}/{decision}", data={"sha256": sha256, "note": "no news", "light": "1"})
        assert row_of(desk.settings, ref).state == {"reject": "rejected", "approve": "approved"}[decision]
        assert desk.cover(ref).content == png()


def test_the_alt_text_is_written_in_the_form_and_checked(desk: Covered) -> None:
    ref = desk.refs[8]
    desk.set_cover(ref, "https://gull.example/a.png")
    page = desk.ada.page(f"/drafts/{ref}/edit")
    assert "Description of the image (alt text)" in page
    assert "The image has no description" in page

    def saved(alt: str) -> str:
        form = form_of(desk.ada.page(f"/drafts/{ref}/edit")) | {"alt": alt}
        return desk.ada.post(f"/drafts/{ref}/save", data=form).text

    assert "The image has no description" not in saved(" A <b>harbour</b>\n at dawn ")
    assert desk.alt(ref) == "A harbour at dawn"
    title = desk.ada.hidden(f"/drafts/{ref}/edit", "title")
    assert "The description of the image is the headline" in saved(title)
    assert "The description of the image is the headline" in desk.ada.page(f"/drafts/{ref}")
    saved("")
    assert desk.alt(ref) is None
    assert "is longer than 500 characters" in saved("long " * 101)
    form = form_of(desk.ada.page(f"/drafts/{ref}/edit"))
    saved("A quay")
    assert "alt" not in form  # a page that was opened before the field existed
    form["base"] = desk.ada.hidden(f"/drafts/{ref}/edit", "base")
    desk.ada.post(f"/drafts/{ref}/save", data=form | {"title": "Another title"})
    assert desk.alt(ref) == "A quay"


def test_credit_and_licence_stand_beside_the_image(desk: Covered) -> None:
    """On the page of the covers; other pages include the same part."""
    ref = desk.refs[8]
    desk.set_cover(ref, "https://gull.example/a.png", alt='A "quay" & 5 < 6')
    page = desk.ada.page(f"/drafts/{ref}/covers")
    assert f'<img src="/drafts/{ref}/cover" alt="A &#34;quay&#34; &amp; 5 &lt; 6"' in page
    assert 'href="https://gull.example/1"' in page
    assert "Licence unknown: ask the publisher" in page
    desk.set_cover(ref, "https://images.unsplash.com/photo-1")
    page = desk.ada.page(f"/drafts/{ref}/covers")
    assert "Unsplash licence" in page
    assert "No description yet." in page


def test_forgetting_an_item_deletes_the_images_of_its_versions(desk: Covered) -> None:
    ref, images = desk.refs[0], ("/old", "/new")
    desk.set_cover(desk.refs[1], desk.images.add("/others", png()))
    assert desk.cover(desk.refs[1]).status_code == 200
    with database_of(desk.settings) as db:
        for path in images:
            desk.set_cover(ref, desk.images.add(path, png()))
            form = form_of(desk.ada.page(f"/drafts/{ref}/edit"))
            desk.ada.post(f"/drafts/{ref}/save", data=form | {"title": f"A title for {path}"})
            assert desk.cover(ref).status_code == 200
            assert db.caches.cover(desk.images.url(path))
        canonical = row_of(desk.settings, ref).source.canonical or ""
        now = row_of(desk.settings, ref).published_at
        db.erasure.begin(canonical, now)
        db.erasure.finish(canonical)
        assert all(db.caches.cover(desk.images.url(path)) is None for path in images)
        assert db.caches.cover(desk.images.url("/others"))  # another draft's
    assert desk.cover(ref).status_code == 404
