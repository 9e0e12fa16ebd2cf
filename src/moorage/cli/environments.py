"""`moorage environments`: environments, their settings and their differences."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from moorage.cli.client import Client, Reply
from moorage.cli.environment_options import complete_environment
from moorage.cli.environment_responses import DeletedEnvironment, DifferenceRow, EnvironmentList, EnvironmentRow
from moorage.cli.groups import Group
from moorage.cli.options import output_option, setting
from moorage.cli.output import echo, one_line, pluralize, print_data, print_done, print_paragraph, print_table
from moorage.cli.problems import print_warnings
from moorage.cli.responses import Page
from moorage.cli.table import Column, new_table, when
from moorage.core.environments import MAX_APPROVALS, PRODUCTION, check_environment_name

_LIST = "/v2/environments"

_name = click.argument("name", shell_complete=complete_environment)


@click.group(cls=Group)
def environments() -> None:
    """Create, change and compare environments.

    An environment has live versions of its own, and follows production with the other deployments. Changes of settings
    need an API key with the scope environments:admin.
    """


def _settings(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options for the settings of an environment."""
    for decorate in (
        setting("url"),
        output_option,
        click.option("--reason", help="The reason, for the history."),
        click.option(
            "--unknown-names",
            type=click.Choice(["production", "reject"]),
            help="The result of calls whose context names an unknown environment; a setting of production.",
        ),
        click.option(
            "--approve-undo/--no-approve-undo", default=None, help="Whether undo requires the approvals, too."
        ),
        click.option(
            "--approvals",
            "required_approvals",
            type=click.IntRange(0, MAX_APPROVALS),
            help="The number of approvals for a change of a live version.",
        ),
        click.option(
            "--protected/--no-protected", default=None, help="Whether a change needs the scope deployments:publish."
        ),
        click.option("--description", help="A description."),
        click.option("--display-name", help="The name that people read."),
    ):
        command = decorate(command)
    return command


@environments.command()
@click.argument("name")
@_settings
def create(name: str, output: str, url: str, **fields: Any) -> None:
    """Create an environment.

    It follows production until something is published in it.
    """
    client = Client.from_environment(url)
    _show_put(client.send("PUT", _path(name), EnvironmentRow, _body(fields), If_None_Match="*"), output)


@environments.command("set")
@_name
@_settings
def set_(name: str, output: str, url: str, **fields: Any) -> None:
    """Change the settings of an environment.

    Settings without an option stay as they are.
    """
    body, client, path = _body(fields), Client.from_environment(url), _path(name)
    if not set(body) - {"reason"}:
        raise click.UsageError("Pass a setting to change, such as --approvals 1.")
    current = client.get(path, EnvironmentRow)
    _show_put(client.send("PUT", path, EnvironmentRow, body, If_Match=current.header("ETag")), output)


@environments.command("list")
@output_option
@setting("url")
def list_(output: str, url: str) -> None:
    """List environments, production first.

    Below are the unknown names that calls sent in their context in the last 7 days.
    """
    reply = Client.from_environment(url).get(_LIST, EnvironmentList)
    if output != "table":
        print_data(reply.plain(), output)
        return
    found = reply.value
    table = new_table(
        "name", Column("display name", drop=2, is_cut=True), "protected", "approvals",
        Column("description", drop=1, is_cut=True),
    )  # fmt: skip
    for row in found.data:
        cells = (row.name, row.display_name, _yes(row.protected), row.required_approvals or "none", row.description)
        table.add_row(*(one_line(cell or "-") for cell in cells))
    print_table(table)
    if found.unknown_names:
        rejects = any(row.name == PRODUCTION and row.unknown_names == "reject" for row in found.data)
        result = "were rejected" if rejects else "got production"
        names = ", ".join(one_line(name, 80) for name in found.unknown_names)
        print_paragraph(f"Calls of the last 7 days that named unknown environments {result}: {names}")


