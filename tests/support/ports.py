"""Ports for servers. A process reserves a port until it ends."""

import fcntl
import os
import random
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

#: The folder that all test processes share. During a test, the temporary folder is another one.
TEMPORARY = Path(tempfile.gettempdir())

_LOWEST, _HIGHEST = 10_000, 65_535

_reserved: set[int] = set()
_locks: list[int] = []


def reserve_port() -> int:
    """Return a free port of 127.0.0.1 that no other test process on this machine uses.

    A server needs the same port again after a restart, so a socket cannot reserve it. Instead, the process locks byte N
    of a shared file for port N. The kernel releases the lock when the process ends, even after a kill.
    """
    candidates = _candidates()
    while True:
        port = random.choice(candidates)
        if port not in _reserved and _lock(port):
            _reserved.add(port)
            if _is_free(port):
                return port


def _candidates() -> list[int]:
    """Return the ports that the kernel does not assign to the connections of clients."""
    text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    first, last = map(int, text.split())
    outside = [port for port in range(_LOWEST, _HIGHEST + 1) if not first <= port <= last]
    return outside or list(range(_LOWEST, _HIGHEST + 1))


def _lock(port: int) -> bool:
    if not _locks:
        path = TEMPORARY / f"moorage-test-ports-{os.getuid()}"
        _locks.append(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    try:
        fcntl.lockf(_locks[0], fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:  # another process has reserved it
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe, suppress(OSError):
        probe.bind(("", port))
        return True
    return False
