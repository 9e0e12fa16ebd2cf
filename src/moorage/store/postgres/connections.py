"""Connections to PostgreSQL.

Every wait has a timeout, and a failed connection is not reused. A small pool instead of psycopg_pool: the thread that
needs a connection opens it. So an error has its cause at once, and the first request after the database has recovered
succeeds. psycopg_pool connects in its own threads, waits up to minutes between attempts, and reports only a timeout.
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

from moorage.core.errors.storage import (
    CommitUnknown,
    InvalidDatabase,
    StorageError,
    StorageFull,
    StorageUnavailable,
)
from moorage.store.engine import Row
from moorage.store.errors import error_text

#: Seconds that a transaction waits for a free connection.
_ACQUIRE_SECONDS = 10

#: Default options of an address. The keepalive options detect a dead peer in about ten seconds. `primary`: of several
#: hosts, the one that accepts writes.
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

#: The error of an address that cannot be parsed with certainty.
_UNPARSABLE = (
    "cannot be read as postgresql://USER:PASSWORD@HOST:PORT/NAME; write special characters in the user and password as"
    " %XX"
)


class Connection(psycopg.Connection[Row]):
    """A connection that is closed if a query takes longer than `deadline` seconds.

    The timeouts of the database do not help if its process hangs or the network is down.
    """

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
    """The address of a database.

    `redacted` has no password and is safe to show. `identity` does not depend on the password and is the same in all
    processes with this address.
    """

    def __init__(self, url: str, label: str = "its address") -> None:
        """Parse an address that begins with `postgresql://`; `label` names it in an error.

        Raises:
            InvalidDatabase
        """
        given = _parse(url)
        if given is None:  # it is not shown: any part of it may be the password
            option = _unknown_option(url)
            why = f"has the option {option}, which PostgreSQL does not have" if option else _UNPARSABLE
            raise InvalidDatabase(url="postgresql://…", reason=f"{label} {why}")
        parameters = {**_DEFAULTS, **given}
        self._conninfo = make_conninfo("", **parameters)
        self.password = str(given["password"]).encode() if given.get("password") else None
        self.identity = repr(sorted((key, str(value)) for key, value in given.items() if "password" not in key))
        self.redacted = f"postgresql://{_hosts(given)}/{given.get('dbname') or ''}"

    def connect(self) -> Connection:
        """Open a connection in autocommit mode.

        Raises:
            psycopg.Error
        """
        # No prepared statements: behind a pgbouncer, the next transaction may use another connection.
        return Connection.connect(self._conninfo, autocommit=True, prepare_threshold=None)


def _parse(url: str) -> dict[str, Any] | None:
    """Return the parts of an address; None if they are ambiguous (@ or / in the password)."""
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
    """Return the unknown option of an address; None if it may be a part of a password."""
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
    """Return the hosts of an address with their ports; a single port applies to all hosts."""
    names = str(given.get("host") or given.get("hostaddr") or "").split(",")
    hosts = [f"[{name}]" if ":" in name else name for name in names]
    ports = str(given.get("port", "")).split(",")
    ports *= len(hosts) if len(ports) == 1 else 1
    return ",".join(f"{host}:{port}" if port else host for host, port in zip(hosts, ports, strict=False))


class Connections:
    """A pool of up to `max_size` connections."""

    def __init__(self, address: Address, max_size: int = 8) -> None:
        self._address = address
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._free = threading.Semaphore(max_size)
        self._is_closed = False

    @contextmanager
    def transaction(self, begin: str) -> Iterator[Connection]:
        """Run a transaction that starts with `begin`; it is rolled back if the block raises.

        Raises:
            StorageFull, StorageUnavailable: nothing was stored, or (a failed commit) nothing is acknowledged.
        """
        if not self._free.acquire(timeout=_ACQUIRE_SECONDS):
            raise StorageUnavailable(reason="all connections to it are in use")
        try:
            connection = self._begin(begin)
            try:
                yield connection
                _commit(connection)
            except psycopg.Error as error:
                raise translate_error(error) from error
            finally:
                self._release(connection)
        finally:
            self._free.release()

    def close_idle(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def close(self) -> None:
        """Close the idle connections now, and the others when their transactions end."""
        self._is_closed = True
        self.close_idle()

    def _begin(self, begin: str) -> Connection:
        """Return a connection on which `begin` has run, which proves that it works."""
        while connection := self._pop_idle():
            try:
                connection.execute(begin)
            except psycopg.Error:  # it broke while idle; the other idle connections probably did too
                connection.close()
                self.close_idle()
            else:
                return connection
        try:
            connection = self._address.connect()
        except psycopg.Error as error:
            raise translate_error(error) from error
        try:
            connection.execute(begin)
        except psycopg.Error as error:
            connection.close()
            raise translate_error(error) from error
        return connection

    def _pop_idle(self) -> Connection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _release(self, connection: Connection) -> None:
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
        status = connection.execute("COMMIT").statusmessage
    except psycopg.Error as error:
        if connection.closed:
            raise CommitUnknown(reason="the connection was lost during the commit") from error
        raise
    if status != "COMMIT":  # PostgreSQL rolls back after a failed statement, without an error
        raise StorageUnavailable(reason="it rolled the transaction back")


def translate_error(error: psycopg.Error) -> StorageError:
    """Return the storage error for an error of PostgreSQL."""
    return StorageFull() if isinstance(error, errors.DiskFull) else StorageUnavailable(reason=error_text(error))
