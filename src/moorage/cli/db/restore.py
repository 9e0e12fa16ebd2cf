"""`moorage db restore`: restore a backup."""

from contextlib import closing
from pathlib import Path

import click

from moorage.cli.db.damaged_rows import fail_if_damaged
from moorage.cli.db.needed_keys import print_needed_keys
from moorage.cli.options import secret_keys, setting
from moorage.cli.output import echo, pluralize
from moorage.registry.backups import checked_backup
from moorage.registry.backups import restore as restore_backup
from moorage.store.opening import open_engine
from moorage.store.sealing import KeyRing


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Replace the current content of the database.")
@click.option("--damaged", is_flag=True, help="Also restore a backup that `moorage db check` rejects.")
@setting("database")
def restore(file: Path, replace: bool, damaged: bool, database: str) -> None:
    """Restore a backup.

    FILE may be a backup of SQLite or PostgreSQL. It is checked first, as by `moorage db check`, and restored completely
    or not at all. With --damaged, rows that no database can store are left out and listed; then the exit code is 1.
    """
    keys = secret_keys()
    checked = checked_backup(file, keys, is_damaged_allowed=damaged)
    with checked as saved, closing(open_engine(database)) as engine:
        info = restore_backup(saved, engine, replace=replace)
        shown, key_ring = engine.url, KeyRing(keys, engine.key_file())
    echo(
        f"Restored {pluralize(info.deployments, 'deployment')} of revision {info.rev} into {shown}; "
        f"the revision is now {info.database_rev}."
    )
    print_needed_keys(info.sealing_keys, "the backup", key_ring)
    fail_if_damaged(info.checked)
