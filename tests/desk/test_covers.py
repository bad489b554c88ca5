"""Cover search at the desk: photos are found, set and credited; a form cannot set any other image."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pipeline.articles.front_matter import loads
from pipeline.config import Settings
from pipeline.storage import Database
from tests.desk.server import DeskServer, Visitor, form_of
from tests.fakes.stock import FEED, fill, layout
from tests.fakes.unsplash import KEY, FakeUnsplash, photo


def configured(folder: Path, covers: str, environ: dict[str, str]) -> Settings:
    settings = layout(folder, environ)
    document = yaml.safe_load(settings.feeds_file.read_text())
    document["defaults"]["covers"] = covers
    settings.feeds_file.write_text(yaml.safe_dump(document, sort_keys=False))
    return settings


def text_of(settings: Settings, ref: str) -> dict[str, object]:
    with Database.open(settings.database_url) as db:
        return loads((settings.output / db.drafts.get(ref).path).read_text())[0]


@pytest.fixture
def api() -> Iterator[FakeUnsplash]:
    with FakeUnsplash([photo("one"), photo("two")]) as opened:
        yield opened


def test_a_photo_is_found_and_used(tmp_path: Path, api: FakeUnsplash) -> None:
    environ = {"UNSPLASH_ACCESS_KEY": KEY, "COPYDESK_ALLOW_HOSTS": api.place}
    settings = configured(tmp_path, "unsplash", environ)
    [ref] = fill(settings, 1, faults=False)
    with DeskServer(settings, covers_api=api.url) as server, Visitor(server) as ada:
        answer = ada.get(f"/drafts/{ref}/covers")
        assert "images.unsplash.com" in answer.headers["content-security-policy"]
        assert "utm_source=copydesk&amp;utm_medium=referral" in answer.text
        assert "Ida Lund</a> on <a" in answer.text
        for page in ("", "/edit"):
            policy = ada.get(f"/drafts/{ref}{page}").headers["content-security-policy"]
            assert "unsplash" not in policy
        ada.post(f"/drafts/{ref}/cover", data={"photo": "two"})
        cover = text_of(settings, ref)["coverImage"]
        assert isinstance(cover, dict)
        assert "photo-two" in cover["raw"]
        assert cover["credit"]["name"] == "Ida Lund"
        assert api.requests[-1][0] == "/photos/two/download"
        before = text_of(settings, ref)
        for forged in ("https://evil.example/x", "random", "..", "three", ""):
            assert ada.post(f"/drafts/{ref}/cover", data={"photo": forged}).status_code == 409
        assert text_of(settings, ref) == before
        assert ">Ida Lund</a>" in ada.page(f"/drafts/{ref}")


def test_under_a_socks_proxy_the_desk_is_open_and_the_search_says_what_is_wrong(
    tmp_path: Path, api: FakeUnsplash, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"UNSPLASH_ACCESS_KEY": KEY, "COPYDESK_ALLOW_HOSTS": api.place}
    settings = configured(tmp_path, "unsplash", environ)
    [ref] = fill(settings, 1, faults=False)
    server = DeskServer(settings, covers_api=api.url)
    visitor = Visitor(server)  # made before the proxy is set: the browser does not use it
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    with server, visitor as ada:
        assert ref[:8] in ada.page("/")
        assert "ALL_PROXY names a SOCKS proxy" in ada.page(f"/drafts/{ref}/covers")
    assert api.requests == []


def test_without_a_key_or_for_another_feed_no_search_is_sent(tmp_path: Path, api: FakeUnsplash) -> None:
    settings = configured(tmp_path / "a", "unsplash", {"COPYDESK_ALLOW_HOSTS": api.place})
    [ref] = fill(settings, 1)
    with DeskServer(settings, covers_api=api.url) as server, Visitor(server) as ada:
        assert "UNSPLASH_ACCESS_KEY" in ada.page(f"/drafts/{ref}/covers")
        assert ada.post(f"/drafts/{ref}/cover", data={"photo": "one"}).status_code == 409
    settings = configured(tmp_path / "b", "none", {"UNSPLASH_ACCESS_KEY": KEY})
    [ref] = fill(settings, 1)
    with DeskServer(settings, covers_api=api.url) as server, Visitor(server) as ada:
        answer = ada.get(f"/drafts/{ref}/covers")
        assert "Cover search is off" in answer.text
        assert "unsplash" not in answer.headers["content-security-policy"]
    assert api.requests == []


def test_a_search_that_is_refused_says_why(tmp_path: Path, api: FakeUnsplash) -> None:
    api.status = 403
    environ = {"UNSPLASH_ACCESS_KEY": KEY, "COPYDESK_ALLOW_HOSTS": api.place}
    settings = configured(tmp_path, "unsplash", environ)
    [ref] = fill(settings, 1)
    with DeskServer(settings, covers_api=api.url) as server, Visitor(server) as ada:
        assert "limit of the key is reached" in ada.page(f"/drafts/{ref}/covers")


def test_what_was_typed_is_saved_on_the_way_to_the_covers(tmp_path: Path, api: FakeUnsplash) -> None:
    environ = {"UNSPLASH_ACCESS_KEY": KEY, "COPYDESK_ALLOW_HOSTS": api.place}
    settings = configured(tmp_path, "unsplash", environ)
    [ref] = fill(settings, 1, faults=False)
    with DeskServer(settings, covers_api=api.url) as server, Visitor(server) as ada:
        form = form_of(ada.page(f"/drafts/{ref}/edit?feed={FEED}&q=ships"))
        form |= {"title": "Typed a moment ago", "then": "covers"}
        answer = ada.post(f"/drafts/{ref}/save?feed={FEED}&q=ships", data=form)
        assert answer.url.path == f"/drafts/{ref}/covers"
        assert text_of(settings, ref)["title"] == "Typed a moment ago"
        # The view of the queue goes along, and its words are not the search's.
        assert "ships" not in api.requests[-1][1]["query"][0]
        assert f'name="feed" value="{FEED}"' in answer.text
        ada.get(f"/drafts/{ref}/covers?feed={FEED}&q=ships&about=a+quiet+harbour")
        assert api.requests[-1][1]["query"] == ["a quiet harbour"]
        taken = ada.post(f"/drafts/{ref}/cover?feed={FEED}&q=ships", data={"photo": "one"})
        assert f"feed={FEED}" in str(taken.url)


def test_a_change_of_feeds_yaml_takes_effect_at_once(tmp_path: Path, api: FakeUnsplash) -> None:
    environ = {"UNSPLASH_ACCESS_KEY": KEY, "COPYDESK_ALLOW_HOSTS": api.place}
    settings = configured(tmp_path, "none", environ)
    [ref] = fill(settings, 1)
    with DeskServer(settings, covers_api=api.url) as server, Visitor(server) as ada:
        assert "find covers" not in ada.page(f"/drafts/{ref}/edit")
        changed = settings.feeds_file.read_text().replace("covers: none", "covers: unsplash")
        settings.feeds_file.write_text(changed)
        assert "find covers" in ada.page(f"/drafts/{ref}/edit")
        answer = ada.get(f"/drafts/{ref}/covers")
        assert "https://images.unsplash.com" in answer.headers["content-security-policy"]


def test_the_items_own_image_is_taken_and_left_and_no_other(tmp_path: Path) -> None:
    settings = configured(tmp_path, "feed", {})
    [ref] = fill(settings, 1, faults=False, image="https://wire.example/a.jpg")
    with DeskServer(settings) as server, Visitor(server) as ada:

        def saved(choice: str) -> dict[str, object]:
            form = form_of(ada.page(f"/drafts/{ref}/edit")) | {"cover": choice}
            assert ada.post(f"/drafts/{ref}/save", data=form).status_code == 200
            return text_of(settings, ref)

        assert "coverImage" not in saved("https://evil.example/x.jpg")
        cover = saved("feed")["coverImage"]
        assert isinstance(cover, dict)
        assert cover["raw"] == "https://wire.example/a.jpg"
        assert cover["credit"] == {"name": "Stock Wire", "url": "https://wire.example/0"}
        assert saved("https://evil.example/x.jpg")["coverImage"] == cover
        assert "coverImage" not in saved("none")


def test_a_search_for_a_draft_whose_file_is_gone_takes_nothing(tmp_path: Path, api: FakeUnsplash) -> None:
    environ = {"UNSPLASH_ACCESS_KEY": KEY, "COPYDESK_ALLOW_HOSTS": api.place}
    settings = configured(tmp_path, "unsplash", environ)
    [ref] = fill(settings, 1)
    [path] = settings.output.glob("drafts/**/*.md")
    path.unlink()
    with DeskServer(settings, covers_api=api.url) as server, Visitor(server) as ada:
        assert ada.get(f"/drafts/{ref}/covers").status_code == 200
        assert ada.post(f"/drafts/{ref}/cover", data={"photo": "one"}).status_code == 409
    assert not path.exists()
