"""`moorage db check`: check the integrity of the database."""

from contextlib import closing

import click

from moorage.cli.options import setting
from moorage.cli.output import one_line
from moorage.diagnostics.integrity import check as check_store
from moorage.store.opening import open_existing

#: How many findings of each check are shown.
_SHOWN = 20

_HINT = "To restore a backup: moorage db restore FILE --replace. All writes since the backup are lost."


@click.command()
@setting("database")
def check(database: str) -> None:
    """Check the integrity of the database.

    Reads all rows, verifies the hash chain of the history, and lists everything that is wrong; then the exit code is 1.
    Servers can run at the same time.
    """
    is_sound = True
    with closing(open_existing(database)) as store:
        for each in check_store(store):
            click.echo(f"{'WRONG' if each.findings else 'ok':7}{each.what}")
            for finding in each.findings[:_SHOWN]:
                click.echo(f"       {one_line(finding, 1_000)}")
            if len(each.findings) > _SHOWN:
                click.echo(f"       … and {len(each.findings) - _SHOWN:,} more")
            is_sound = is_sound and not each.findings
    if not is_sound:
        raise click.ClickException(_HINT)
