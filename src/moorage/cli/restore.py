"""`moorage restore`: the database as it was in a backup."""

from contextlib import closing
from pathlib import Path

import click

from moorage.cli.options import setting
from moorage.cli.screen import counting
from moorage.registry.backups import restore as restore_backup
from moorage.registry.backups import sound_backup
from moorage.store.opening import open_engine


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Lose what is in the database now.")
@setting("database")
def restore(file: Path, replace: bool, database: str) -> None:
    """Put the database into the state of a backup, whichever database it was made of: all of it, or nothing.

    The backup is checked first, as by `moorage check`.
    """
    with sound_backup(file) as saved, closing(open_engine(database)) as engine:
        kept = restore_backup(saved, engine, replace=replace)
        shown = engine.url
    click.echo(
        f"{shown} has the {counting(kept.deployments, 'deployment')} that it had at revision {kept.rev}; "
        f"its revision is {kept.now} now."
    )
