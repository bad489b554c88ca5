"""The section `publish:` of feeds.yaml: targets, and every mistake with its line."""

import re
from pathlib import Path

import pytest

from pipeline.articles.render import FrontMatterDefaults, build_front_matter
from pipeline.config import FeedTarget, FolderTarget, GitTarget, HookTarget, Target, load_feeds, load_settings
from pipeline.config.site_keys import ARTICLE_KEYS, KeySource
from pipeline.covers import feed_cover
from pipeline.domain.errors import ConfigError
from pipeline.domain.models import Credit, Source
from tests.fakes.stock import MODEL, NOW, pieces

ROOT = Path(__file__).parents[3]
GOOD = """\
publish:
  site: {kind: folder, path: ../site/content/news}
  repo:
    kind: git
    path: /srv/site
    folder: content/news/
    push: true
  build:
    kind: hook
    url_variable: COPYDESK_HOOK_BUILD
  feed:
    kind: feed
    path: feed
    title: News
    link: https://site.example/
    article_url: 'https://site.example/news/{slug}/'
"""


def load(folder: Path, text: str) -> tuple[Target, ...]:
    (folder / "feeds.yaml").write_text(text)
    return load_feeds(folder / "feeds.yaml").publish


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    found_problems = caught.value.context["problems"]
    assert isinstance(found_problems, tuple)
    assert not any("\n" in line for line in found_problems)
    return list(found_problems)


def test_every_kind_of_target_with_paths_from_the_files_own_folder(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD) == (
        FolderTarget(kind="folder", name="site", path=f"{tmp_path}/../site/content/news"),
        GitTarget(kind="git", name="repo", path="/srv/site", folder="content/news", branch="main", push=True),
        HookTarget(kind="hook", name="build", url_variable="COPYDESK_HOOK_BUILD"),
        FeedTarget(
            kind="feed", name="feed", path=f"{tmp_path}/feed", title="News", link="https://site.example/",
            article_url="https://site.example/news/{slug}/",
        ),
    )  # fmt: skip


@pytest.mark.parametrize("text", ["feeds: []\n", "publish:\n", "publish: {}\n"])
def test_publish_is_optional(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, text) == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("publish:", "publsh:", "1: unknown section 'publsh'; did you mean publish?"),
        ("kind: git", "kind: gti", "4: kind 'gti' is not known; did you mean git?"),
        ("    kind: git\n", "", "3: kind is missing; add `kind: …`, one of folder, git, hook, feed"),
        ("kind: git", "kind: [git]", "4: kind ('git',) is not known"),
        ("push: true", "psuh: true", "7: unknown field psuh; did you mean push?"),
        ("push: true", "push: 'yes'", "7: push 'yes' is neither true nor false"),
        ("push: true", "name: other", "7: a target's name is repo already; remove the line"),
        ("    path: /srv/site\n", "", "3: path is missing; add `path: …`"),
        ("path: /srv/site", "path: ' '", "5: path has an empty text"),
        ("path: /srv/site", "path: ~nobody-here/site", "5: path '~nobody-here/site' names no folder"),
        ("content/news/", "../news", "6: folder '../news' is no folder inside the repository"),
        ("content/news/", "/news", "6: folder '/news' is no folder inside"),
        ("content/news/", ".git/hooks", "6: folder '.git/hooks' is no folder inside"),
        ("content/news/", "-x", "6: folder '-x' is no folder inside"),
        ("push: true", "branch: '-d'", "7: branch '-d' is no branch's name; write one such as main"),
        ("push: true", "branch: a..b", "7: branch 'a..b' is no branch's name"),
        ("push: true", "branch: a.lock", "7: branch 'a.lock' is no branch's name"),
        ("    title: News\n", "", "11: title is missing"),
        ("link: https://site.example/", "link: site.example", "15: link 'site.example' is no http(s) URL"),
        ("{slug}", "slug", "16: article_url 'https://site.example/news/slug/' is no http(s) URL with {slug}"),
        ("{slug}", "{slug}/{day}", "16: article_url"),
        ("title: News", "title: News\n    limit: 0", "15: limit 0 is too small; write 1 or more"),
        ("  repo:", "  My Repo:", "3: 'My Repo' cannot be a target's name"),
        ("path: feed", "path: ../site/content/news\n    kind: folder", "kind is written twice"),
    ],
)  # fmt: skip
def test_each_mistake_is_reported_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert GOOD.count(old) == 1, old
    assert any(message in line for line in problems(tmp_path, GOOD.replace(old, new)))


