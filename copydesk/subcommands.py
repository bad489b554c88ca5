"""The command groups and the command eval. Their code is imported when they are called."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Draft = Annotated[str, typer.Argument(help="Short id, path or file name.")]

feeds_app = typer.Typer(
    help="List, check, import and export subscriptions.", no_args_is_help=True, rich_markup_mode=None
)
drafts_app = typer.Typer(
    help="List drafts, or show one with its source.", no_args_is_help=True, rich_markup_mode=None
)
backup_app = typer.Typer(
    help="Save database and output folder in one file, or restore them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
prompt_app = typer.Typer(
    help="Show the request for an item, check the templates, or copy them to change them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@backup_app.command("save")
def backup_save(
    archive: Annotated[Path, typer.Argument(help="A new file, such as copydesk.tar.gz.")],
    as_json: Json = False,
) -> None:
    """Save database and output folder in one file.

    Runs and the desk may continue meanwhile.
    """
    from copydesk import backup

    backup.save(archive, as_json=as_json)


@backup_app.command("restore")
def backup_restore(
    archive: Annotated[Path, typer.Argument(help="A file of `backup save`.")],
    files_only: Annotated[
        bool, typer.Option("--files-only", help="Restore the output folder of a database that is there.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Restore a backup, of SQLite or PostgreSQL, into the database of COPYDESK_DATABASE_URL.

    There must be no draft yet, and no row in the database.
    """
    from copydesk import backup

    backup.restore(archive, files_only=files_only, as_json=as_json)


@drafts_app.command("list")
def drafts_list(
    state: Annotated[str, typer.Option(help="drafted, approved, rejected or all.")] = "drafted",
    as_json: Json = False,
) -> None:
    """List the drafts that wait for review."""
    from copydesk import status

    status.drafts(state, as_json=as_json)


@drafts_app.command("show")
def drafts_show(
    draft: Annotated[str, typer.Argument(help="Short id, path or file name.")], as_json: Json = False
) -> None:
    """Show a draft, its findings and its source."""
    from copydesk import status

    status.show(draft, as_json=as_json)


@feeds_app.command("list")
def feeds_list(as_json: Json = False) -> None:
    """List the subscriptions of feeds.yaml."""
    from copydesk import feeds as feeds_command

    feeds_command.list_feeds(as_json=as_json)


@feeds_app.command("check")
def feeds_check(
    feeds: Annotated[list[str] | None, typer.Argument(help="Keys or URLs; default: all enabled.")] = None,
    as_json: Json = False,
) -> None:
    """Fetch feeds and print what they contain.

    Nothing is stored.
    For one feed, by key or any URL, print a report: response, parsing, outcome of each item, warnings.
    """
    from copydesk import feeds as feeds_command

    feeds_command.check(feeds or None, as_json=as_json)


@feeds_app.command("import")
def feeds_import(
    file: Annotated[str, typer.Argument(help="An OPML file; - is standard input.")], as_json: Json = False
) -> None:
    """Print an OPML file's feeds as YAML for feeds.yaml."""
    from copydesk import feeds as feeds_command

    feeds_command.import_opml(file, as_json=as_json)


@feeds_app.command("export")
def feeds_export(
    file: Annotated[str, typer.Argument(help="The OPML file to write; - is standard output.")],
    as_json: Json = False,
) -> None:
    """Write the subscriptions to an OPML file."""
    from copydesk import feeds as feeds_command

    feeds_command.export_opml(file, as_json=as_json)


@prompt_app.command("show")
def prompt_show(
    item: Annotated[
        str, typer.Argument(help="A feed's key, a draft's short id or path, an item's link or guid.")
    ],
    as_json: Json = False,
) -> None:
    """Print the exact request to the model for an item.

    A feed's key means its newest queued item.
    """
    from copydesk import prompt

    prompt.show(item, as_json=as_json)


@prompt_app.command("lint")
def prompt_lint(as_json: Json = False) -> None:
    """Check every prompt template and its examples.

    Errors name file and line.
    """
    from copydesk import prompt

    prompt.lint(as_json=as_json)


@prompt_app.command("copy")
def prompt_copy(
    names: Annotated[list[str], typer.Argument(help="Names of packaged prompts, such as article.")],
    as_json: Json = False,
) -> None:
    """Copy a packaged prompt with its examples to the folder prompts/, to change it there.

    No file is overwritten. A file that is not in the folder is the packaged one.
    """
    from copydesk import prompt_copy

    prompt_copy.copy(names, as_json=as_json)


def init(
    folder: Annotated[Path, typer.Argument(help="Folder to start; default: this one.")] = Path(),
    as_json: Json = False,
) -> None:
    """Start a folder: feeds.yaml, .env, prompts/ and a systemd service.

    No file is overwritten. All commands work in the current folder.
    """
    from copydesk import init

    init.init(folder, as_json=as_json)


def print_version(value: bool) -> None:
    """Print the version of Copydesk and of Python, and exit."""
    if value:
        from platform import python_version

        from pipeline.config import own_version

        typer.echo(f"copydesk {own_version()} (Python {python_version()})")
        raise typer.Exit


def evaluate(
    answers: Annotated[
        str | None, typer.Argument(help="Recorded answers in evals/recorded/; default: hand-written.")
    ] = None,
    ask: Annotated[
        bool, typer.Option("--ask", help="Request new answers from the model; this costs money.")
    ] = False,
    prompt: Annotated[
        str | None, typer.Option("--prompt", help="With --ask: use this prompt for every beat.")
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="Recorded answers to compare with: table and diff.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="With --ask: use this profile of feeds.yaml for every beat.")
    ] = None,
    save: Annotated[
        str | None, typer.Option("--save", help="With --ask: save the answers under this name.")
    ] = None,
    verifier: Annotated[
        str | None,
        typer.Option("--verifier", help="Measure this profile as second reader; this costs money."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --verifier: do not ask.")] = False,
    field: Annotated[
        bool, typer.Option("--field", help="Count how editors ended the findings of the checks, by kind.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Score articles for the golden set in evals/, a second reader, or (--field) the checks in use.

    The articles come from recorded answers or, with --ask, from the model.
    Exit code 1 if an article misses expected content or has forbidden content.
    """
    others = {"recorded answers": answers, "--ask": ask, "--against": against}
    others |= {"--prompt": prompt, "--model": model, "--save": save}
    if field:
        from copydesk import eval_field

        eval_field.count_outcomes({**others, "--verifier": verifier, "--yes": yes}, as_json=as_json)
        return
    if verifier or yes:
        from copydesk import eval_verifier

        eval_verifier.measure_verifier(verifier, others, yes=yes, as_json=as_json)
        return
    from copydesk import eval as eval_command

    eval_command.evaluate(
        answers, ask=ask, prompt=prompt, model=model, against=against, save=save, as_json=as_json
    )


def proof(
    draft: Draft,
    as_json: Json = False,
    page: Annotated[
        Path | None, typer.Option("--page", help="Write it as an HTML page to this file.")
    ] = None,
) -> None:
    """Show the record of a draft's review, and whether it agrees with the article on disk.

    Exit code 1 if the record or the article was changed after the review, or if there is no record.
    """
    from copydesk import proof

    proof.proof(draft, page, as_json=as_json)
