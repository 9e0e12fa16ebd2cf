"""The command line: `moorage serve`, and what talks to a server that runs."""

import errno
import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click
from click.exceptions import NoArgsIsHelpError

from moorage import __version__
from moorage.cli.groups import Group
from moorage.cli.output import USAGE_ERROR_LENGTH, echo, error_text
from moorage.core.errors.base import MoorageError
from moorage.core.escaping import visible_line
from moorage.documents.document import DocumentError

#: The module and the function of each command. A module is imported when its command runs: `list` does not import what
#: `serve` needs.
COMMANDS = {
    "serve": "moorage.cli.serve:serve",
    "apply": "moorage.cli.apply:apply",
    "diff": "moorage.cli.diff:diff",
    "drift": "moorage.cli.drift:drift",
    "export": "moorage.cli.export:export",
    "lock": "moorage.cli.lock:lock",
    "schema": "moorage.cli.schema:schema",
    "deployments": "moorage.cli.deployments.group:deployments",
    "login": "moorage.cli.login:login",
    "logout": "moorage.cli.login:logout",
    "keys": "moorage.cli.keys:keys",
    "environments": "moorage.cli.environments:environments",
    "proposals": "moorage.cli.proposals:proposals",
    "integrations": "moorage.cli.integrations:integrations",
    "projects": "moorage.cli.projects:projects",
    "db": "moorage.cli.db.group:db",
    "doctor": "moorage.cli.doctor:doctor",
    "completion": "moorage.cli.completion:completion",
}


class _Help(NoArgsIsHelpError):
    """The help of a group of commands that is used without one."""

    exit_code = 1


class _WrongUsage(click.UsageError):
    """A wrong argument or option."""

    exit_code = 1


class _Program(Group):
    """The command group. Every error is one line on standard error and exit code 1; 2 means a difference."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def main(self, args: Sequence[str] | None = None, *others: Any, **options: Any) -> Any:
        """Run a command. A traceback can contain secrets, so it is shown only with `python -X dev -m moorage`."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # its encoding may not have all characters
                stream.reconfigure(errors="backslashreplace")
        try:
            return super().main(args, *others, **options)
        except Exception as error:  # the last place to hide a traceback; every expected error was handled before
            if sys.flags.dev_mode:
                raise
            echo(
                f"Error: unexpected {type(error).__name__}, a fault of Moorage. To find its place, run the command as:"
                " python -X dev -m moorage …",
                err=True,
            )
            sys.exit(1)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        with _errors_as_lines():
            for number, argument in enumerate(args, 1):
                if any("\ud800" <= character <= "\udfff" for character in argument):
                    raise click.UsageError(f"Argument {number} is not UTF-8: {argument}")
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> object:
        with _errors_as_lines():
            return super().invoke(ctx)


@contextmanager
def _errors_as_lines() -> Iterator[None]:
    """Convert the errors of a command to errors of click, whose messages are safe to show."""
    try:
        yield
    except NoArgsIsHelpError as error:
        raise _Help(error.ctx) from error
    except click.UsageError as error:
        raise _WrongUsage(error_text(error.format_message(), USAGE_ERROR_LENGTH), error.ctx) from error
    except click.ClickException as error:
        raise click.ClickException(error_text(error.format_message())) from error
    except DocumentError as error:
        raise click.ClickException("\n  ".join([visible_line(error, 10_000), *error.excerpt])) from error
    except MoorageError as error:
        raise click.ClickException(visible_line(error, 10_000)) from error
    except OSError as error:
        if error.errno == errno.EPIPE:  # click handles it
            raise
        where = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(visible_line(f"{where}{error.strerror or error}", 10_000)) from error


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, "--version", message="moorage %(version)s")
def main() -> None:
    """Self-hosted registry and gateway for LLM deployments."""
