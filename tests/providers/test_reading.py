"""The limits of bodies that are parsed."""

import pytest

from moorage.providers.media.reading import has_more


@pytest.mark.parametrize("maximum", [0, 1, 10, 3_999, 4_000, 4_001, 10_000])
@pytest.mark.parametrize("excess", [-1, 0, 1])
@pytest.mark.parametrize("between", [b"", b"abc"])
def test_a_character_is_more_often_in_a_body_than_a_maximum(maximum: int, excess: int, between: bytes) -> None:
    body = (between + b"{") * (maximum + excess) + between
    assert has_more(body, b"{", maximum) is (excess > 0)
