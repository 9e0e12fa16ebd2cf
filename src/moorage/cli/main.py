"""The command line: `moorage serve`, and what talks to a server that runs."""

import errno
from importlib import import_module

import click

from moorage import __version__
from moorage.core.errors.base import MoorageError
from moorage.documents.read import DocumentError

#: The module and the function of each command. A module is imported when its command runs: `list` does not import what
#: `serve` needs.
COMMANDS = {
    "serve": "moorage.cli.serve:serve",
    "apply": "moorage.cli.apply:apply",
    "diff": "moorage.cli.diff:diff",
    "drift": "moorage.cli.drift:drift",
    "export": "moorage.cli.export:export",
    "lock": "moorage.cli.lock:lock",
    "deployments": "moorage.cli.deployments.group:deployments",
    "keys": "moorage.cli.keys:keys",
    "projects": "moorage.cli.projects:projects",
    "db": "moorage.cli.db.group:db",
    "doctor": "moorage.cli.doctor:doctor",
    "completion": "moorage.cli.completion:completion",
}


class _Program(click.Group):
    """The command group. A `MoorageError` or a failed file operation is one line on standard error and exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except MoorageError as error:
            raise click.ClickException(str(error)) from error
        except DocumentError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # click handles it
                raise
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{where}{error.strerror or error}") from error


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, "--version", message="moorage %(version)s")
def main() -> None:
    """Self-hosted registry for LLM deployments."""
