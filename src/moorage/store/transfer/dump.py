"""A dump: all rows of a database, table by table."""

import hashlib
from collections.abc import Iterable, Iterator

import msgspec

from moorage.store.columns import is_time
from moorage.store.engine import Row, Stream, as_word, checked_revision, the_row
from moorage.store.queries import load_queries, parameters

#: The limits of a batch of rows.
_MAX_ROWS = 500
_MAX_CHARACTERS = 4_000_000

_encode = msgspec.json.Encoder().encode


class TableSpec(msgspec.Struct, frozen=True):
    """A table, and the queries that read all rows, insert a row, and delete all rows."""

    name: str
    every: str
    put: str
    empty: str

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in order."""
        return parameters(load_queries()[self.put])


PROJECTS = TableSpec("project", "every_project", "insert_project", "empty_project")
ENVIRONMENTS = TableSpec("environment", "every_environment", "put_environment", "empty_environment")
API_KEYS = TableSpec("api_key", "every_api_key", "put_api_key", "empty_api_key")
DEPLOYMENTS = TableSpec("deployment", "every_deployment", "put_deployment", "empty_deployment")
VERSIONS = TableSpec("version", "every_version", "put_version", "empty_version")
POINTERS = TableSpec("pointer", "every_pointer", "put_pointer", "empty_pointer")
INTEGRATIONS = TableSpec("integration", "every_integration", "put_integration", "empty_integration")
PROPOSALS = TableSpec("proposal", "every_proposal", "put_proposal", "empty_proposal")
PROPOSAL_ITEMS = TableSpec("proposal_item", "every_proposal_item", "put_proposal_item", "empty_proposal_item")
APPROVALS = TableSpec("approval", "every_approval", "put_approval", "empty_approval")
HISTORY = TableSpec("history", "history", "insert_entry", "empty_history")

#: All tables in the order of their foreign keys and of the query `counts`.
TABLES = (
    PROJECTS,
    ENVIRONMENTS,
    API_KEYS,
    DEPLOYMENTS,
    VERSIONS,
    POINTERS,
    INTEGRATIONS,
    PROPOSALS,
    PROPOSAL_ITEMS,
    APPROVALS,
    HISTORY,
    TableSpec("idempotency", "every_result", "put_result", "empty_idempotency"),
    TableSpec("consumer", "every_consumer", "put_consumer", "empty_consumer"),
    TableSpec("try_case", "every_case", "insert_case", "empty_cases"),
    TableSpec("alias", "every_alias", "insert_alias", "empty_aliases"),
)


class DatabaseDump:
    """A database in one committed state: revision `rev` of its `epoch`."""

    def __init__(self, stream: Stream) -> None:
        """Read the database with `stream`."""
        self._stream = stream
        epoch, rev, last_created_us, history_hash, history_key = the_row(stream("state"))
        self.epoch, self.rev = as_word(epoch), checked_revision(rev)
        self.history_hash, self.history_key = as_word(history_hash), as_word(history_key)
        #: 0 if it is no time: the next write is then dated by the clock.
        self.last_created_us = last_created_us if is_time(last_created_us) else 0
        #: The columns of the row with the revision that another program changed, and what they are.
        self.state_problems: dict[str, str] = {}
        if not is_time(last_created_us):
            self.state_problems["last_created_us"] = f"{last_created_us!r}, which is not a time"
        for column, value in (("epoch", epoch), ("history_hash", history_hash), ("history_key", history_key)):
            if value != as_word(value):
                self.state_problems[column] = f"{value!r}, which no Moorage writes"

    def rows(self, table: TableSpec) -> Iterator[Row]:
        """Return the rows of a table, one by one, in the order of its query."""
        return self._stream(table.every)

    def query(self, name: str) -> Iterator[Row]:
        """Return the rows of a query without parameters."""
        return self._stream(name)

    def counts(self) -> dict[str, int]:
        """Return the number of rows of each table by name."""
        return counts(self._stream("counts"))

    def deployments(self) -> int:
        """Return the number of deployments that are not deleted."""
        ((count,),) = self._stream("count_deployments")
        return int(count)

    def sealing_keys(self) -> dict[str, int]:
        """Return the number of integrations by the id of the secret key that encrypts their credentials."""
        return {as_word(key_id): count for key_id, count in self._stream("sealing_keys")}

    def orphans(self) -> Iterator[tuple[str, str, str]]:
        """Return the table and name of rows that belong to no row of another table, and that table."""
        return ((table, name, parent) for table, name, parent in self._stream("orphans"))

    def emptied_versions(self) -> Iterator[tuple[str, str, object, object]]:
        """Return id, key of the deployment, and number of versions without content that were not deleted."""
        return ((id_, key, major, minor) for id_, key, major, minor in self._stream("emptied_versions"))

    def stray_aliases(self) -> Iterator[tuple[str, str, str, str]]:
        """Return id, key, aliases and one alias of deployments whose aliases are not those that find them.

        The one alias is empty if a row is missing.
        """
        return ((id_, key, aliases, name) for id_, key, aliases, name in self._stream("stray_aliases"))

    def stray_pointers(self) -> Iterator[tuple[str, str, str]]:
        """Return id, key and live version id of deployments with a live version of another one."""
        return ((deployment_id, key, version_id) for deployment_id, key, version_id in self._stream("stray_pointers"))


class Fingerprint:
    """The number of rows of a table and the sum of their SHA-256.

    It does not depend on the order of the rows, because each database sorts texts in its own way.
    """

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Fingerprint":
        """Return the fingerprint of rows."""
        fingerprint = cls()
        for row in rows:
            fingerprint.add(row)
        return fingerprint

    def add(self, row: Row) -> None:
        """Add a row."""
        self.count += 1
        self._add(int.from_bytes(hashlib.sha256(_encode(row)).digest()))

    def merge(self, count: int, digest: str) -> None:
        """Add all rows of another fingerprint.

        Raises:
            ValueError: `digest` is not hexadecimal.
        """
        self.count += count
        self._add(int(digest, 16))

    @property
    def digest(self) -> str:
        """The sum as 64 hexadecimal digits."""
        return f"{self._sum:064x}"

    def _add(self, number: int) -> None:
        self._sum = (self._sum + number) % 2**256


def counts(rows: Iterable[Row]) -> dict[str, int]:
    """Return the result of the query `counts` by table name."""
    (row,) = rows
    return {table.name: count for table, count in zip(TABLES, row, strict=True)}


def batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield rows in batches that fit into memory."""
    batch: list[Row] = []
    characters = 0
    for row in rows:
        batch.append(row)
        characters += sum(len(value) for value in row if isinstance(value, str))
        if len(batch) == _MAX_ROWS or characters > _MAX_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch
