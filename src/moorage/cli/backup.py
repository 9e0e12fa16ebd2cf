"""`moorage backup`: the database as one file, while servers write on."""

import os
from contextlib import closing
from pathlib import Path

import click

from moorage.cli.options import setting
from moorage.cli.screen import counting
from moorage.registry.backups import backup as write_backup
from moorage.store.opening import open_existing

#: What servers on this machine do comes first.
_NICENESS = 5


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@setting("database")
def backup(file: Path, force: bool, database: str) -> None:
    """Write everything that is committed now into FILE, a SQLite database, whichever the database is. Servers may go on
    writing. `moorage restore` puts it back.
    """
    if file.exists() and not force:
        raise click.ClickException(f"{file} is there already; name another file, or replace it with --force")
    os.nice(_NICENESS)
    with closing(open_existing(database)) as store:
        if file.with_name(f"{file.name}-wal").exists():
            raise click.ClickException(f"{file} is a database that a program has open; name another file")
        kept = write_backup(store, file)
    megabytes = file.stat().st_size / 1e6
    click.echo(f"{counting(kept.deployments, 'deployment')}, revision {kept.rev}, {megabytes:.1f} MB: {file}")
