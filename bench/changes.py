"""Changes: requests that each give a deployment another content, told from all others by a mark in it."""

import re
from typing import Any

import msgspec

from bench.data import Named
from bench.wire import Request

#: What stands where publish.lua writes the mark of each request.
PLACEHOLDER = "@mark@"

_MARK = re.compile(r"Change (\S+)\.$")


def put(named: Named, mark: str) -> Request:
    """A put that makes a new live version."""
    body = msgspec.json.encode({**named.body, "prompt_config": _changed(named, mark)})
    return Request("PUT", f"/v2/deployments/{named.key}", body, result="updated")


def publish(named: Named, mark: str) -> Request:
    """A version that is saved and published at once."""
    body = msgspec.json.encode({"status": "published", "prompt_config": _changed(named, mark)})
    return Request("POST", f"/v2/deployments/{named.key}/versions", body, status=201)


def mark_of(prompt_config: dict[str, Any]) -> str:
    """The mark of a stored configuration; empty where it has none."""
    found = _MARK.search(prompt_config["messages"][0]["content"])
    return found[1] if found else ""


def _changed(named: Named, mark: str) -> dict[str, Any]:
    config: dict[str, Any] = named.body["prompt_config"]
    first, *others = config["messages"]
    return {**config, "messages": [{**first, "content": f"{first['content']} Change {mark}."}, *others]}
