"""Options that several commands have, and options from the table of settings."""

import os
import re
from collections.abc import Callable
from itertools import islice
from typing import Any

import click
import msgspec
from click.core import ParameterSource

from moorage.cli.client import Client
from moorage.cli.profile import read_profile
from moorage.cli.responses import DeploymentRow, Page
from moorage.core.errors.base import MoorageError
from moorage.core.escaping import visible_line
from moorage.core.secret_keys import SecretKeys
from moorage.settings import SETTINGS, Setting, SettingError, find_mistake, from_environment
from moorage.settings import secret_keys as read_secret_keys

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_MAX_SECONDS = 1_000_000_000

#: How many pages of keys a shell completion reads.
_COMPLETION_PAGES = 100


class WholeNumber(click.IntRange):
    """A whole number in ASCII digits; Python also reads `1_0` and the digits of other scripts."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number of an option."""
        if not re.fullmatch(r"-?[0-9]{1,18}", str(value)):
            self.fail(f"'{visible_line(value, 80)}' is not a valid integer.", param, ctx)
        return int(super().convert(value, param, ctx))


class Seconds(click.FloatRange):
    """A finite number of seconds, at least 1; a comparison with NaN is never true, so every limit would be ignored."""

    def __init__(self) -> None:
        super().__init__(1, _MAX_SECONDS)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number of an option."""
        if not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{0,18})?([eE][-+]?[0-9]{1,3})?", str(value)):
            self.fail(f"'{visible_line(value, 80)}' is not a number of seconds.", param, ctx)
        return float(super().convert(value, param, ctx))


class Parsed(click.ParamType[Any]):
    """A value that a function parses; the message of its `ValueError` is the error."""

    name = "text"

    def __init__(self, parse: Callable[[str], Any]) -> None:
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value of an option."""
        try:
            return self._parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _SettingType(click.ParamType[Any]):
    """The type of an option from the table of settings. An error names the variable that has the value."""

    def __init__(self, row: Setting, kind: click.ParamType[Any]) -> None:
        self._row = row
        self._kind = kind
        self.name = kind.name

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        return self._kind.get_metavar(param, ctx)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value of the setting."""
        mistake = find_mistake(self._row, str(value))
        if not mistake:
            try:
                return self._kind.convert(value, param, ctx)
            except click.BadParameter as error:
                mistake = error.message
        raise click.BadParameter(mistake, ctx, param, self._source(param, ctx))

    def _source(self, param: click.Parameter | None, ctx: click.Context | None) -> str | None:
        """Return the name of the environment variable, if the value is from the environment."""
        if param is None or ctx is None or param.name is None:
            return None
        if ctx.get_parameter_source(param.name) is not ParameterSource.DEFAULT:
            return None
        file = f"{self._row.variable}_FILE"
        return file if os.environ.get(file) else self._row.variable


def setting(name: str, kind: click.ParamType[Any] = click.STRING) -> Decorator:
    """Return an option `--name` with the environment variable and the default of the table of settings."""
    row = SETTINGS[name]

    def default() -> str | None:
        try:
            value = from_environment(name)
        except SettingError as error:
            raise click.ClickException(str(error)) from error
        if name == "url" and not is_in_environment(row) and (profile := read_profile()):
            return profile.url
        return value

    text = f"[{row.variable}" + (f"; default: {row.default}]" if row.default else "]")
    option = f"--{name.replace('_', '-')}"
    return click.option(option, name, type=_SettingType(row, kind), default=default, help=f"{row.help}  {text}")


def is_in_environment(row: Setting) -> bool:
    """Return whether the environment has a value for a setting."""
    return bool(os.environ.get(row.variable) or os.environ.get(f"{row.variable}_FILE"))


def is_chosen(ctx: click.Context, name: str) -> bool:
    """Return whether the user chose the value of a setting: with its option, or in the environment."""
    return ctx.get_parameter_source(name) is not ParameterSource.DEFAULT or is_in_environment(SETTINGS[name])


def secret_keys() -> SecretKeys:
    """Return the secret keys; there is no option for them, because other users can read the arguments of a process."""
    try:
        return read_secret_keys()
    except SettingError as error:
        raise click.ClickException(str(error)) from error


def key_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the argument KEY_OR_ID, which a shell completes."""
    return click.argument("key_or_id", shell_complete=complete_key)(command)


def complete_key(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the keys with a prefix, or none if the server is unreachable."""
    try:
        client = Client.from_environment(ctx.params.get("url") or from_environment("url") or "")
        pages = islice(client.pages("/v2/deployments", Page[DeploymentRow]), _COMPLETION_PAGES)
        return [item.key for page in pages for item in page.value.data if item.key.startswith(incomplete)]
    except (click.ClickException, SettingError, MoorageError):
        return []


def output_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option `-o table|json|yaml`."""
    choice = click.Choice(["table", "json", "yaml"])
    return click.option("-o", "--output", type=choice, default="table", show_default=True)(command)


def strict_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option `--strict`."""
    text = "Fail for files in folders that are no deployments, instead of skipping them."
    return click.option("--strict", is_flag=True, help=text)(command)


def _pair(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> dict[str, Any]:
    """Return `name=text` and `name:=JSON` pairs as an object."""
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name.removesuffix(":"):
            raise click.BadParameter(f"{text!r} must have the form NAME=TEXT or NAME:=JSON", ctx, param)
        try:
            found[name.removesuffix(":")] = msgspec.json.decode(value) if name.endswith(":") else value
        except (msgspec.DecodeError, RecursionError) as error:
            raise click.BadParameter(
                f"in {text[:200]!r}, {value[:200]!r} is not JSON; for text, use NAME=TEXT", ctx, param
            ) from error
    return found


def pairs_option(name: str, meaning: str) -> Decorator:
    """Return an option `--name NAME=TEXT` whose values become one object."""
    text = f"{meaning}: NAME=TEXT, or NAME:=JSON for a number, true, false or a list. May be repeated."
    return click.option(f"--{name}", multiple=True, callback=_pair, metavar="NAME=TEXT", help=text)


input_option = pairs_option("input", "The value of a variable")
context_option = pairs_option("context", "An attribute for routing")
