"""`copydesk check DRAFT` reads a file like an approval and has the same findings."""

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from copydesk import check
from pipeline.articles.front_matter import dumps, loads
from pipeline.config import Settings, load_feeds
from pipeline.domain.errors import CopydeskError, OutputError, ReviewError
from pipeline.domain.reviews import ReviewDecision
from pipeline.services import review
from pipeline.services.draft_file import EditorContext
from pipeline.storage import Database
from tests.fakes.stock import fill, layout


class Desk(NamedTuple):
    settings: Settings
    db: Database
    ref: str
    capsys: pytest.CaptureFixture[str]

    @property
    def path(self) -> Path:
        return self.settings.output / self.db.drafts.get(self.ref).path

    def write(self, **changes: Any) -> None:
        metadata, body = loads(self.path.read_text())
        fields = {key: value for key, value in (metadata | changes).items() if value != "gone"}
        self.path.write_text(dumps(fields, body))

    def findings(self) -> list[dict[str, Any]]:
        """Return the findings of `check`."""
        with contextlib.suppress(SystemExit):
            check.check(self.ref, None, None, None, as_json=True)
        rows: list[dict[str, Any]] = json.loads(self.capsys.readouterr().out)["findings"]
        return rows

    def approve(self) -> str:
        subscriptions, now = load_feeds(self.settings.feeds_file), datetime(2026, 2, 7, tzinfo=UTC)
        ctx = EditorContext(self.db, self.settings.output, subscriptions, "Ada", lambda: now)
        return review.submit_review(ctx, self.ref, ReviewDecision.APPROVE, light=True)

    def refusals(self) -> tuple[str, str]:
        """Return why `check` and an approval do not read the file."""
        with pytest.raises((OutputError, ReviewError)) as checked:
            check.check(self.ref, None, None, None, as_json=True)
        with pytest.raises(CopydeskError) as approved:
            self.approve()
        return checked.value.args[0], approved.value.args[0]


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Desk]:
    settings = layout(tmp_path)
    [ref] = fill(settings, 1, faults=False)
    monkeypatch.chdir(tmp_path)
    with Database.open(settings.database_url) as db:
        yield Desk(settings, db, ref, capsys)


def test_a_byte_order_mark_and_other_line_ends_change_nothing(desk: Desk) -> None:
    assert desk.findings() == []
    desk.path.write_bytes(b"\xef\xbb\xbf" + desk.path.read_bytes().replace(b"\n", b"\r\n"))
    assert desk.findings() == []
    assert desk.approve()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("---\ntitle: café\n---\n".encode("latin-1"), "is not UTF-8 (byte 14); save it as UTF-8"),
        ("---\ntitle: a\n---\n".encode("utf-16"), "is not UTF-8 (byte 0); save it as UTF-8"),
        ("---\ntitle: a\n---\n".encode("utf-16-be"), "is not UTF-8 (byte 0); save it as UTF-8"),
        (b"Text.\n", "does not begin with a line `---`; put the front matter first (line 1)"),
        (b"---\ntitle: a\nText.\n", "has no line `---` that ends the front matter"),
        (b"---\n- a\n---\nText.\n", "has front matter without keys"),
        (b"---\ntitle: [\n---\nText.\n", "has front matter that is not YAML"),
    ],
)
def test_an_unreadable_file_has_the_same_error_in_check_and_approve(
    desk: Desk, data: bytes, message: str
) -> None:
    desk.path.write_bytes(data)
    checked, approved = desk.refusals()
    assert checked == approved
    assert message in checked


def test_check_finds_what_blocks_an_approval(desk: Desk) -> None:
    desk.write(publishedAt="yesterday", sentiment="bullish", tags="BTC", source="gone")
    severities = {row["message"]: row["severity"] for row in desk.findings()}
    assert list(severities.values()).count("block") == 3
    with pytest.raises(ReviewError) as refused:
        desk.approve()
    assert all(
        message in refused.value.message for message, severity in severities.items() if severity == "block"
    )
    put_back = "source is not as the ledger has it; approval puts it back, since attribution is part of every"
    assert [
        message.startswith(put_back) for message, severity in severities.items() if severity == "note"
    ] == [True]


def test_spans_in_title_and_description_refer_to_the_field(desk: Desk) -> None:
    desk.write(title="Zirkon Bank loses 94 million", description="Jane Doe was there.")
    spans = [(row["field"], row["text"], row["line"]) for row in desk.findings()]
    assert spans == [
        ("title", "Zirkon Bank", None),
        ("title", "94 million", None),
        ("description", "Jane Doe", None),
    ]
    with pytest.raises(SystemExit):
        check.check(desk.ref, None, None, None, as_json=False)
    shown = desk.capsys.readouterr().out
    assert "title: [1: Zirkon Bank] loses [2: 94 million]\n" in shown
    assert "description: [3: Jane Doe] was there.\n" in shown
    assert '  1. block: title, name: "Zirkon Bank" is not in the source.' in shown
