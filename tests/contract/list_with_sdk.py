"""A program of a user of any orq-ai-sdk: list deployments with each token it is told, and print what was understood.

It runs in a process of its own, because a process can import one version of the SDK; and goes on for as long as there
are tokens, because the import takes seconds.
"""

import asyncio
import json
import sys
from typing import Any

from orq_ai_sdk import Orq, models
from orq_ai_sdk._version import __version__


def main(url: str) -> None:
    """Read a token a line, and answer with a line of JSON."""
    for line in sys.stdin:
        try:
            found = _understand(url, line.strip())
        except models.OrqError as error:
            found = {"error": type(error).__name__, "status": error.status_code, "body": error.body}
        print(json.dumps({"version": __version__, **found}), flush=True)  # noqa: T201 -- its output is its purpose


def _understand(url: str, token: str) -> dict[str, Any]:
    """The default page, a walk through all pages, and the default page again from the asynchronous client."""
    with Orq(api_key=token, server_url=url, timeout_ms=30_000) as orq:
        default = orq.deployments.list()
        pages = [orq.deployments.list(limit=7)]
        while pages[-1].has_more:
            pages.append(orq.deployments.list(limit=7, starting_after=pages[-1].data[-1].id))
    return {
        "default": _json(default),
        "walk": [_json(page) for page in pages],
        "async": _json(asyncio.run(_list_async(url, token))),
    }


async def _list_async(url: str, token: str) -> Any:
    async with Orq(api_key=token, server_url=url, timeout_ms=30_000) as orq:
        return await orq.deployments.list_async()


def _json(page: Any) -> Any:
    return json.loads(page.model_dump_json(by_alias=True, exclude_unset=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
