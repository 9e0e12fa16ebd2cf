"""`moorage deployments create|describe|publish|undo|delete|restore`: what changes a deployment."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import click

from moorage.cli import screen
from moorage.cli.client import Client, deployment_path, one_line
from moorage.cli.documents import read_one
from moorage.cli.options import key_argument, output_option, setting

_reason = click.option("--reason", default="", help="Why; the history keeps it.")

_version = click.option("--version", metavar="VERSION", help="One version of it: its number or id.")


def _change(command: Callable[..., None]) -> Callable[..., None]:
    """The options of what changes what is served."""
    for decorate in (
        setting("url"),
        output_option,
        click.option("--take-ownership", is_flag=True, help="Even if a file keeps it; the API keeps it from then on."),
        click.option("--if-live", metavar="VERSION", help="Only if this version is live now."),
        _reason,
    ):
        command = decorate(command)
    return command


@click.command()
@click.argument("file", metavar="FILE")
@_reason
@output_option
@setting("url")
def create(file: str, reason: str, output: str, url: str) -> None:
    """Create the deployment in FILE (or -), kept through the API; `moorage apply` keeps it in the file."""
    document = read_one(file)
    body = {"key": document.key, **document.body, "reason": one_line(reason)}
    made = Client.from_environment(url).send("POST", "/v2/deployments", body)
    screen.print_done(made, output, f"Created {made['key']}: {made['version']} is live.")


@click.command()
@key_argument
@click.argument("version")
@click.option("--allow-breaking", is_flag=True, help="Even if it breaks programs; the history keeps that.")
@_change
def publish(key_or_id: str, version: str, output: str, url: str, **terms: Any) -> None:
    """Make a version the live one; an older one too."""
    live = _send(url, "POST", key_or_id, f"{_path(key_or_id, version)}/publish", **terms)
    screen.print_done(live, output, f"{key_or_id}: {live['version']} is live.")


@click.command()
@key_argument
@_change
def undo(key_or_id: str, output: str, url: str, **terms: Any) -> None:
    """Take back the last move of the live version; a second undo takes back the first."""
    live = _send(url, "POST", key_or_id, f"{deployment_path(key_or_id)}/undo", **terms)
    screen.print_done(live, output, f"{key_or_id}: {live['version']} is live again.")


@click.command()
@key_argument
@click.argument("description")
@_change
def describe(key_or_id: str, description: str, output: str, url: str, **terms: Any) -> None:
    """Change the description, which is not versioned."""
    body = {"description": description}
    item = _send(url, "PATCH", key_or_id, deployment_path(key_or_id), body, **terms)
    screen.print_done(item, output, f"{item['key']}: {item['description']}")


@click.command()
@key_argument
@_version
@click.option("--force", is_flag=True, help="Even if it was served in the last 7 days.")
@_change
def delete(key_or_id: str, version: str | None, output: str, url: str, **terms: Any) -> None:
    """Delete a deployment, or one version of it that is not live; for 30 days it can be restored."""
    gone = _send(url, "DELETE", key_or_id, _path(key_or_id, version), **terms)
    if version is None:
        told, back = f"Deleted {gone['key']}.", gone["id"]
    else:
        told, back = f"Deleted version {gone['version']} of {key_or_id}.", f"{key_or_id} --version {gone['version']}"
    screen.print_done(gone, output, f"{told} Until {gone['final']}: moorage deployments restore {back}")


@click.command()
@click.argument("key_or_id")
@_version
@_reason
@output_option
@setting("url")
def restore(key_or_id: str, version: str | None, reason: str, output: str, url: str) -> None:
    """Take back the deletion of a deployment, or of one version."""
    body = {"reason": one_line(reason)} if reason else None
    item = Client.from_environment(url).send("POST", f"{_path(key_or_id, version)}/restore", body)
    if version is None:
        told = f"Restored {item['key']}: {item['version']} is live."
    else:
        status = "a draft" if item["status"] == "draft" else item["status"]
        told = f"Restored version {item['version']} of {key_or_id}: it is {status}."
    screen.print_done(item, output, told)


COMMANDS = (create, describe, publish, undo, delete, restore)


def _path(key_or_id: str, version: str | None) -> str:
    path = deployment_path(key_or_id)
    return path if version is None else f"{path}/versions/{quote(version, safe='')}"


def _send(
    url: str,
    method: str,
    key_or_id: str,
    path: str,
    body: Any = None,
    *,
    reason: str,
    if_live: str | None,
    **flags: bool,
) -> Any:
    client = Client.from_environment(url)
    headers: dict[str, str] = {}
    if method == "DELETE":
        headers["X_Moorage_Reason"] = reason
    elif reason:
        body = {**(body or {}), "reason": one_line(reason)}
    if if_live is not None:
        there = client.get(deployment_path(key_or_id))
        if there.value["version"] != if_live:
            raise click.ClickException(
                f"{key_or_id}: {there.value['version']} is live, not {if_live}; nothing was changed. "
                f"See: moorage deployments history {key_or_id}"
            )
        headers["If_Match"] = there.headers["ETag"]
    return client.send(method, path, body, {name: True for name, is_set in flags.items() if is_set}, **headers)
