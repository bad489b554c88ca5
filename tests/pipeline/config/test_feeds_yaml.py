import json
from pathlib import Path

import pytest

from pipeline.config import Subscriptions, load_feeds, select_feeds
from pipeline.config.yaml_source import read_document
from pipeline.domain.errors import ConfigError
from pipeline.domain.models import Beat, CheckLevels, FeedConfig

GOOD = """\
defaults: {beat: crypto, language: en, max_items: 5, max_age_days: 3}
beats:
  crypto:
    market: crypto market
    vocabulary: [BTC, MARKET]
feeds:
  - key: one
    name: One
    url: https://one.example/feed
    category: BTC
  - key: two
    name: Two
    url: https://two.example/feed
    category: MARKET
"""


def load(tmp_path: Path, text: str | bytes) -> Subscriptions:
    path = tmp_path / "feeds.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_feeds(path)


def problems(tmp_path: Path, text: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    found_problems = caught.value.context["problems"]
    assert isinstance(found_problems, tuple)
    assert caught.value.message.startswith(found_problems[0])
    assert not any("\n" in line for line in found_problems)
    return list(found_problems)


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)


def test_a_good_file(tmp_path: Path) -> None:
    loaded = load(tmp_path, GOOD)
    assert loaded.beats == {
        "crypto": Beat(key="crypto", market="crypto market", vocabulary=("BTC", "MARKET"))
    }
    assert loaded.feeds[0] == FeedConfig(
        key="one",
        name="One",
        url="https://one.example/feed",
        beat="crypto",
        category="BTC",
        max_items=5,
        max_age_days=3,
    )
    assert [feed.key for feed in loaded.feeds] == ["one", "two"]


def test_a_feed_wins_over_the_defaults(tmp_path: Path) -> None:
    text = GOOD + "    max_items: 9\n    max_age_days: null\n    previous_keys: [old]\n    enabled: false\n"
    loaded = load(tmp_path, text)
    two = loaded.feeds[1]
    assert (two.max_items, two.max_age_days, two.first_key, two.enabled) == (9, None, "old", False)
    assert [feed.key for feed in select_feeds(loaded, None)] == ["one"]
    assert [feed.key for feed in select_feeds(loaded, ["old", "one", "two"])] == ["two", "one"]
    with pytest.raises(ConfigError, match="no feed 'ome'; did you mean one\\?"):
        select_feeds(loaded, ["ome"])


def test_the_sample_of_the_repository_loads() -> None:
    loaded = load_feeds(Path(__file__).parents[3] / "feeds.yaml")
    assert [feed.key for feed in loaded.feeds] == ["decrypt", "coindesk", "bitcoin-magazine"]
    assert loaded.beats["crypto"].market == "crypto market"


def test_filters_and_limits_are_read(tmp_path: Path) -> None:
    text = changed(
        "max_items: 5,",
        "poll_minutes: [10, 120], languages: [en], exclude_match: ['ad(s|vert)'], max_items: 5,",
    )
    first, two = load(tmp_path, text + "    poll_minutes: [0.5, 2]\n    languages: []\n").feeds
    assert first.poll_minutes == (10, 120)
    assert (first.languages, first.exclude_match) == (("en",), ("ad(s|vert)",))
    assert two.poll_minutes == (0.5, 2)
    assert (two.languages, two.exclude_match) == ((), ("ad(s|vert)",))


INHERITED = sorted(FeedConfig.model_fields.keys() - {"key", "previous_keys", "name", "url", "access"})


@pytest.mark.parametrize("field", INHERITED)
def test_every_setting_can_be_a_default(tmp_path: Path, field: str) -> None:
    values = {"beat": "crypto", "category": "BTC", "language": "fr", "use": "link", "full_text": "never"}
    values |= {"covers": "feed", "cover_choice": "first", "schedule": "2h", "jitter": "5m"}
    values |= {"model": "default"}
    numbers = {"max_items": 9, "max_items_per_day": 9, "min_chars": 9, "max_chars": 9000, "max_updates": 9}
    others = {
        "max_age_days": 2.5,
        "page_delay": 0,
        "poll_minutes": (1, 2),
        "selector": "p.story",
        "enabled": False,
    }
    others |= {"fallbacks": ("default",), "exclude_media": ("audio",), "only_articles": False}
    value = (values | numbers | others).get(field, ("fr",))
    defaults = {"beat": "crypto", "category": "BTC", field: value}
    flow = ", ".join(f"{name}: {json.dumps(each)}" for name, each in defaults.items())
    text = "\n".join(line for line in GOOD.splitlines()[1:] if "category" not in line)
    [first, _] = load(tmp_path, f"defaults: {{{flow}}}\n{text}\n").feeds
    assert getattr(first, field) == value


