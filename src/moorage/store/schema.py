"""Which schemas of a database are accepted, on both engines."""

from typing import Literal

from moorage.core.errors.storage import InvalidDatabase, SchemaTooNew, SchemaTooOld
from moorage.store.queries import load_migrations

#: `create`: create an empty database, upgrade an older one. `upgrade`: only upgrade. `existing`: neither.
#: `fresh`: create, but do not upgrade.
OpenMode = Literal["create", "upgrade", "existing", "fresh"]


def can_create(mode: OpenMode) -> bool:
    """Return whether tables are created where there are none."""
    return mode in ("create", "fresh")


def can_upgrade(mode: OpenMode) -> bool:
    """Return whether an older schema is upgraded."""
    return mode in ("create", "upgrade")


def check_schema(found: int, url: str, mode: OpenMode) -> None:
    """Check the schema of a database (0: it has no tables).

    Raises:
        InvalidDatabase: it has no tables, and none are created.
        SchemaTooNew: a newer Moorage wrote it.
        SchemaTooOld: an older Moorage wrote it, and it is not upgraded.
    """
    newest = len(load_migrations())
    if found > newest:
        raise SchemaTooNew(url=url, found=found, supported=newest)
    if found == 0 and not can_create(mode):
        raise InvalidDatabase(url=url, reason="it is empty: no Moorage has written to it")
    if 0 < found < newest and not can_upgrade(mode):
        raise SchemaTooOld(url=url, found=found, supported=newest)
