"""The options `--environment` and `--emergency`, and the environment of a response."""

from collections.abc import Callable
from typing import Any

import click

from moorage.cli.client import Client, Reply
from moorage.cli.environment_responses import EnvironmentList
from moorage.cli.errors import raise_not_moorage
from moorage.core.environments import PRODUCTION, is_environment_name
from moorage.core.errors.base import MoorageError
from moorage.settings import SettingError, from_environment

_HEADER = "X-Moorage-Environment"

_HELP = "The environment.  [default: that of the API key, else production]"


def complete_environment(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of environments with a prefix, or none if the server is unreachable."""
    try:
        client = Client.from_environment(ctx.params.get("url") or from_environment("url") or "")
        found = client.get("/v2/environments", EnvironmentList).value.data
    except (click.ClickException, SettingError, MoorageError):
        return []
    return [each.name for each in found if each.name.startswith(incomplete)]


def environment_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option `--environment`."""
    return click.option("--environment", metavar="NAME", help=_HELP, shell_complete=complete_environment)(command)


def emergency_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option `--emergency`."""
    text = "Without the approvals that the environment requires; needs --reason, and a scope of its own."
    return click.option("--emergency", is_flag=True, help=text)(command)


def require_reason(reason: str, *, emergency: bool) -> None:
    """Check that an emergency has a reason.

    Raises:
        click.UsageError
    """
    if emergency and not reason.strip():
        raise click.UsageError("--emergency needs --reason: the history records both.")


def environment_of(reply: Reply[Any]) -> str:
    """Return the environment of a response; a server without environments has only production."""
    name = (reply.find_header(_HEADER) or PRODUCTION).partition(";")[0]
    if not is_environment_name(name):  # it becomes a part of commands to copy
        raise_not_moorage(reply.url, reply.response.status, f"the header {_HEADER} is invalid")
    return name


def follows_production(reply: Reply[Any]) -> bool:
    """Return whether the deployment of a response follows production."""
    return (reply.find_header(_HEADER) or "").endswith(";follows=production")


def in_environment(environment: str | None) -> str:
    """Return the option for a command to copy."""
    return f" --environment {environment}" if environment and environment != PRODUCTION else ""
