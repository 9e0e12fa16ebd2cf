"""Snapshots: their bytes depend only on their content, and their signature only on the bytes and the API key."""

import json

import msgspec
import pytest

from moorage.core.access import hash_token, new_token
from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.deployment import LiveVersion
from moorage.core.resolution.snapshot import (
    InvalidSnapshot,
    Snapshot,
    digest_of,
    encode_live,
    encode_lockfile,
    encode_snapshot,
    is_signed,
    read_live,
    read_snapshot,
    sign,
)

LIVES = [
    LiveVersion("b", "id-b", "v-b", "1.0", StoredContent('{"model":"m","messages":["ä € 🚢"]}', "[]", "{}")),
    LiveVersion("a", "id-a", "v-a", "2.1", StoredContent('{"model":"n"}', '[{"key":"x"}]', '{"retry_count":1}')),
]


def test_a_snapshot_is_decoded_in_the_order_of_keys() -> None:
    assert read_snapshot(encode_snapshot("p", "e", 7, LIVES)) == Snapshot("p", "e", 7, LIVES[::-1])
    assert [read_live(encode_live(live)) for live in LIVES] == LIVES


def test_the_order_of_creation_does_not_change_the_bytes() -> None:
    assert encode_snapshot("p", "e", 7, LIVES) == encode_snapshot("p", "e", 7, LIVES[::-1])


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"format":2,"project":"p","deployments":[]}', b'{"format":1}'])
def test_an_unsupported_format_is_rejected(data: bytes) -> None:
    with pytest.raises(InvalidSnapshot):
        read_snapshot(data)


def test_a_signature_is_valid_only_for_its_bytes_and_api_key() -> None:
    (_, token), (_, other) = new_token(), new_token()
    data = encode_snapshot("p", "e", 7, LIVES)
    signature = sign(hash_token(token), digest_of(data))

    assert is_signed(data, token, signature)
    assert not is_signed(data + b" ", token, signature)
    assert not is_signed(data, other, signature)
    assert not is_signed(data, token, "")
    assert not is_signed(data, token, "hmac-sha256=é")


def locked(*names: str, epoch: str = "e", revision: int = 7) -> bytes:
    """Return the lockfile of an environment, whose name is the first one, in a project with all of these names."""
    environment, environments = (names[0], sorted(names)) if names else ("production", [])
    return encode_lockfile(json.loads(encode_snapshot("p", epoch, revision, LIVES, environment, environments)))


def test_a_lockfile_changes_only_with_its_deployments() -> None:
    plain = json.loads(encode_snapshot("p", "e", 7, LIVES))
    expected = {name: plain[name] for name in ("format", "project", "deployments")}

    assert locked() == msgspec.json.format(msgspec.json.encode(expected), indent=2) + b"\n"
    assert locked("production", "staging", epoch="later", revision=8) == locked()
    assert locked("staging", "production", "more") == locked("staging", "production")


def test_a_lockfile_has_the_name_of_another_environment() -> None:
    staging = read_snapshot(locked("staging", "production"))

    assert (staging.environment, staging.environments, len(staging.lives)) == ("staging", (), 2)
    assert read_snapshot(locked()).environment == "production"
