"""The commands that come in groups: feeds, drafts, prompt. What each does is imported when it is called."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]

feeds_app = typer.Typer(
    help="List, check, import and export subscriptions.", no_args_is_help=True, rich_markup_mode=None
)
drafts_app = typer.Typer(
    help="List drafts, or show one beside its source.", no_args_is_help=True, rich_markup_mode=None
)
backup_app = typer.Typer(
    help="Save ledger and output folder in one file, or put them back.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
prompt_app = typer.Typer(
    help="Show what a model is told about an item, or look at every template.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@backup_app.command("save")
def backup_save(
    archive: Annotated[Path, typer.Argument(help="A new file, such as copydesk.tar.gz.")],
) -> None:
    """Save ledger and output folder as they are now; runs and the desk may go on meanwhile."""
    from copydesk import backup

    backup.save(archive)


@backup_app.command("restore")
def backup_restore(archive: Annotated[Path, typer.Argument(help="What `backup save` wrote.")]) -> None:
    """Put a backup back where no ledger and no drafts are yet."""
    from copydesk import backup

    backup.restore(archive)


@drafts_app.command("list")
def drafts_list(
    state: Annotated[str, typer.Option(help="drafted, approved, rejected or all.")] = "drafted",
    as_json: Json = False,
) -> None:
    """List the drafts that wait for an editor."""
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
    feeds: Annotated[list[str] | None, typer.Argument(help="Keys or URLs; none means all enabled.")] = None,
    as_json: Json = False,
) -> None:
    """Fetch feeds and say what is in them; nothing is kept.

    One feed, by key or any URL, has a page: how it is fetched and read, what would be drafted, what is odd.
    """
    from copydesk import feeds as feeds_command

    feeds_command.check(feeds or None, as_json=as_json)


@feeds_app.command("import")
def feeds_import(file: Annotated[str, typer.Argument(help="An OPML file.")]) -> None:
    """Print the YAML to add to feeds.yaml for the feeds of an OPML file."""
    from copydesk import feeds as feeds_command

    feeds_command.import_opml(file)


@feeds_app.command("export")
def feeds_export(file: Annotated[str, typer.Argument(help="The OPML file to write.")]) -> None:
    """Write the subscriptions as OPML."""
    from copydesk import feeds as feeds_command

    feeds_command.export_opml(file)


@prompt_app.command("show")
def prompt_show(
    item: Annotated[str, typer.Argument(help="A draft's short id or path, or an item's link or guid.")],
    as_json: Json = False,
) -> None:
    """Print exactly what would be sent about an item."""
    from copydesk import prompt

    prompt.show(item, as_json=as_json)


@prompt_app.command("lint")
def prompt_lint() -> None:
    """Look at every template and its examples; mistakes are told with file and line."""
    from copydesk import prompt

    prompt.lint()
