"""Other gateways: how each is installed, in a folder of its own outside of the environment of Moorage, and started."""

import json
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import msgspec

from tools.bench.provider import BURSTS, UNARY
from tools.common.servers import Server, wait_for_text

_MODELS = (UNARY, BURSTS)
_INSTALL_SECONDS = 900

_TENSORZERO = """
import sys, threading, types
import tensorzero
gateway = types.SimpleNamespace()
tensorzero.patch_openai_client(gateway, config_file=sys.argv[1], async_setup=False)
print("listening on", gateway.base_url, flush=True)
threading.Event().wait()
"""


class NotInstalled(Exception):
    """A peer cannot be installed; the argument is the reason."""


class Peer(Server):
    """Another gateway. `target`, `headers`, `token` and `model` are those of its chat completions."""

    title: ClassVar[str]
    version: ClassVar[str]
    remarks: ClassVar[str]
    target = "/v1/chat/completions"
    ready = "/"

    def __init__(self, cache: Path, folder: Path, core: int | None, base_url: str) -> None:
        """`cache` is the folder of installed peers, and `base_url` that of the provider."""
        super().__init__(self.title, folder, core, self.ready)
        self.installed = cache / f"{self.title.lower()}-{self.version}"
        self.base_url = base_url
        self.token = f"sk-{secrets.token_hex(16)}"
        self.headers: Mapping[str, str] = {}

    def install(self) -> None:
        """Install it, unless that was done before.

        Raises:
            NotInstalled
        """
        done = self.installed / "installed"
        if not done.exists():
            shutil.rmtree(self.installed, ignore_errors=True)
            self.installed.mkdir(parents=True)
            self._install()
            done.touch()

    def body(self, sent: str, model: str, *, is_stream: bool) -> str:
        """Return the body for a call, from what Moorage sends to the provider."""
        fields = msgspec.json.decode(sent) | {"model": self._model(model), "stream": is_stream}
        if not is_stream:
            fields.pop("stream_options", None)
        return json.dumps(fields)

    def _install(self) -> None:
        raise NotImplementedError

    def _model(self, model: str) -> str:
        return model

    def _pip(self, *packages: str) -> None:
        _run(sys.executable, "-m", "venv", str(self.installed / "venv"))
        _run(str(self.installed / "venv/bin/python"), "-m", "pip", "install", "--quiet", *packages)


class TensorZero(Peer):
    """The embedded gateway of TensorZero, in Rust. It chooses its port."""

    title, version = "TensorZero", "2026.6.0"
    remarks = "embedded gateway of the Python package, without its database, templates and API keys"
    target = "/openai/v1/chat/completions"

    def _install(self) -> None:
        self._pip(f"tensorzero=={self.version}")

    def _model(self, model: str) -> str:
        return f"tensorzero::model_name::{model}"

    def command(self) -> list[str]:
        """See `Server.command`."""
        config = self.folder / "tensorzero.toml"
        config.write_text("[gateway]\nobservability.enabled = false\n" + "".join(
            f'[models.{model}]\nrouting = ["mock"]\n[models.{model}.providers.mock]\ntype = "openai"\n'
            f'model_name = "{model}"\napi_base = "{self.base_url}/"\napi_key_location = "none"\n'
            for model in _MODELS
        ))  # fmt: skip
        return [str(self.installed / "venv/bin/python"), "-c", _TENSORZERO, str(config)]

    def _wait(self) -> None:
        self.port = int(wait_for_text(self.tree, r"listening on http://[^:]+:(\d+)"))
        self.seconds_to_ready = time.perf_counter() - self.started


class LiteLLM(Peer):
    """The proxy of LiteLLM, in Python. Without the packages of OpenTelemetry, it tries to import them at each call."""

    title, version = "LiteLLM", "1.108.7"
    remarks = "proxy with one worker, a master key, uvicorn with httptools, no database"
    ready = "/health/liveliness"

    def _install(self) -> None:
        telemetry = ("opentelemetry-api", "opentelemetry-sdk", "opentelemetry-exporter-otlp")
        self._pip(f"litellm[proxy]=={self.version}", "httptools", *telemetry)

    def command(self) -> list[str]:
        """See `Server.command`."""
        config = self.folder / "litellm.json"  # JSON is YAML, too
        models = [
            {"model_name": model, "litellm_params": {
                "model": f"openai/{model}", "api_base": self.base_url, "api_key": "sk-bench",
            }}
            for model in _MODELS
        ]  # fmt: skip
        config.write_text(json.dumps({"model_list": models}))
        return [
            str(self.installed / "venv/bin/litellm"), "--config", str(config), "--host", "127.0.0.1", "--port",
            str(self.port), "--num_workers", "1",
        ]  # fmt: skip

    def environment(self) -> Mapping[str, str]:
        """See `Server.environment`."""
        return {
            "LITELLM_MASTER_KEY": self.token, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION",
            "LITELLM_LOG": "ERROR",
        }  # fmt: skip


class Portkey(Peer):
    """The gateway of Portkey, for Node."""

    title, version = "Portkey", "1.15.2"
    remarks = "gateway for Node, configured by headers of the request"

    def __init__(self, cache: Path, folder: Path, core: int | None, base_url: str) -> None:
        super().__init__(cache, folder, core, base_url)
        self.headers = {"x-portkey-provider": "openai", "x-portkey-custom-host": base_url}

    def _install(self) -> None:
        if shutil.which("npm") is None:
            raise NotInstalled("npm is missing")
        package = f"@portkey-ai/gateway@{self.version}"
        _run("npm", "install", "--prefix", str(self.installed), "--no-audit", "--no-fund", "--ignore-scripts", package)

    def command(self) -> list[str]:
        """See `Server.command`."""
        script = self.installed / "node_modules/@portkey-ai/gateway/build/start-server.js"
        return ["node", str(script), f"--port={self.port}", "--headless"]

    def environment(self) -> Mapping[str, str]:
        """See `Server.environment`."""
        return {"TRUSTED_CUSTOM_HOSTS": "127.0.0.1"}


PEERS: tuple[type[Peer], ...] = (TensorZero, LiteLLM, Portkey)


def _run(*command: str) -> None:
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_INSTALL_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(f"{command[0]} failed: {error}") from None
    if run.returncode:
        lines = (run.stderr or run.stdout).strip().splitlines() or ["no message"]
        raise NotInstalled(f"its installation failed: {lines[-1][:200]}")
