"""Signing requests for AWS: the keys of integrations, and those of the server."""

import asyncio
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from moorage.gateway.aws_signer import AwsSigner, find_server_credentials, keys_of
from moorage.gateway.credential_errors import CredentialUnusable, ExtraMissing
from moorage.providers.signing import AwsKeys

URL = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse"


class Refreshable:
    """Credentials of a role: they need a refresh, which blocks."""

    def __init__(self) -> None:
        self.is_stale, self.refreshes = True, 0

    def refresh_needed(self) -> bool:
        return self.is_stale

    def get_frozen_credentials(self) -> SimpleNamespace:
        if self.is_stale:
            assert threading.current_thread() is not threading.main_thread()
            self.is_stale, self.refreshes = False, self.refreshes + 1
        return SimpleNamespace(access_key="A", secret_key="S", token=f"T{self.refreshes}")


def test_the_key_of_an_integration_signs_small_and_large_bodies() -> None:
    async def run(body: bytes) -> dict[str, str]:
        keys = keys_of({"access_key_id": "A", "secret_access_key": "S", "session_token": "T"})
        assert keys is not None
        return await AwsSigner().headers("POST", URL, {"Content-Type": "application/json"}, body, keys, "us-east-1")

    for body in (b"{}", b"x" * 2_000_000):
        headers = asyncio.run(run(body))
        assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=A/")
        assert headers["X-Amz-Security-Token"] == "T"


def test_half_a_key_is_an_error_and_no_key_is_none() -> None:
    assert keys_of({"api_key": "k"}) is None
    with pytest.raises(CredentialUnusable, match="it has no secret_access_key"):
        keys_of({"access_key_id": "A"})
    with pytest.raises(CredentialUnusable, match="it has no access_key_id"):
        keys_of({"secret_access_key": "A"})


def test_the_keys_of_the_server_are_found_once_and_refreshed_once_in_a_thread() -> None:
    credentials, searches = Refreshable(), list[str]()

    def find() -> Refreshable:
        searches.append(threading.current_thread().name)
        return credentials

    async def run() -> list[AwsKeys]:
        signer = AwsSigner(find)
        found = await asyncio.gather(*(signer.server_keys() for _ in range(20)))
        credentials.is_stale = True
        return [*found, await signer.server_keys()]

    found = asyncio.run(run())

    assert found[:20] == [AwsKeys("A", "S", "T1")] * 20
    assert found[20] == AwsKeys("A", "S", "T2")
    assert len(searches) == 1
    assert searches[0] != threading.main_thread().name


def test_the_keys_of_the_server_come_from_its_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = A\naws_secret_access_key = S\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    assert asyncio.run(AwsSigner(find_server_credentials).server_keys()) == AwsKeys("A", "S")


def fails() -> Any:
    from botocore.exceptions import ProfileNotFound  # noqa: PLC0415 -- botocore is an optional package

    raise ProfileNotFound(profile="x")


@pytest.mark.parametrize(("find", "reason"), [
    (lambda: None, "the server has no credentials of AWS"), (fails, "ProfileNotFound in the credentials"),
])  # fmt: skip
def test_a_server_without_keys_is_an_error(find: Callable[[], Any], reason: str) -> None:
    with pytest.raises(CredentialUnusable, match=reason):
        asyncio.run(AwsSigner(find).server_keys())


def test_a_missing_extra_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.auth", None)

    with pytest.raises(ExtraMissing, match=r"pip install 'moorage\[aws\]'"):
        asyncio.run(AwsSigner().headers("POST", URL, {}, b"", AwsKeys("A", "S"), "us-east-1"))
