"""`moorage deployments versions|draft|diff|history|callers`: versions of a deployment, their history and callers."""

from collections.abc import Callable, Mapping

import click

from moorage.cli.client import Client, Reply, deployment_path
from moorage.cli.difference import print_difference
from moorage.cli.environment_options import environment_option, in_environment
from moorage.cli.options import key_argument, output_option, setting
from moorage.cli.output import echo, one_line, print_data, print_done, print_table
from moorage.cli.problems import print_warnings
from moorage.cli.responses import DifferenceReply, HistoryRow, ItemT, Page, SavedVersion, VersionRow
from moorage.cli.table import Column, new_table, when
from moorage.core.compatibility.consumers import CallerPage
from moorage.core.deployments.page import MAX_LIMIT
from moorage.core.environments import PRODUCTION
from moorage.documents.read import read_one

_limit = click.option(
    "--limit", type=click.IntRange(1, MAX_LIMIT), default=MAX_LIMIT, show_default=True, help="The maximum number."
)


@click.command()
@key_argument
@_limit
@environment_option
@output_option
@setting("url")
def versions(key_or_id: str, limit: int, environment: str | None, output: str, url: str) -> None:
    """List versions, drafts included.

    The status is that in the environment; `pending` is a version that an open proposal would publish there.
    """
    client, path = Client.from_environment(url), deployment_path(key_or_id)
    page = client.get(f"{path}/versions", Page[VersionRow], limit=limit, environment=environment)
    names = _names_of_api_keys(client, path) if output == "table" else {}
    others = any(row.environments for row in page.value.data)
    where: dict[Column, Callable[[VersionRow], str | None]] = (
        {Column("also live in", is_cut=True): lambda row: ", ".join(row.environments)} if others else {}
    )
    _print_page(
        page,
        output,
        {
            Column("version"): lambda row: row.version,
            Column("status"): lambda row: row.status,
            **where,
            Column("made"): lambda row: when(row.timestamp),
            Column("by", drop=3, is_cut=True): lambda row: names.get(row.user_id or "", row.user_id),
            Column("description", drop=1, is_cut=True): lambda row: row.description,
            Column("notes", drop=2, is_cut=True): lambda row: row.notes,
        },
    )


def _names_of_api_keys(client: Client, path: str) -> dict[str, str]:
    """Return the names of the API keys in the newest history of a deployment, by their ids."""
    history = client.get(f"{path}/history", Page[HistoryRow], limit=MAX_LIMIT)
    return {row.api_key.id: row.api_key.name for row in history.value.data if row.api_key}


@click.command()
@click.argument("file", metavar="FILE")
@click.option(
    "--bump", type=click.Choice(["minor", "major"]), help="The number to increase; default: that of FILE, or minor."
)
@click.option("--description", help="A description of the version.")
@click.option("--notes", help="The reason for the version; default: the notes in FILE.")
@environment_option
@output_option
@setting("url")
def draft(
    file: str,
    bump: str | None,
    description: str | None,
    notes: str | None,
    environment: str | None,
    output: str,
    url: str,
) -> None:
    """Save a draft version.

    FILE contains the deployment; - is standard input. A draft is not served until it is published.
    """
    document = read_one(file)
    given = {"version_bump": bump, "description": description, "notes": notes}
    body = {
        name: value for name, value in document.body.items() if name not in ("description", "aliases")
    }  # of the deployment
    body |= {name: value for name, value in given.items() if value is not None}
    path, query = f"{deployment_path(document.key)}/versions", {"environment": environment}
    saved = Client.from_environment(url).send("POST", path, SavedVersion, body, query)
    version, option = saved.value.version, in_environment(environment)
    print_done(
        saved.plain(),
        output,
        f"{document.key}: saved {version} as a draft.\n"
        f"Compare: moorage deployments diff {document.key} live {version}{option}\n"
        f"Publish: moorage deployments publish {document.key} {version}{option}",
    )
    print_warnings(saved, document)


@click.command()
@key_argument
@click.argument("from_version")
@click.argument("to_version")
@click.option("-o", "--output", type=click.Choice(["text", "json", "yaml"]), default="text", show_default=True)
@environment_option
@setting("url")
def diff(key_or_id: str, from_version: str, to_version: str, environment: str | None, output: str, url: str) -> None:
    """Compare two versions.

    A version is a number, an id, the name of an environment for its live version, or `live`.
    """
    client, path = Client.from_environment(url), f"{deployment_path(key_or_id)}/diff"
    query = {"from": from_version, "to": to_version, "environment": environment}
    if output == "text":
        print_difference(client.text(path, **query))
    else:
        print_data(client.get(path, DifferenceReply, **query).plain(), output)


@click.command()
@key_argument
@_limit
@environment_option
@output_option
@setting("url")
def history(key_or_id: str, limit: int, environment: str | None, output: str, url: str) -> None:
    """Show the history, newest first.

    With --environment, only what concerns that environment.
    """
    path, query = f"{deployment_path(key_or_id)}/history", {"limit": limit, "environment": environment}
    page = Client.from_environment(url).get(path, Page[HistoryRow], **query)
    others = any(row.environment not in ("", PRODUCTION) for row in page.value.data)
    where: dict[Column, Callable[[HistoryRow], str | None]] = (
        {Column("environment", is_cut=True): lambda row: row.environment} if others else {}
    )
    _print_page(
        page,
        output,
        {
            Column("at"): lambda row: when(row.at),
            Column("action"): lambda row: row.action,
            **where,
            Column("from"): lambda row: row.from_version,
            Column("to"): lambda row: row.to_version,
            Column("by", drop=2, is_cut=True): lambda row: row.by,
            Column("why", drop=1, is_cut=True): lambda row: row.why,
        },
    )


@click.command()
@key_argument
@environment_option
@output_option
@setting("url")
def callers(key_or_id: str, environment: str | None, output: str, url: str) -> None:
    """List the API keys that use a deployment.

    Those of the last 30 days, with the versions and the names of the inputs. Values are never recorded.
    """
    path = f"{deployment_path(key_or_id)}/callers"
    page = Client.from_environment(url).get(path, CallerPage, environment=environment)
    if output != "table":
        print_data(page.plain(), output)
        return
    if not page.value.data:
        echo("No API key has used this deployment in the last 30 days.")
        return
    rows = new_table(
        "key", Column("id", drop=1), "last used", Column("versions", is_cut=True), Column("inputs", is_wrapped=True)
    )
    for row in page.value.data:
        names = (", ".join(row.versions), ", ".join(row.inputs) or "-")
        rows.add_row(*map(one_line, (row.api_key.name, row.api_key.id, when(row.last_used), *names)))
    print_table(rows)
    if page.value.has_more:
        echo("There are more callers.", err=True)


COMMANDS = (versions, draft, diff, history, callers)


def _print_page(page: Reply[Page[ItemT]], output: str, columns: Mapping[Column, Callable[[ItemT], str | None]]) -> None:
    if output != "table":
        print_data(page.plain(), output)
        return
    rows = new_table(*columns)
    for item in page.value.data:
        rows.add_row(*(one_line(column(item) or "-") for column in columns.values()))
    print_table(rows)
    if page.value.has_more:
        echo("There are more entries: increase --limit.", err=True)
