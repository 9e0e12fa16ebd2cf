"""The Node SDK of OpenAI calls deployments. `make .venv/node` installs it, and needs npm."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.calls.cells import OF_EACH_PROTOCOL
from tests.calls.test_tools import TOOLS
from tests.support.gateway import Gateway
from tests.support.threads import HANG_SECONDS
from tests.support.vendors import faults
from tests.support.vendors.model import THOUGHT

_TEXT = "Say hello to Zürich 🎉 please"
_HERE = Path(__file__).parent / "node"
_MODULES = Path(__file__).parents[2] / ".venv" / "node" / "node_modules"


def run(gateway: Gateway, folder: Path, *jobs: dict[str, str]) -> list[Any]:
    """Return the results of jobs."""
    (folder / "node_modules").symlink_to(_MODULES)
    script = shutil.copy(_HERE / "client.mjs", folder)
    work = {"url": gateway.server.url, "token": gateway.project.token, "jobs": jobs}
    done = subprocess.run(
        ["node", script], input=json.dumps(work).encode(), capture_output=True, timeout=HANG_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    results: list[Any] = json.loads(done.stdout)
    return results


def job(kind: str, model: str = "", text: str = _TEXT) -> dict[str, str]:
    return {"kind": kind, "model": model, "text": text}


def test_responses_and_streams_of_each_protocol(gateway: Gateway, folder: Path) -> None:
    keys = [gateway.deploy(provider) for provider in OF_EACH_PROTOCOL]
    kinds = ("chat", "stream", "helper")
    results = run(gateway, folder, *(job(kind, key) for key in keys for kind in kinds))
    assert [each.get("error") for each in results] == [None] * len(results)
    said = [each["result"] if isinstance(each["result"], str) else each["result"]["content"] for each in results]
    assert said == [f"You said: {_TEXT}"] * len(results)


def test_the_helper_joins_two_tools_in_parallel(gateway: Gateway, folder: Path) -> None:
    keys = [gateway.deploy(provider, tools=TOOLS) for provider in OF_EACH_PROTOCOL]
    both = "Use get_weather and get_time"
    results = run(gateway, folder, *(job(kind, key, both) for key in keys for kind in ("chat", "helper")))
    calls = [each["result"]["tool_calls"] for each in results]
    for whole, joined in zip(calls[::2], calls[1::2], strict=True):
        assert [call["function"] for call in joined] == [call["function"] for call in whole]
        assert len({call["id"] for call in joined}) == 2


def test_texts_models_and_thoughts(gateway: Gateway, folder: Path) -> None:
    text = gateway.deploy("openai", "completion", messages=[])
    thinks = gateway.deploy("anthropic", model_parameters={"maxTokens": 4000, "budgetTokens": 2048})
    found, listed, one, thought = run(
        gateway, folder, job("text", text), job("models"), job("model", text), job("chat", thinks)
    )
    assert found["result"] == f"You said: {_TEXT}"
    assert text in listed["result"]
    assert one["result"] == text
    assert thought["result"]["reasoning_content"] == THOUGHT


def test_errors_are_raised_once(gateway: Gateway, folder: Path) -> None:
    key = gateway.deploy("openai")
    gateway.vendors.fail_next("openai", faults.status(503, "Busy"), faults.error_in_stream)
    busy, broken, unknown, response = run(
        gateway, folder, job("chat", key), job("stream", key), job("chat", "no-such-deployment"), job("response", key)
    )
    assert (busy["error"], busy["status"], busy["code"]) == ("InternalServerError", 503, "provider_overloaded")
    assert (broken["error"], broken["code"]) == ("APIError", "provider_error")
    assert "The model crashed." in broken["message"]
    assert (unknown["error"], unknown["code"]) == ("NotFoundError", "deployment_not_found")
    assert response["result"]["output_text"].startswith("You said: ")
    assert len(gateway.vendors.take("openai")) == 3, "the SDK has not sent the request again"
