"""Slow clients, in a process of their own: `python -m faults.slow_clients PORT TOKEN COUNT SECONDS`.

So many connections at once, of each kind in turn; half of something means that nothing follows. Prints for each its
kind and the seconds until the server closed it, or `open` if it had not after so many seconds.
"""

import asyncio
import sys
import time
from itertools import cycle, islice

KINDS = ("nothing at all", "half of the headers", "headers a byte a second", "half of a body", "a body a byte a second")

_BYTE_SECONDS = 1.0


async def attack(port: int, token: str, kind: str, seconds: float) -> str:
    """One connection; how long until it was closed."""
    head = f"Host: a\r\nAuthorization: Bearer {token}\r\nX-Filler: ".encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        if "header" in kind:
            writer.write(b"GET /v2/deployments HTTP/1.1\r\n" + head)
        elif "body" in kind:
            writer.write(b"PUT /v2/deployments/slow HTTP/1.1\r\nContent-Length: 9999\r\n" + head + b"\r\n\r\n{")
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            try:
                if not await asyncio.wait_for(reader.read(65_536), _BYTE_SECONDS):
                    return f"{time.monotonic() - started:.2f}"
            except TimeoutError:
                if "byte" in kind:
                    writer.write(b"x")
            except ConnectionError:
                return f"{time.monotonic() - started:.2f}"
        return "open"
    finally:
        writer.close()


async def main(port: int, token: str, count: int, seconds: float) -> None:
    """All of them; see above."""
    kinds = list(islice(cycle(KINDS), count))
    ends = await asyncio.gather(*(attack(port, token, kind, seconds) for kind in kinds))
    for kind, end in zip(kinds, ends, strict=True):
        print(f"{kind}: {end}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
