"""Whether a publisher reserves its texts: what each place declares, and the decision over all of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.feeds.rights.declaration import Declaration, is_reserved, reservation, reserved_reason
from pipeline.feeds.rights.directives import declared_in_headers, refused_use, refusing_directive
from pipeline.feeds.rights.rsl import Term, read_license, refusals
from pipeline.feeds.rights.site_files import (
    declared_in_robots,
    declared_in_tdmrep,
    parse_tdmrep,
    parse_usage,
    path_matches,
)

SITE = "https://news.example"


def test_a_refusal_counts_and_a_tdm_reservation_is_superseded() -> None:
    site, page = Declaration(place="tdmrep.json", tdm=True), Declaration(place="the page", tdm=False)
    assert reservation([site]) == "tdm-reservation: 1 in tdmrep.json"
    assert reservation([site, Declaration(), page]) is None
    assert reservation([page, site]) == "tdm-reservation: 1 in tdmrep.json"
    refusing = Declaration(place="robots.txt", refusals=("Content-Usage: ai-use=n",))
    assert reservation([refusing, page]) == "Content-Usage: ai-use=n in robots.txt"
    assert is_reserved(f"/story is {reserved_reason('noai')}")
    assert reservation([]) is None


@pytest.mark.parametrize(
    ("directives", "refusal"),
    [
        ("noai", "noai"),
        ("NoAI, noimageai", "noai"),
        ("index, none", "none"),
        ("nosnippet", "nosnippet"),
        ("max-snippet: 0", "max-snippet:0"),
        ("max-snippet:-1, max-image-preview: none", None),
        ("noindex, nofollow, noarchive, noimageai", None),
        ("otherbot: noai", None),
        ("otherbot: noindex, noai", None),
        ("otherbot: noai, copydesk: none", "none"),
        ("otherbot: noindex\nnoai", "noai"),
        ("unavailable_after: 25 Jun 2030 15:00:00 GMT, noai", "noai"),
        ("", None),
    ],
)
def test_the_first_refusing_directive_is_returned(directives: str, refusal: str | None) -> None:
    assert refusing_directive(directives) == refusal


@pytest.mark.parametrize(
    ("preferences", "refusal"),
    [
        ("train-ai=n, ai-use=n", "ai-use=n"),
        ("search=yes, AI-Input=No, ai-train=no", "ai-input=no"),
        ("search=yes, ai-train=no", None),
        ("train-ai=n", None),
        ("ai-use=y", None),
        ("ai-use=?0", "ai-use=?0"),
        ("ai-use=n;q=1", "ai-use=n"),
        ("bots=n", "bots=n"),
        ("ai-use", None),
        ("", None),
        ("bots=n, ai-use=y", None),
        ("ai-input=y, all=n, tdm=n", None),
        ("ai-use=n, ai-use=y", None),
        ("ai-use=y, ai-use=n", "ai-use=n"),
        ("ai-use=n, ai-use", "ai-use=n"),
        ("bots=y, ai-output=n", "ai-output=n"),
    ],
)
def test_only_our_use_of_a_text_is_refused(preferences: str, refusal: str | None) -> None:
    assert refused_use(preferences) == refusal


@pytest.mark.parametrize(
    ("headers", "what"),
    [
        ({"tdm-reservation": "1"}, "tdm-reservation: 1 in its HTTP headers"),
        ({"tdm-reservation": "1, 1"}, "tdm-reservation: 1 in its HTTP headers"),
        ({"tdm-reservation": "0"}, None),
        ({"tdm-reservation": "yes"}, None),
        ({"x-robots-tag": "noai"}, "X-Robots-Tag: noai in its HTTP headers"),
        ({"x-robots-tag": "all"}, None),
        ({"content-usage": "train-ai=n, ai-input=n"}, "Content-Usage: ai-input=n in its HTTP headers"),
        ({"content-signal": "ai-input=no"}, "Content-Signal: ai-input=no in its HTTP headers"),
        ({}, None),
    ],
)
def test_headers_reserve_a_text(headers: dict[str, str], what: str | None) -> None:
    assert reservation([declared_in_headers(headers)]) == what


def test_of_a_feeds_robots_directives_only_those_about_ai_count() -> None:
    """`nosnippet` on a feed keeps the feed itself out of search results; it is not about its stories."""
    shown = {"x-robots-tag": "noindex, nosnippet, max-snippet:0, none"}
    assert reservation([declared_in_headers(shown)]) == "X-Robots-Tag: nosnippet in its HTTP headers"
    assert reservation([declared_in_headers(shown, of_feed=True)]) is None
    noai = {"x-robots-tag": "otherbot: noindex\nNoAI"}
    assert reservation([declared_in_headers(noai, of_feed=True)]) == "X-Robots-Tag: noai in its HTTP headers"


def test_a_link_header_names_a_licence() -> None:
    links = (
        '<https://a.example/l.xml>; rel="license"; type="application/rsl+xml", <https://b.example/>; rel=by'
    )
    assert declared_in_headers({"link": links}).licenses == ("https://a.example/l.xml",)


@pytest.mark.parametrize(
    ("robots", "what"),
    [
        ("User-agent: *\nContent-Signal: search=yes, ai-input=no\nAllow: /", "Content-Signal: ai-input=no"),
        ("user-agent: *\ncontent-usage : ai-use=n # all of it", "Content-Usage: ai-use=n"),
        ("User-agent: *\nContent-Usage: / ai-use=n\nContent-Usage: /a/ ai-use=y", None),
        (
            "User-agent: *\nContent-Usage: / ai-use=y\nContent-Usage: /a/*l$ ai-use=n",
            "Content-Usage: ai-use=n",
        ),
        ("User-agent: *\nContent-Usage: /b/ ai-use=n", None),
        ("User-agent: *\nContent-Usage: ai-use=n\n\nUser-agent: Copydesk\nAllow: /", None),
        ("User-agent: GPTBot\nContent-Usage: ai-use=n", None),
        ("User-agent: GPTBot\n\nUser-agent: copydesk\nContent-Usage: ai-use=n", "Content-Usage: ai-use=n"),
        ("Content-Usage: ai-use=n", "Content-Usage: ai-use=n"),
        ("Content-Usage: ai-use=n\nUser-agent: *\nContent-Usage: ai-use=y", None),
        ("Content-Usage: ai-use=n\nUser-agent: *\nContent-Usage: train-ai=n", None),
        (
            "Content-Signal: ai-input=no\nUser-agent: *\nContent-Usage: ai-use=y",
            "Content-Signal: ai-input=no",
        ),
        ("User-agent: *\nContent-Usage: bots=n\nContent-Usage: ai-use=y", None),
        ("User-agent: *\nContent-Signal: search=yes, ai-train=no", None),
    ],
)
def test_robots_txt_says_how_a_path_may_be_used(robots: str, what: str | None) -> None:
    found = reservation([declared_in_robots(parse_usage(robots), f"{SITE}/a/story.html")])
    assert found == (f"{what} in robots.txt" if what else None)


def test_licences_of_our_group_in_robots_txt_come_before_those_of_all() -> None:
    both = "License: https://a.example/all.xml\nUser-agent: *\nLicense: https://a.example/group.xml\n"
    assert parse_usage(both).licenses == ("https://a.example/group.xml",)
    assert parse_usage("License: https://a.example/all.xml\nUser-agent: *\nAllow: /").licenses == (
        "https://a.example/all.xml",
    )


@given(st.text(), st.text("/ab*$%2?"))
def test_any_robots_txt_and_pattern_can_be_read(text: str, pattern: str) -> None:
    declared_in_robots(parse_usage(f"User-agent: *\nContent-Usage: {pattern} {text}"), f"{SITE}/ab/ab?a")


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("/", True),
        ("/a/story", True),
        ("/a/story$", False),
        ("/a/story.html$", True),
        ("/*.html$", True),
        ("*story*", True),
        ("/a*a/story", False),
        ("/a/s*y.html$", True),
        ("/A/", False),
        ("/a/%73tory", True),
        ("", True),
        ("*" * 21, False),
    ],
)
def test_patterns_are_those_of_robots_txt(pattern: str, matches: bool) -> None:
    assert path_matches(pattern, f"{SITE}/a/story.html") is matches


@pytest.mark.parametrize(
    ("rules", "tdm"),
    [
        ([{"location": "/", "tdm-reservation": 1}], True),
        ([{"location": "/a/*", "tdm-reservation": 0}, {"location": "/", "tdm-reservation": 1}], False),
        ([{"location": "/b", "tdm-reservation": 1}], None),
        ([{"location": "/", "tdm-reservation": "x"}], None),
        ([{"location": 7, "tdm-reservation": 1}, 3], None),
        ({"location": "/", "tdm-reservation": 1}, None),
    ],
)
def test_the_first_rule_of_tdmrep_that_matches_counts(rules: object, tdm: bool | None) -> None:
    assert declared_in_tdmrep(parse_tdmrep(json.dumps(rules).encode()), f"{SITE}/a/story").tdm is tdm


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b"\xff"])
def test_a_tdmrep_that_cannot_be_read_declares_nothing(body: bytes) -> None:
    assert parse_tdmrep(body) == ()


def terms_of(*terms: tuple[str, str]) -> list[Term]:
    kinds = {"permits": "usage", "prohibits": "usage"}
    pairs = (Term(name, kinds.get(name, value), value if name in kinds else "") for name, value in terms)
    return [Term("license"), *pairs]


@pytest.mark.parametrize(
    ("terms", "what"),
    [
        (terms_of(("prohibits", "ai-all")), "prohibits ai-all"),
        (terms_of(("prohibits", "ai-train")), None),
        (terms_of(("prohibits", "ai-all"), ("permits", "ai-input")), None),
        (terms_of(("permits", "all"), ("prohibits", "ai-input search")), "prohibits ai-input"),
        (terms_of(("permits", "search")), "permits only search"),
        (terms_of(("permits", "ai-input"), ("payment", "use")), "asks for payment (use)"),
        (terms_of(("permits", "ai-all"), ("payment", "attribution")), None),
        (terms_of(("permits", "search")) + terms_of(("permits", "ai-all")), None),
        (terms_of(("permits", "ai-all")) + terms_of(("prohibits", "all")), "prohibits all"),
        ([Term("prohibits", "usage", "ai-input")], "prohibits ai-input"),
        ([Term("license"), Term("prohibits", "geo", "US")], None),
        (terms_of(("prohibits", "ai-train"), ("payment", "training")), None),
        (terms_of(("payment", "crawl")), "asks for payment (crawl)"),
        ([], None),
    ],
)
def test_a_licence_allows_our_use_or_says_why_not(terms: list[Term], what: str | None) -> None:
    assert refusals(terms) == ((f"the RSL licence {what}",) if what else ())


RSL = (
    "<rsl xmlns='https://rslstandard.org/rsl'><content url='/'><license><permits type='usage'>all</permits>"
    f"</license></content><content url='{SITE}/paid/*'><license>"
    "<prohibits type='usage'>ai-all</prohibits></license></content></rsl>"
)


def test_of_a_licence_document_the_narrowest_part_counts() -> None:
    assert refusals(read_license(RSL.encode(), f"{SITE}/free/story")) == ()
    assert refusals(read_license(RSL.encode(), f"{SITE}/paid/story")) == ("the RSL licence prohibits ai-all",)
    assert read_license(RSL.encode(), "https://other.example/paid/story") != ()
    assert refusals(read_license(RSL.encode(), "https://other.example/paid/story")) == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<rsl",
        b"<a>" * 100_000,
        b"<!DOCTYPE r [<!ENTITY a 'x'><!ENTITY b '&a;&a;'>]><rsl>&b;</rsl>",
    ],
)
def test_a_licence_that_cannot_be_read_says_nothing(body: bytes) -> None:
    assert read_license(body, SITE) == ()
