"""`moorage db backup`: copy the database into one file, while servers run."""

import os
from contextlib import closing
from pathlib import Path

import click

from moorage.cli.db.damaged_rows import fail_if_damaged
from moorage.cli.db.needed_keys import print_needed_keys
from moorage.cli.options import setting
from moorage.cli.output import echo, pluralize
from moorage.files import check_target
from moorage.registry.backups import backup as write_backup
from moorage.store.opening import open_existing

#: The nice value of the process: servers on this machine have priority.
_NICENESS = 5


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite FILE if it exists.")
@setting("database")
def backup(file: Path, force: bool, database: str) -> None:
    """Back up the database into FILE.

    FILE becomes a SQLite database with one committed state, on PostgreSQL, too. Servers can continue to write.
    `moorage db restore` restores it. If rows cannot be decoded, they are listed, and the exit code is 1.
    """
    check_target(file)
    if file.exists() and not force:
        raise click.ClickException(f"{file} already exists. Choose another file, or overwrite it with --force.")
    os.nice(_NICENESS)
    with closing(open_existing(database)) as store:
        if file.with_name(f"{file.name}-wal").exists():
            raise click.ClickException(f"{file} is a database that is in use. Choose another file.")
        kept = write_backup(store, file)
    megabytes = file.stat().st_size / 1e6
    echo(f"{pluralize(kept.deployments, 'deployment')}, revision {kept.rev}, {megabytes:.1f} MB: {file}")
    print_needed_keys(kept.sealing_keys, "the backup")
    fail_if_damaged(kept.checked)
