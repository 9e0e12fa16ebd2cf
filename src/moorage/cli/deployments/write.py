"""`moorage deployments create|set-description|publish|undo|unpublish|delete|restore`: change a deployment."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from moorage.cli.client import Client, Reply, deployment_path, one_line, version_path
from moorage.cli.environment_options import (
    emergency_option,
    environment_of,
    environment_option,
    follows_production,
    require_reason,
)
from moorage.cli.options import key_argument, output_option, setting
from moorage.cli.output import print_done
from moorage.cli.problems import print_warnings
from moorage.cli.proposed import shows_proposal
from moorage.cli.responses import Deleted, LiveDeployment, SavedVersion
from moorage.documents.read import read_one

T = TypeVar("T")

_reason = click.option("--reason", default="", help="The reason, for the history.")

_version = click.option("--version", metavar="VERSION", help="A version of it: its number or id.")


def _moves(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of commands that change the live version in an environment."""
    return environment_option(emergency_option(_change(command)))


def _change(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of commands that change a deployment."""
    for decorate in (
        shows_proposal,
        setting("url"),
        output_option,
        click.option("--take-ownership", is_flag=True, help="Even if a file manages it; then the API manages it."),
        click.option("--if-live", metavar="VERSION", help="Only if this version is live."),
        _reason,
    ):
        command = decorate(command)
    return command


@click.command()
@click.argument("file", metavar="FILE")
@_reason
@environment_option
@emergency_option
@output_option
@setting("url")
@shows_proposal
def create(file: str, reason: str, environment: str | None, emergency: bool, output: str, url: str) -> None:
    """Create a deployment from FILE.

    - is standard input. The deployment is managed through the API; with `moorage apply`, the file manages it.
    """
    require_reason(reason, emergency=emergency)
    document = read_one(file)
    body = {"key": document.key, **document.body, "reason": one_line(reason)}
    query = {"environment": environment, "emergency": emergency or None}
    created = Client.from_environment(url).send("POST", "/v2/deployments", LiveDeployment, body, query)
    where = environment_of(created)
    print_done(created.plain(), output, f"Created {created.value.key}: {created.value.version} is live in {where}.")
    print_warnings(created, document)


@click.command()
@key_argument
@click.argument("version")
@click.option("--allow-breaking", is_flag=True, help="Even if it is a breaking change; the history records it.")
@_moves
def publish(key_or_id: str, version: str, output: str, url: str, **options: Any) -> None:
    """Publish a version, newer or older."""
    live = _send(url, "POST", key_or_id, f"{_path(key_or_id, version)}/publish", SavedVersion, options)
    print_done(live.plain(), output, f"{key_or_id}: {live.value.version} is live in {environment_of(live)}.")
    print_warnings(live)


@click.command()
@key_argument
@_moves
def undo(key_or_id: str, output: str, url: str, **options: Any) -> None:
    """Undo the last publish.

    A second undo undoes the first one. The undo of the first publish in an environment lets the deployment follow
    production again.
    """
    live = _send(url, "POST", key_or_id, f"{deployment_path(key_or_id)}/undo", SavedVersion, options)
    print_done(live.plain(), output, f"{key_or_id}: {_again(live)}")


@click.command()
@key_argument
@click.option("--allow-breaking", is_flag=True, help="Even if it is a breaking change; the history records it.")
@_moves
def unpublish(key_or_id: str, output: str, url: str, **options: Any) -> None:
    """Let a deployment follow production again.

    Its versions stay.
    """
    live = _send(url, "POST", key_or_id, f"{deployment_path(key_or_id)}/unpublish", SavedVersion, options)
    print_done(live.plain(), output, f"{key_or_id}: {_again(live)}")
    print_warnings(live)


def _again(live: Reply[SavedVersion]) -> str:
    """Return the state after a move back."""
    where, version = environment_of(live), live.value.version
    if not follows_production(live):
        return f"{version} is live again in {where}."
    if live.value.status != "live":  # production has none
        return f"it follows production again in {where}, where it is not live."
    return f"it follows production again in {where}, with version {version}."


@click.command()
@key_argument
@click.argument("description")
@_change
def set_description(key_or_id: str, description: str, output: str, url: str, **options: Any) -> None:
    """Change the description.

    The description is not versioned.
    """
    body = {"description": description}
    item = _send(url, "PATCH", key_or_id, deployment_path(key_or_id), LiveDeployment, options, body)
    print_done(item.plain(), output, f"{item.value.key}: {one_line(item.value.description)}")


@click.command()
@key_argument
@click.argument("aliases", nargs=-1)
@_change
def set_aliases(key_or_id: str, aliases: tuple[str, ...], output: str, url: str, **options: Any) -> None:
    """Replace the aliases; without ALIASES, remove them.

    An alias works everywhere a key does, such as the id of a prompt that OpenAI stored (pmpt_…). The aliases are not
    versioned.
    """
    body = {"aliases": [*aliases]}
    item = _send(url, "PATCH", key_or_id, deployment_path(key_or_id), LiveDeployment, options, body)
    print_done(item.plain(), output, f"{item.value.key}: {one_line(', '.join(item.value.aliases)) or 'no aliases'}")


@click.command()
@key_argument
@_version
@click.option("--force", is_flag=True, help="Even if it was served in the last 7 days.")
@emergency_option
@_change
def delete(key_or_id: str, version: str | None, output: str, url: str, **options: Any) -> None:
    """Delete a deployment or a version.

    A deployment is deleted in all environments. Only a version that is live in none can be deleted. Both can be
    restored for 30 days.
    """
    if version is not None and options["emergency"]:
        raise click.UsageError("--emergency is for deployments: the deletion of a version needs no approval.")
    reply = _send(url, "DELETE", key_or_id, _path(key_or_id, version), Deleted, options)
    deleted = reply.value
    if version is None:
        message, name = f"Deleted {deleted.key}, in all environments.", deleted.id
    else:
        name = f"{key_or_id} --version {deleted.version}"
        message = f"Deleted version {deleted.version} of {key_or_id}."
    until = one_line(deleted.restorable_until)
    print_done(reply.plain(), output, f"{message}\nTo restore it until {until}:\n  moorage deployments restore {name}")


@click.command()
@click.argument("key_or_id")
@_version
@_reason
@emergency_option
@output_option
@setting("url")
@shows_proposal
def restore(key_or_id: str, version: str | None, reason: str, emergency: bool, output: str, url: str) -> None:
    """Restore a deployment or a version.

    A deployment has its live versions again, in all environments.
    """
    require_reason(reason, emergency=emergency)
    if version is not None and emergency:
        raise click.UsageError("--emergency is for deployments: a restored version is not live.")
    body = {"reason": one_line(reason)} if reason else None
    client, path = Client.from_environment(url), f"{_path(key_or_id, version)}/restore"
    if version is None:
        live = client.send("POST", path, LiveDeployment, body, {"emergency": emergency or None})
        print_done(live.plain(), output, f"Restored {live.value.key}, in all environments.")
    else:
        saved = client.send("POST", path, SavedVersion, body)
        status = "a draft" if saved.value.status == "draft" else one_line(saved.value.status)
        message = f"Restored version {saved.value.version} of {key_or_id}: it is {status}."
        print_done(saved.plain(), output, message)


COMMANDS = (create, set_aliases, set_description, publish, undo, unpublish, delete, restore)


def _path(key_or_id: str, version: str | None) -> str:
    return deployment_path(key_or_id) if version is None else version_path(key_or_id, version)


def _send(
    url: str, method: str, key_or_id: str, path: str, kind: type[T], options: dict[str, Any], body: Any = None
) -> Reply[T]:
    """Send a change with the options of its command."""
    client, headers = Client.from_environment(url), dict[str, str]()
    reason, if_live, environment = options["reason"], options["if_live"], options.get("environment")
    require_reason(reason, emergency=options.get("emergency", False))
    if method == "DELETE":
        headers["X_Moorage_Change_Reason"] = reason
    elif reason:
        body = {**(body or {}), "reason": one_line(reason)}
    if if_live is not None:
        current = client.get(deployment_path(key_or_id), LiveDeployment, environment=environment)
        if current.value.version != if_live:
            raise click.ClickException(
                f"{key_or_id}: {one_line(current.value.version)} is live, not {if_live}. Nothing was changed. "
                f"To see what changed: moorage deployments history {key_or_id}"
            )
        headers["If_Match"] = current.header("ETag")
    flags = {name: True for name, value in options.items() if value is True}
    return client.send(method, path, kind, body, {"environment": environment, **flags}, **headers)