def test_anchors_and_merges_work(tmp_path: Path) -> None:
    text = (
        changed("  - key: one\n", "  - &first\n    key: one\n")
        + "  - {<<: *first, key: three, url: 'http://three.example'}\n"
    )
    assert load(tmp_path, text).feeds[2].name == "One"


def test_a_file_without_feeds_is_valid(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD.partition("feeds:")[0] + "feeds:\n").feeds == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # fields
        ("    name: Two", "    nmae: Two", "12: unknown field nmae; did you mean name?"),
        ("    name: Two\n", "", "11: name is missing; add `name: …`"),
        ("    category: MARKET\n", "", "11: category is missing; add `category: …` here or under defaults"),
        ("    name: Two", "    name: 2024", "12: name 2024 is not text; put it in quotes"),
        ("    name: Two", "    name:", "12: name has no value; write one or remove the line"),
        ("    name: Two", "    name: ' '", "12: name has an empty text"),
        ("    name: Two", "    name: |\n      Two", "12: name has a line break"),
        ("    name: Two", "    name: Two\n    max_items: yes", "13: max_items True is not a whole number"),
        ("    name: Two", "    name: Two\n    max_items: 0", "13: max_items 0 is too small; write 1 or more"),
        ("    name: Two", "    name: Two\n    max_age_days: .inf", "13: max_age_days is too large"),
        ("    name: Two", "    name: Two\n    max_age_days: .nan", "13: max_age_days nan is not above zero"),
        (
            "    name: Two",
            "    name: Two\n    page_delay: -1",
            "13: page_delay -1 is not between 0 and 600 seconds; write",
        ),
        (
            "    name: Two",
            "    name: Two\n    page_delay: .inf",
            "13: page_delay inf is not between 0 and 600 seconds",
        ),
        ("    name: Two", "    name: Two\n    page_delay: 1s", "13: page_delay '1s' is not a number"),
        ("    name: Two", "    name: Two\n    enabled: 'no'", "13: enabled 'no' is neither true nor false"),
        ("    name: Two", "    name: Two\n    include: halving", "13: include 'halving' is not a list"),
        ("    name: Two", "    include:\n      - ok\n      - 7", "14: include[1] 7 is not text"),
        ("    name: Two", "    name: Two\n    include: ['']", "13: include has an empty text"),
        (
            "    name: Two",
            "    name: Two\n    language: no",
            "13: language False is not text; put it in quotes",
        ),
        (
            "    name: Two",
            "    name: Two\n    language: klingon!",
            "13: language 'klingon!' is no language code",
        ),
        ("key: two", "key: Two Feeds", "11: key 'Two Feeds' has other characters"),
        (
            "https://two.example/feed",
            "ftp://two.example/feed",
            "13: url 'ftp://two.example/feed' is no http(s) URL",
        ),
        ("https://two.example/feed", "two.example/feed", "13: url 'two.example/feed' is no http(s) URL"),
        (
            "    category: MARKET",
            "    category: MARKT",
            "14: category 'MARKT' is not in the vocabulary of beat crypto; did you",
        ),
        (
            "    name: Two",
            "    name: Two\n    beat: crpto",
            "13: beat 'crpto' is not under beats; did you mean crypto?",
        ),
        # filters and limits
        (
            "    name: Two",
            "    name: Two\n    exclude_match: ['a(?=b)']",
            "13: exclude_match 'a(?=b)' looks ahead or behind, which RE2 cannot; split",
        ),
        (
            "    name: Two",
            "    name: Two\n    exclude_match:\n      - fine\n      - '(a)\\1'",
            "15: exclude_match '(a)\\\\1' refers back to a group (\\1), which RE2 cannot",
        ),
        (
            "    name: Two",
            "    name: Two\n    include_match: ['(']",
            "13: include_match '(' is no regular expression: missing ): (; correct it",
        ),
        (
            "    name: Two",
            '    name: Two\n    include_match: ["\\bSEC"]',
            "13: include_match has a line break or control character; put it in single quotes",
        ),
        (
            "    name: Two",
            '    name: Two\n    include_match: ["\\d+"]',
            "13: not YAML: found unknown escape character 'd'; put it in single quotes",
        ),
        (
            "    name: Two",
            "    name: Two\n    languages: [en, Klingon]",
            "13: languages 'Klingon' is no language code; write one such as en or pt-BR",
        ),
        (
            "    name: Two",
            "    name: Two\n    languages: [no]",
            "13: languages[0] False is not text; put it in quotes",
        ),
        (
            "    name: Two",
            "    name: Two\n    poll_minutes: [120, 10]",
            "13: poll_minutes [120, 10] is no span between 0 and 10080; write the shortest",
        ),
        (
            "    name: Two",
            "    name: Two\n    poll_minutes: [10, 20000]",
            "13: poll_minutes [10, 20000] is no span between 0 and 10080",
        ),
        (
            "    name: Two",
            "    name: Two\n    poll_minutes: [-1, 10]",
            "13: poll_minutes [-1, 10] is no span between 0 and 10080",
        ),
        (
            "    name: Two",
            "    name: Two\n    poll_minutes: [0, .nan]",
            "13: poll_minutes [0, nan] is no span between 0 and 10080",
        ),
        (
            "    name: Two",
            "    name: Two\n    poll_minutes: 10",
            "13: poll_minutes is no pair of minutes; write the shortest and the longest wait in",
        ),
        ("    name: Two", "    name: Two\n    poll_minutes: [10]", "13: poll_minutes is no pair of minutes"),
        (
            "    name: Two",
            "    name: Two\n    poll_minutes: [1, 2, 3]",
            "13: poll_minutes is no pair of minutes",
        ),
        (
            "    name: Two",
            "    name: Two\n    poll_minutes: [1, '2']",
            "13: poll_minutes is no pair of minutes",
        ),
        (
            "    name: Two",
            "    name: Two\n    min_chars: 900\n    max_chars: 800",
            "14: max_chars 800 is below min_chars 900; raise it or lower min_chars",
        ),
        (
            "    name: Two",
            "    name: Two\n    max_items_per_day: 0",
            "13: max_items_per_day 0 is too small; write 1 or more",
        ),
        (
            "    name: Two",
            "    name: Two\n    use: ful",
            "13: use 'ful' is not one of full, summary or link; did you mean full?",
        ),
        (
            "    name: Two",
            "    name: Two\n    full_text: off",
            "13: full_text False is not one of auto, always or never; write one of them",
        ),
        (
            "    name: Two",
            "    name: Two\n    selector: 'div..a'",
            "13: selector 'div..a' is no CSS selector (Expected ident, got <DELIM '.' at 4>); write one",
        ),
        (
            "    name: Two",
            "    name: Two\n    selector: 'p::before'",
            "13: selector 'p::before' is no CSS selector",
        ),
        (
            "    name: Two",
            "    name: Two\n    include: [Ether]\n    exclude: [casino, ether ]",
            "14: exclude has 'ether', and so has include; keep one of the two",
        ),
        (
            "    name: Two",
            "    name: Two\n    include_categories: [A]\n    exclude_categories: [a]",
            "14: exclude_categories has 'a', and so has include_categories",
        ),
        (
            "    name: Two",
            "    name: Two\n    include_match: [a]\n    exclude_match: [a]",
            "14: exclude_match has 'a', and so has include_match",
        ),
        (
            "    name: Two",
            "    use: link\n    full_text: never\n    name: Two",
            "13: use: link with full_text: never leaves no text to write from",
        ),
        # defaults and beats
        ("max_items: 5", "max_items: five", "1: max_items 'five' is not a whole number"),
        ("beat: crypto,", "beat: crypt,", "1: beat 'crypt' is not under beats; did you mean crypto?"),
        ("language: en", "lang: en", "1: lang cannot be a default; did you mean language?"),
        ("language: en", "url: 'http://x.example'", "1: url cannot be a default"),
        ("[BTC, MARKET]", "[BTC, market]", "5: 'market' is not in capitals; write MARKET"),
        ("[BTC, MARKET]", "[BTC, ON]", "5: vocabulary[1] True is not text"),
        ("market: crypto market", "markt: crypto", "4: unknown field markt; did you mean market?"),
        (
            "market: crypto market",
            "prompt: ../../etc/passwd",
            "4: prompt '../../etc/passwd' is no template's name",
        ),
        (
            "market: crypto market",
            "updates: redaft",
            "4: updates 'redaft' is not one of flag or redraft; did you",
        ),
        (
            "market: crypto market",
            "duplicates: merge",
            "4: duplicates 'merge' is not one of link or one; write",
        ),
        ("max_items: 5", "exclude_match: ['(']", "1: exclude_match '(' is no regular expression"),
        ("market: crypto market", "key: other", "4: key does not belong in a beat"),
        ("beats:", "beets:", "2: unknown section 'beets'; did you mean beats?"),
        ("  - key: one\n", "  - just words\n  - key: one\n", "7: this entry 'just words' is not a mapping"),
        # between feeds
        ("key: two", "key: one", "11: key one is written twice"),
        ("key: two", "key: two\n    previous_keys: [one]", "12: previous key one belongs to feed one"),
        ("key: one", "key: one\n    previous_keys: [two]", "12: key two is a previous key of one"),
        (
            "https://two.example/feed",
            "HTTP://ONE.example:80/feed/",
            "13: url is already subscribed to as one",
        ),
        # YAML
        ("    name: Two", "\tname: Two", "12: not YAML: "),
        ("    name: Two", "    name: Two: three", "12: not YAML: mapping values are not allowed here"),
        ("    name: Two", "    name: Two\n    name: Three", "13: name is written twice, first in line 12"),
        (
            "    name: Two",
            "    name: !!python/object:os.system Two",
            "12: not YAML: could not determine a constructor",
        ),
        (
            "    name: Two",
            "    name: 2026-02-31",
            "12: '2026-02-31' is read as a date or number, and is none",
        ),
        ("    name: Two", "    name: Two\n    on: 1", "13: the name 'on' is not text; put it in quotes"),
        ("    name: Two", "    name: T\x07wo", "12: a character that YAML forbids"),
        ("    name: Two", "    name: *nowhere", "12: not YAML: found undefined alias"),
        ("    name: Two", "    include: &a [*a]", "1: nested too deeply"),
        ("feeds:\n", "feeds:\n---\n", "7: not YAML: but found another document"),
    ],
)
def test_a_mistake_is_reported_with_line_and_fix(tmp_path: Path, old: str, new: str, message: str) -> None:
    found_problems = problems(tmp_path, changed(old, new))
    assert any(line.startswith(f"feeds.yaml:{message}") for line in found_problems), found_problems


