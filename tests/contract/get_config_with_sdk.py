"""A program of a user of any orq-ai-sdk: ask for configurations as it is told, and print what was understood.

Each line is JSON: the `settings` of the client, the `request`, and whether the client is the asynchronous one. A client
is kept for the next lines of its key: to make one takes longer than to ask.
"""

import asyncio
import json
import sys
from typing import Any

from orq_ai_sdk import Orq, models
from orq_ai_sdk._version import __version__

_clients: dict[str, Orq] = {}


def main(url: str) -> None:
    """Answer each line with a line of JSON."""
    for line in sys.stdin:
        told = json.loads(line)
        settings, request = {"server_url": url, "timeout_ms": 30_000, **told["settings"]}, told["request"]
        try:
            if told["is_async"]:
                answer = asyncio.run(_ask_async(settings, request))
            else:
                answer = _client(told["settings"]["api_key"], settings).deployments.get_config(**request)
            found = {"answer": json.loads(answer.model_dump_json(by_alias=True, exclude_unset=True))}
        except models.OrqError as error:
            found = {"error": type(error).__name__, "status": error.status_code, "body": error.body}
        print(json.dumps({"version": __version__, **found}), flush=True)  # noqa: T201 -- its output is its purpose


def _client(api_key: str, settings: dict[str, Any]) -> Orq:
    if api_key not in _clients:
        _clients[api_key] = Orq(**settings)
    return _clients[api_key]


async def _ask_async(settings: dict[str, Any], request: dict[str, Any]) -> Any:
    async with Orq(**settings) as orq:
        return await orq.deployments.get_config_async(**request)


if __name__ == "__main__":
    main(*sys.argv[1:])
