"""Clients in forked processes, as with `gunicorn --preload`, Celery's prefork pool, or multiprocessing.

A fork copies memory and connections, but only the thread that calls it. So each client of the parent is restarted in
the child. Clients are referenced weakly: one that the application dropped is not restarted.
"""

import logging
import os
import weakref
from typing import Protocol

_log = logging.getLogger("moorage.client")


class Restartable(Protocol):
    """An object with threads."""

    def _restart_in_child(self) -> None:
        """Start the threads again in the child of a fork."""


_clients: "weakref.WeakSet[Restartable]" = weakref.WeakSet()


def restart_after_fork(client: Restartable) -> None:
    """Restart a client in the child of each later fork, as long as it is referenced."""
    _clients.add(client)


def _restart_all() -> None:
    for client in list(_clients):
        try:
            client._restart_in_child()
        except Exception:  # noqa: BLE001 -- for example, no thread can start; the other clients are restarted
            _log.exception("a client of moorage cannot be restarted after a fork, and becomes stale")


os.register_at_fork(after_in_child=_restart_all)
