"""Covers at the desk: found, chosen, credited; a form can name no other image."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pipeline.ledger import Ledger
from pipeline.output.frontmatter import loads
from pipeline.settings import Settings
from tests.desk.server import DeskServer, Visitor
from tests.fakes.stock import fill, layout
from tests.fakes.unsplash import KEY, FakeUnsplash, photo


def configured(folder: Path, covers: str, environ: dict[str, str]) -> Settings:
    settings = layout(folder, environ)
    told = yaml.safe_load(settings.feeds_file.read_text())
    told["defaults"]["covers"] = covers
    settings.feeds_file.write_text(yaml.safe_dump(told, sort_keys=False))
    return settings


def text_of(settings: Settings, ref: str) -> dict[str, object]:
    with Ledger.open(settings.database_url) as ledger:
        return loads((settings.output / ledger.draft(ref).path).read_text())[0]


@pytest.fixture
def api() -> Iterator[FakeUnsplash]:
    with FakeUnsplash([photo("one"), photo("two")]) as opened:
        yield opened


def test_a_photo_is_found_and_taken(tmp_path: Path, api: FakeUnsplash) -> None:
    environ = {"UNSPLASH_ACCESS_KEY": KEY, "COPYDESK_ALLOW_HOSTS": api.place}
    settings = configured(tmp_path, "unsplash", environ)
    [ref] = fill(settings, 1, faults=False)
    with DeskServer(settings, covers_api=api.url) as server, Visitor(server) as ada:
        answer = ada.get(f"/drafts/{ref}/covers")
        assert "images.unsplash.com" in answer.headers["content-security-policy"]
        assert "Ida Lund</a> on Unsplash" in answer.text
        ada.post(f"/drafts/{ref}/cover", data={"photo": "two"})
        cover = text_of(settings, ref)["coverImage"]
        assert isinstance(cover, dict)
        assert "photo-two" in cover["raw"]
        assert cover["credit"]["name"] == "Ida Lund"
        assert api.asked[-1][0] == "/photos/two/download"
        assert ada.post(f"/drafts/{ref}/cover", data={"photo": "https://evil.example/x"}).status_code == 409
        assert "by Ida Lund" in ada.page(f"/drafts/{ref}")


def test_without_a_key_or_where_it_is_not_wanted_nobody_is_asked(tmp_path: Path, api: FakeUnsplash) -> None:
    settings = configured(tmp_path / "a", "unsplash", {"COPYDESK_ALLOW_HOSTS": api.place})
    [ref] = fill(settings, 1)
    with DeskServer(settings, covers_api=api.url) as server, Visitor(server) as ada:
        assert "UNSPLASH_ACCESS_KEY" in ada.page(f"/drafts/{ref}/covers")
        assert ada.post(f"/drafts/{ref}/cover", data={"photo": "one"}).status_code == 409
    settings = configured(tmp_path / "b", "none", {"UNSPLASH_ACCESS_KEY": KEY})
    [ref] = fill(settings, 1)
    with DeskServer(settings, covers_api=api.url) as server, Visitor(server) as ada:
        answer = ada.get(f"/drafts/{ref}/covers")
        assert "not searched for" in answer.text
        assert "unsplash" not in answer.headers["content-security-policy"]
    assert api.asked == []


def test_a_search_that_is_refused_says_why(tmp_path: Path, api: FakeUnsplash) -> None:
    api.status = 403
    environ = {"UNSPLASH_ACCESS_KEY": KEY, "COPYDESK_ALLOW_HOSTS": api.place}
    settings = configured(tmp_path, "unsplash", environ)
    [ref] = fill(settings, 1)
    with DeskServer(settings, covers_api=api.url) as server, Visitor(server) as ada:
        assert "limit of the key is reached" in ada.page(f"/drafts/{ref}/covers")
