"""What the documentation promises."""

import re
from pathlib import Path

import pytest

from pipeline.config import load_feeds
from pipeline.domain.models import Beat, FeedConfig

ROOT = Path(__file__).parents[1]
REFERENCE = (ROOT / "docs/feeds.md").read_text()
FIELDS = sorted((FeedConfig.model_fields.keys() | Beat.model_fields.keys()) - {"key"})


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_has_a_row_in_the_reference(field: str) -> None:
    rows = [line for line in REFERENCE.splitlines() if line.startswith("|")]
    assert any(f"`{field}`" in row for row in rows)


def test_every_default_in_the_reference_is_the_real_one() -> None:
    told = dict(re.findall(r"^\|(?: \d? ?\|)? `(\w+)` \| `([^`]+)` \|", REFERENCE, re.MULTILINE))
    models = {**FeedConfig.model_fields, **Beat.model_fields}
    real = {name: _written(models[name].default) for name in told}
    assert len(told) > 15
    assert told == real


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_the_example_of_the_reference_loads(tmp_path: Path) -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL)
    (tmp_path / "feeds.yaml").write_text(example)
    [feed] = load_feeds(tmp_path / "feeds.yaml").feeds
    assert feed.poll_minutes == (10, 120)


@pytest.mark.parametrize(
    "page", ["README.md", *sorted(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))]
)
def test_links_between_the_pages_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / page).read_text()):
        assert (ROOT / page).parent.joinpath(target).exists(), target


def test_the_readme_leads_to_the_reference() -> None:
    assert "(docs/feeds.md)" in (ROOT / "README.md").read_text()
