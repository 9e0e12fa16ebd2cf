"""The try page with models that are not for chats, in a browser: pictures, audio, tables, and a recording."""

import base64
import io
import json
import struct
import wave
import zlib
from collections.abc import Iterator
from typing import Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.console.browser import VARIANTS, Scheme, Variant, open_page
from tests.support.gateway import Gateway
from tests.support.vendors import faults

_AXE = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
_TEXTS = "A boat on the sea\nA ship in the harbour\nInvoices of the second quarter\nEine Katze schläft"

_SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")

every_variant = pytest.mark.parametrize(
    "variant", [Variant(scheme, width) for scheme in _SCHEMES for width in (1280, 320)], ids=str
)


@pytest.fixture
def page(browser: Browser, gateway: Gateway, signed_in: StorageState) -> Iterator[Page]:
    """Return a page of a browser with JavaScript."""
    with open_page(browser, gateway.server.url, VARIANTS[0], state=signed_in) as opened:
        yield opened


def sound(seconds: float) -> bytes:
    """Return silence as a WAV file."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(round(seconds * 8000) * 2))
    return written.getvalue()


def drawing(width: int, height: int) -> bytes:
    """Return a picture of one colour as a PNG file."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = (b"\x00" + b"\x2a\x7f\x9e" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )  # fmt: skip


def prepare(gateway: Gateway, kind: str) -> str:
    """Return the key of a deployment whose next answer is a picture or audio that a browser can show."""
    if kind == "image":
        item = {"b64_json": base64.b64encode(drawing(1024, 512)).decode()}
        gateway.vendors.fail_next("openai", faults.body(json.dumps({"data": [item]}).encode()))
    if kind == "tts":
        gateway.vendors.fail_next("openai", faults.body(sound(1.5), "audio/wav"))
    return gateway.deploy("cohere" if kind == "rerank" else "openai", kind, messages=[])


def run(page: Page, gateway: Gateway, kind: str) -> None:
    """Open the page of a deployment, fill the form, and run it."""
    page.goto(f"/console/deployments/{prepare(gateway, kind)}/try")
    page.locator("#message").fill(_TEXTS if kind == "embedding" else "I harm a boat")
    if kind == "rerank":
        page.get_by_label("Documents").fill(_TEXTS)
    if kind == "stt":
        page.get_by_label("Audio").set_input_files({"name": "a.wav", "mimeType": "audio/wav", "buffer": sound(1)})
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("[data-facts]")).to_contain_text("answered by")
    gateway.vendors.take("cohere" if kind == "rerank" else "openai")


def test_a_picture_is_shown_in_its_size(page: Page, gateway: Gateway) -> None:
    run(page, gateway, "image")

    picture = page.get_by_role("img", name="Picture 1 of the answer")
    expect(picture).to_be_visible()
    assert picture.evaluate("(image) => image.decode().then(() => [image.naturalWidth, image.naturalHeight])") == [
        1024, 512,
    ]  # fmt: skip
    expect(page.locator("#said")).to_have_text("The answer is complete")


def test_speech_can_be_played(page: Page, gateway: Gateway) -> None:
    run(page, gateway, "tts")

    audio = page.get_by_label("Audio of the answer")
    expect(audio).to_be_visible()
    assert audio.evaluate("(each) => each.play().then(() => each.duration)") == pytest.approx(1.5, abs=0.05)


def test_a_recording_of_the_microphone_becomes_a_text(page: Page, gateway: Gateway) -> None:
    page.goto(f"/console/deployments/{prepare(gateway, 'stt')}/try")
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_text("Recording", exact=True)).to_be_visible()
    page.get_by_role("button", name="Stop recording").click()
    expect(page.get_by_text("Recorded. Run sends it.")).to_be_visible()

    page.get_by_role("button", name="Run", exact=True).click()

    expect(page.locator("[data-texts]")).to_contain_text("I hear recording.webm of")
    expect(page.locator("[data-texts]")).to_contain_text("as audio/webm")
    gateway.vendors.take("openai")


def test_stop_ends_the_call_of_a_picture(page: Page, gateway: Gateway) -> None:
    key = gateway.deploy("openai", "image", messages=[])
    gateway.vendors.fail_next("openai", faults.no_response)
    page.goto(f"/console/deployments/{key}/try")
    page.get_by_label("Prompt").fill("A boat")
    page.get_by_role("button", name="Run", exact=True).click()
    gateway.vendors.wait_for_request("openai")
    (sent,) = gateway.vendors.take("openai")

    page.get_by_role("button", name="Stop").click()

    expect(page.locator("[data-facts]")).to_contain_text("Stopped after")
    gateway.vendors.wait_for_hang_up(sent)


@every_variant
@pytest.mark.parametrize("kind", ["image", "tts", "stt", "embedding", "rerank", "moderation", "completion"])
def test_the_answer_of_each_type_follows_the_rules_of_accessibility_with_and_without_scripts(
    browser: Browser, gateway: Gateway, signed_in: StorageState, kind: str, variant: Variant
) -> None:
    for scripts in (True, False):
        with open_page(browser, gateway.server.url, variant, scripts=scripts, state=signed_in) as page:
            run(page, gateway, kind)
            if variant.width == 320:
                assert page.locator("html").evaluate("(page) => page.scrollWidth") == 320
            if not scripts:
                continue
            height = page.evaluate("document.documentElement.scrollHeight")
            page.set_viewport_size({"width": variant.width, "height": height})
            result = Axe().run(page, options=_AXE)
            assert result.violations_count == 0, result.generate_report()
