"""An hour of audio: the file is on disk while it arrives and is sent, and not in the memory of the server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.gateway import ALLOW_LOOPBACK, Gateway
from tests.support.server import Server
from tests.support.vendors import all_vendors
from tests.support.vendors.server import VendorServer

#: An hour of MP3 at 128 kbit/s.
_SIZE: Final = 3600 * 128_000 // 8
#: The memory that the server may take more (bytes).
_MAX_GROWTH: Final = 24 * 1024 * 1024

_HEAD: Final = "\r\n".join([
    "--x", 'Content-Disposition: form-data; name="model"', "", "{key}", "--x",
    'Content-Disposition: form-data; name="file"; filename="hour.mp3"', "Content-Type: audio/mpeg", "", "",
])  # fmt: skip


@pytest.fixture
def gateway(folder: Path) -> Iterator[Gateway]:
    """Return a server of its own, because its memory is measured."""
    with (
        VendorServer([each for each in all_vendors() if each.id == "openai"]) as vendors,
        Server(folder, prefix=ALLOW_LOOPBACK) as server,
    ):
        yield Gateway(server, vendors)


def peak(server: Server) -> int:
    """Return the most memory that a worker has had (bytes)."""
    lines = [Path(f"/proc/{pid}/status").read_text() for pid in server.workers()]
    return max(int(line.partition("VmHWM:")[2].split()[0]) for line in lines) * 1024


def test_a_transcription_of_an_hour_of_audio_passes_in_little_memory(gateway: Gateway) -> None:
    key = gateway.deploy("openai", "stt", messages=[])
    small, large = (_HEAD.format(key=key).encode() + b"\xff" * size + b"\r\n--x--\r\n" for size in (1_000, _SIZE))
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert gateway.project.request("POST", "/v1/audio/transcriptions", small, headers).status == 200
    before = peak(gateway.server)

    response = gateway.project.request("POST", "/v1/audio/transcriptions", large, headers)

    assert response.status == 200, response.body
    assert len(gateway.vendors.take("openai")[-1].body) > _SIZE
    assert peak(gateway.server) - before < _MAX_GROWTH
