"""A script that lists deployments with any version of orq-ai-sdk and prints the parsed pages.

It runs in a separate process, because a process can import only one version of the SDK. It handles many tokens, one per
line, because the import takes seconds.
"""

import asyncio
import json
import sys
from typing import Any

from orq_ai_sdk import Orq, models
from orq_ai_sdk._version import __version__


def main(url: str) -> None:
    """List the deployments of the token of each line, and print the result as a line of JSON."""
    for line in sys.stdin:
        try:
            result = _list(url, line.strip())
        except models.OrqError as error:
            result = {"error": type(error).__name__, "status": error.status_code, "body": error.body}
        print(json.dumps({"version": __version__, **result}), flush=True)  # noqa: T201 -- the test reads the output


def _list(url: str, token: str) -> dict[str, Any]:
    """Return the default page, all pages, and the default page of the asynchronous client."""
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
