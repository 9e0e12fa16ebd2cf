"""DNS lookups, each in a thread of its own.

The threads of an event loop are few, and a lookup whose server is down holds one for half a minute. So a few broken
names would stop the lookups of all providers. The connector makes one lookup per name at a time.
"""

import asyncio
import socket
import threading
from contextlib import suppress

from aiohttp.abc import AbstractResolver, ResolveResult


class Resolver(AbstractResolver):
    """The resolver of the operating system."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name.

        Raises:
            OSError
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[ResolveResult]] = loop.create_future()

        def finish(found: list[ResolveResult], error: OSError | None = None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(found)

        def run() -> None:
            with suppress(RuntimeError):  # the loop was closed in the meantime
                try:
                    loop.call_soon_threadsafe(finish, _look_up(host, port, family))
                except (OSError, UnicodeError) as error:
                    reason = error if isinstance(error, OSError) else OSError(str(error))
                    loop.call_soon_threadsafe(finish, [], reason)

        threading.Thread(target=run, name="moorage-dns", daemon=True).start()
        return await future

    async def close(self) -> None:
        """Do nothing: a lookup in progress ends by itself, and does not hold up the end of the process."""


def _look_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    return [
        ResolveResult(hostname=host, host=str(address[0]), port=port, family=kind, proto=protocol, flags=0)
        for kind, _, protocol, _, address in socket.getaddrinfo(
            host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG
        )
    ]
