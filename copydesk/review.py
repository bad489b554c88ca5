"""`copydesk review`: one draft after another in the terminal, each decided on with a letter."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

from copydesk import check
from copydesk.console import err, out, pluralize, print_line, printable
from copydesk.status import say_source
from pipeline.articles.front_matter import loads
from pipeline.checks.runner import run_checks
from pipeline.config import desk_settings, load_feeds
from pipeline.domain.errors import ConfigError, OutputError, ReviewError
from pipeline.domain.models import Finding, ReviewDecision
from pipeline.services import review
from pipeline.services.draft_file import (
    DraftOnDisk,
    EditorContext,
    beat_of,
    draft_front,
    draft_source,
    drop_editor_links,
    load_draft,
)
from pipeline.services.edit import acknowledge, system_findings
from pipeline.services.redraft import request_redraft
from pipeline.storage import Database, DraftQuery, unacknowledged

HELP = """  a            approve                      s        skip to the next
  r REASON     reject                       b        back to the one before
  n [NOTE]     have it written anew         u        take your last verdict back
  c NUMBER REASON   answer for a finding    e        edit it in $EDITOR
  o            show its source              q        stop here"""


class Shown(NamedTuple):
    """A draft as it was printed: what a verdict is about."""

    standing: DraftOnDisk
    findings: tuple[Finding, ...]


class _Stop(Exception):
    """The editor has had enough."""


class Session:
    """One editor at one terminal."""

    def __init__(self, ctx: EditorContext) -> None:
        self._ctx = ctx
        self._decided: list[str] = []
        self._acts: dict[str, Callable[[Shown, str], int]] = {
            "a": self._approve, "r": self._reject, "n": self._redraft, "c": self._answer, "e": self._edit,
            "o": self._source, "u": self._undo, "s": lambda *_: 1, "b": lambda *_: -1, "q": self._quit,
        }  # fmt: skip

    def run(self, names: list[str]) -> None:
        """Go through drafts by their external ids until the last is seen or the editor stops."""
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

    def _show(self, ref: str) -> Shown:
        standing = load_draft(self._ctx.db, self._ctx.output, ref)
        row, text = standing.row, standing.text
        metadata, body = loads(text, row.path)
        source, beat = (
            draft_source(row, self._ctx.subscriptions),
            beat_of(self._ctx.subscriptions, row.feed_key),
        )
        front = draft_front(row, metadata, body, beat)
        checked = drop_editor_links(row, body, run_checks(source, body, beat, front=front), front)
        found = (*checked, *system_findings(row))
        print_line(f"[bold]{printable(front.text('title') or row.title)}[/bold]")
        print_line(
            f"[dim]{printable(row.path)} · {printable(source.feed_name)} · "
            f"{printable(source.item.link or '')}[/dim]\n"
        )
        check.show(body, text[: len(text) - len(body)].count("\n") + 1, found, source.item.text, front)
        for one in row.acknowledged:
            print_line(
                f"[dim]{printable(one.by)} answers for: "
                f"{printable(one.message)} ({printable(one.reason)})[/dim]"
            )
        print_line(f"[bold]{pluralize(len(unacknowledged(found, row.acknowledged)), 'open finding')}[/bold]")
        return Shown(standing, found)

    def _decide(self, shown: Shown) -> int:
        """Ask until something leads on; returns how many drafts on, or 0 to show this one again."""
        while True:
            letter, _, rest = _asked().partition(" ")
            act = self._acts.get(letter)
            if act is None:
                print_line(HELP)
                continue
            try:
                return act(shown, rest.strip())
            except (ReviewError, ConfigError, OutputError) as error:
                err.print(f"not done: {printable(error.message)}")

    def _approve(self, shown: Shown, _rest: str) -> int:
        return self._verdict(shown, ReviewDecision.APPROVE, None)

    def _reject(self, shown: Shown, reason: str) -> int:
        if not reason:
            raise ReviewError("say why: r REASON")
        return self._verdict(shown, ReviewDecision.REJECT, reason)

    def _verdict(self, shown: Shown, decision: ReviewDecision, note: str | None) -> int:
        row = shown.standing.row
        path = review.submit_review(
            self._ctx, row.external_id, decision, note=note, seen_sha256=shown.standing.sha256
        )
        self._decided.append(row.external_id)
        print_line(f"→ {printable(path)}")
        return 1

    def _redraft(self, shown: Shown, note: str) -> int:
        row = shown.standing.row
        self._ctx.subscriptions.feed(row.feed_key)
        request_redraft(self._ctx, row.external_id, note=note or None)
        print_line("Asked for; the next `copydesk run` carries it out.")
        return 1

    def _answer(self, shown: Shown, rest: str) -> int:
        number, _, reason = rest.partition(" ")
        if not number.isdecimal() or not 1 <= int(number) <= len(shown.findings):
            raise ReviewError("name a finding by its number: c NUMBER REASON")
        key = shown.findings[int(number) - 1].key
        ref = shown.standing.row.external_id
        acknowledge(self._ctx, ref, key, shown.findings, reason)
        return 0

    def _edit(self, shown: Shown, _rest: str) -> int:
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
        if not editor:
            raise ReviewError("no editor is named: set EDITOR, such as EDITOR=vim")
        path = self._ctx.output / shown.standing.row.path
        try:
            subprocess.run([*shlex.split(editor), str(path)], check=True)  # noqa: S603 - the operator's own
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            raise ReviewError(f"{editor} did not work: {error}") from error
        return 0

    def _source(self, shown: Shown, _rest: str) -> int:
        say_source(shown.standing.row)
        return self._decide(shown)

    def _undo(self, _shown: Shown, _rest: str) -> int:
        if not self._decided:
            raise ReviewError("you gave no verdict here that could be taken back")
        path = review.undo_review(self._ctx, self._decided[-1])
        self._decided.pop()
        print_line(f"← {printable(path)}")
        return -1

    def _quit(self, _shown: Shown, _rest: str) -> int:
        raise _Stop


def start(feed: str | None, findings: str | None) -> None:
    """Review what waits, newest first."""
    if findings not in (None, "held", "warned", "clean"):
        raise ConfigError(f"--findings {findings!r} is none of: held, warned, clean")
    settings = desk_settings()
    subscriptions = load_feeds(settings.feeds_file)
    feeds = (subscriptions.feed(feed).key,) if feed else None
    with Database.open(settings.database_url) as db:
        review.resume_interrupted(db, settings.output)
        names = db.drafts.ids(DraftQuery.model_validate({"feeds": feeds, "findings": findings}))
        if not names:
            print_line("Nothing waits for you. `copydesk run` polls the feeds.")
            return
        try:
            Session(EditorContext(db, settings.output, subscriptions, settings.editor)).run(names)
        except (_Stop, EOFError):
            print_line("")
        left = db.drafts.counts().states.get("drafted", 0)
        print_line(f"{pluralize(left, 'draft')} {'waits' if left == 1 else 'wait'}.")


def _asked() -> str:
    """Return what the editor says, from a terminal or a pipe. Raises EOFError at the end of it."""
    if sys.stdin.isatty():
        return input("a r n c e o s b u q ? › ").strip()
    return input().strip()
