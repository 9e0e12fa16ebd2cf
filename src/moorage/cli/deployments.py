"""`moorage deployments`: what a server has, and what was done to it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import click
from rich.text import Text

from moorage.cli import screen, yaml_text
from moorage.cli.client import Client, deployment_path
from moorage.cli.options import output_option, setting

_PAGE = 50


@click.group()
def deployments() -> None:
    """List, show, compare, publish, undo, delete and restore deployments."""


@deployments.command("list")
@click.option("--limit", type=click.IntRange(1, _PAGE), default=10, show_default=True, help="How many at most.")
@click.option("--starting-after", metavar="ID", help="Those older than this one.")
@click.option("--ending-before", metavar="ID", help="Those just newer than this one.")
@click.option("--all", "is_all", is_flag=True, help="All pages.")
@output_option
@setting("url")
def list_(
    limit: int, starting_after: str | None, ending_before: str | None, is_all: bool, output: str, url: str
) -> None:
    """List deployments, newest first. `-o json` prints the page as the API returns it."""
    client = Client.from_environment(url)
    if is_all:
        if starting_after or ending_before:
            raise click.UsageError("--all starts at the newest; leave out --starting-after and --ending-before.")
        page = _all_pages(client)
    else:
        cursors = {"starting_after": starting_after, "ending_before": ending_before}
        page = client.get("/v2/deployments", limit=limit, **cursors).value
    if output == "table":
        _print_table(page)
    else:
        screen.print_data(page, output)


@deployments.command()
@click.argument("key_or_id")
@output_option
@setting("url")
def show(key_or_id: str, output: str, url: str) -> None:
    """Show one deployment, by its key or id."""
    item = Client.from_environment(url).get(deployment_path(key_or_id)).value
    if output != "table":
        screen.print_data(item, output)
        return
    details = screen.table("field", "value")
    for name in ("key", "version", "id", "created", "updated", "description"):
        details.add_row(name, Text(screen.cell(item[name], 120)))
    console = screen.console()
    console.print(details)
    console.print()
    console.print(Text(yaml_text.dump({"prompt_config": item["prompt_config"]}).rstrip()))


@deployments.command()
@click.argument("key_or_id")
@click.option("--limit", type=click.IntRange(1, _PAGE), default=_PAGE, show_default=True, help="How many at most.")
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


@deployments.command()
@click.argument("key_or_id")
@click.option("--limit", type=click.IntRange(1, _PAGE), default=_PAGE, show_default=True, help="How many at most.")
@output_option
@setting("url")
def history(key_or_id: str, limit: int, output: str, url: str) -> None:
    """Show what was done to a deployment, by whom and why, newest first."""
    page = Client.from_environment(url).get(f"{deployment_path(key_or_id)}/history", limit=limit).value
    for entry in page["data"] if output == "table" else ():
        entry["by"] = entry["api_key"]["name"] if entry["api_key"] else "the operator"
    columns = {"at": "at", "action": "action", "from": "from_version", "to": "to_version", "by": "by", "why": "reason"}
    _print_page(page, output, columns)


@deployments.command()
@click.argument("key_or_id")
@click.argument("from_version")
@click.argument("to_version")
@click.option("-o", "--output", type=click.Choice(["text", "json", "yaml"]), default="text", show_default=True)
@setting("url")
def diff(key_or_id: str, from_version: str, to_version: str, output: str, url: str) -> None:
    """Show what differs between two versions: numbers, ids, or `live`."""
    client, path = Client.from_environment(url), f"{deployment_path(key_or_id)}/diff"
    query = {"from": from_version, "to": to_version}
    if output != "text":
        screen.print_data(client.get(path, **query).value, output)
        return
    for line in client.text(path, **query).splitlines():
        color = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
        click.secho(screen.cell(line, 10_000), fg=color)


def reason_option(command: Callable[..., None]) -> Callable[..., None]:
    """`--reason`, which the history keeps."""
    return click.option("--reason", default="", help="Why; the history keeps it.")(command)


@deployments.command()
@click.argument("key_or_id")
@click.argument("version")
@reason_option
@setting("url")
def publish(key_or_id: str, version: str, reason: str, url: str) -> None:
    """Make a version the live one; an older one too."""
    path = f"{deployment_path(key_or_id)}/versions/{quote(version, safe='')}/publish"
    live = _post(url, path, reason)
    click.echo(f"{key_or_id}: {live['version']} is live.")


@deployments.command()
@click.argument("key_or_id")
@reason_option
@setting("url")
def undo(key_or_id: str, reason: str, url: str) -> None:
    """Take back the last move of the live version; a second undo takes back the first."""
    live = _post(url, f"{deployment_path(key_or_id)}/undo", reason)
    click.echo(f"{key_or_id}: {live['version']} is live again.")


@deployments.command()
@click.argument("key_or_id")
@reason_option
@setting("url")
def delete(key_or_id: str, reason: str, url: str) -> None:
    """Delete a deployment; for 30 days it can be restored."""
    gone = Client.from_environment(url).send("DELETE", deployment_path(key_or_id), X_Moorage_Reason=reason).value
    click.echo(f"Deleted {gone['key']}. Until {gone['final']}: moorage deployments restore {gone['id']}")


@deployments.command()
@click.argument("key_or_id")
@reason_option
@setting("url")
def restore(key_or_id: str, reason: str, url: str) -> None:
    """Take back a deletion."""
    item = _post(url, f"{deployment_path(key_or_id)}/restore", reason)
    click.echo(f"Restored {item['key']}: {item['version']} is live.")


def _post(url: str, path: str, reason: str) -> Any:
    return Client.from_environment(url).send("POST", path, X_Moorage_Reason=reason).value


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


def _all_pages(client: Client) -> dict[str, Any]:
    items: list[Any] = []
    cursor = None
    with screen.progress("Listing") as progress:
        task = progress.add_task("", total=None)
        while True:
            page = client.get("/v2/deployments", limit=_PAGE, starting_after=cursor).value
            items += page["data"]
            progress.update(task, completed=len(items))
            if not page["has_more"]:
                return {"object": "list", "data": items, "has_more": False}
            cursor = items[-1]["id"]


def _print_table(page: dict[str, Any]) -> None:
    console = screen.console()
    if not page["data"]:
        console.print("No deployments here. `moorage apply PATH` puts some.")
        return
    rows = screen.table("key", "version", "provider", "model", "type", "updated", "description")
    for item in page["data"]:
        config = item["prompt_config"]
        cells = (item["key"], item["version"], config["provider"], config["model"], config["model_type"])
        rows.add_row(*(Text(screen.cell(text)) for text in (*cells, item["updated"][:16], item["description"])))
    console.print(rows)
    if page["has_more"]:
        click.echo(f"There are more: --starting-after {page['data'][-1]['id']}, or --all.", err=True)
