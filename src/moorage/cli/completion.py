"""`moorage completion`: shell completion of commands, options and keys."""

import click
from click.shell_completion import get_completion_class

from moorage.cli.output import echo

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a shell completion script.

    \b
        bash: eval "$(moorage completion bash)"      in ~/.bashrc
        zsh:  eval "$(moorage completion zsh)"       in ~/.zshrc
        fish: moorage completion fish | source       in ~/.config/fish/config.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 -- click has the three
    echo(kind(ctx.find_root().command, {}, "moorage", "_MOORAGE_COMPLETE").source())
