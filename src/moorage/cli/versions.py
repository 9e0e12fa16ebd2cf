"""`moorage deployments versions|draft|diff|history`: a deployment's versions, and what was done to it."""

from typing import Any

import click
from rich.text import Text

from moorage.cli import screen
from moorage.cli.client import Client, deployment_path
from moorage.cli.documents import read_one
from moorage.cli.options import key_argument, output_option, setting
from moorage.core.page import MAX_LIMIT

_limit = click.option(
    "--limit", type=click.IntRange(1, MAX_LIMIT), default=MAX_LIMIT, show_default=True, help="How many at most."
)


@click.command()
@key_argument
@_limit
@output_option
@setting("url")
def versions(key_or_id: str, limit: int, output: str, url: str) -> None:
    """List the versions of a deployment, drafts included, newest first."""
    page = Client.from_environment(url).get(f"{deployment_path(key_or_id)}/versions", limit=limit).value
    columns = {
        "version": "version", "status": "status", "made": "timestamp", "by": "user_id", "description": "description",
        "notes": "notes",
    }  # fmt: skip
    _print_page(page, output, columns)


@click.command()
@click.argument("file", metavar="FILE")
@click.option(
    "--bump", type=click.Choice(["minor", "major"]), help="Which number grows; else what FILE says, or minor."
)
@click.option("--description", help="What this version is.")
@click.option("--notes", help="Why it was made; else what FILE says.")
@output_option
@setting("url")
def draft(file: str, bump: str | None, description: str | None, notes: str | None, output: str, url: str) -> None:
    """Save the deployment in FILE (or -) as a new version that is not served yet."""
    document = read_one(file)
    given = {"version_bump": bump, "description": description, "notes": notes}
    body = {name: value for name, value in document.body.items() if name != "description"}  # that of the deployment
    body |= {name: value for name, value in given.items() if value is not None}
    saved = Client.from_environment(url).send("POST", f"{deployment_path(document.key)}/versions", body)
    version = saved["version"]
    screen.print_done(
        saved,
        output,
        f"{document.key}: {version} is saved as a draft.\n"
        f"Compare: moorage deployments diff {document.key} live {version}\n"
        f"Serve:   moorage deployments publish {document.key} {version}",
    )


@click.command()
@key_argument
@click.argument("from_version")
@click.argument("to_version")
@click.option("-o", "--output", type=click.Choice(["text", "json", "yaml"]), default="text", show_default=True)
@setting("url")
def diff(key_or_id: str, from_version: str, to_version: str, output: str, url: str) -> None:
    """Show what differs between two versions: numbers, ids, or `live`."""
    client, path = Client.from_environment(url), f"{deployment_path(key_or_id)}/diff"
    query = {"from": from_version, "to": to_version}
    if output == "text":
        screen.print_difference(client.text(path, **query))
    else:
        screen.print_data(client.get(path, **query).value, output)


@click.command()
@key_argument
@_limit
@output_option
@setting("url")
def history(key_or_id: str, limit: int, output: str, url: str) -> None:
    """Show what was done to a deployment, by whom and why, newest first."""
    page = Client.from_environment(url).get(f"{deployment_path(key_or_id)}/history", limit=limit).value
    for entry in page["data"] if output == "table" else ():
        entry["by"] = entry["api_key"]["name"] if entry["api_key"] else "the operator"
        if breaking := entry.get("breaking"):
            entry["reason"] = f"breaking {', '.join(breaking)}; {entry['reason']}".removesuffix("; ")
    columns = {"at": "at", "action": "action", "from": "from_version", "to": "to_version", "by": "by", "why": "reason"}
    _print_page(page, output, columns)


COMMANDS = (versions, draft, diff, history)


def _print_page(page: dict[str, Any], output: str, columns: dict[str, str]) -> None:
    if output != "table":
        screen.print_data(page, output)
        return
    rows = screen.table(*columns)
    for item in page["data"]:
        rows.add_row(*(Text(screen.cell(item.get(field) or "-")) for field in columns.values()))
    screen.console().print(rows)
    if page["has_more"]:
        click.echo("There are more: raise --limit, or use the API.", err=True)
