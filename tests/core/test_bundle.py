"""Bundles: their bytes follow from what is in them, and their signature from the bytes and the API key."""

import pytest

from moorage.core.access import hash_token, new_token
from moorage.core.bundle import (
    BadBundle,
    Bundle,
    digest_of,
    encode_bundle,
    encode_live,
    is_signed,
    read_bundle,
    read_live,
    sign,
)
from moorage.core.deployment import Live

LIVES = [
    Live("b", "id-b", "v-b", "1.0", '{"model":"m","messages":["ä € 🚢"]}', "[]", "{}"),
    Live("a", "id-a", "v-a", "2.1", '{"model":"n"}', '[{"key":"x"}]', '{"retry_count":1}'),
]


def test_what_was_encoded_is_read_in_the_order_of_keys() -> None:
    assert read_bundle(encode_bundle("p", "e", 7, LIVES)) == Bundle("p", "e", 7, LIVES[::-1])
    assert [read_live(encode_live(live)) for live in LIVES] == LIVES


def test_the_order_in_which_deployments_were_made_is_no_difference() -> None:
    assert encode_bundle("p", "e", 7, LIVES) == encode_bundle("p", "e", 7, LIVES[::-1])


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"format":2,"project":"p","deployments":[]}', b'{"format":1}'])
def test_what_is_no_bundle_of_this_format_is_refused(data: bytes) -> None:
    with pytest.raises(BadBundle):
        read_bundle(data)


def test_a_signature_holds_for_these_bytes_and_this_api_key_alone() -> None:
    (_, token), (_, other) = new_token(), new_token()
    data = encode_bundle("p", "e", 7, LIVES)
    signature = sign(hash_token(token), digest_of(data))

    assert is_signed(data, token, signature)
    assert not is_signed(data + b" ", token, signature)
    assert not is_signed(data, other, signature)
    assert not is_signed(data, token, "")
    assert not is_signed(data, token, "hmac-sha256=é")
