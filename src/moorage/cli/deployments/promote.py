"""`moorage deployments promote`: give another environment the live versions of one."""

from collections.abc import Sequence
from typing import Any

import click

from moorage.cli.client import Client, deployment_path
from moorage.cli.environment_options import (
    complete_environment,
    emergency_option,
    follows_production,
    require_reason,
)
from moorage.cli.environment_responses import DifferenceRow, PromotionReply
from moorage.cli.environments import read_differences
from moorage.cli.errors import ApiError, name_problems
from moorage.cli.options import complete_key, output_option, setting
from moorage.cli.output import echo, one_line, print_data, print_text
from moorage.cli.proposed import shows_proposal
from moorage.cli.responses import LiveDeployment
from moorage.core.deployments.proposal import FOLLOWS, MAX_ITEMS


@click.command()
@click.argument("keys", nargs=-1, metavar="KEY...", shell_complete=complete_key)
@click.option(
    "--from",
    "source",
    required=True,
    metavar="NAME",
    shell_complete=complete_environment,
    help="The environment whose live versions are promoted.",
)
@click.option(
    "--to",
    "target",
    required=True,
    metavar="NAME",
    shell_complete=complete_environment,
    help="The environment that gets them.",
)
@click.option("--all", "is_all", is_flag=True, help="All deployments that differ.")
@click.option("--dry-run", is_flag=True, help="Only show the changes.")
@click.option(
    "--take-ownership", is_flag=True, help="Even if a file manages it in the target, or the API took it over."
)
@click.option("--allow-breaking", is_flag=True, help="Even if it is a breaking change; the history records it.")
@click.option("--reason", default="", help="The reason, for the history.")
@emergency_option
@output_option
@setting("url")
@shows_proposal
def promote(  # noqa: PLR0913 -- the options of the command
    keys: tuple[str, ...],
    *,
    source: str,
    target: str,
    is_all: bool,
    dry_run: bool,
    allow_breaking: bool,
    reason: str,
    output: str,
    url: str,
    **flags: bool,
) -> None:
    """Promote live versions to another environment.

    The versions stay the same, with their numbers. All are promoted at once, or none. If a live version changes
    meanwhile, in either environment, nothing is changed.
    """
    require_reason(reason, emergency=flags["emergency"])
    if is_all == bool(keys):
        raise click.UsageError("Name deployments, or pass --all for all that differ.")
    client = Client.from_environment(url)
    pages = read_differences(client, source, target)
    differences = [row for page in pages for row in page.value.data if row.from_version is not None or keys]
    items = _seen(client, differences, list(dict.fromkeys(keys)), source, target) if keys else _items(differences)
    if not items:
        _report_nothing(source, target, output)
        return
    if len(items) > MAX_ITEMS:
        raise click.ClickException(
            f"{len(items)} deployments differ, and at most {MAX_ITEMS} can be promoted at once. Name some of them."
        )
    body = {"from": source, "to": target, "deployments": items, "allow_breaking": allow_breaking}
    if reason:
        body["reason"] = one_line(reason, 10_000)
    query = {name: True for name, is_set in {"dry_run": dry_run, **flags}.items() if is_set}
    try:
        reply = client.send("POST", "/v2/promotions", PromotionReply, body, query)
    except ApiError as error:
        raise name_problems(error, [item["key"] for item in items]) from error
    if output != "table":
        print_data(reply.plain(), output)
        return
    _print(reply.value, target)
    if dry_run:
        print_text("Dry run: nothing was changed.")


def _print(promotion: PromotionReply, target: str) -> None:
    for row in promotion.deployments:
        if row.result == "unchanged":
            echo(f"{row.key}: {row.version} is live in {target}, unchanged")
            continue
        echo(f"{row.key}: {row.from_version or 'none'} -> {row.version} in {target}")
        if row.breaking:
            echo(f"    breaking: {one_line(', '.join(row.breaking), 1_000)}")


def _items(differences: Sequence[DifferenceRow]) -> list[dict[str, Any]]:
    """Return the items of a promotion, with the states that the server has shown."""
    return [{"key": row.key, "version": row.from_version, "base": row.base} for row in differences]


def _seen(
    client: Client, differences: Sequence[DifferenceRow], keys: Sequence[str], source: str, target: str
) -> list[dict[str, Any]]:
    """Return the items for the named deployments; the state of one that does not differ is read."""
    rows = {name: row for row in differences for name in (row.key, row.id)}
    found: list[dict[str, Any]] = []
    for key in keys:
        row = rows.get(key)
        if row is not None and row.from_version is not None:
            found += _items([row])
            continue
        before = client.get(deployment_path(key), LiveDeployment, environment=source)
        after = client.get(deployment_path(key), LiveDeployment, environment=target)
        base = FOLLOWS if follows_production(after) else after.value.version
        found.append({"key": key, "version": before.value.version, "base": base})
    return found


def _report_nothing(source: str, target: str, output: str) -> None:
    if output == "table":
        echo(f"Nothing to promote: {target} has all live versions of {source}.")
    else:
        print_data({"deployments": []}, output)
