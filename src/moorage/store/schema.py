"""Which schemas of a database are taken, on both engines."""

from moorage.core.storage_errors import InvalidDatabase, SchemaTooNew, SchemaTooOld
from moorage.store.queries import load_migrations


def check_schema(found: int, url: str, *, may_be_new: bool = True, may_be_old: bool = True) -> None:
    """Refuse a database by its schema (0: it has no tables).

    Raises:
        InvalidDatabase: it has no tables, and is not to be a new one.
        SchemaTooNew: a newer Moorage wrote it.
        SchemaTooOld: an older one did, and it is not to be brought to this one's.
    """
    known = len(load_migrations())
    if found > known:
        raise SchemaTooNew(url=url, found=found, known=known)
    if found == 0 and not may_be_new:
        raise InvalidDatabase(url=url, reason="it is empty: no Moorage has written to it")
    if 0 < found < known and not may_be_old:
        raise SchemaTooOld(url=url, found=found, known=known)
