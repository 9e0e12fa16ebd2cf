"""The exceptions of content that Moorage did not write."""

import msgspec
import pytest

from moorage.core.deployments.content import DECODE_ERRORS


@pytest.mark.parametrize("text", [b"", b"{", b'"\xff"', b'{"a": "\xff"}', b'"\\ud800"', b"[" * 100_000, b"9" * 5_000])
def test_bytes_that_are_no_json_raise_one_of_them(text: bytes) -> None:
    with pytest.raises(DECODE_ERRORS):
        msgspec.json.decode(text)
