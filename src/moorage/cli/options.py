"""Options that several commands have, and options from the table of settings."""

from collections.abc import Callable
from typing import Any

import click

from moorage.cli.client import Client
from moorage.settings import SETTINGS, SettingError, from_environment

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def setting(name: str, kind: Any = str) -> Decorator:
    """Return an option `--name` with the environment variable and the default of the table of settings."""
    row = SETTINGS[name]

    def default() -> str | None:
        try:
            return from_environment(name)
        except SettingError as error:
            raise click.ClickException(str(error)) from error

    shown = f"[{row.variable}" + (f"; default: {row.default}]" if row.default else "]")
    return click.option(f"--{name.replace('_', '-')}", name, type=kind, default=default, help=f"{row.help}  {shown}")


def key_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the argument KEY_OR_ID, which a shell completes."""
    return click.argument("key_or_id", shell_complete=_complete_key)(command)


def _complete_key(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the keys with a prefix, or none if the server is unreachable."""
    try:
        client = Client.from_environment(ctx.params.get("url") or from_environment("url") or "")
        return [item["key"] for item in client.pages("/v2/deployments") if item["key"].startswith(incomplete)]
    except (click.ClickException, SettingError):
        return []


def output_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option `-o table|json|yaml`."""
    choice = click.Choice(["table", "json", "yaml"])
    return click.option("-o", "--output", type=choice, default="table", show_default=True)(command)
