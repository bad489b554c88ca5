"""What the documentation says about fields, defaults, links, modules and names is true."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.config import ModelProfile, load_feeds
from pipeline.domain.models import Beat, FeedConfig

ROOT = Path(__file__).parents[1]
REFERENCE = (ROOT / "docs/feeds.md").read_text()
PAGES = ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))]
DECISIONS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/decisions/*.md"))
PACKAGES = "pipeline|flows|desk|copydesk|tests|benchmarks"
FIELDS = sorted((FeedConfig.model_fields.keys() | Beat.model_fields.keys()) - {"key", "example_texts"})


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_has_a_row_in_the_reference(field: str) -> None:
    rows = [line for line in REFERENCE.splitlines() if line.startswith("|")]
    assert any(f"`{field}`" in row for row in rows)


def test_every_default_in_the_reference_is_the_real_one() -> None:
    documented = dict(re.findall(r"^\|(?: \d? ?\|)? `(\w+)` \| `([^`]+)` \|", REFERENCE, re.MULTILINE))
    models = {**FeedConfig.model_fields, **Beat.model_fields}
    defaults = {name: _written(models[name].default) for name in documented}
    assert len(documented) > 15
    assert documented == defaults


@pytest.mark.parametrize("field", sorted(ModelProfile.model_fields.keys() - {"name"}))
def test_every_field_of_a_profile_has_a_row(field: str) -> None:
    rows = [line for line in (ROOT / "docs/models.md").read_text().splitlines() if line.startswith("|")]
    assert any(f"`{field}`" in row for row in rows)


def test_the_example_of_profiles_loads(tmp_path: Path) -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/models.md").read_text(), re.DOTALL)
    (tmp_path / "feeds.yaml").write_text(example)
    one, two = load_feeds(tmp_path / "feeds.yaml").feeds
    assert (one.profiles, two.profiles) == (("strong", "cheap", "default"), ("local",))


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_the_example_of_the_reference_loads(tmp_path: Path) -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL)
    (tmp_path / "feeds.yaml").write_text(example)
    [feed] = load_feeds(tmp_path / "feeds.yaml").feeds
    assert feed.poll_minutes == (10, 120)


@pytest.mark.parametrize("page", [*PAGES, *DECISIONS])
def test_links_lead_to_files_and_headings_that_exist(page: str) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", (ROOT / page).read_text()):
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), target
        assert not anchor or anchor in _anchors(path), f"{target}#{anchor}"


def _anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, *DECISIONS])
def test_files_and_modules_named_in_code_spans_exist(page: str) -> None:
    for code in re.findall(r"`([^`\n]+)`", (ROOT / page).read_text()):
        if re.fullmatch(rf"(?:{PACKAGES})/[\w./-]+|[\w.-]+(?:/[\w.-]+)+\.py", code):
            assert (ROOT / code).exists(), code
        elif re.fullmatch(rf"(?:{PACKAGES})(?:\.\w+)+", code):
            assert _is_dotted_path(code), code


def _is_dotted_path(name: str) -> bool:
    """Tell whether a dotted name is that of a package, a module, or something defined in one."""
    *parents, last = name.split(".")
    path = ROOT.joinpath(*parents)
    if (path / last).is_dir() or (path / f"{last}.py").is_file():
        return True
    modules = (path / "__init__.py", path.with_suffix(".py"))
    return any(last in _defined(module) for module in modules if module.is_file())


def test_names_in_the_table_of_questions_are_defined_in_the_modules_beside_them() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    [table] = re.findall(r"^## Where do I find…\n(.*?)^## ", page, re.DOTALL | re.MULTILINE)
    rows = [row.split(" | ") for row in table.splitlines() if row.startswith("| ") and "`" in row]
    assert len(rows) >= 14
    for _, modules, names in rows:
        paths = [ROOT / path for path in re.findall(r"`([^`]+)`", modules)]
        defined = {name for path in paths if path.is_file() for name in _defined(path)}
        missing = set(re.findall(r"`([^`]+)`", names)) - defined
        assert not missing, f"{modules}: {missing}"


def _defined(module: Path) -> set[str]:
    """Return the names that a module defines, those of its classes as `Class.name`."""
    tree = ast.parse(module.read_text())
    members = (
        f"{node.name}.{name}" for node in tree.body if isinstance(node, ast.ClassDef) for name in _names(node)
    )
    return {*_names(tree), *members}


def _names(scope: ast.Module | ast.ClassDef) -> Iterator[str]:
    for node in scope.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def test_the_readme_leads_to_the_reference() -> None:
    assert "(docs/feeds.md)" in (ROOT / "README.md").read_text()
