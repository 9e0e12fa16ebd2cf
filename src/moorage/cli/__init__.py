"""The command line: `moorage serve`, and what talks to a server that runs."""

import errno
from importlib import import_module

import click

from moorage import __version__
from moorage.core.errors import MoorageError

#: Each command is a function of its name in a module of its name, imported when it is asked for: what serves is no
#: burden to what lists.
COMMANDS = (
    "serve", "apply", "diff", "drift", "export", "pull", "deployments", "keys", "projects", "audit", "purge", "copy",
    "backup", "restore", "check", "doctor", "completion",
)  # fmt: skip


class _Program(click.Group):
    """A group whose commands may raise `MoorageError`, or fail on a file: one line, and exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"moorage.cli.{cmd_name}"), cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except MoorageError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # click knows what to do
                raise
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{where}{error.strerror or error}") from error


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, "--version", message="moorage %(version)s")
def main() -> None:
    """The home a team runs for its LLM deployments."""
