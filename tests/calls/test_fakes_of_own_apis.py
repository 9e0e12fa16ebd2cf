"""The SDKs of fal, ElevenLabs and Leonardo.Ai read the fakes of these vendors, whose APIs no other vendor has."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.calls.media_sdks import TEXT, WAV
from tests.support.server import clean_environment
from tests.support.vendors import media
from tests.support.vendors.server import VendorServer

pytestmark = pytest.mark.system

_PROGRAM = Path(__file__).with_name("media_sdks.py")


def _read(vendors: VendorServer, vendor: str) -> dict[str, Any]:
    """Return what the SDK of a vendor reads of its fake."""
    folder = Path(sys.prefix) / "sdks" / "media"
    assert folder.is_dir(), f"no SDKs in {folder}: make test installs them"
    completed = subprocess.run(
        [sys.executable, "-W", "error", _PROGRAM, vendor, vendors.base_url(vendor), vendors.vendors[vendor].key],
        env=clean_environment(PYTHONPATH=str(folder)), capture_output=True, text=True, check=False,
    )  # fmt: skip
    vendors.take(vendor)
    assert completed.stderr == ""
    found: dict[str, Any] = json.loads(completed.stdout)
    return found


def test_the_sdk_of_fal_reads_the_fake(vendors: VendorServer) -> None:
    fake: Any = vendors.vendors["fal"]

    found = _read(vendors, "fal")

    assert found["states"] == ["Queued", "Completed"]
    assert found["pictures"] == [media.picture(TEXT).hex()] * 2
    assert found["speaking"] == ["InProgress", "Completed"]
    assert found["speech"] == media.spoken(TEXT, "wav").decode()
    heard = media.heard("audio", "audio/wav", 3)
    assert found["heard"]["text"] == heard
    assert [(each["text"], *each["timestamp"]) for each in found["heard"]["chunks"]] == media.sentences(heard)
    assert found["errors"] == [422, 404]
    assert len(fake.cancelled) == 1
    fake.cancelled.clear()


def test_the_sdk_of_elevenlabs_reads_the_fake(vendors: VendorServer) -> None:
    found = _read(vendors, "elevenlabs")

    assert found["speech"] == media.spoken(TEXT, "pcm_24000").decode()
    assert found["default"] == media.spoken(TEXT, "mp3_44100_128").decode()
    heard = media.heard("a.wav", "audio/wav", len(WAV), language="de")
    assert found["heard"]["text"] == heard
    words = [(each["text"], each["start"], each["end"]) for each in found["heard"]["words"] if each["type"] == "word"]
    assert words == media.words(heard)
    assert found["errors"] == [400, 401]


def test_the_sdk_of_leonardo_reads_the_fake(vendors: VendorServer) -> None:
    fake: Any = vendors.vendors["leonardoai"]

    found = _read(vendors, "leonardoai")

    assert found["states"] == ["PENDING", "COMPLETE"]
    address = f"http://127.0.0.1:{vendors.port}/leonardoai/files/{found['number']}"
    assert found["urls"] == [address] * 2
    assert found["deleted"] == found["number"]
    assert fake.deleted == [found["number"]]
    assert found["errors"] == [404]
    fake.deleted.clear()
