"""The commands with their arguments and help. For a fast start, a command imports its code when it runs."""

import sys
from typing import Annotated

import typer

from copydesk.draft_commands import (
    Direct,
    approve,
    correct,
    forget,
    publish,
    redraft,
    reject,
    restore,
    retract,
    unpublish,
    versions,
)
from copydesk.subcommands import (
    Json,
    backup_app,
    drafts_app,
    evaluate,
    feeds_app,
    init,
    print_version,
    prompt_app,
    proof,
)
from pipeline.domain.errors import CopydeskError

EXIT_CODES = """Exit codes: 0 success (a failed feed is part of the report) ·
1 a test fails (doctor, feeds check, eval, proof), or another error ·
2 wrong usage, setting, feeds.yaml or prompt · 3 unusable database · 4 the model server rejects all requests,
or asks for a long pause ·
5 a draft cannot be written · 6 a review decision cannot be carried out · 7 an article cannot be published ·
8 every feed, or every item that was tried, failed · 9 a spending cap is reached ·
10 a finding blocks the text (check) · 130 interrupted."""

app = typer.Typer(
    name="copydesk",
    help="Turn feeds into drafts for review, and publish what an editor has approved.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # panels would import Markdown and syntax highlighting: 90 of 150 ms
)
app.add_typer(feeds_app, name="feeds")
app.add_typer(backup_app, name="backup")
app.add_typer(drafts_app, name="drafts")
app.add_typer(prompt_app, name="prompt")


@app.callback()
def root(
    sample: Annotated[
        bool, typer.Option("--sample", help="Use the sample beat, with its own feeds and database.")
    ] = False,
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=print_version, help="Print the version.")
    ] = False,
) -> None:
    """Select the operator's own feeds or the sample."""
    if sample:
        from copydesk.sample import use_sample

        use_sample()


@app.command()
def run(
    feeds: Annotated[list[str] | None, typer.Argument(help="Keys of feeds; default: all enabled.")] = None,
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """Poll the feeds and draft new items."""
    from copydesk import run

    run.ingest(feeds or None, as_json=as_json, direct=direct)


@app.command()
def backfill(
    feed: Annotated[str, typer.Argument(help="Key of the feed.")],
    since: Annotated[str | None, typer.Option(help="First day or time, in COPYDESK_TIMEZONE.")] = None,
    until: Annotated[str | None, typer.Option(help="End day or time, not included.")] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=100_000, help="Draft at most this many items, newest first.")
    ] = 100,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list the items and the estimated cost.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, whatever the cost.")] = False,
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """Draft one feed's items of a date range.

    The feed's archive is read as far back as the publisher offers it. Items that have a draft are not drafted
    or paid for again. If the estimated cost is above COPYDESK_CONFIRM, the command asks first.
    """
    from copydesk import backfill

    request = backfill.BackfillRequest(feed, since, until, limit, dry_run)
    backfill.backfill(request, yes=yes, as_json=as_json, direct=direct)


@app.command()
def status(
    feed: Annotated[
        str | None, typer.Argument(help="Key of a feed: list what its items were taken for.")
    ] = None,
    as_json: Json = False,
    watch: Annotated[bool, typer.Option("--watch", help="Refresh every two seconds.")] = False,
) -> None:
    """Show feeds, items by state, and failures; of one feed what was merged or left out, and why."""
    from copydesk import status, status_feed

    if feed and watch:
        raise typer.BadParameter("--watch shows all feeds: leave out the feed's key, or --watch")
    if feed:
        status_feed.status_feed(feed, as_json=as_json)
    elif watch:
        status.watch()
    else:
        status.status(as_json=as_json)


@app.command()
def retry(
    feed: Annotated[str | None, typer.Argument(help="Key of a feed; default: all.")] = None,
    as_json: Json = False,
) -> None:
    """Queue failed items again for the next run."""
    from copydesk import status

    status.retry(feed, as_json=as_json)


@app.command()
def check(
    draft: Annotated[str | None, typer.Argument(help="Short id or path of a draft, or any file.")] = None,
    source: Annotated[str | None, typer.Option(help="Plain text file with the source of a file.")] = None,
    as_json: Json = False,
    language: Annotated[
        str | None, typer.Option(help="Language of the text, such as en; default: what the text declares.")
    ] = None,
    pairs: Annotated[
        str | None, typer.Option(help="Check a JSON Lines file with id, source and output instead.")
    ] = None,
) -> None:
    """Check a draft against its source and mark the findings.

    Exit code 10 if a finding blocks its approval.
    """
    from copydesk import check

    check.check(draft, source, pairs, language, as_json=as_json)


@app.command()
def desk(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 means any free port.")] = 8484,
    browser: Annotated[bool, typer.Option(help="Open the desk in the browser.")] = False,
) -> None:
    """Start the review desk, a web page for the drafts.

    By default only this machine can reach it. The printed link signs a browser in.
    """
    from copydesk import desk as review_desk

    review_desk.serve(host, port, browser=browser)


@app.command()
def serve(
    desk: Annotated[bool, typer.Option("--desk", help="Start the review desk too.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the desk.")] = 8484,
) -> None:
    """Run the feeds on their schedules until Ctrl-C.

    Requests of editors are carried out within a minute.
    """
    from copydesk import serve

    serve.serve(port if desk else None)


@app.command("review")
def review_drafts(
    feed: Annotated[str | None, typer.Argument(help="Key of a feed; default: all.")] = None,
    findings: Annotated[
        str | None, typer.Option(help="Only drafts that are: held (blocked), warned or clean.")
    ] = None,
) -> None:
    """Review the waiting drafts in the terminal."""
    from copydesk import review

    review.review_drafts(feed, findings)


for command in (approve, reject, publish, unpublish, redraft, versions, restore):
    app.command()(command)


@app.command()
def cost(
    by: Annotated[
        str | None,
        typer.Option(help="One or more of day,feed,profile,model,purpose; default: day, and several models."),
    ] = None,
    since: Annotated[str | None, typer.Option(help="First day or time, in COPYDESK_TIMEZONE.")] = None,
    as_json: Json = False,
) -> None:
    """Show the cost of the model and the use of the caps."""
    from copydesk import costs

    costs.cost(by, since, as_json=as_json)


app.command()(forget)


@app.command()
def doctor(
    as_json: Json = False,
    test_alert: Annotated[
        bool, typer.Option("--test-alert", help="Send a test to COPYDESK_ALERT_URL.")
    ] = False,
) -> None:
    """Check the installation and name a fix for each error.

    Checks settings, feeds.yaml, prompts, database, output folder, disk, desk, Prefect, schedules, model,
    caps, alerts, targets, clock and every enabled feed.
    """
    from copydesk import doctor

    doctor.doctor(as_json=as_json, test_alert=test_alert)


app.command()(init)
app.command()(correct)
app.command()(retract)
app.command()(proof)
app.command("eval")(evaluate)


def main() -> None:
    """Run the command line; an error is printed as one line and sets the exit code."""
    try:
        app()
    except CopydeskError as error:
        problems = error.context.get("problems")
        _print_errors(error.message, *(problems[1:] if isinstance(problems, tuple) else ()))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _print_errors("interrupted; no data is lost, the next run continues from here")
        sys.exit(130)


def _print_errors(*messages: object) -> None:
    """Print a line for each message on stderr, or make it an entry of a JSON log."""
    from copydesk.console import err

    for message in messages:
        err.print(f"copydesk: {message}", markup=False, emoji=False)
