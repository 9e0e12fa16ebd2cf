"""`moorage db authenticate`: authenticate the history of an existing database with the secret key."""

from contextlib import closing

import click

from moorage.cli.options import secret_keys, setting
from moorage.cli.output import echo
from moorage.diagnostics.integrity import check
from moorage.registry.history import authenticate as authenticate_history
from moorage.store.opening import open_existing

_NO_KEY = """MOORAGE_SECRET_KEY is not set. To create a key:

    openssl rand -hex 32 > secret_key
    export MOORAGE_SECRET_KEY_FILE=secret_key"""


@click.command()
@setting("database")
def authenticate(database: str) -> None:
    """Authenticate the history with the secret key.

    A new database needs no such command. For an existing one, run `moorage db check --expect HEAD` first, because this
    command vouches for all entries before. From then on, `moorage db check` finds every entry without the key.
    """
    keys = secret_keys()
    if keys.current_id is None:
        raise click.ClickException(_NO_KEY)
    with closing(open_existing(database, keys)) as store:
        if any(result.findings for result in check(store, is_backup=True)):
            raise click.ClickException(
                "The database is not as it must be, so nothing was changed. Run: moorage db check"
            )
        store.run(authenticate_history)
    echo(f"From now on, each entry of the history is authenticated with the secret key {keys.current_id}.")
