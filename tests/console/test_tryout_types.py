"""The try page with models that are not for chats, without JavaScript: a form leads to a page with the answer."""

import base64
import io
import json
import re
import wave
from collections.abc import Iterator
from typing import Any

import pytest

from moorage.core.access import Scope
from tests.support.console import Browser, text_of
from tests.support.gateway import ALLOW_LOOPBACK, Gateway
from tests.support.server import Response, SharedServer
from tests.support.vendors import all_vendors, faults, media
from tests.support.vendors.server import VendorServer

HOSTILE = "<script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML = b"<!doctype html><script>alert(1)</script>"
TOO_LARGE = 8 * 1024 * 1024 + 1


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Return a project with an integration for each vendor."""
    folder = tmp_path_factory.mktemp("try")
    with VendorServer(all_vendors()) as vendors, SharedServer(folder, prefix=ALLOW_LOOPBACK) as server:
        yield Gateway(server, vendors)


@pytest.fixture
def browser(gateway: Gateway) -> Browser:
    """Return a browser with a session."""
    return Browser(gateway.project).sign_in()


def run(browser: Browser, key: str, **form: str) -> Response:
    """Press the button *Run*."""
    return browser.post(f"/console/deployments/{key}/try", {"run": "1", **form})


def upload(browser: Browser, path: str, content: bytes, name: str = "speech.mp3", **fields: str) -> Response:
    """Send the form with a file."""
    parts = [
        b'--frontier\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (field.encode(), value.encode())
        for field, value in fields.items()
    ]
    head = f'Content-Disposition: form-data; name="audio"; filename="{name}"\r\nContent-Type: audio/webm;codecs=opus'
    parts.append(b"--frontier\r\n%b\r\n\r\n%b\r\n--frontier--\r\n" % (head.encode(), content))
    return browser.post_body(path, b"".join(parts), "multipart/form-data; boundary=frontier")


def sound(seconds: float = 0.25) -> bytes:
    """Return silence as a WAV file."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(round(seconds * 8000) * 2))
    return written.getvalue()


def pictures(*contents: bytes) -> bytes:
    """Return a response of OpenAI with pictures."""
    items = [{"b64_json": base64.b64encode(content).decode()} for content in contents]
    return json.dumps({"created": 1, "data": items, "output_format": "svg+xml"}).encode()


def addresses(page: Response) -> list[str]:
    """Return the addresses of the pictures and the audio of a page, without those of its own files."""
    return re.findall(r'<(?:img|audio)[^>]* src="([^"]*)"', page.body.decode())


def policy(page: Response) -> str:
    return page.headers["content-security-policy"]


def test_a_picture_is_on_the_page_and_the_page_alone_may_show_it(gateway: Gateway, browser: Browser) -> None:
    key = gateway.deploy("openai", "image", messages=[])

    page = run(browser, key, message="A boat")

    (sent,) = gateway.vendors.take("openai")
    assert sent.json["prompt"] == "A boat"
    encoded = base64.b64encode(media.picture("A boat")).decode()
    assert addresses(page) == [f"data:image/png;base64,{encoded}"]
    assert 'alt="Picture 1 of the answer"' in page.body.decode()
    assert "img-src 'self' data:; media-src data:;" in policy(page)
    assert "data:" not in policy(browser.get(f"/console/deployments/{key}"))
    assert "2 + 100 tokens ·" in text_of(page)
    assert "answered by gpt-image" in text_of(page)


def test_a_picture_at_an_address_of_a_provider_is_fetched_by_the_gateway_and_never_by_the_browser(
    gateway: Gateway, browser: Browser
) -> None:
    key = gateway.deploy("togetherai", "image", messages=[], model_parameters={"format": "url"})

    page = run(browser, key, message="A boat")

    (sent,) = gateway.vendors.take("togetherai")
    assert sent.json["response_format"] == "base64", "a try-out asks for the picture itself"
    assert [address.partition(",")[0] for address in addresses(page)] == ["data:image/png;base64"]


@pytest.mark.parametrize("content", [SVG, HTML, b"", b"\x00" * 40])
def test_what_is_no_picture_is_not_shown_as_one_whatever_type_the_provider_names(
    gateway: Gateway, browser: Browser, content: bytes
) -> None:
    key = gateway.deploy("openai", "image", messages=[])
    gateway.vendors.fail_next("openai", faults.body(pictures(content, media.PNG)))

    page = run(browser, key, message="A boat")

    assert [address.partition(",")[0] for address in addresses(page)] == ["data:image/png;base64"]
    assert f"The picture ({len(content)} bytes) is of no type that browsers can show" in text_of(page)
    assert "alert(1)" not in page.body.decode()
    gateway.vendors.take("openai")


