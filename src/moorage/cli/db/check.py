"""`moorage db check`: check the integrity of the database."""

from contextlib import closing

import click

from moorage.cli.options import setting
from moorage.cli.output import echo, one_line
from moorage.diagnostics.integrity import check as check_store
from moorage.store.opening import open_existing

#: The number of findings that are shown for each check.
_MAX_SHOWN = 20

_HINT = "To restore a backup: moorage db restore FILE --replace. All writes since the backup are lost."


@click.command()
@setting("database")
def check(database: str) -> None:
    """Check the integrity of the database.

    Reads all rows and verifies the hash chain of the history. With a violation, the exit code is 1. The command changes
    nothing, and servers can run at the same time.
    """
    is_valid = True
    with closing(open_existing(database)) as store:
        for result in check_store(store):
            echo(f"{'FAILED' if result.findings else 'ok':7}{result.subject}")
            for finding in result.findings[:_MAX_SHOWN]:
                echo(f"       {one_line(finding, 1_000)}")
            if len(result.findings) > _MAX_SHOWN:
                echo(f"       … and {len(result.findings) - _MAX_SHOWN:,} more")
            is_valid = is_valid and not result.findings
    if not is_valid:
        raise click.ClickException(_HINT)
