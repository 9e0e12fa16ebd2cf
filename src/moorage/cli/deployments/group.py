"""`moorage deployments`: list and show deployments, and the group of their commands."""

from typing import Any

import click

from moorage.cli.client import Client, deployment_path
from moorage.cli.deployments import resolve as using
from moorage.cli.deployments import versions
from moorage.cli.deployments import write as changes
from moorage.cli.deployments.invoke import invoke
from moorage.cli.deployments.promote import promote
from moorage.cli.environment_options import environment_of, environment_option, follows_production
from moorage.cli.groups import Group
from moorage.cli.options import key_argument, output_option, setting
from moorage.cli.output import echo, one_line, print_data, print_table, print_text, with_progress
from moorage.cli.responses import DeploymentRow, Page, ShownDeployment
from moorage.cli.table import Column, new_table, when
from moorage.core.deployments.page import MAX_LIMIT
from moorage.core.environments import PRODUCTION
from moorage.documents.yaml import dump_yaml


@click.group(cls=Group)
def deployments() -> None:
    """List, change and explain deployments."""


for _command in (invoke, *using.COMMANDS, *versions.COMMANDS, *changes.COMMANDS, promote):
    deployments.add_command(_command)


@deployments.command("list")
@click.option("--limit", type=click.IntRange(1, MAX_LIMIT), default=10, show_default=True, help="The maximum number.")
@click.option("--starting-after", metavar="ID", help="Only deployments older than this one.")
@click.option("--ending-before", metavar="ID", help="Only deployments newer than this one.")
@click.option("--search", metavar="TEXT", help="Only deployments with TEXT in the key, an alias or the description.")
@click.option("--provider", help="Only deployments of this provider.")
@click.option("--model", help="Only deployments of this model.")
@click.option("--model-type", help="Only deployments of this model type.")
@click.option("--updated-since", metavar="TIME", help="Only deployments updated at or after TIME (ISO 8601).")
@click.option("--all", "is_all", is_flag=True, help="All pages.")
@environment_option
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
        pages = list(with_progress("Listing", client.pages("/v2/deployments", Page[DeploymentRow], **filters)))
    else:
        cursors = {"starting_after": starting_after, "ending_before": ending_before}
        pages = [client.get("/v2/deployments", Page[DeploymentRow], limit=limit, **cursors, **filters)]
    if output == "table":
        rows = [row for page in pages for row in page.value.data]
        is_filtered = any(value for name, value in filters.items() if name != "environment")
        _print_table(rows, is_filtered=is_filtered, has_more=pages[-1].value.has_more)
    else:
        items = [item for page in pages for item in page.plain()["data"]]
        print_data(pages[-1].plain() | {"data": items}, output)


@deployments.command()
@key_argument
@environment_option
@output_option
@setting("url")
def show(key_or_id: str, environment: str | None, output: str, url: str) -> None:
    """Show a deployment."""
    reply = Client.from_environment(url).get(deployment_path(key_or_id), ShownDeployment, environment=environment)
    if output != "table":
        print_data(reply.plain(), output)
        return
    details = new_table("field", Column("value", is_wrapped=True))
    for name in ("key", "version", "id", "created", "updated", "description"):
        details.add_row(name, one_line(getattr(reply.value, name), 1_000))
    if reply.value.aliases:
        details.add_row("aliases", one_line(", ".join(reply.value.aliases), 4_000))
    if environment is not None or environment_of(reply) != PRODUCTION:
        follows = " (follows production)" if follows_production(reply) else ""
        details.add_row("environment", f"{environment_of(reply)}{follows}")
    print_table(details)
    print_text("")
    print_text(dump_yaml({"prompt_config": reply.value.prompt_config}).rstrip())


def _print_table(items: list[DeploymentRow], *, is_filtered: bool, has_more: bool) -> None:
    if not items:
        print_text(
            "No deployments match." if is_filtered else "There are no deployments. To create some: moorage apply PATH"
        )
        return
    table = new_table(
        "key", "version", Column("provider", drop=3), Column("model", drop=5, is_cut=True), Column("type", drop=2),
        Column("updated", drop=4), Column("description", drop=1, is_cut=True),
    )  # fmt: skip
    for item in items:
        config = item.prompt_config
        cells = (item.version, config.provider, config.model, config.model_type, when(item.updated), item.description)
        table.add_row(one_line(item.key, 200), *map(one_line, cells))
    print_table(table)
    if has_more:
        echo(f"There are more deployments: --starting-after {items[-1].id}, or --all", err=True)
