"""Inspection of a database after a fault, against the log of acknowledged publishes."""

import json
from contextlib import closing
from pathlib import Path

import apsw

from moorage.core.deployments.page import PageQuery
from moorage.core.errors.base import MoorageError
from moorage.diagnostics.ledger import verify_ledger
from moorage.store.opening import open_store
from moorage.store.store import Store
from tools.common.data import marker_of
from tools.common.stored import MarkedVersion, Move, StoredVersions, check_detection
from tools.faults.acknowledged import Acknowledged
from tools.faults.publishing import KEYS, Publisher

_ALL = PageQuery(limit=1_000_000)


def check_history(database: str) -> list[str]:
    """Return the errors in the history of a database, and the rows that do not follow from it."""
    with closing(open_store(database)) as store:
        return verify_ledger(store)


def inspect(database: Path, log: Acknowledged) -> list[str]:
    """Return the errors of a SQLite database after a fault.

    It must open, be intact, have a valid history chain, all acknowledged publishes, and none that was not sent. Then
    every publish without an acknowledgement is retried with its idempotency key and must be stored once. The newest
    acknowledged publish is retried, too, and must return its first result.
    """
    try:
        store = open_store(f"sqlite:///{database}")
    except MoorageError as error:
        return [f"the database does not open: {error}"]
    with closing(store):
        publisher = Publisher(store)
        found = [*_damage(database), *_violations(publisher, log)]
        if not found:
            found = [*_retry(publisher, log), *_violations(publisher, log), *verify_ledger(store)]
        if store.newest_revision() != store.current_revision():
            found.append("the shared revision counter does not match the database")
    return found


def check_inspection(database: Path, log: Acknowledged) -> int:
    """Corrupt copies of the stored versions, and publish one version twice; return the number of ways.

    Raises:
        RuntimeError: the inspection does not detect one of them.
    """
    with closing(open_store(f"sqlite:///{database}")) as store:
        publisher = Publisher(store)
        key = max(KEYS, key=lambda key: len(log.versions[key]))
        acknowledged = log.versions[key]
        detected = check_detection(_read(publisher, key), acknowledged, len(log.unacknowledged(key)))
        store.run(publisher.publish, key, acknowledged[-1].marker, "another key")
        if not any("was published 2 times" in violation for violation in _violations(publisher, log)):
            raise RuntimeError("the inspection does not detect a duplicate")
    return detected + 1


def _read(publisher: Publisher, key: str) -> StoredVersions:
    """Read all versions and the history of a deployment; empty if it does not exist."""
    store: Store = publisher.store
    with store.read() as reader:
        found = reader.find_deployment(publisher.project_id, key)
        if found is None:
            return StoredVersions([], [], "")
        versions, _ = reader.versions(found, _ALL)
        entries, _ = reader.history(found.id, _ALL)
    marked = [
        MarkedVersion(str(each.number), marker_of(json.loads(each.content.prompt_config))) for each in versions[::-1]
    ]
    moves = [Move(each.from_version, each.to_version) for each in entries[::-1] if each.action == "published"]
    return StoredVersions(marked, moves, str(found.version))


def _damage(database: Path) -> list[str]:
    with closing(apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        lines = [line for (line,) in connection.execute("PRAGMA integrity_check")]
    return [f"integrity_check: {line}" for line in lines if line != "ok"]


def _violations(publisher: Publisher, log: Acknowledged) -> list[str]:
    return [violation for key in KEYS for violation in log.violations(key, _read(publisher, key))]


def _retry(publisher: Publisher, log: Acknowledged) -> list[str]:
    run = publisher.store.run
    for key in KEYS:
        for marker in log.unacknowledged(key):
            log.add_acknowledged(key, run(publisher.publish, key, marker))
    newest = [(key, log.versions[key][-1]) for key in KEYS if log.versions[key]]
    results = [(before, run(publisher.publish, key, before.marker)) for key, before in newest]
    return [f"the retry of {before} returned {after}" for before, after in results if before != after]