def test_a_mistake_in_the_defaults_is_reported_once(tmp_path: Path) -> None:
    assert len(problems(tmp_path, changed("max_items: 5", "max_items: five"))) == 1


def test_all_mistakes_are_reported_in_line_order(tmp_path: Path) -> None:
    text = changed("category: BTC", "category: BTC\n    colour: red").replace(
        "url: https://two", "url: ftp://two"
    )
    found_problems = problems(tmp_path, text)
    assert [line.split(":")[1] for line in found_problems] == ["11", "14"]
    with pytest.raises(ConfigError, match=r"^feeds.yaml:11: .* \(and 1 more in this file\)$"):
        load_feeds(tmp_path / "feeds.yaml")


def test_a_key_may_return(tmp_path: Path) -> None:
    text = changed("key: two", "key: two\n    previous_keys: [two, second]")
    assert load(tmp_path, text).feeds[1].first_key == "two"


@pytest.mark.parametrize("text", ["- a\n", "feeds", "feeds: 3\n", "beats: [a]\n", "a: b: c\n"])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text)[0].startswith("feeds.yaml:1: ")


def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    assert "feeds.yaml:2: not UTF-8" in problems(tmp_path, "a: 1\nb: é\n".encode("latin-1"))[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: \ud800", "a character that YAML forbids (55296); remove it"),
        ("a: *x", "not YAML: found undefined alias 'x'"),
        ("[" * 100_000, "nested too deeply"),
        ("- " * 100_000, "nested too deeply"),
    ],
)
def test_what_libyaml_cannot_read_is_a_problem_of_its_line(text: str, problem: str) -> None:
    [only] = read_document(text).problems
    assert (only.line, problem in only.text) == (1, True)


