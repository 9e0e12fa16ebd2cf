"""Groups of commands."""

import click

from moorage.core.validation.messages import nearest


class Group(click.Group):
    """A group of commands; the error of an unknown one names a similar one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name.

        Raises:
            click.UsageError: there is none.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            hint = nearest(args[0], self.list_commands(ctx)).removeprefix(".")
            raise click.UsageError(f"{error.message}{hint}", error.ctx) from error
