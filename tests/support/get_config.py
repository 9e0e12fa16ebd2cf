"""Requests to `POST /v2/deployments/get_config`, and their responses."""

import json
from typing import Any

from tests.support.server import Project, Response, a_body


def resolve(project: Project, key: str = "bot", headers: dict[str, str] | None = None, **fields: Any) -> Response:
    """Request the configuration of a deployment."""
    body = json.dumps({"key": key, **fields}).encode()
    return project.request("POST", "/v2/deployments/get_config", body, headers)


def put(project: Project, *texts: str, key: str = "bot", **fields: Any) -> None:
    """Put a deployment with system messages of these texts, and other fields of the body."""
    messages = [{"role": "system", "content": text} for text in texts]
    response = project.put(key, {**a_body(messages=messages), **fields}, "?allow_breaking=true")
    assert response.status in (200, 201), response.body


def contents(response: Response) -> list[Any]:
    """Return the contents of the messages of a successful response."""
    assert response.status == 200, response.body
    return [message["content"] for message in response.json["messages"]]


def problems(response: Response) -> dict[str, str]:
    """Return the problems of a rejected request by path."""
    assert response.status == 400
    assert response.error["code"] == "invalid_request_body"
    return {problem["path"]: problem["message"] for problem in response.error["problems"]}


def a_variant(name: str, text: str, **fields: Any) -> dict[str, Any]:
    """Return a variant with the single message `text`."""
    config = a_body(messages=[{"role": "system", "content": text}])["prompt_config"]
    return {"name": name, "prompt_config": config, **fields}
