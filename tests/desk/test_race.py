"""Stateful test: editors, rewrites and edits on disk race; no edit is lost, no unseen text is decided on."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from html import unescape
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from pipeline.articles import files
from pipeline.articles.front_matter import dumps, loads
from pipeline.domain.errors import LeaseLost
from pipeline.domain.reviews import Draft
from pipeline.services.compose import ComposedDraft
from pipeline.services.draft import _write_composed
from pipeline.storage import Database, Lease
from tests.desk.server import DeskServer, Visitor, form_of
from tests.fakes.stock import FEED, fill, layout

EDITOR = st.sampled_from(("Ada", "Ben"))


class SharedDesk:
    """One desk for all examples; each example has its own draft."""

    def __init__(self, stack: ExitStack) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.settings = layout(folder)
        self.refs = self._fresh()
        server = stack.enter_context(DeskServer(self.settings))
        self.visitors = {name: stack.enter_context(Visitor(server, name)) for name in ("Ada", "Ben")}
        self.db = stack.enter_context(Database.open(self.settings.database_url))

    def _fresh(self) -> Iterator[str]:
        for first in count(step=50):
            yield from fill(self.settings, 50, faults=False, first=first)


class Race(RuleBasedStateMachine):
    """What a rule does may depend on time; what is drawn must not, so no rule has a precondition."""

    ctx: SharedDesk

    def __init__(self) -> None:
        super().__init__()
        self.ref = next(self.ctx.refs)
        self.row = self.ctx.db.drafts.get(self.ref)
        self.forms: dict[str, dict[str, Any]] = {}
        self.shown: dict[str, tuple[str, str]] = {}
        self.saved: dict[str, str] = {}
        """Text → who wrote it: what must be in a version or on disk."""
        self.refused: dict[tuple[str, str], str] = {}
        """Editor and hash of the base → the last text that was refused."""
        self.claim: Lease | None = None
        self.texts = 0

    def _new_body(self, who: str) -> str:
        self.texts += 1
        return f"## Overview\n\nText {self.texts} of {who}.\n"

    def _file(self) -> Path:
        return self.ctx.settings.output / self.ctx.db.drafts.get(self.ref).path

    def _state(self) -> str:
        return self.ctx.db.drafts.get(self.ref).state

    @rule(editor=EDITOR)
    def opens_the_form(self, editor: str) -> None:
        answer = self.ctx.visitors[editor].get(f"/drafts/{self.ref}/edit")
        if answer.status_code == 200:
            self.forms[editor] = form_of(answer.text)

    @rule(editor=EDITOR)
    def looks(self, editor: str) -> None:
        page = self.ctx.visitors[editor].page(f"/drafts/{self.ref}")
        sha256 = re.search(r'name="sha256" value="([0-9a-f]{64})"', page)
        shown = re.search(r'<div class="prose" dir="ltr">(.*?)</div>', page, re.DOTALL)
        if sha256 and shown:
            self.shown[editor] = (sha256[1], unescape(re.sub("<[^>]*>", "", shown[1])))

    @rule(editor=EDITOR)
    def saves(self, editor: str) -> None:
        if editor not in self.forms:
            return
        before, form = self._body_on_disk(), self.forms[editor]
        body = self._new_body(editor)
        headers = {"HX-Request": "true"}
        answer = self.ctx.visitors[editor].post(
            f"/drafts/{self.ref}/save", data=form | {"body": body}, headers=headers
        )
        assert answer.status_code in (200, 409)
        if answer.status_code == 409:
            self.refused[editor, str(form["base"])] = body
        if answer.status_code == 200:
            if self.saved.get(before) == editor:
                del self.saved[before]  # the same editor's text, edited further
            self.saved[body] = editor
            base = re.search(r'id="base" value="([0-9a-f]{64})"', answer.text)
            assert base
            self.forms[editor] = form | {"body": body, "base": base[1]}

    def _body_on_disk(self) -> str:
        path = self._file()
        return loads(path.read_text())[1] if path.exists() else ""

    @rule(editor=EDITOR, verdict=st.sampled_from(("approve", "reject")))
    def decides(self, editor: str, verdict: str) -> None:
        if editor not in self.shown:
            return
        sha256, shown = self.shown[editor]
        form = {"sha256": sha256, "note": "because"}
        # The edited placeholder articles have findings: they are dismissed first.
        self._dismiss(editor)
        before = self._state()
        self.ctx.visitors[editor].post(f"/drafts/{self.ref}/{verdict}", data=form)
        after = self._state()
        if before == "drafted" and after != "drafted":
            body = self._body_on_disk()
            words = re.search(r"Text \d+ of \w+", body)
            assert words is None or words[0] in shown

    def _dismiss(self, editor: str) -> None:
        page = self.ctx.visitors[editor].page(f"/drafts/{self.ref}")
        for key in dict.fromkeys(re.findall(r'name="key" value="([0-9a-f]{16})"', page)):
            self.ctx.visitors[editor].post(
                f"/drafts/{self.ref}/acknowledge", data={"key": key, "reason": "a race"}
            )

    @rule(editor=EDITOR)
    def undoes(self, editor: str) -> None:
        self.ctx.visitors[editor].post(f"/drafts/{self.ref}/undo")

    @rule()
    def vim_writes(self) -> None:
        path = self._file()
        if self._state() != "drafted" or not path.exists():
            return
        metadata, before = loads(path.read_text())
        if self.saved.get(before) == "vim":
            del self.saved[before]
        body = self._new_body("vim")
        path.write_text(dumps(metadata, body))
        self.saved[body] = "vim"

    @rule(editor=EDITOR)
    def asks_for_a_redraft(self, editor: str) -> None:
        form = {"note": "again", "over_edits": "1"}
        self.ctx.visitors[editor].post(f"/drafts/{self.ref}/redraft", data=form)

    @rule()
    def a_flow_claims(self) -> None:
        if self.claim is None and self._state() == "drafted":
            claims = self.ctx.db.leases.acquire(FEED, 100_000, 900.0, lease_filter="asked")
            mine = [claim for claim in claims if claim.item_id == self.row.item_id]
            self.ctx.db.leases.release([claim for claim in claims if claim.item_id != self.row.item_id])
            self.claim = mine[0] if mine else None

    @rule()
    def the_redraft_lands(self) -> None:
        claim, self.claim = self.claim, None
        if claim is None:
            return
        assert claim.previous is not None
        number = claim.previous.version + 1
        metadata, _ = loads(claim.previous.text)
        metadata["ai"]["version"] = number
        draft = Draft(
            external_id=self.ref, path=claim.previous.path, text=dumps(metadata, self._new_body("model"))
        )
        ctx = cast(Any, SimpleNamespace(settings=self.ctx.settings, db=self.ctx.db))
        with suppress(LeaseLost):  # a decision came first
            _write_composed(ctx, claim, ComposedDraft(draft, number, "redraft", model="m"))

    @invariant()
    def nothing_is_lost(self) -> None:
        bodies = {loads(version.text)[1] for version in self.ctx.db.versions.list(self.row.item_id)}
        bodies.add(self._body_on_disk())
        assert set(self.saved) | set(self.refused.values()) <= bodies

    @invariant()
    def a_draft_has_one_place(self) -> None:
        row = self.ctx.db.drafts.get(self.ref)
        content = files.read_bytes(self.ctx.settings.output, row.path)
        assert content is not None
        folder = {"drafted": "drafts", "approved": "published", "rejected": "rejected"}[row.state]
        assert row.path.startswith(f"{folder}/")

    def teardown(self) -> None:
        if self.claim is not None:
            self.ctx.db.leases.release([self.claim])


@pytest.mark.parametrize("examples", [8, pytest.param(200, marks=pytest.mark.soak)])
def test_no_interleaving_loses_an_edit_or_decides_on_an_unseen_text(examples: int) -> None:
    with ExitStack() as stack:
        Race.ctx = SharedDesk(stack)
        run_state_machine_as_test(
            Race,
            settings=settings(
                max_examples=examples,
                stateful_step_count=14,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