def test_a_bom_is_no_mistake(tmp_path: Path) -> None:
    assert load(tmp_path, b"\xef\xbb\xbf" + GOOD.encode()).feeds


def test_the_error_for_a_missing_or_empty_file_says_what_to_do(tmp_path: Path) -> None:
    for prepare in (lambda path: None, lambda path: path.write_text("# nothing yet\n")):
        prepare(tmp_path / "feeds.yaml")
        with pytest.raises(ConfigError, match="copydesk feeds import") as caught:
            load_feeds(tmp_path / "feeds.yaml")
        assert caught.value.context["missing"] is True


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_feeds(tmp_path)


def test_deep_nesting_is_a_mistake(tmp_path: Path) -> None:
    text = "feeds:\n  - key: " + "[" * 200 + "]" * 200
    assert "nested too deeply" in problems(tmp_path, text)[0]


def with_checks(tmp_path: Path, flow: str) -> CheckLevels:
    return (
        load(tmp_path, GOOD.replace("market: crypto market", f"market: crypto market\n    checks: {flow}"))
        .beats["crypto"]
        .checks
    )


def test_a_beat_has_its_own_check_levels(tmp_path: Path) -> None:
    levels = with_checks(tmp_path, "{overlap: warn, name: off, overlap_warn_words: 9}")
    assert (levels.overlap, levels.name, levels.quotation) == ("warn", "off", None)
    assert (
        levels.overlap_warn_words,
        levels.overlap_block_words,
        levels.overlap_block_share,
    ) == (9, 20, 0.25)


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        ("{nmae: off}", "unknown field checks.nmae; did you mean name?"),
        ("{injection: off}", "unknown field checks.injection"),
        ("{name: loud}", "checks.name 'loud' is not one of block, warn, note or off"),
        (
            "{overlap_warn_words: 30}",
            "overlap_block_words is less than overlap_warn_words, 30; write that or more",
        ),
        ("{overlap_block_share: 2}", "checks.overlap_block_share 2 is too large"),
        ("strict", "checks 'strict' is not a mapping"),
    ],
)
def test_a_wrong_check_setting_is_reported_with_its_line(tmp_path: Path, flow: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        with_checks(tmp_path, flow)
    assert error.value.message.startswith("feeds.yaml:")
    assert message in error.value.message
    assert error.value.context["line"] == next(
        number
        for number, line in enumerate((tmp_path / "feeds.yaml").read_text().splitlines(), 1)
        if "checks:" in line
    )


def test_a_beat_says_whose_titles_and_which_opinion_its_articles_have(tmp_path: Path) -> None:
    plain = load(tmp_path, GOOD).beats["crypto"]
    assert (plain.titles, plain.required_sections) == ("own", ("from_author", "impact"))
    text = changed(
        "market: crypto market\n", "market: m\n    titles: source\n    required_sections: [impact]\n"
    )
    chosen = load(tmp_path, text).beats["crypto"]
    assert (chosen.titles, chosen.required_sections) == ("source", ("impact",))
    none = changed("market: crypto market\n", "market: m\n    required_sections: []\n")
    assert load(tmp_path, none).beats["crypto"].required_sections == ()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("titles: mine", "titles 'mine' is not one of own or source; write one of them"),
        (
            "required_sections: [overview]",
            "required_sections[0] 'overview' is not one of from_author or impact; write one of them",
        ),
        ("required_sections: yes", "required_sections True is not a list"),
        ("example_texts: [x]", "unknown field example_texts"),
    ],
)
def test_wrong_titles_and_sections_are_named(tmp_path: Path, line: str, words: str) -> None:
    [problem] = problems(tmp_path, changed("market: crypto market\n", f"market: m\n    {line}\n"))
    assert problem.startswith("feeds.yaml:5: ")
    assert words in problem


