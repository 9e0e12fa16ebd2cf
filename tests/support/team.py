"""A project over HTTP with environments, and API keys of several people."""

import json
from collections.abc import Iterable
from typing import Any

from moorage.core.access import Scope
from moorage.core.deployments.history import OPERATOR, Subject
from moorage.registry.api_keys import create_api_key
from tests.support.documented import check_documented
from tests.support.server import Project, Response, a_body
from tests.support.threads import until


class Team:
    """Requests to a project; the default API key has all scopes. `token` names another one."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.admin = self.key("admin")
        self.person = self.key("person", [Scope.READ, Scope.WRITE, Scope.PUBLISH])

    def key(self, name: str, scopes: Iterable[Scope] = Scope, environment: str | None = None) -> str:
        """Create an API key as the operator does, which no other key made; return its token."""
        with self.project.server.open_store() as store:
            environment_id = None
            if environment is not None:
                with store.read() as reader:
                    environment_id = reader.environments(self.project.id)[environment].id
            token = store.run(create_api_key, self.project.id, name, scopes, environment_id=environment_id).token
        # The server reads its database at intervals, which are longer on a busy machine.
        headers = {"Authorization": f"Bearer {token}"}
        until(lambda: self.project.request("GET", "/v2/deployments?limit=1", headers=headers).status != 401)
        return token

    def approver(self, name: str) -> str:
        """Create an API key that may approve, and do nothing else; return its token."""
        return self.key(name, [Scope.READ, Scope.APPROVE])

    def send(self, method: str, path: str, body: object = None, token: str | None = None, **headers: str) -> Response:
        """Send a request, and check that its route documents the response."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Authorization": f"Bearer {token or self.admin}", **sent}
        response = self.project.request(method, path, data, sent)
        check_documented(method, path, response)
        return response

    def create(self, name: str, **settings: Any) -> dict[str, Any]:
        """Create an environment, or change its settings."""
        response = self.send("PUT", f"/v2/environments/{name}", settings)
        assert response.status in (200, 201), response.body
        environment: dict[str, Any] = response.json
        return environment

    def delete_under_keys(self, name: str) -> None:
        """Delete an environment under its API keys: the API revokes them, or refuses."""
        with self.project.server.open_store() as store, store.write() as tx:
            found = tx.environments(self.project.id)[name]
            tx.delete_environment(found.id, OPERATOR)
            tx.record("environment_deleted", OPERATOR, Subject(self.project.id, environment_id=found.id))

    def put(self, key: str, text: str, environment: str = "production", token: str | None = None) -> Response:
        """Put a deployment with one message."""
        return self.send("PUT", f"/v2/deployments/{key}?environment={environment}", with_text(text), token)

    def publish(self, key: str, version: str, environment: str = "production", token: str | None = None) -> Response:
        """Publish a version."""
        path = f"/v2/deployments/{key}/versions/{version}/publish?environment={environment}"
        return self.send("POST", path, token=token)

    def undo(self, key: str, environment: str = "production", token: str | None = None, query: str = "") -> Response:
        """Undo the last move."""
        return self.send("POST", f"/v2/deployments/{key}/undo?environment={environment}{query}", token=token)

    def unpublish(self, key: str, environment: str, token: str | None = None) -> Response:
        """Let a deployment follow production."""
        return self.send("POST", f"/v2/deployments/{key}/unpublish?environment={environment}", token=token)

    def promote(
        self, *keys: str, source: str = "staging", to: str = "production", token: str | None = None, query: str = "",
        **fields: Any,
    ) -> Response:  # fmt: skip
        """Promote deployments."""
        body = {"from": source, "to": to, "deployments": [{"key": key} for key in keys], **fields}
        return self.send("POST", f"/v2/promotions{query}", body, token)

    def decide(self, decision: str, proposal: str, token: str | None = None, **body: str) -> Response:
        """Approve, reject or withdraw a proposal."""
        return self.send("POST", f"/v2/proposals/{proposal}/{decision}", body or None, token)

    def proposal(self, proposal: str, token: str | None = None) -> dict[str, Any]:
        """Return a proposal."""
        response = self.send("GET", f"/v2/proposals/{proposal}", token=token)
        assert response.status == 200, response.body
        detail: dict[str, Any] = response.json
        return detail

    def text(self, key: str, environment: str = "production") -> str | None:
        """Return the message that a caller gets; None if the deployment is not in the environment."""
        path = f"/v2/deployments/get_config?environment={environment}"
        response = self.send("POST", path, {"key": key})
        if response.status == 404:
            return None
        assert response.status == 200, response.body
        content: str = response.json["messages"][0]["content"]
        return content

    def version(self, key: str, environment: str = "production") -> str:
        """Return the number of the live version, and `follows` behind it if it is production's."""
        response = self.send("GET", f"/v2/deployments/{key}?environment={environment}")
        if response.status == 404:
            return "none"
        assert response.status == 200, response.body
        follows = " follows" if response.headers["x-moorage-environment"].endswith(";follows=production") else ""
        return f"{response.json['version']}{follows}"

    def history(self, key: str) -> list[dict[str, Any]]:
        """Return the history of a deployment, newest entry first."""
        response = self.send("GET", f"/v2/deployments/{key}/history?limit=50")
        assert response.status == 200, response.body
        entries: list[dict[str, Any]] = response.json["data"]
        return entries


def with_text(text: str) -> dict[str, Any]:
    """Return a body of a deployment with one message."""
    return a_body(messages=[{"role": "system", "content": text}])


def proposed(response: Response) -> str:
    """Return the id of the proposal that a write became."""
    assert response.status == 202, response.body
    assert response.headers["x-moorage-result"] == "proposed"
    assert response.headers["location"] == f"/v2/proposals/{response.json['id']}"
    proposal: str = response.json["id"]
    return proposal


def refusal(response: Response) -> tuple[int, str]:
    """Return the status and the code of an error."""
    return response.status, response.error["code"]
