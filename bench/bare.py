"""Granian with the options of `moorage serve` and nothing to do: what the HTTP server alone costs.

`python -m bench.bare PORT asgi|rsgi`; the variable BENCH_BODY names the file that every request is answered with.
"""

import multiprocessing
import os
import sys
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.http import HTTP1Settings
from granian.log import LogLevels

_BODY = Path(os.environ["BENCH_BODY"]).read_bytes() if "BENCH_BODY" in os.environ else b""
_START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
_REST = {"type": "http.response.body", "body": _BODY}
_HEADERS = [("content-type", "application/json")]


async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer, over ASGI."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["method"] == "POST":
        await receive()
    await send(_START)
    await send(_REST)


async def rsgi(scope: Any, protocol: Any) -> None:
    """Answer, over RSGI, granian's own interface."""
    protocol.response_bytes(200, _HEADERS, _BODY)


def _serve(port: int, interface: Interfaces) -> None:
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))  # as Moorage has it while its core is busy
    multiprocessing.set_start_method("spawn")
    Granian(
        f"bench.bare:{interface.value}",
        address="127.0.0.1",
        port=port,
        interface=interface,
        workers=1,
        runtime_mode=RuntimeModes.st,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        websockets=False,
        backpressure=1024,
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        log_level=LogLevels.warning,
    ).serve()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), Interfaces(sys.argv[2]))
