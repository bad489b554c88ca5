"""Every command, its arguments and its help. What a command does is imported when it is called."""

import sys
from typing import Annotated

import typer

from copydesk.subcommands import Json, backup_app, drafts_app, feeds_app, prompt_app
from pipeline.domain.errors import CopydeskError

EXIT_CODES = """Exit codes: 0 done (a feed that failed is part of the report) · 1 unexpected trouble ·
2 wrong usage, setting or feeds.yaml · 3 the ledger cannot be used · 4 the model refuses every call ·
5 a draft cannot be written · 6 a verdict cannot be carried out · 7 an approved article cannot be published ·
130 interrupted."""

app = typer.Typer(
    name="copydesk",
    help="Feeds in, drafts out, nothing published that nobody approved.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # panels would import Markdown and syntax highlighting: 90 of 150 ms
)
app.add_typer(feeds_app, name="feeds")
app.add_typer(backup_app, name="backup")
app.add_typer(drafts_app, name="drafts")
app.add_typer(prompt_app, name="prompt")

Note = Annotated[str | None, typer.Option("--note", help="Kept in the ledger and in the file.")]
Direct = Annotated[bool, typer.Option("--direct", help="Run without Prefect, as COPYDESK_PREFECT=off does.")]
Drafts = Annotated[list[str], typer.Argument(help="Short ids (or their beginnings), paths or file names.")]


@app.callback()
def root(
    sample: Annotated[
        bool, typer.Option("--sample", help="Work on the sample beat: its own feeds and ledger.")
    ] = False,
) -> None:
    """Choose what the command works on."""
    if sample:
        from copydesk.sample import use_sample

        use_sample()


@app.command()
def run(
    feeds: Annotated[list[str] | None, typer.Argument(help="Keys of feeds; none means all enabled.")] = None,
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """Poll the feeds and draft what is new."""
    from copydesk import run

    run.ingest(feeds or None, as_json=as_json, direct=direct)


@app.command()
def backfill(
    feed: Annotated[str, typer.Argument(help="Key of the feed.")],
    since: Annotated[str | None, typer.Option(help="First day or time, in the setting's time zone.")] = None,
    until: Annotated[str | None, typer.Option(help="Day or time at which to stop; not included.")] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=100_000, help="Draft at most so many, newest first.")
    ] = 100,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be drafted, and what it would cost.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Go on whatever it costs, unasked.")] = False,
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """Draft one feed's items of a span of dates, as far back as its publisher still has them, none twice.

    What was drafted before is not drafted or paid for again. What is likely to cost more than
    COPYDESK_CONFIRM is asked about first.
    """
    from copydesk import backfill

    backfill.backfill(feed, since, until, limit, dry_run=dry_run, yes=yes, as_json=as_json, direct=direct)


@app.command()
def status(
    as_json: Json = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show it again every two seconds.")] = False,
) -> None:
    """Show feeds, items by state, and failures with their reasons."""
    from copydesk import status

    if watch:
        status.watch()
    else:
        status.status(as_json=as_json)


@app.command()
def retry(
    feed: Annotated[str | None, typer.Argument(help="Key of a feed; none means all.")] = None,
) -> None:
    """Queue failed items again for the next run."""
    from copydesk import status

    status.retry(feed)


@app.command()
def check(
    draft: Annotated[str | None, typer.Argument(help="Short id or path of a draft, or any file.")] = None,
    source: Annotated[str | None, typer.Option(help="The plain text that a file was written from.")] = None,
    as_json: Json = False,
    language: Annotated[str | None, typer.Option(help="Of the text, such as en; else as it says.")] = None,
    pairs: Annotated[str | None, typer.Option(help="JSON lines of id, source and output instead.")] = None,
) -> None:
    """Check a draft against its source, and show what is wrong where it stands.

    Exit code 1 where something blocks its approval.
    """
    from copydesk import check

    check.check(draft, source, pairs, language, as_json=as_json)


@app.command()
def desk(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 means any that is free.")] = 8484,
    browser: Annotated[bool, typer.Option(help="Open it in the browser.")] = False,
) -> None:
    """Open the review desk: drafts beside their sources, in the browser.

    It listens on this machine alone unless told otherwise; the link that it prints signs a browser in.
    """
    from copydesk import desk as review_desk

    review_desk.serve(host, port, browser=browser)


@app.command()
def serve(
    desk: Annotated[bool, typer.Option("--desk", help="Open the review desk beside it.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Where the desk listens.")] = 8484,
) -> None:
    """Run the feeds on their schedules, and what editors ask for, until Ctrl-C."""
    from copydesk import serve

    serve.serve(port if desk else None)


