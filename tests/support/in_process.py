"""A server without a network, in this process: tests that count its memory or its steps send requests to it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message

from moorage.server.app import create_app
from moorage.settings import ServerSettings


@asynccontextmanager
async def running(database: str, **settings: Any) -> AsyncIterator[ASGIApp]:
    """Start the application on a database, and stop it at the end of the block."""
    app = create_app(ServerSettings(database, **{"log_level": "error", **settings}))
    incoming, is_started, is_stopped = asyncio.Queue[str](), asyncio.Event(), asyncio.Event()
    incoming.put_nowait("lifespan.startup")

    async def receive() -> Message:
        return {"type": await incoming.get()}

    async def send(message: Message) -> None:
        assert "failed" not in message["type"], message
        (is_started if "startup" in message["type"] else is_stopped).set()

    lifespan = asyncio.ensure_future(app({"type": "lifespan"}, receive, send))
    await is_started.wait()
    try:
        yield app
    finally:
        incoming.put_nowait("lifespan.shutdown")
        await is_stopped.wait()
        await lifespan


async def request(
    app: ASGIApp, method: str, path: str, token: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    """Send a request; return the status and the JSON of the response."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    fields = {
        "host": "moorage",
        "authorization": f"Bearer {token}",
        "content-length": str(len(body)),
        **(headers or {}),
    }
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in fields.items()], "http_version": "1.1",
        "scheme": "http", "server": ("127.0.0.1", 1), "client": ("127.0.0.1", 2),
    }  # fmt: skip
    await app(scope, receive, send)
    start, *parts = sent
    return start["status"], json.loads(b"".join(part.get("body", b"") for part in parts) or b"null")
