"""Command-line options made from the table of settings."""

from collections.abc import Callable
from typing import Any

import click

from moorage.settings import SETTINGS, SettingError, from_environment

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def setting(name: str, kind: Any = str) -> Decorator:
    """An option `--name` that falls back to the environment and the default, as the table says."""
    row = SETTINGS[name]

    def default() -> str | None:
        try:
            return from_environment(name)
        except SettingError as error:
            raise click.ClickException(str(error)) from error

    shown = f"[{row.variable}" + (f"; default: {row.default}]" if row.default else "]")
    return click.option(f"--{name.replace('_', '-')}", name, type=kind, default=default, help=f"{row.help}  {shown}")


def output_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`-o table|json|yaml`."""
    choice = click.Choice(["table", "json", "yaml"])
    return click.option("-o", "--output", type=choice, default="table", show_default=True)(command)
