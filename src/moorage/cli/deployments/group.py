"""`moorage deployments`: list and show deployments, and the group of their commands."""

from typing import Any

import click
from rich.text import Text

from moorage.cli.client import Client, deployment_path
from moorage.cli.deployments import resolve as using
from moorage.cli.deployments import versions
from moorage.cli.deployments import write as changes
from moorage.cli.options import key_argument, output_option, setting
from moorage.cli.output import new_console, new_table, one_line, print_data, with_progress
from moorage.core.deployments.page import MAX_LIMIT
from moorage.documents.yaml import dump_yaml


@click.group()
def deployments() -> None:
    """List, change and explain deployments."""


for _command in (*using.COMMANDS, *versions.COMMANDS, *changes.COMMANDS):
    deployments.add_command(_command)


@deployments.command("list")
@click.option("--limit", type=click.IntRange(1, MAX_LIMIT), default=10, show_default=True, help="The maximum number.")
@click.option("--starting-after", metavar="ID", help="Only deployments older than this one.")
@click.option("--ending-before", metavar="ID", help="Only deployments newer than this one.")
@click.option("--search", metavar="TEXT", help="Only deployments with TEXT in the key or description.")
@click.option("--provider", help="Only deployments of this provider.")
@click.option("--model", help="Only deployments of this model.")
@click.option("--model-type", help="Only deployments of this model type.")
@click.option("--updated-since", metavar="TIME", help="Only deployments updated at or after TIME (ISO 8601).")
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
    """List deployments, newest first.

    Several filters are combined with AND. `-o json` prints the page of the API.
    """
    client = Client.from_environment(url)
    if is_all:
        if starting_after or ending_before:
            raise click.UsageError("--all cannot be combined with --starting-after or --ending-before.")
        items = list(with_progress("Listing", client.pages("/v2/deployments", **filters)))
        page = {"object": "list", "data": items, "has_more": False}
    else:
        cursors = {"starting_after": starting_after, "ending_before": ending_before}
        page = client.get("/v2/deployments", limit=limit, **cursors, **filters).value
    if output == "table":
        _print_table(page, is_filtered=any(filters.values()))
    else:
        print_data(page, output)


@deployments.command()
@key_argument
@output_option
@setting("url")
def show(key_or_id: str, output: str, url: str) -> None:
    """Show a deployment."""
    item = Client.from_environment(url).get(deployment_path(key_or_id)).value
    if output != "table":
        print_data(item, output)
        return
    details = new_table("field", "value")
    for name in ("key", "version", "id", "created", "updated", "description"):
        details.add_row(name, Text(one_line(item[name], 120)))
    console = new_console()
    console.print(details)
    console.print()
    console.print(Text(dump_yaml({"prompt_config": item["prompt_config"]}).rstrip()))


def _print_table(page: dict[str, Any], *, is_filtered: bool) -> None:
    console = new_console()
    if not page["data"]:
        console.print(
            "No deployments match." if is_filtered else "There are no deployments. To create some: moorage apply PATH"
        )
        return
    rows = new_table("key", "version", "provider", "model", "type", "updated", "description")
    for item in page["data"]:
        config = item["prompt_config"]
        cells = (item["key"], item["version"], config["provider"], config["model"], config["model_type"])
        rows.add_row(*(Text(one_line(text)) for text in (*cells, item["updated"][:16], item["description"])))
    console.print(rows)
    if page["has_more"]:
        click.echo(f"There are more deployments: --starting-after {page['data'][-1]['id']}, or --all", err=True)
