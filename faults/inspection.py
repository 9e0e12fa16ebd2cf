"""Inspection: a file of SQLite after a fault, opened as any server opens it, and held against an account."""

from contextlib import closing
from pathlib import Path

import apsw
from bench.changes import mark_of
from bench.kept import Kept, Marked, Move, controls

from faults.account import Account
from faults.publishing import KEYS, Publisher
from moorage.core.errors import MoorageError
from moorage.core.page import PageQuery
from moorage.registry.audit import verify_ledger
from moorage.store.opening import open_store
from moorage.store.store import Store

_ALL = PageQuery(limit=1_000_000)


def inspect(database: Path, account: Account) -> list[str]:
    """What is wrong with a database after a fault, in words.

    It must open, be intact, and have a ledger that verifies; all that was acknowledged must be there, and nothing that
    was not sent. Then what was not answered is sent again, with its idempotency key, and must be there once after; and
    the newest of what was acknowledged too, which must get the answer that it got before.
    """
    try:
        store = open_store(f"sqlite:///{database}")
    except MoorageError as error:
        return [f"it does not open: {error}"]
    with closing(store):
        publisher = Publisher(store)
        wrong = [*_damage(database), *_faults(publisher, account)]
        if not wrong:
            wrong = [*_send_again(publisher, account), *_faults(publisher, account), *verify_ledger(store)]
        if store.newest_revision() != store.current_revision():
            wrong.append("the shared revision is not the database's")
    return wrong


def spoil(database: Path, account: Account) -> int:
    """Spoil what is there, in several ways, and send one again without its key; how many ways there were.

    Raises:
        RuntimeError: a check did not find one of them, so that it finds nothing says nothing.
    """
    with closing(open_store(f"sqlite:///{database}")) as store:
        publisher = Publisher(store)
        key = max(KEYS, key=lambda key: len(account.acknowledged[key]))
        acknowledged = account.acknowledged[key]
        found = controls(read(store, publisher.project_id, key), acknowledged, len(account.unanswered(key)))
        publisher.publish(key, acknowledged[-1].mark, store, "another key")
        if not any("was done 2 times" in what for what in _faults(publisher, account)):
            raise RuntimeError("the check does not find what was done twice")
    return found + 1


def read(store: Store, project_id: str, key: str) -> Kept:
    """All versions of a deployment, and its history; empty if there is none."""
    with store.read() as reading:
        deployment = reading.find_deployment(project_id, key)
        if deployment is None:
            return Kept([], [], "")
        versions, _ = reading.versions(deployment.id, _ALL)
        entries, _ = reading.history(deployment.id, _ALL)
    marked = [Marked(str(each.number), mark_of(each.content()["prompt_config"])) for each in reversed(versions)]
    moves = [Move(each.from_version, each.to_version) for each in reversed(entries) if each.action == "published"]
    return Kept(marked, moves, str(deployment.version))


def _damage(database: Path) -> list[str]:
    with closing(apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        told = [line for (line,) in connection.execute("PRAGMA integrity_check")]
    return [f"integrity_check: {line}" for line in told if line != "ok"]


def _faults(publisher: Publisher, account: Account) -> list[str]:
    return [what for key in KEYS for what in account.faults(key, read(publisher.store, publisher.project_id, key))]


def _send_again(publisher: Publisher, account: Account) -> list[str]:
    for key in KEYS:
        for mark in account.unanswered(key):
            account.note_acknowledged(key, publisher.publish(key, mark, publisher.store))
    newest = [(key, account.acknowledged[key][-1]) for key in KEYS if account.acknowledged[key]]
    answers = [(before, publisher.publish(key, before.mark, publisher.store)) for key, before in newest]
    return [
        f"{before} was answered with {after} when it was sent again" for before, after in answers if before != after
    ]
