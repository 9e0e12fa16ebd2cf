"""`moorage deployments`: what a server has, and what was done to it."""

from typing import Any

import click
from rich.text import Text

from moorage.cli import changes, screen, using, versions, yaml_text
from moorage.cli.client import Client, deployment_path
from moorage.cli.options import key_argument, output_option, setting
from moorage.core.page import MAX_LIMIT


@click.group()
def deployments() -> None:
    """List, show, use, explain, create, compare, publish, undo, delete and restore deployments."""


for _command in (*using.COMMANDS, *versions.COMMANDS, *changes.COMMANDS):
    deployments.add_command(_command)


@deployments.command("list")
@click.option("--limit", type=click.IntRange(1, MAX_LIMIT), default=10, show_default=True, help="How many at most.")
@click.option("--starting-after", metavar="ID", help="Those older than this one.")
@click.option("--ending-before", metavar="ID", help="Those just newer than this one.")
@click.option("--search", metavar="TEXT", help="Those with TEXT in their key or description.")
@click.option("--provider", help="Those of this provider.")
@click.option("--model", help="Those of this model.")
@click.option("--model-type", help="Those of this type.")
@click.option("--updated-since", metavar="TIME", help="Those that were updated then or later (ISO 8601).")
@click.option("--all", "is_all", is_flag=True, help="All pages.")
@output_option
@setting("url")
def list_(
    limit: int,
    starting_after: str | None,
    ending_before: str | None,
    is_all: bool,
    output: str,
    url: str,
    **filters: Any,
) -> None:
    """List deployments, newest first. `-o json` prints the page as the API returns it.

    Of several filters, all must hold.
    """
    client = Client.from_environment(url)
    if is_all:
        if starting_after or ending_before:
            raise click.UsageError("--all starts at the newest; leave out --starting-after and --ending-before.")
        items = list(screen.counted("Listing", client.pages("/v2/deployments", **filters)))
        page = {"object": "list", "data": items, "has_more": False}
    else:
        cursors = {"starting_after": starting_after, "ending_before": ending_before}
        page = client.get("/v2/deployments", limit=limit, **cursors, **filters).value
    if output == "table":
        _print_table(page, is_filtered=any(filters.values()))
    else:
        screen.print_data(page, output)


@deployments.command()
@key_argument
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


def _print_table(page: dict[str, Any], *, is_filtered: bool) -> None:
    console = screen.console()
    if not page["data"]:
        console.print("No such deployments." if is_filtered else "No deployments here. `moorage apply PATH` puts some.")
        return
    rows = screen.table("key", "version", "provider", "model", "type", "updated", "description")
    for item in page["data"]:
        config = item["prompt_config"]
        cells = (item["key"], item["version"], config["provider"], config["model"], config["model_type"])
        rows.add_row(*(Text(screen.cell(text)) for text in (*cells, item["updated"][:16], item["description"])))
    console.print(rows)
    if page["has_more"]:
        click.echo(f"There are more: --starting-after {page['data'][-1]['id']}, or --all.", err=True)
