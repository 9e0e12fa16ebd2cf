"""The command line: `moorage serve`, and what talks to a server that runs."""

import click

from moorage import __version__
from moorage.cli.apply import apply
from moorage.cli.deployments import deployments
from moorage.cli.keys import keys
from moorage.cli.projects import projects
from moorage.cli.serve import serve
from moorage.core.errors import MoorageError


class _Program(click.Group):
    """A group whose commands may raise `MoorageError`: one line, and exit code 1."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except MoorageError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, "--version", message="moorage %(version)s")
def main() -> None:
    """The home a team runs for its LLM deployments."""


for command in (serve, apply, deployments, keys, projects):
    main.add_command(command)
