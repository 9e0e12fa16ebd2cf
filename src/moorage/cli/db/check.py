"""`moorage db check`: check the integrity of the database."""

from contextlib import closing

import click

from moorage.cli.options import secret_keys, setting
from moorage.cli.output import echo, one_line
from moorage.diagnostics.history import Head
from moorage.diagnostics.integrity import check as check_store
from moorage.store.opening import open_existing

#: The number of findings that are shown for each check.
_MAX_SHOWN = 20

_HINT = "To restore a backup: moorage db restore FILE --replace. All writes since the backup are lost."


class _Head(click.ParamType[Head]):
    """The head of a history, as this command prints it, or a hash of an entry."""

    name = "HEAD"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Head:
        """Read it."""
        found = Head.parse(str(value))
        if found is None:
            self.fail(f"{str(value)[:100]!r} is not a head such as 24:HASH, with 64 hexadecimal digits", param, ctx)
        return found


@click.command()
@click.option("--expect", type=_Head(), help="A head that an earlier check printed; the history must contain it.")
@setting("database")
def check(expect: Head | None, database: str) -> None:
    """Check the integrity of the database.

    Reads all rows, and verifies that they follow from the hash-chained history. With a violation, the exit code is 1.
    The command changes nothing, and servers can run at the same time. A valid history has a head: store it elsewhere,
    and pass it with --expect to a later check.
    """
    is_valid, head = True, ""
    with closing(open_existing(database, secret_keys())) as store:
        for result in check_store(store, expect):
            head = head or result.head
            echo(f"{'FAILED' if result.findings else 'ok':7}{result.subject}")
            for finding in result.findings[:_MAX_SHOWN]:
                echo(f"       {one_line(finding, 1_000)}")
            if len(result.findings) > _MAX_SHOWN:
                echo(f"       … and {len(result.findings) - _MAX_SHOWN:,} more")
            is_valid = is_valid and not result.findings
    if not is_valid:
        raise click.ClickException(_HINT)
    if head:
        echo(f"head   {head}")