def test_a_page_has_pictures_up_to_a_limit_and_names_those_that_it_does_not_show(
    gateway: Gateway, browser: Browser
) -> None:
    key = gateway.deploy("openai", "image", messages=[])
    large = media.PNG + bytes(5 * 1024 * 1024)
    gateway.vendors.fail_next("openai", faults.body(pictures(media.PNG, media.PNG + bytes(TOO_LARGE))))
    gateway.vendors.fail_next("openai", faults.body(pictures(large, large, large)))

    page = run(browser, key, message="A boat")
    assert len(addresses(page)) == 1
    assert "This picture is not shown: a page shows at most 8 MB of one answer." in text_of(page)
    text = text_of(run(browser, key, message="A boat"))

    assert "The answer is not shown: a page shows at most 8 MB of one answer." in text
    gateway.vendors.take("openai")


def test_speech_is_played_on_the_page(gateway: Gateway, browser: Browser) -> None:
    key = gateway.deploy("openai", "tts", messages=[{"role": "user", "content": "Say {{input}}!"}])
    gateway.vendors.fail_next("openai", faults.body(sound(), "application/octet-stream"))

    page = run(browser, key, message="ahoy")

    (sent,) = gateway.vendors.take("openai")
    assert sent.json["input"] == "Say ahoy!"
    assert addresses(page) == [f"data:audio/wav;base64,{base64.b64encode(sound()).decode()}"]
    assert "<audio" in page.body.decode()
    assert "user 9 characters Say ahoy!" in text_of(page)
    assert 'name="input.input"' not in page.body.decode(), "the text has a field of its own"


@pytest.mark.parametrize("content", [HTML, SVG, b"samples"])
def test_what_is_no_audio_is_not_played(gateway: Gateway, browser: Browser, content: bytes) -> None:
    key = gateway.deploy("openai", "tts", messages=[])
    gateway.vendors.fail_next("openai", faults.body(content, "audio/mpeg"))

    page = run(browser, key, message="ahoy")

    assert addresses(page) == []
    assert f"The audio ({len(content)} bytes) is of no type that browsers can show or play." in text_of(page)
    assert "alert(1)" not in page.body.decode()
    gateway.vendors.take("openai")


def test_speech_that_is_too_long_is_stopped_and_speech_that_is_cut_off_is_not_played(
    gateway: Gateway, browser: Browser
) -> None:
    key = gateway.deploy("openai", "tts", messages=[])
    gateway.vendors.fail_next("openai", faults.body(sound() + bytes(TOO_LARGE), "audio/wav"))
    page = run(browser, key, message="ahoy")
    assert "The answer is not shown: a page shows at most 8 MB of one answer." in text_of(page)
    assert addresses(page) == []

    gateway.vendors.fail_next("openai", faults.truncated)
    page = run(browser, key, message="ahoy")
    assert "The connection ended before the answer was complete." in text_of(page)
    assert addresses(page) == []
    gateway.vendors.take("openai")


def test_a_file_with_speech_becomes_a_text(gateway: Gateway, browser: Browser) -> None:
    key = gateway.deploy("openai", "stt", messages=[])
    path = f"/console/deployments/{key}/try"
    shown = browser.get(path).body.decode()
    assert 'enctype="multipart/form-data"' in shown
    assert 'type="file" id="audio"' in shown

    page = upload(browser, path, sound(), message="boats")

    text = text_of(page)
    assert f"I hear speech.mp3 of {len(sound())} bytes as audio/webm. You said boats." in text
    assert "The last run had speech.mp3: choose it again for another run." in text
    gateway.vendors.take("openai")


def test_a_transcription_in_another_format_and_a_hostile_one_are_text(gateway: Gateway, browser: Browser) -> None:
    key = gateway.deploy("openai", "stt", messages=[], model_parameters={"responseFormat": "srt"})
    path = f"/console/deployments/{key}/try"
    assert "00:00:00,000 --> " in text_of(upload(browser, path, sound()))
    answer = {"text": HOSTILE, "segments": [{"text": HOSTILE, "start": 0, "end": 1}]}
    gateway.vendors.fail_next("openai", faults.body(json.dumps(answer).encode()))

    page = upload(browser, path, sound(), name=f"{HOSTILE}.mp3")

    assert HOSTILE not in page.body.decode()
    assert text_of(page).count(HOSTILE) == 2
    gateway.vendors.take("openai")