SHAPED = """\
publish:
  site:
    kind: folder
    path: site
    preset: hugo
    front_matter:
      date: publishedAt
      params.author: source.author
      url: '/{slug}/'
      layout: {value: post}
"""


def test_keys_for_a_site_are_on_top_of_those_of_the_preset(tmp_path: Path) -> None:
    [site] = load(tmp_path, SHAPED.replace("date: publishedAt", "date: updatedAt"))
    assert isinstance(site, FolderTarget)
    assert site.added == {
        "date": KeySource(key="updatedAt"),
        "lastmod": KeySource(key="updatedAt"),
        "params.author": KeySource(key="source.author"),
        "url": KeySource(pattern="/{slug}/"),
        "layout": KeySource(value="post"),
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("preset: hugo", "preset: hogo", "5: preset 'hogo' is not one of astro, eleventy, hugo"),
        ("preset: hugo", "preset: hogo", "did you mean hugo?"),
        (
            "date: publishedAt",
            "date: pubishedAt",
            "7: front_matter.date 'pubishedAt' is no key of an article, such as publishedAt or source.name; "
            "did you mean publishedAt?",
        ),
        ("{value: post}", "post", "10: front_matter.layout 'post' is no key of an article, such as"),
        ("{value: post}", "post", "for the same text in every article write {value: …}"),
        ("{value: post}", "true", "10: front_matter.layout True is no key of an article"),
        ("{value: post}", "true", "write {value: true}"),
        ("{value: post}", "", "10: front_matter.layout has no value; write one or remove the line"),
        ("{value: post}", "{value: post, key: x}", "10: front_matter.layout"),
        ("{value: post}", "{value: 2026-02-05}", "put a date in quotes"),
        ("{value: post}", "{value: {a: b}}", "neither text, a number, true, false nor a list of texts"),
        ("{value: post}", '{value: "a\\nb"}', "has a line break or control character; write it on one line"),
        ("{slug}", "{slgu}", "9: front_matter.url '/{slgu}/' has the unknown placeholder {slgu}; did you"),
        ("{slug}", "{slug}}", "9: front_matter.url '/{slug}}/' has the unknown placeholder }; the choices"),
        ("layout:", "my layout:", "10: front_matter.my layout is no key's name; write one such as date"),
        ("layout:", "a..b:", "10: front_matter.a..b is no key's name"),
        ("layout:", "url.a:", "10: front_matter.url.a is inside url, which is set here as well"),
        (
            "layout:",
            "source:",
            "10: front_matter.source would replace source: attribution and AI notice are part of every "
            "article; choose another name, such as extra.source",
        ),
        ("layout:", "source.url:", "10: front_matter.source.url would replace source: attribution and"),
        ("layout:", "AI.rewritten:", "10: front_matter.AI.rewritten would replace ai: attribution and"),
        ("layout:", "externalid:", "10: front_matter.externalid would replace externalId: attribution"),
        ("{value: post}", "{value: .inf}", "10: front_matter.layout"),
        ("{value: post}", "{value: .nan}", "is no finite number; write one such as 1.5, or put it in quotes"),
        ("preset: hugo", "preset: pelican", "8: front_matter.params.author has a dot, and pelican reads no"),
        ("    front_matter:\n", "    front_matter: x\n    more:\n", "6: front_matter 'x' is not a mapping"),
        ("    front_matter:\n", "    frontmatter:\n", "6: unknown field frontmatter; did you mean"),
    ],
)  # fmt: skip
def test_each_mistake_in_site_keys_is_reported_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert SHAPED.count(old) == 1, old
    assert any(message in line for line in problems(tmp_path, SHAPED.replace(old, new)))


def test_another_name_is_one_that_the_generator_reads(tmp_path: Path) -> None:
    lines = "publish: {site: {kind: folder, path: site, preset: pelican, front_matter: {ai: ai.model}}}\n"
    assert any("such as extra_ai" in line for line in problems(tmp_path, lines))


@pytest.mark.parametrize("name", ["extra.source", "aired", "source_name", "params.ai"])
def test_a_name_that_replaces_nothing_is_taken(tmp_path: Path, name: str) -> None:
    [site] = load(tmp_path, SHAPED.replace("layout:", f"{name}:"))
    assert isinstance(site, FolderTarget)
    assert name in site.added


