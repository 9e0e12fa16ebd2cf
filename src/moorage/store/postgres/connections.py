"""Connections to PostgreSQL: nothing waits on one for ever, and one that failed is not used again.

A few lines instead of psycopg_pool: whoever asks connects, so an error says why at once, and the first who asks after
the database is back has it. The pool connects in threads of its own, waits up to minutes between its attempts, and
tells those who wait only that time ran out.
"""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import errors
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus

from moorage.core.errors.storage import InvalidDatabase, StorageError, StorageFull, StorageUnavailable
from moorage.store.engine import Row

#: Seconds that a transaction waits for one of our connections to come free.
_TURN_SECONDS = 10

#: What is set where the address does not say otherwise. A connection whose other end is gone without a word is found
#: dead in about ten seconds; `primary`: of several hosts the one that can be written.
_DEFAULTS: Mapping[str, str | int] = {
    "application_name": "moorage",
    "client_encoding": "UTF8",
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "target_session_attrs": "primary",
}

#: What is wrong with an address of which nothing can be told for certain.
_UNREADABLE = (
    "cannot be read as postgresql://USER:PASSWORD@HOST:PORT/NAME; write special characters in the user and password as"
    " %XX"
)


class Connection(psycopg.Connection[Row]):
    """A connection that waits `deadline` seconds for an answer, and is closed if there is none: the database's own
    timeouts are of no use when it stands still, or the network does."""

    deadline = 40.0

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """See `psycopg.Connection`."""
        try:
            return super().wait(gen, interval, self.deadline if timeout is None else timeout)
        except psycopg.OperationalError as error:
            if timeout is None and self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()
                raise psycopg.OperationalError(f"no answer within {self.deadline:g} seconds") from error
            raise


class Address:
    """Where a database is. `shown` is safe to show: it has no password; `identity` is the same for all processes that
    were given the address, whatever its `password`."""

    def __init__(self, url: str, called: str = "its address") -> None:
        """Read an address that begins with `postgresql://`, and that an error calls so.

        Raises:
            InvalidDatabase
        """
        given = _parse(url)
        if given is None:  # a piece of the password may stand anywhere in it
            option = _unknown_option(url)
            why = f"has the option {option}, which PostgreSQL does not know" if option else _UNREADABLE
            raise InvalidDatabase(url="postgresql://…", reason=f"{called} {why}")
        parameters = {**_DEFAULTS, **given}
        self._conninfo = make_conninfo("", **parameters)
        self.password = str(given["password"]).encode() if given.get("password") else None
        self.identity = repr(sorted((key, str(value)) for key, value in given.items() if "password" not in key))
        self.shown = f"postgresql://{_hosts(given)}/{given.get('dbname') or ''}"

    def connect(self) -> Connection:
        """A new connection, on which each statement is a transaction until one is begun.

        Raises:
            psycopg.Error
        """
        # Nothing is prepared: behind a pgbouncer the next transaction may be on another connection.
        return Connection.connect(self._conninfo, autocommit=True, prepare_threshold=None)


def _parse(url: str) -> dict[str, Any] | None:
    """The parts of an address; none if they cannot be told apart for certain, as by an @ or / in the password."""
    before_options = url.partition("://")[2].partition("?")[0]
    authority, _, path = before_options.partition("/")
    if authority.count("@") > 1 or "@" in path:
        return None
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error:
        return None
    return given if re.fullmatch(r"[0-9,]*", str(given.get("port", ""))) else None


def _unknown_option(url: str) -> str | None:
    """The option for which an address cannot be read; none if it could be a piece of a password."""
    rest, _, options = url.partition("?")
    if _parse(rest) is None or re.search("@|pass|secret|key", options):
        return None
    try:
        conninfo_to_dict(url)
    except psycopg.Error as error:
        unknown = re.match('invalid URI query parameter: "(.*)"', str(error))
        return unknown and unknown[1]
    return None


def _hosts(given: Mapping[str, Any]) -> str:
    """The hosts of an address, each with its port; one port alone is that of all."""
    names = str(given.get("host") or given.get("hostaddr") or "").split(",")
    hosts = [f"[{name}]" if ":" in name else name for name in names]
    ports = str(given.get("port", "")).split(",")
    ports *= len(hosts) if len(ports) == 1 else 1
    return ",".join(f"{host}:{port}" if port else host for host, port in zip(hosts, ports, strict=False))


class Connections:
    """Connections that are kept for the next transaction, up to `most` at a time."""

    def __init__(self, address: Address, most: int = 8) -> None:
        self._address = address
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._places = threading.Semaphore(most)
        self._is_closed = False

    @contextmanager
    def transaction(self, begin: str) -> Iterator[Connection]:
        """A transaction that is begun with `begin`; committed when the block ends, undone when it raises.

        Raises:
            StorageFull, StorageUnavailable: nothing was kept, or (a commit without an answer) nothing is acknowledged.
        """
        if not self._places.acquire(timeout=_TURN_SECONDS):
            raise StorageUnavailable(reason="all connections to it are in use")
        try:
            connection = self._begun(begin)
            try:
                yield connection
                _commit(connection)
            except psycopg.Error as error:
                raise told(error) from error
            finally:
                self._give_back(connection)
        finally:
            self._places.release()

    def start_anew(self) -> None:
        """Close those that are not in use."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def close(self) -> None:
        """Close those that are not in use, and the others when they are given back."""
        self._is_closed = True
        self.start_anew()

    def _begun(self, begin: str) -> Connection:
        """A connection on which `begin` was said, which shows that it works."""
        while connection := self._take():
            try:
                connection.execute(begin)
            except psycopg.Error:  # it broke while nobody used it, and with it those of the same time
                connection.close()
                self.start_anew()
            else:
                return connection
        try:
            connection = self._address.connect()
        except psycopg.Error as error:
            raise told(error) from error
        try:
            connection.execute(begin)
        except psycopg.Error as error:
            connection.close()
            raise told(error) from error
        return connection

    def _take(self) -> Connection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _give_back(self, connection: Connection) -> None:
        if connection.pgconn.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            with suppress(psycopg.Error):
                connection.execute("ROLLBACK")
        with self._lock:
            if connection.pgconn.transaction_status == TransactionStatus.IDLE and not self._is_closed:
                self._idle.append(connection)
                return
        connection.close()


def _commit(connection: Connection) -> None:
    try:
        answer = connection.execute("COMMIT").statusmessage
    except psycopg.Error as error:
        if connection.closed:
            reason = "the connection was lost while it committed, so the change may be there or not"
            raise StorageUnavailable(reason=reason) from error
        raise
    if answer != "COMMIT":  # a transaction in which a statement failed is undone, and that is no error
        raise StorageUnavailable(reason="it undid the transaction")


def told(error: psycopg.Error) -> StorageError:
    """What a failure is to those who asked."""
    return StorageFull() if isinstance(error, errors.DiskFull) else StorageUnavailable(reason=reason(error))


def reason(error: psycopg.Error) -> str:
    """In a line, without the values of a row."""
    lines = (error.diag.message_primary or str(error)).splitlines() or [type(error).__name__]
    return lines[0].strip()
