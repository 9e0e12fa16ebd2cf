"""A caller who leaves at any stage of a call that is no chat: what the provider does for it ends, too."""

import json
from contextlib import closing
from typing import Any

import pytest

from tests.support.gateway import Gateway
from tests.support.raw import RawRequest
from tests.support.threads import until
from tests.support.vendors import faults
from tests.support.vendors.queued_api import QUESTIONS
from tests.support.vendors.server import Received, Reply, Vendor

#: The stages of a picture at fal: its request, the questions about its state, its result, and its file.
_ASKED = 1 + QUESTIONS
STAGES = {"request": 0, "first question": 1, "last question": QUESTIONS, "result": _ASKED, "file": _ASKED + 1}


def pass_on(vendor: Vendor, request: Received) -> Reply:
    """Respond as usual."""
    return vendor.respond(request)


def start(gateway: Gateway, path: str, body: bytes, media_type: str = "application/json") -> RawRequest:
    """Send a request, whose response nobody waits for."""
    request = RawRequest(gateway.server.port)
    head = {"Authorization": f"Bearer {gateway.project.token}", "Content-Type": media_type}
    request.send_head("POST", path, head, len(body))
    request.send(body)
    return request


#: The file is loaded only if the caller asks for its content.
PLACES = [
    (path, stage)
    for path in ("/v1/images/generations", "/v2/deployments/invoke", "/v2/deployments/stream")
    for stage in STAGES
    if stage != "file" or path.startswith("/v1")
]


@pytest.mark.parametrize(("path", "stage"), PLACES)
def test_a_picture_in_a_queue(gateway: Gateway, path: str, stage: str) -> None:
    fal: Any = gateway.vendors.vendors["fal"]
    place, before = STAGES[stage], len(fal.cancelled)
    key = gateway.deploy("fal", "image", messages=[])
    if "v2" in path:
        body: dict[str, Any] = {"key": key, "messages": [{"role": "user", "content": "a"}]}
    else:
        body = {"model": key, "prompt": "a", "response_format": "b64_json"}
    gateway.vendors.fail_next("fal", *[pass_on] * place, faults.no_response)

    with closing(start(gateway, path, json.dumps(body).encode())):
        until(lambda: len(gateway.vendors.received["fal"]) == place + 1)
        stuck = gateway.vendors.received["fal"][place]

    gateway.vendors.wait_for_hang_up(stuck)
    if 0 < place < _ASKED:
        until(lambda: len(fal.cancelled) == before + 1)


_FORM = b"\r\n".join([
    b"--x", b'Content-Disposition: form-data; name="model"', b"", b"%b",
    b"--x", b'Content-Disposition: form-data; name="file"; filename="a.wav"', b"Content-Type: audio/wav", b"", b"RIFF",
    b"--x--", b"",
])  # fmt: skip

#: Route -> the type of the model, and the body without the deployment.
ROUTES: dict[str, tuple[str, dict[str, Any]]] = {
    "/v1/embeddings": ("embedding", {"input": ["a", "b"]}),
    "/v1/images/generations": ("image", {"prompt": "a"}),
    "/v1/audio/speech": ("tts", {"input": "a", "voice": "nova"}),
    "/v1/audio/transcriptions": ("stt", {}),
    "/v1/moderations": ("moderation", {"input": "a"}),
}


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("fault", [faults.no_response, faults.silent])
def test_a_request_that_the_provider_works_on(gateway: Gateway, path: str, fault: Any) -> None:
    kind, fields = ROUTES[path]
    key = gateway.deploy("openai", kind, messages=[])
    is_form = kind == "stt"
    body = _FORM % key.encode() if is_form else json.dumps({"model": key, **fields}).encode()
    gateway.vendors.fail_next("openai", fault)

    media_type = "multipart/form-data; boundary=x" if is_form else "application/json"
    with closing(start(gateway, path, body, media_type)):
        gateway.vendors.wait_for_request("openai")
        stuck = gateway.vendors.received["openai"][0]

    gateway.vendors.wait_for_hang_up(stuck)


def test_a_file_that_is_not_sent_to_its_end_reaches_no_provider(gateway: Gateway) -> None:
    key = gateway.deploy("openai", "stt", messages=[])
    body = _FORM % key.encode()
    request = RawRequest(gateway.server.port)
    head = {"Authorization": f"Bearer {gateway.project.token}", "Content-Type": "multipart/form-data; boundary=x"}
    request.send_head("POST", "/v1/audio/transcriptions", head, len(body))
    request.send(body[:-20])
    request.close()

    outcome = gateway.project.request("POST", "/v1/moderations", b"{}")

    assert outcome.status == 400
    assert gateway.vendors.take("openai") == []
