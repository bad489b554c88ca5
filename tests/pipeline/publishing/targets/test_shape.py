"""Keys that a target adds: a pure function of the approved text and the target's settings."""

import re
from typing import Any

import pytest

from pipeline.articles.front_matter import dumps, loads
from pipeline.config import FolderTarget
from pipeline.domain.errors import PublishError
from pipeline.publishing.targets.site_front_matter import to_site_front_matter

PATH = "2026/02/output-rises-57767956.md"
BODY = "\n## Overview\n\nOutput rises.\n\n---\n"
ARTICLE: dict[str, Any] = {
    "title": 'Output: it\'s "up" {{ 5 }}',
    "publishedAt": "2026-02-05T10:00:00+05:30",
    "updatedAt": "2026-02-05T12:00:00.000Z",
    "lang": "en",
    "externalId": "0577679560000000",
    "source": {"name": "Wire: One", "url": "https://wire.example/1?a=1&b=2"},
    "category": "RATES",
    "tags": ["RATES, BONDS", "R&D; <b>x</b>"],
    "draft": False,
    "own": [{"a": 1}],
}


def target(**fields: Any) -> FolderTarget:
    return FolderTarget.model_validate({"kind": "folder", "name": "site", "path": "/site", **fields})


def at(article: dict[str, Any] = ARTICLE, **fields: Any) -> dict[str, Any]:
    text = to_site_front_matter(target(**fields), PATH, dumps(article, BODY))
    metadata, body = loads(text)
    assert body == BODY
    assert dumps(metadata, body) == text
    return metadata


@pytest.mark.parametrize("text", ["---\n# as an editor wrote it\ntitle:   'x'\n---\nBody", "no front matter"])
def test_without_settings_the_approved_bytes_are_sent(text: str) -> None:
    assert to_site_front_matter(target(), PATH, text) == text


@pytest.mark.parametrize(
    ("preset", "added"),
    [
        ("hugo", {"date": "publishedAt", "lastmod": "updatedAt"}),
        ("eleventy", {"date": "publishedAt"}),
        ("jekyll", {"date": "publishedAt", "last_modified_at": "updatedAt"}),
        ("astro", {"pubDate": "publishedAt", "updatedDate": "updatedAt"}),
    ],
)
def test_a_preset_adds_dates_and_changes_nothing_else(preset: str, added: dict[str, str]) -> None:
    assert at(preset=preset) == ARTICLE | {name: ARTICLE[key] for name, key in added.items()}
    assert list(at(preset=preset))[: len(ARTICLE)] == list(ARTICLE)


def test_zola_finds_what_it_has_no_name_for_under_extra() -> None:
    result = at(ARTICLE | {"title": "Output ---"}, preset="zola", front_matter={"taxonomies.tags": "tags"})
    assert (result["date"], result["updated"]) == (ARTICLE["publishedAt"], ARTICLE["updatedAt"])
    assert result["extra"] == {
        key: ARTICLE[key] for key in ("lang", "externalId", "source", "category", "tags")
    }
    assert result["taxonomies"] == {"tags": ARTICLE["tags"]}
    # Zola ends front matter at any line that ends so.
    text = to_site_front_matter(target(preset="zola"), PATH, dumps(ARTICLE | {"title": "Output ---"}, ""))
    assert len(re.findall(r"---[ \t]*$", text, re.MULTILINE)) == 2


def test_values_come_from_keys_patterns_and_constants() -> None:
    result = at(
        front_matter={
            "author": "source.name",
            "permalink": "/{path}/{slug}/{id}/",
            "layout": {"value": "story"},
            "comments": {"value": True},
            "types": {"value": ("a", "b")},
            "source.language": "lang",
            "own.nested.deep": "lang",
        }
    )
    assert result["author"] == "Wire: One"
    stem = PATH.removesuffix(".md")
    assert result["permalink"] == f"/{stem}/output-rises-57767956/0577679560000000/"
    assert (result["layout"], result["comments"], result["types"]) == ("story", True, ["a", "b"])
    assert result["source"] == ARTICLE["source"] | {"language": "en"}
    assert result["own"] == {"nested": {"deep": "en"}}


def test_a_name_that_the_article_has_is_replaced_in_its_place() -> None:
    result = at(front_matter={"category": "lang"})
    assert result == ARTICLE | {"category": "en"}
    assert list(result) == list(ARTICLE)


def test_missing_values_are_left_out() -> None:
    article = {"title": "x", "updatedAt": None, "category": "RATES", "source": "a text"}
    mapping = {"author": "source.author", "category": "lang", "url": "/{id}/"}
    assert at(article, preset="hugo", front_matter=mapping) == article


def test_a_copied_mapping_is_changed_in_one_place_only() -> None:
    result = at(preset="zola", front_matter={"extra.source.language": "lang"})
    assert result["extra"]["source"] == ARTICLE["source"] | {"language": "en"}
    assert result["source"] == ARTICLE["source"]


# Lines, for Pelican


def lines(article: dict[str, Any] = ARTICLE, **fields: Any) -> list[str]:
    text = to_site_front_matter(target(preset="pelican", **fields), PATH, dumps(article, BODY))
    head, _, body = text.partition("\n\n")
    assert body == BODY.lstrip("\n")
    return head.split("\n")


def test_pelican_gets_lines_with_nothing_in_them_that_is_html() -> None:
    assert lines(front_matter={"comments": {"value": True}, "weight": {"value": 3}}) == [
        "title: Output: it&#x27;s “up” {{ 5 }}",
        "date: 2026-02-05T10:00:00+05:30",
        "modified: 2026-02-05T12:00:00.000Z",
        "slug: output-rises-57767956",
        "lang: en",
        "category: RATES",
        "tags: RATES, BONDS; R&D ‹b›x‹/b›",
        "external_id: 0577679560000000",
        "source_name: Wire: One",
        "source_url: https://wire.example/1?a=1&amp;b=2",
        "comments: true",
        "weight: 3",
    ]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x85", "\u2028", "\x0b", "\n\n---\n\n"])
def test_no_value_begins_a_line_of_its_own(end: str) -> None:
    result = lines(ARTICLE | {"title": f"a{end}status: draft"})
    assert not [line for line in result if line.startswith("status")]
    assert re.fullmatch(r"title: a .*status: draft", result[0])


def test_a_single_tag_with_a_comma_stays_one() -> None:
    assert "tags: A, B;" in lines(ARTICLE | {"tags": ["A, B"]})
    assert "tags: A" in lines(ARTICLE | {"tags": ["A", " ;"]})
    assert not [line for line in lines(ARTICLE | {"tags": []}) if line.startswith("tags")]


@pytest.mark.parametrize("value", [{"a": 1}, [{"a": 1}], [["a"]]])
def test_a_value_that_is_no_text_is_an_error(value: object) -> None:
    with pytest.raises(PublishError, match=rf"{PATH}: title is no text"):
        lines(ARTICLE | {"title": value})
