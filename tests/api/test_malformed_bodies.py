"""A body that cannot be read is a 400 with the body of an error."""

import json

import pytest

from tests.support.raw import RawRequest
from tests.support.server import Project, a_body

CHUNKS = {
    "a length that is no number": b"ZZ\r\nabc\r\n0\r\n\r\n",
    "a negative length": b"-1\r\nabc\r\n",
    "a length that is too large": b"F" * 17 + b"\r\n",
    "no line end after the data": b"3\r\nabcXX0\r\n\r\n",
}


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS.keys())
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v2/deployments/a"),
        ("POST", "/v2/deployments"),
        ("POST", "/v2/deployments/get_config"),
        ("POST", "/v2/deployments/a/explain"),
        ("POST", "/v2/deployments/a/versions"),
        ("DELETE", "/v2/deployments/a"),
    ],
)
def test_malformed_chunks_are_a_400(project: Project, method: str, path: str, chunks: bytes) -> None:
    project.put("a")
    request = RawRequest(project.server.port)
    head = f"{method} {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {project.token}\r\n"
    request.send(f"{head}Transfer-Encoding: chunked\r\nX-Request-Id: r1\r\n\r\n".encode() + chunks)

    response = request.response()

    if method == "DELETE":  # has no body, so it is not read
        assert response.status == 200
        return
    error = json.loads(response.body)["error"]
    assert (response.status, error["code"], error["request_id"]) == (400, "malformed_body", "r1")


def test_well_formed_chunks_are_joined(project: Project) -> None:
    body = json.dumps(a_body()).encode()
    request = RawRequest(project.server.port)
    head = f"PUT /v2/deployments/a HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {project.token}\r\n"
    request.send(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
    for piece in (body[:9], body[9:]):
        request.send(b"%X\r\n%b\r\n" % (len(piece), piece))
    request.send(b"0\r\n\r\n")

    assert request.response().status == 201
