"""The notifications of systemd (sd_notify): the service manager learns when the server is ready, and when it stops."""

import contextlib
import os
import socket

#: The address of the socket that the service manager reads. An address that starts with @ is abstract: it is no file.
_VARIABLE = "NOTIFY_SOCKET"


def notify(*assignments: str) -> None:
    """Send assignments, such as `READY=1`, to the service manager, if one started this process."""
    address = os.environ.get(_VARIABLE, "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = f"\0{address[1:]}"
    # A service manager that is gone must not stop the server.
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.sendto("\n".join(assignments).encode(), address)