def test_the_former_name_of_the_sentence_repair_is_read_with_one_warning(tmp_path: Path) -> None:
    text = (
        "beats:\n  crypto:\n    verify: true\n  art:\n    verify: false\n"
        "  sport:\n    repair_sentences: true\nfeeds: []\n"
    )
    loaded = load(tmp_path, text)
    assert {key: beat.repair_sentences for key, beat in loaded.beats.items()} == {
        "crypto": True,
        "art": False,
        "sport": True,
    }
    [warning] = loaded.warnings
    assert warning.startswith("feeds.yaml:3: verify is called repair_sentences now")


@pytest.mark.parametrize(("line", "verifier"), [("off", "off"), ('"off"', "off"), ("default", "default")])
def test_a_beat_names_its_second_reader(tmp_path: Path, line: str, verifier: str) -> None:
    loaded = load(tmp_path, f"beats:\n  crypto:\n    verifier: {line}\nfeeds: []\n")
    assert loaded.beats["crypto"].verifier == verifier


def test_an_unknown_second_reader_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"feeds.yaml:3: verifier 'defalt' is not under models; did you mean"
    ):
        load(tmp_path, "beats:\n  crypto:\n    verifier: defalt\nfeeds: []\n")


def test_patterns_of_links_have_only_one_spelling(tmp_path: Path) -> None:
    links = "    name: Two\n    include_links: ['/\\d+']\n    exclude_links: ['/\\D+']"
    assert load(tmp_path, changed("    name: Two", links)).feeds[-1].exclude_links == (r"/\D+",)
    escaped = changed("    name: Two", '    name: Two\n    include_links: ["\\b/live"]')
    assert any("put it in single quotes" in line for line in problems(tmp_path, escaped))
