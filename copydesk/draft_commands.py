"""The commands that decide on drafts and published articles. Their code is imported when they are called."""

from typing import Annotated

import typer

from copydesk.subcommands import Draft, Json

Note = Annotated[str | None, typer.Option("--note", help="Stored in the database and in the file.")]
Direct = Annotated[bool, typer.Option("--direct", help="Run without Prefect, as COPYDESK_PREFECT=off does.")]
Drafts = Annotated[
    list[str], typer.Argument(help="Short ids (or their first characters), paths or file names.")
]


def approve(drafts: Drafts, note: Note = None, as_json: Json = False) -> None:
    """Approve drafts: each file moves to output/published/.

    The file on disk is approved, with all its edits, after it is checked again.
    """
    from copydesk import drafts as drafts_commands

    drafts_commands.review_drafts("approve", drafts, note, as_json=as_json)


def reject(drafts: Drafts, note: Note = None, as_json: Json = False) -> None:
    """Reject drafts: each file moves to output/rejected/."""
    from copydesk import drafts as drafts_commands

    drafts_commands.review_drafts("reject", drafts, note, as_json=as_json)


def publish(
    drafts: Annotated[
        list[str] | None, typer.Argument(help="Approved articles to send again; default: pending ones.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also all approved articles that a target does not have yet.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Send approved articles to the targets now.

    The targets are those of feeds.yaml. Each run does this, too.
    """
    from copydesk import publish

    publish.publish(drafts or [], everything=everything, as_json=as_json)


def unpublish(drafts: Drafts, note: Note = None, as_json: Json = False) -> None:
    """Remove published articles from all targets.

    Each article is a draft again.
    """
    from copydesk import publish

    publish.unpublish(drafts, note, as_json=as_json)


def redraft(
    draft: Annotated[str | None, typer.Argument(help="Short id, path or file name.")] = None,
    note: Annotated[str | None, typer.Option("--note", help="Instruction to the model.")] = None,
    section: Annotated[
        str | None, typer.Option("--section", help="Rewrite only the text under this heading.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Redraft all unedited offline briefs.")] = False,
    later: Annotated[bool, typer.Option("--later", help="Let the next run carry it out.")] = False,
    direct: Direct = False,
    as_json: Json = False,
) -> None:
    """Let the model rewrite a draft or one section of it.

    The other sections do not change. Edits are not lost: each version of a draft can be restored.
    """
    from copydesk import drafts as drafts_commands

    drafts_commands.redraft(
        draft, note, section, offline=offline, later=later, direct=direct, as_json=as_json
    )


def versions(draft: Draft, as_json: Json = False) -> None:
    """List the versions of a draft."""
    from copydesk import drafts as drafts_commands

    drafts_commands.versions(draft, as_json=as_json)


def restore(
    draft: Draft,
    version: Annotated[str, typer.Argument(help="Label of the version, see `copydesk versions`.")],
    as_json: Json = False,
) -> None:
    """Restore an earlier version of a draft."""
    from copydesk import drafts as drafts_commands

    drafts_commands.restore(draft, version, as_json=as_json)


def forget(
    url: Annotated[str, typer.Argument(help="The item's link; `drafts show` prints it.")],
    as_json: Json = False,
) -> None:
    """Unpublish an item and delete every text about it.

    The item is never drafted again. The cost of its model calls stays in the database; their answers are
    deleted.
    """
    from copydesk import publish

    publish.forget(url, as_json=as_json)


def correct(
    draft: Draft,
    note: Annotated[str, typer.Option("--note", help="What was wrong; readers see it.")] = "",
    minor: Annotated[bool, typer.Option("--minor", help="A typo or the form: readers get no note.")] = False,
    as_json: Json = False,
) -> None:
    """Start the correction of a published article.

    It becomes a draft, and stays published until that is approved. The approval writes down what the changed
    sentences were and are.
    """
    from copydesk import publish

    publish.correct(draft, note, minor=minor, as_json=as_json)


def retract(
    draft: Draft,
    note: Annotated[str, typer.Option("--note", help="Why; readers see it.")] = "",
    as_json: Json = False,
) -> None:
    """Replace a published article by a notice with the reason, at the same address, on all targets."""
    from copydesk import publish

    publish.retract(draft, note, as_json=as_json)
