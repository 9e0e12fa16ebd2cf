"""`moorage deployments versions|draft|diff|history`: versions of a deployment and their history."""

from collections.abc import Callable, Mapping

import click

from moorage.cli.client import Client, Reply, deployment_path
from moorage.cli.options import key_argument, output_option, setting
from moorage.cli.output import echo, new_table, one_line, print_data, print_difference, print_done, print_table
from moorage.cli.problems import print_warnings
from moorage.cli.responses import DifferenceReply, HistoryRow, ItemT, Page, SavedVersion, VersionRow
from moorage.core.deployments.page import MAX_LIMIT
from moorage.documents.read import read_one

_limit = click.option(
    "--limit", type=click.IntRange(1, MAX_LIMIT), default=MAX_LIMIT, show_default=True, help="The maximum number."
)


@click.command()
@key_argument
@_limit
@output_option
@setting("url")
def versions(key_or_id: str, limit: int, output: str, url: str) -> None:
    """List versions, drafts included."""
    page = Client.from_environment(url).get(f"{deployment_path(key_or_id)}/versions", Page[VersionRow], limit=limit)
    _print_page(page, output, {
        "version": lambda row: row.version, "status": lambda row: row.status, "made": lambda row: row.timestamp,
        "by": lambda row: row.user_id, "description": lambda row: row.description, "notes": lambda row: row.notes,
    })  # fmt: skip


@click.command()
@click.argument("file", metavar="FILE")
@click.option(
    "--bump", type=click.Choice(["minor", "major"]), help="The number to increase; default: that of FILE, or minor."
)
@click.option("--description", help="A description of the version.")
@click.option("--notes", help="The reason for the version; default: the notes in FILE.")
@output_option
@setting("url")
def draft(file: str, bump: str | None, description: str | None, notes: str | None, output: str, url: str) -> None:
    """Save a draft version.

    FILE contains the deployment; - is standard input. A draft is not served until it is published.
    """
    document = read_one(file)
    given = {"version_bump": bump, "description": description, "notes": notes}
    body = {name: value for name, value in document.body.items() if name != "description"}  # that of the deployment
    body |= {name: value for name, value in given.items() if value is not None}
    saved = Client.from_environment(url).send("POST", f"{deployment_path(document.key)}/versions", SavedVersion, body)
    version = saved.value.version
    print_done(
        saved.plain(),
        output,
        f"{document.key}: saved {version} as a draft.\n"
        f"Compare: moorage deployments diff {document.key} live {version}\n"
        f"Publish: moorage deployments publish {document.key} {version}",
    )
    print_warnings(saved, document)


@click.command()
@key_argument
@click.argument("from_version")
@click.argument("to_version")
@click.option("-o", "--output", type=click.Choice(["text", "json", "yaml"]), default="text", show_default=True)
@setting("url")
def diff(key_or_id: str, from_version: str, to_version: str, output: str, url: str) -> None:
    """Compare two versions.

    A version is a number, an id, or `live`.
    """
    client, path = Client.from_environment(url), f"{deployment_path(key_or_id)}/diff"
    query = {"from": from_version, "to": to_version}
    if output == "text":
        print_difference(client.text(path, **query))
    else:
        print_data(client.get(path, DifferenceReply, **query).plain(), output)


@click.command()
@key_argument
@_limit
@output_option
@setting("url")
def history(key_or_id: str, limit: int, output: str, url: str) -> None:
    """Show the history, newest first."""
    page = Client.from_environment(url).get(f"{deployment_path(key_or_id)}/history", Page[HistoryRow], limit=limit)
    _print_page(page, output, {
        "at": lambda row: row.at, "action": lambda row: row.action, "from": lambda row: row.from_version,
        "to": lambda row: row.to_version, "by": lambda row: row.by, "why": lambda row: row.why,
    })  # fmt: skip


COMMANDS = (versions, draft, diff, history)


def _print_page(page: Reply[Page[ItemT]], output: str, columns: Mapping[str, Callable[[ItemT], str | None]]) -> None:
    if output != "table":
        print_data(page.plain(), output)
        return
    rows = new_table(*columns)
    for item in page.value.data:
        rows.add_row(*(one_line(column(item) or "-") for column in columns.values()))
    print_table(rows)
    if page.value.has_more:
        echo("There are more entries: increase --limit.", err=True)