@environments.command()
@_name
@output_option
@setting("url")
def show(name: str, output: str, url: str) -> None:
    """Show the settings of an environment."""
    reply = Client.from_environment(url).get(_path(name), EnvironmentRow)
    if output != "table":
        print_data(reply.plain(), output)
        return
    row = reply.value
    table = new_table("field", Column("value", is_wrapped=True))
    cells = {
        "name": row.name, "id": row.id, "display name": row.display_name, "description": row.description or "-",
        "protected": _yes(row.protected), "approvals": row.required_approvals or "none",
        "approve undo": _yes(row.approve_undo), "created": when(row.created_at), "updated": when(row.updated_at),
    }  # fmt: skip
    if row.name == PRODUCTION:
        cells["unknown names"] = row.unknown_names
    for field, value in cells.items():
        table.add_row(field, one_line(value, 1_000))
    print_table(table)


@environments.command()
@_name
@click.option("--force", is_flag=True, help="Even if calls use it; API keys that are bound to it are revoked.")
@click.option("--yes", is_flag=True, help="Skip the confirmation.")
@click.option("--reason", default="", help="The reason, for the history.")
@output_option
@setting("url")
def delete(name: str, force: bool, yes: bool, reason: str, output: str, url: str) -> None:
    """Delete an environment, permanently.

    Its live versions stay as versions of their deployments. Its open proposals become stale.
    """
    client, path = Client.from_environment(url), _path(name)
    current = client.get(path, EnvironmentRow)
    if not yes:
        click.confirm(f"Delete the environment {name}? It cannot be restored.", abort=True, err=True)
    deleted = client.send(
        "DELETE", path, DeletedEnvironment, query={"force": force or None}, If_Match=current.header("ETag"),
        X_Moorage_Change_Reason=reason,
    )  # fmt: skip
    print_done(deleted.plain(), output, f"Deleted the environment {name}.")


@environments.command()
@click.argument("from_name", metavar="FROM", shell_complete=complete_environment)
@click.argument("to_name", metavar="TO", shell_complete=complete_environment)
@output_option
@setting("url")
def diff(from_name: str, to_name: str, output: str, url: str) -> None:
    """Compare the live versions of environments.

    A version with `follows` is that of production. `breaking` is about a promotion from FROM to TO.
    """
    pages = read_differences(Client.from_environment(url), from_name, to_name)
    if output != "table":
        print_data([item for page in pages for item in page.plain()["data"]], output)
        return
    rows = [row for page in pages for row in page.value.data]
    if not rows:
        echo(f"No differences: {from_name} and {to_name} have the same live versions.")
        return
    table = new_table(
        "key", Column(from_name, is_cut=True), Column(to_name, is_cut=True), Column("relation", drop=2, is_cut=True),
        Column("breaking", drop=1, is_cut=True),
    )  # fmt: skip
    relations = {"only_in_from": f"only in {from_name}", "only_in_to": f"only in {to_name}"}
    for row in rows:
        versions = (_version(row.from_version, row.from_follows), _version(row.to_version, row.to_follows))
        relation = relations.get(row.relation, row.relation)
        table.add_row(*(one_line(cell, 200) for cell in (row.key, *versions, relation, ", ".join(row.breaking) or "-")))
    print_table(table)
    shown = next((row.key for row in rows if row.from_version is not None), None)
    if shown is not None:
        command = f"moorage deployments promote {shown} --from {from_name} --to {to_name}"
        echo(f"{pluralize(len(rows), 'difference')}. To promote: {command}", err=True)


def read_differences(client: Client, source: str, target: str) -> Sequence[Reply[Page[DifferenceRow]]]:
    """Return the deployments whose live versions differ between two environments."""
    query = {"from": check_environment_name(source), "to": check_environment_name(target)}
    return list(client.pages(f"{_LIST}/diff", Page[DifferenceRow], **query))


def _path(name: str) -> str:
    return f"{_LIST}/{check_environment_name(name)}"


def _body(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of the options that were used."""
    return {name: value for name, value in fields.items() if value is not None}


def _show_put(reply: Reply[EnvironmentRow], output: str) -> None:
    row, result = reply.value, reply.header("X-Moorage-Result", ("created", "updated", "unchanged"))
    facts = [
        "protected" if row.protected else "not protected",
        pluralize(row.required_approvals, "approval") if row.required_approvals else "no approvals",
    ]
    print_done(reply.plain(), output, f"Environment {one_line(row.name)}: {result}, {', '.join(facts)}")
    print_warnings(reply)


def _version(version: str | None, follows: bool) -> str:
    if version is None:
        return "-"
    return f"{version} (follows)" if follows else version


def _yes(value: bool) -> str:
    return "yes" if value else "no"