def test_a_transcription_in_plain_text_can_look_like_json(gateway: Gateway, browser: Browser) -> None:
    key = gateway.deploy("openai", "stt", messages=[], model_parameters={"responseFormat": "text"})
    gateway.vendors.fail_next("openai", faults.body(json.dumps({"text": '{"text": 1'}).encode()))

    page = upload(browser, f"/console/deployments/{key}/try", sound())

    assert 'Answer {"text": 1 ' in text_of(page)
    gateway.vendors.take("openai")


def test_a_file_that_is_missing_or_too_large_is_an_error_with_the_reason(gateway: Gateway, browser: Browser) -> None:
    path = f"/console/deployments/{gateway.deploy('openai', 'stt', messages=[])}/try"

    assert "audio: is missing or empty" in text_of(browser.post(path, {"run": "1"}))
    assert upload(browser, path, bytes(TOO_LARGE)).status == 413
    assert not gateway.vendors.take("openai")


def test_vectors_have_their_size_and_several_have_their_similarity(gateway: Gateway, browser: Browser) -> None:
    key = gateway.deploy("openai", "embedding", messages=[], model_parameters={"encoding_format": "base64"})

    page = run(browser, key, message=f"boat\n\nship\nboat\n{HOSTILE}")

    (sent,) = gateway.vendors.take("openai")
    assert sent.json["input"] == ["boat", "ship", "boat", HOSTILE]
    text = text_of(page)
    first = ", ".join(f"{number:.4f}" for number in media.vector("boat")[:4])
    assert f"1: boat 8 {first} 2: ship 8" in text
    similar = re.search(r"Cosine similarity Text 1 2 3 4 1 (\S+) (\S+) (\S+)", text)
    assert similar is not None
    assert (similar[1], similar[3]) == ("1.000", "1.000")
    assert -1 < float(similar[2]) < 1
    assert HOSTILE not in page.body.decode()
    assert "Cosine similarity" not in text_of(run(browser, key, message="boat"))
    gateway.vendors.take("openai")


def test_too_many_texts_are_rejected_before_a_call(gateway: Gateway, browser: Browser) -> None:
    key = gateway.deploy("openai", "embedding", messages=[])

    page = run(browser, key, message="a\n" * 21)

    assert "a try-out compares at most 20 texts, not 21" in text_of(page)
    assert not gateway.vendors.take("openai")


def test_documents_are_sorted_by_their_relevance(gateway: Gateway, browser: Browser) -> None:
    key = gateway.deploy("cohere", "rerank", messages=[])

    page = run(browser, key, message="red boat", documents=f"a car\n\na red boat\na boat {HOSTILE}")

    (sent,) = gateway.vendors.take("cohere")
    assert (sent.json["query"], sent.json["documents"]) == ("red boat", ["a car", "a red boat", f"a boat {HOSTILE}"])
    text = text_of(page)
    assert f"1.0000 2 a red boat 0.5000 3 a boat {HOSTILE} 0.0000 1 a car" in text
    assert HOSTILE not in page.body.decode()
    assert f"a car\n\na red boat\na boat {HOSTILE.replace('<', '&lt;').replace('>', '&gt;')}</textarea>" in (
        page.body.decode()
    )
    assert "h-cases" not in page.body.decode(), "cases have no documents"


def test_the_categories_of_a_text_are_a_table_with_the_flagged_ones_first(gateway: Gateway, browser: Browser) -> None:
    key = gateway.deploy("openai", "moderation", messages=[])
    result = {
        "flagged": True, "categories": {"hate": False, HOSTILE: True, "violence": True},
        "category_scores": {"hate": 0.25, HOSTILE: 0.5, "violence": 0.75},
    }  # fmt: skip
    gateway.vendors.fail_next("openai", faults.body(json.dumps({"results": [result]}).encode()))

    page = run(browser, key, message="I harm")

    text = text_of(page)
    assert "The text is flagged Category Flagged Score" in text
    assert f"violence flagged 0.7500 {HOSTILE} flagged 0.5000 hate no 0.2500" in text
    assert HOSTILE not in page.body.decode()
    (sent,) = gateway.vendors.take("openai")
    assert sent.json["input"] == ["I harm"]