def test_nested_keys_are_a_mistake_for_a_line_preset(tmp_path: Path) -> None:
    text = SHAPED.replace("hugo", "pelican").replace("params.author: source.author", "cover: coverImage")
    assert problems(tmp_path, text) == [
        "feeds.yaml:8: front_matter.cover is coverImage, no text, and pelican reads text alone; "
        "name one of its keys, such as coverImage.alt"
    ]


def test_every_key_of_an_article_can_be_named() -> None:
    item, article, _ = pieces()[0]
    source = Source(
        item=item.model_copy(update={"image": "https://wire.example/x.jpg"}), feed_key="a", feed_name="A",
        first_key="a", category="MARKET", language="en", also=(Credit(name="B", url="https://b.example/"),),
    )  # fmt: skip
    metadata = build_front_matter(
        source, article, MODEL, (), now=NOW, defaults=FrontMatterDefaults(cover=feed_cover(source))
    )
    paths = {
        f"{key}.{inner}" for key, value in metadata.items() if isinstance(value, dict) for inner in value
    }
    assert metadata.keys() | paths <= ARTICLE_KEYS


def test_a_secret_in_the_file_is_not_repeated_in_the_message(tmp_path: Path) -> None:
    text = GOOD.replace("url_variable: COPYDESK_HOOK_BUILD", "url_variable: https://build.example/sesame")
    [message] = problems(tmp_path, text)
    assert message.startswith(
        "feeds.yaml:10: url_variable (its value is not shown) is no variable for a hook"
    )
    assert "sesame" not in message


def test_two_targets_with_the_same_destination_are_a_mistake(tmp_path: Path) -> None:
    twice = GOOD + "  again: {kind: folder, path: ../site/content/news}\n"
    assert problems(tmp_path, twice) == [
        "feeds.yaml:17: again has the same destination as site; keep one of the two"
    ]


@pytest.mark.parametrize("section", ["publish: 3", "publish: [a]", "publish: {site: 3}", "publish: {site: }"])
def test_other_forms_are_refused(tmp_path: Path, section: str) -> None:
    assert problems(tmp_path, section)


def test_the_examples_of_the_repository_load(tmp_path: Path) -> None:
    sample = (ROOT / "copydesk/init_files/feeds.yaml").read_text()
    commented = sample[sample.index("# publish:") :]
    targets = load(tmp_path, re.sub(r"^# ?", "", commented, flags=re.MULTILINE))
    assert [target.kind for target in targets] == ["folder", "git", "feed", "hook"]
    [example] = re.findall(r"```yaml\n(publish:.*?)```", (ROOT / "docs/publishing.md").read_text(), re.DOTALL)
    assert [target.kind for target in load(tmp_path, example)] == ["folder", "git", "feed", "hook"]


def test_the_example_of_front_matter_loads(tmp_path: Path) -> None:
    [example] = re.findall(
        r"```yaml\n(    preset:.*?)```", (ROOT / "docs/publishing.md").read_text(), re.DOTALL
    )
    [target] = load(tmp_path, f"publish:\n  site:\n    kind: folder\n    path: site\n{example}")
    assert isinstance(target, FolderTarget)
    assert len(target.front_matter) == 4


def test_hooks_come_from_the_environment_and_are_never_shown(tmp_path: Path) -> None:
    environ = {"COPYDESK_HOOK_BUILD": " https://build.example/sesame ", "COPYDESK_HOOK_OTHER": ""}
    settings = load_settings(environ, tmp_path)
    assert settings.hooks.keys() == {"COPYDESK_HOOK_BUILD"}
    assert settings.hooks["COPYDESK_HOOK_BUILD"].get_secret_value() == "https://build.example/sesame"
    assert "sesame" not in repr(settings)
    with pytest.raises(ConfigError, match=r"COPYDESK_HOOK_BUILD \(its value is not shown\)") as caught:
        load_settings({"COPYDESK_HOOK_BUILD": "sesame"}, tmp_path)
    assert "sesame" not in caught.value.message


def test_hooks_can_be_set_in_dotenv(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("COPYDESK_HOOK_SITE=https://build.example/1\n")
    assert load_settings({}, tmp_path).hooks.keys() == {"COPYDESK_HOOK_SITE"}