@app.command("review")
def review_drafts(
    feed: Annotated[str | None, typer.Argument(help="Key of a feed; none means all.")] = None,
    findings: Annotated[
        str | None, typer.Option(help="Only those with findings like: held, warned or clean.")
    ] = None,
) -> None:
    """Go through the waiting drafts in the terminal, one after another."""
    from copydesk import review

    review.review_drafts(feed, findings)


@app.command()
def approve(drafts: Drafts, note: Note = None) -> None:
    """Approve drafts: each moves to output/published/.

    The text on disk counts, with every edit; it is checked again first.
    """
    from copydesk import approve

    approve.review_drafts("approve", drafts, note)


@app.command()
def reject(drafts: Drafts, note: Note = None) -> None:
    """Reject drafts: each is set aside in output/rejected/."""
    from copydesk import approve

    approve.review_drafts("reject", drafts, note)


@app.command()
def publish(
    drafts: Annotated[
        list[str] | None, typer.Argument(help="Approved articles to send again; none means what waits.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also every approved article that a target does not have.")
    ] = False,
) -> None:
    """Send approved articles to the targets of feeds.yaml now; each run does so, too."""
    from copydesk import publish

    publish.publish(drafts or [], everything=everything)


@app.command()
def unpublish(drafts: Drafts, note: Note = None) -> None:
    """Take approvals back: each article leaves every target and is a draft again."""
    from copydesk import publish

    publish.unpublish(drafts, note)


@app.command()
def redraft(
    draft: Annotated[str | None, typer.Argument(help="Short id, path or file name.")] = None,
    note: Annotated[str | None, typer.Option("--note", help="Your instruction to the model.")] = None,
    section: Annotated[
        str | None, typer.Option("--section", help="Only the text under this heading.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Every brief that no model has written.")
    ] = False,
    later: Annotated[bool, typer.Option("--later", help="Leave it to the next run.")] = False,
    direct: Direct = False,
) -> None:
    """Have a draft written anew, or one section of it; every other byte stays.

    What an editor changed is never thrown away, and each version can be restored.
    """
    from copydesk import redraft

    redraft.redraft(draft, note, section, offline=offline, later=later, direct=direct)


@app.command()
def versions(draft: Annotated[str, typer.Argument(help="Short id, path or file name.")]) -> None:
    """List every text that a draft has had."""
    from copydesk import redraft

    redraft.versions(draft)


@app.command()
def restore(
    draft: Annotated[str, typer.Argument(help="Short id, path or file name.")],
    version: Annotated[str, typer.Argument(help="As `copydesk versions` names it.")],
) -> None:
    """Put an earlier text of a draft back, as its next version."""
    from copydesk import redraft

    redraft.restore(draft, version)


@app.command()
def cost(
    by: Annotated[str, typer.Option(help="Some of day, feed, model, purpose, with commas between.")] = "day",
    since: Annotated[str | None, typer.Option(help="First day or time, in the setting's time zone.")] = None,
    as_json: Json = False,
) -> None:
    """Show what the model was paid, and how much of the caps is spent."""
    from copydesk import status

    status.cost(by, since, as_json=as_json)


@app.command()
def forget(url: Annotated[str, typer.Argument(help="The item's link, as `drafts show` prints it.")]) -> None:
    """Unpublish an item, remove every text about it, never take it again.

    What its model calls cost stays in the books; their answers go.
    """
    from copydesk import publish

    publish.forget(url)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Name each trouble with its fix.

    Looks at settings, feeds.yaml, prompts, ledger, output folder, Prefect, model and every feed.
    """
    from copydesk import doctor as examination

    examination.doctor(as_json=as_json)


@app.command("eval")
def evaluate(
    answers: Annotated[
        str | None, typer.Argument(help="Recorded answers under evals/recorded/; none means hand-written.")
    ] = None,
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask the model instead; it costs what it costs.")
    ] = False,
    prompt: Annotated[
        str | None, typer.Option("--prompt", help="With --ask: this template for every beat.")
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="Recorded answers to compare with: table and diff.")
    ] = None,
    save: Annotated[
        str | None, typer.Option("--save", help="With --ask: keep the answers under this name.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Score articles about the golden set in evals/, recorded ones or a model's own.

    Exit code 1 where one lacks what it must have, or has what it must not.
    """
    from copydesk import eval as eval_command

    eval_command.evaluate(answers, ask=ask, prompt=prompt, against=against, save=save, as_json=as_json)


def main() -> None:
    """Run the command line; an error is one line and an exit code."""
    try:
        app()
    except CopydeskError as error:
        typer.echo(f"copydesk: {error.message}", err=True)
        problems = error.context.get("problems")
        for problem in problems[1:] if isinstance(problems, tuple) else ():
            typer.echo(f"copydesk: {problem}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("copydesk: interrupted; nothing is lost, the next run goes on from here", err=True)
        sys.exit(130)
