"""A script that gets configurations with any version of orq-ai-sdk and prints the parsed responses.

Each line of its input is JSON: the `settings` of the client, the `request`, and `is_async`. A synchronous client is
cached by its API key, because creating a client takes longer than a request.
"""

import asyncio
import json
import sys
from typing import Any

from orq_ai_sdk import Orq, models
from orq_ai_sdk._version import __version__

_clients: dict[str, Orq] = {}


def main(url: str) -> None:
    """Send the request of each line, and print the result as a line of JSON."""
    for line in sys.stdin:
        job = json.loads(line)
        settings, request = {"server_url": url, "timeout_ms": 30_000, **job["settings"]}, job["request"]
        try:
            if job["is_async"]:
                response = asyncio.run(_get_config_async(settings, request))
            else:
                response = _client(job["settings"]["api_key"], settings).deployments.get_config(**request)
            result = {"response": json.loads(response.model_dump_json(by_alias=True, exclude_unset=True))}
        except models.OrqError as error:
            result = {"error": type(error).__name__, "status": error.status_code, "body": error.body}
        print(json.dumps({"version": __version__, **result}), flush=True)  # noqa: T201 -- the test reads the output


def _client(api_key: str, settings: dict[str, Any]) -> Orq:
    if api_key not in _clients:
        _clients[api_key] = Orq(**settings)
    return _clients[api_key]


async def _get_config_async(settings: dict[str, Any], request: dict[str, Any]) -> Any:
    async with Orq(**settings) as orq:
        return await orq.deployments.get_config_async(**request)


if __name__ == "__main__":
    main(*sys.argv[1:])
