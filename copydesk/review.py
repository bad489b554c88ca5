"""`copydesk review`: shows the waiting drafts in the terminal; a letter approves, rejects or edits each."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

from copydesk import check
from copydesk.console import err, out, pluralize, print_line, printable
from copydesk.status import print_source
from pipeline.articles.front_matter import loads
from pipeline.checks.runner import run_checks
from pipeline.config import desk_settings
from pipeline.domain.errors import ConfigError, OutputError, ReviewError
from pipeline.domain.reviews import Finding, ReviewDecision
from pipeline.services import review
from pipeline.services.draft_file import (
    DraftOnDisk,
    EditorContext,
    beat_of,
    draft_front,
    draft_source,
    join_stored,
    load_draft,
    system_findings,
)
from pipeline.services.edit import acknowledge
from pipeline.services.redraft import request_redraft
from pipeline.services.subscriptions import load_subscriptions
from pipeline.storage import Database, DraftQuery, unacknowledged

HELP = """  a                 approve                  s   skip to the next draft
  r REASON          reject                   b   back to the previous draft
  n [NOTE]          request a redraft        u   undo your last decision
  c NUMBER REASON   accept a finding         e   edit the draft in $EDITOR
  o                 show its source          q   quit"""


class ShownDraft(NamedTuple):
    """A draft as the editor sees it, with its findings."""

    draft: DraftOnDisk
    findings: tuple[Finding, ...]


class _Stop(Exception):
    """Raised to end the session."""


class Session:
    """A review session of one editor in a terminal."""

    def __init__(self, ctx: EditorContext) -> None:
        self._ctx = ctx
        self._decided: list[str] = []
        self._actions: dict[str, Callable[[ShownDraft, str], int]] = {
            "a": self._approve, "r": self._reject, "n": self._redraft, "c": self._acknowledge,
            "e": self._edit, "o": self._source, "u": self._undo,
            "s": lambda *_: 1, "b": lambda *_: -1, "q": self._quit,
        }  # fmt: skip

    def run(self, names: list[str]) -> None:
        """Show drafts, given by their external ids, until the last one or until the editor quits."""
        at = 0
        while 0 <= at < len(names):
            try:
                out.rule(f"{at + 1} of {len(names)}")
                shown = self._show(names[at])
            except (ReviewError, OutputError) as error:
                err.print(printable(error.message))
                at += 1
                continue
            at = max(0, at + self._decide(shown))

    def _show(self, ref: str) -> ShownDraft:
        draft = load_draft(self._ctx.db, self._ctx.output, ref)
        row, text = draft.row, draft.text
        metadata, body = loads(text, row.path)
        source, beat = (
            draft_source(row, self._ctx.subscriptions),
            beat_of(self._ctx.subscriptions, row.feed_key),
        )
        front = draft_front(row, metadata, body, beat)
        checked = join_stored(row, source, beat, body, run_checks(source, body, beat, front=front), front)
        findings = (*checked, *system_findings(row))
        print_line(f"[bold]{printable(front.text('title') or row.title)}[/bold]")
        print_line(
            f"[dim]{printable(row.path)} · {printable(source.feed_name)} · "
            f"{printable(source.item.link or '')}[/dim]\n"
        )
        check.show(body, text[: len(text) - len(body)].count("\n") + 1, findings, source.item.text, front)
        for acknowledged in row.acknowledged:
            print_line(
                f"[dim]accepted by {printable(acknowledged.by)}: "
                f"{printable(acknowledged.message)} ({printable(acknowledged.reason)})[/dim]"
            )
        print_line(
            f"[bold]{pluralize(len(unacknowledged(findings, row.acknowledged)), 'open finding')}[/bold]"
        )
        return ShownDraft(draft, findings)

    def _decide(self, shown: ShownDraft) -> int:
        """Read commands until one moves on; returns by how many drafts, or 0 to show this one again."""
        while True:
            letter, _, rest = _read_command().partition(" ")
            action = self._actions.get(letter)
            if action is None:
                print_line(HELP)
                continue
            try:
                return action(shown, rest.strip())
            except (ReviewError, ConfigError, OutputError) as error:
                err.print(f"not done: {printable(error.message)}")

    def _approve(self, shown: ShownDraft, _rest: str) -> int:
        return self._submit(shown, ReviewDecision.APPROVE, None)

    def _reject(self, shown: ShownDraft, reason: str) -> int:
        if not reason:
            raise ReviewError("give a reason: r REASON")
        return self._submit(shown, ReviewDecision.REJECT, reason)

    def _submit(self, shown: ShownDraft, decision: ReviewDecision, note: str | None) -> int:
        row = shown.draft.row
        path = review.submit_review(
            self._ctx, row.external_id, decision, note=note, seen_sha256=shown.draft.sha256, light=True
        )
        self._decided.append(row.external_id)
        print_line(f"→ {printable(path)}")
        return 1

    def _redraft(self, shown: ShownDraft, note: str) -> int:
        row = shown.draft.row
        self._ctx.subscriptions.feed(row.feed_key)
        request_redraft(self._ctx, row.external_id, note=note or None)
        print_line("Redraft requested for the next `copydesk run`.")
        return 1

    def _acknowledge(self, shown: ShownDraft, rest: str) -> int:
        number, _, reason = rest.partition(" ")
        if not number.isdecimal() or not 1 <= int(number) <= len(shown.findings):
            raise ReviewError("name a finding by its number: c NUMBER REASON")
        key = shown.findings[int(number) - 1].key
        ref = shown.draft.row.external_id
        acknowledge(self._ctx, ref, key, shown.findings, reason)
        return 0

    def _edit(self, shown: ShownDraft, _rest: str) -> int:
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
        if not editor:
            raise ReviewError("no text editor is set: set EDITOR, such as EDITOR=vim")
        path = self._ctx.output / shown.draft.row.path
        try:
            subprocess.run([*shlex.split(editor), str(path)], check=True)  # noqa: S603 - the operator's own
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            raise ReviewError(f"the text editor {editor} failed: {error}") from error
        return 0

    def _source(self, shown: ShownDraft, _rest: str) -> int:
        print_source(shown.draft.row)
        return self._decide(shown)

    def _undo(self, _shown: ShownDraft, _rest: str) -> int:
        if not self._decided:
            raise ReviewError("you have decided on no draft in this session, so there is nothing to undo")
        path = review.undo_review(self._ctx, self._decided[-1])
        self._decided.pop()
        print_line(f"← {printable(path)}")
        return -1

    def _quit(self, _shown: ShownDraft, _rest: str) -> int:
        raise _Stop


def review_drafts(feed: str | None, findings: str | None) -> None:
    """Start a review session of the waiting drafts, newest first."""
    if findings not in (None, "held", "warned", "clean"):
        raise ConfigError(f"--findings {findings!r} must be one of: held, warned, clean")
    settings = desk_settings()
    subscriptions = load_subscriptions(settings)
    feeds = (subscriptions.feed(feed).key,) if feed else None
    with Database.open(settings.database_url) as db:
        review.resume_interrupted(db, settings.output)
        names = db.drafts.ids(DraftQuery.model_validate({"feeds": feeds, "findings": findings}))
        if not names:
            print_line("No drafts to review. `copydesk run` polls the feeds.")
            return
        try:
            Session(
                EditorContext(
                    db, settings.output, subscriptions, settings.editor, review_times=settings.review_times
                )
            ).run(names)
        except (_Stop, EOFError):
            print_line("")
        left = db.drafts.counts().states.get("drafted", 0)
        print_line(f"{pluralize(left, 'draft')} left to review.")


def _read_command() -> str:
    """Return a line from the terminal or a pipe. Raises EOFError at its end."""
    if sys.stdin.isatty():
        return input("a r n c e o s b u q ? › ").strip()
    return input().strip()