def test_a_model_for_completions_has_the_text_of_its_answer(gateway: Gateway, browser: Browser) -> None:
    key = gateway.deploy("openai", "completion", messages=[])

    page = run(browser, key, message="Once")

    assert "Once" in text_of(page).partition("Answer")[2]
    (sent,) = gateway.vendors.take("openai")
    assert "Once" in sent.json["prompt"]


def test_a_draft_is_tried_beside_the_live_version_and_neither_counts_as_use(gateway: Gateway, browser: Browser) -> None:
    key = gateway.deploy("openai", "tts", messages=[{"role": "user", "content": "Live {{input}}"}])
    live = gateway.project.request("GET", f"/v2/deployments/{key}").json
    prompt = {**live["prompt_config"], "messages": [{"role": "user", "content": "Draft {{input}}"}]}
    body = json.dumps({"prompt_config": prompt}).encode()
    assert gateway.project.request("POST", f"/v2/deployments/{key}/versions", body).status == 201

    page = run(browser, key, message="ahoy", against="live")

    assert [sent.json["input"] for sent in gateway.vendors.take("openai")] == ["Draft ahoy", "Live ahoy"]
    assert text_of(page).count("answered by") == 2
    callers = gateway.project.request("GET", f"/v2/deployments/{key}/callers").json
    assert callers["data"] == []


def test_the_answer_of_one_column_is_a_page_for_the_script(gateway: Gateway, browser: Browser) -> None:
    key = gateway.deploy("openai", "image", messages=[])
    form = {"message": "A boat", "column": "0", "whole": "1"}

    page = browser.post(f"/console/deployments/{key}/try/answer", form)

    assert page.headers["content-type"].startswith("text/html")
    assert len(addresses(page)) == 1
    assert "data:" in policy(page)
    gateway.vendors.take("openai")


@pytest.mark.parametrize("kind", ["image", "tts", "embedding", "moderation"])
def test_a_failure_of_the_provider_has_its_words_and_an_empty_text_is_not_sent(
    gateway: Gateway, browser: Browser, kind: str
) -> None:
    key = gateway.deploy("openai", kind, messages=[])
    gateway.vendors.fail_next("openai", faults.status(400, f"The dog ate it. {HOSTILE}"))

    page = run(browser, key, message="Hi")

    assert "OpenAI rejects the request: The dog ate it." in text_of(page)
    assert HOSTILE not in page.body.decode()
    gateway.vendors.take("openai")
    assert "input: is missing, and the deployment has no message either" in text_of(run(browser, key))
    assert not gateway.vendors.take("openai")


def test_a_session_without_the_scope_for_calls_and_another_site_call_nothing(
    gateway: Gateway, browser: Browser
) -> None:
    key = gateway.deploy("openai", "image", messages=[])
    path = f"/console/deployments/{key}/try"
    reader = Browser(gateway.project).sign_in(gateway.project.key(Scope.READ)[1])

    assert "Missing scope: deployments:invoke" in text_of(run(reader, key, message="A boat"))
    for each in (path, f"{path}/answer"):
        forged = browser.post(each, {"message": "A boat", "whole": "1"}, Sec_Fetch_Site="cross-site")
        assert forged.status == 403
    assert not gateway.vendors.take("openai")


def test_without_an_integration_no_model_is_called_and_the_page_says_so(gateway: Gateway) -> None:
    project = gateway.server.new_project()
    prompt: dict[str, Any] = {
        "provider": "openai",
        "model": "openai/gpt-image-2",
        "model_type": "image",
        "messages": [],
    }
    assert project.put("a", {"prompt_config": prompt}).status == 201

    text = text_of(run(Browser(project).sign_in(), "a", message="A boat"))

    assert "Answer No provider is connected for openai. So no model was called." in text
    assert "Mock answer" not in text


def test_cases_of_texts_run_with_all_versions(gateway: Gateway, browser: Browser) -> None:
    key = gateway.deploy("openai", "moderation", messages=[])
    path = f"/console/deployments/{key}/try"
    assert browser.post(f"{path}/cases", {"case_name": "first", "message": "I harm"}).status == 303

    page = browser.post(f"{path}/cases/run", {"version": "live"})

    assert "The text is flagged" in text_of(page)
    (sent,) = gateway.vendors.take("openai")
    assert sent.json["input"] == ["I harm"]
