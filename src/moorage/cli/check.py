"""`moorage check`: whether the database is as it must be."""

from contextlib import closing

import click

from moorage.cli.options import setting
from moorage.cli.screen import cell
from moorage.registry.check import check as check_store
from moorage.store.opening import open_existing

#: As many findings of a kind are shown.
_SHOWN = 20

_HINT = "Put the database back with `moorage restore FILE --replace`; what was written since the backup will be gone."


@click.command()
@setting("database")
def check(database: str) -> None:
    """Read the whole database and say what is wrong with it; exit code 1 if anything is. It may run beside servers."""
    is_sound = True
    with closing(open_existing(database)) as store:
        for each in check_store(store):
            click.echo(f"{'WRONG' if each.findings else 'ok':7}{each.what}")
            for finding in each.findings[:_SHOWN]:
                click.echo(f"       {cell(finding, 1_000)}")
            if len(each.findings) > _SHOWN:
                click.echo(f"       … and {len(each.findings) - _SHOWN:,} more")
            is_sound = is_sound and not each.findings
    if not is_sound:
        raise click.ClickException(_HINT)
