"""`copydesk approve` and `reject`: the same review decision for several drafts."""

import sys

from copydesk.console import err, print_line, printable
from pipeline.config import desk_settings, load_feeds
from pipeline.domain.errors import CopydeskError, OutputError, ReviewError
from pipeline.domain.reviews import ReviewDecision
from pipeline.services import review
from pipeline.services.draft_file import EditorContext
from pipeline.storage import Database

DONE = {"approve": "approved", "reject": "rejected"}


def review_drafts(decision: str, drafts: list[str], note: str | None) -> None:
    """Approve or reject drafts; a draft that cannot be reviewed does not stop the others.

    Exits with the exit code of the first error.
    """
    settings = desk_settings()
    beats = load_feeds(settings.feeds_file)
    failed: list[CopydeskError] = []
    done = 0
    with Database.open(settings.database_url) as db:
        review.resume_interrupted(db, settings.output)
        ctx = EditorContext(db, settings.output, beats, settings.editor)
        for ref in drafts:
            try:
                path = review.submit_review(ctx, ref, ReviewDecision(decision), note=note)
                print_line(f"{DONE[decision]}: {printable(path)}")
                done += 1
            except (ReviewError, OutputError) as error:
                failed.append(error)
                err.print(f"not {DONE[decision]}: {printable(error.message)}")
    if done and decision == "approve" and beats.publish:
        print_line("The next run publishes approved articles; `copydesk publish` publishes them now.")
    if failed:
        sys.exit(failed[0].exit_code)
