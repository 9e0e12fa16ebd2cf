"""Rows that a copy, a backup or a restore leaves out, or that it copies although they cannot be decoded."""

import click

from moorage.cli.output import echo, one_line, pluralize
from moorage.store.transfer.checked_rows import CheckedRows

#: The number of rows that are shown.
_MAX_SHOWN = 20


def fail_if_damaged(checked: CheckedRows) -> None:
    """Print the rows, and raise an error for the exit code 1 if there are any.

    Raises:
        click.ClickException
    """
    left_out, undecoded = checked.left_out.total(), checked.undecoded.total()
    if not left_out and not undecoded:
        return
    for row in checked.reports[:_MAX_SHOWN]:
        result = "Left out" if row.is_left_out else "Cannot be decoded"
        echo(one_line(f"{result}: row {row.name} of table {row.table}: {row.reason}", 1_000), err=True)
    if left_out + undecoded > _MAX_SHOWN:
        echo(f"… and {left_out + undecoded - _MAX_SHOWN:,} more", err=True)
    raise click.ClickException(
        f"{pluralize(left_out, 'row')} left out, {pluralize(undecoded, 'row')} copied that cannot be decoded. "
        "To see what to do: moorage db check"
    )
