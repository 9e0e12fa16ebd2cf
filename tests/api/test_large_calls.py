"""Calls with pictures: the size of get_config bodies, and errors that reach clients that still send a body."""

import http.client
import json
import socket
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from moorage.core.resolution.config import MAX_CALL_BODY
from moorage.core.validation.strict_json import MAX_BODY
from tests.support.get_config import contents
from tests.support.server import Project, Server, a_body
from tests.support.threads import HANG_SECONDS

GET_CONFIG = "/v2/deployments/get_config"


def picture(size: int) -> str:
    return f"data:image/png;base64,{'iVBOR' * (size // 5)}"


def call(size: int) -> bytes:
    """Return a get_config body of exactly that size, with a picture and a text that is not ASCII."""

    def body(url: str) -> bytes:
        parts = [{"type": "text", "text": "Größe?"}, {"type": "image_url", "image_url": {"url": url}}]
        return json.dumps({"key": "a", "messages": [{"role": "user", "content": parts}]}, ensure_ascii=False).encode()

    return body(picture(0) + "A" * (size - len(body(picture(0)))))


def send(
    project: Project, method: str, path: str, body: bytes, token: str | None = None, **headers: str
) -> tuple[int, Any]:
    """Send a request as clients do that read the response after they have sent the body."""
    with closing(http.client.HTTPConnection("127.0.0.1", project.server.port, timeout=HANG_SECONDS)) as connection:
        connection.request(method, path, body, {"Authorization": f"Bearer {token or project.token}", **headers})
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def test_get_config_accepts_pictures_up_to_its_limit(project: Project) -> None:
    project.put("a")

    status, config = send(project, "POST", GET_CONFIG, call(MAX_CALL_BODY))
    too_large = send(project, "POST", GET_CONFIG, call(MAX_CALL_BODY + 1))

    assert status == 200
    assert len(config["messages"][-1]["content"][1]["image_url"]["url"]) > MAX_CALL_BODY - 1_000
    assert (too_large[0], too_large[1]["error"]["code"]) == (413, "body_too_large")
    assert str(MAX_CALL_BODY) in too_large[1]["message"]


def test_the_limit_is_a_setting(folder: Path) -> None:
    with Server(folder, "--max-call-body", "2000000") as server:
        project = server.new_project()
        project.put("a")

        assert send(project, "POST", GET_CONFIG, call(2_000_000))[0] == 200
        assert send(project, "POST", GET_CONFIG, call(2_000_001))[0] == 413


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/v2/deployments/a"), ("POST", "/v2/deployments"), ("POST", "/v2/deployments/a/explain")],
)
def test_other_bodies_have_the_usual_limit(project: Project, method: str, path: str) -> None:
    project.put("a")

    status, body = send(project, method, path, json.dumps(a_body(model="m" * MAX_BODY)).encode())

    assert (status, body["message"]) == (413, f"The body is larger than {MAX_BODY} bytes.")


@pytest.mark.parametrize(
    ("status", "method", "path", "token"),
    [
        (401, "POST", GET_CONFIG, "mrg_unknown"),
        (404, "POST", "/v2/nowhere", None),
        (405, "POST", "/v2/deployments/a", None),
        (413, "PUT", "/v2/deployments/a", None),
        (413, "POST", GET_CONFIG, None),
        (400, "PUT", "/v2/deployments/a?unknown=1", None),
    ],
)
def test_an_error_reaches_a_client_that_still_sends(
    project: Project, status: int, method: str, path: str, token: str | None
) -> None:
    for _ in range(3):
        assert send(project, method, path, b"x" * 30_000_000, token)[0] == status


def test_a_client_that_waits_for_100_continue_gets_the_error_at_once(project: Project) -> None:
    head = (
        f"PUT /v2/deployments/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {project.token}\r\n"
        "Content-Length: 30000000\r\nExpect: 100-continue\r\n\r\n"
    )
    with closing(socket.create_connection(("127.0.0.1", project.server.port), timeout=HANG_SECONDS)) as connection:
        connection.sendall(head.encode())

        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_connection_whose_body_was_discarded_is_reusable(project: Project) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", project.server.port, timeout=HANG_SECONDS)) as connection:
        connection.connect()
        connection.auto_open = 0
        for _ in range(5):
            connection.request(
                "PUT", "/v2/deployments/a", b"x" * 5_000_000, {"Authorization": f"Bearer {project.token}"}
            )
            response = connection.getresponse()
            assert (response.status, response.will_close) == (413, False)
            response.read()


@pytest.mark.parametrize("template_engine", ["text", "mustache"])
def test_an_input_can_be_a_picture_but_templates_do_not_multiply_it(project: Project, template_engine: str) -> None:
    def put(key: str, url: str) -> None:
        parts = [{"type": "image_url", "image_url": {"url": url}}]
        body = a_body(messages=[{"role": "user", "content": parts}])
        project.put(key, {**body, "settings": {"engine": template_engine}})

    put("once", "{{picture}}")
    put("often", "{{picture}}" * 10)
    inputs = {"picture": picture(3_000_000)}

    once = project.request(
        "POST", GET_CONFIG, json.dumps({"key": "once", "inputs": inputs}).encode(),
        {"Authorization": f"Bearer {project.token}"},
    )  # fmt: skip
    often = send(project, "POST", GET_CONFIG, json.dumps({"key": "often", "inputs": inputs}).encode())

    assert contents(once)[0][0]["image_url"]["url"] == inputs["picture"]
    assert (often[0], often[1]["error"]["code"]) == (400, "output_too_large")


def test_the_memory_of_calls_is_released(project: Project) -> None:
    project.put("a")
    for size in (1_000, 100_000, 5_000_000, MAX_CALL_BODY + 1):
        send(project, "POST", GET_CONFIG, call(size))

    metrics = project.request("GET", "/metrics").body.decode()

    assert "\nmoorage_waiting_bytes 0.0\n" in metrics
