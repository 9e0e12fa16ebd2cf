"""The errors of providers, in all forms in which they send them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core.resolution.config import Object
from moorage.providers.error_bodies import MAX_MESSAGE, ErrorBody, read_error


@pytest.mark.parametrize(("body", "expected"), [
    ({"error": {"message": "M", "type": "t", "code": "c"}}, ErrorBody("M", "c")),  # OpenAI
    ({"error": {"message": "M", "type": "t", "code": None}}, ErrorBody("M", "t")),
    ({"type": "error", "error": {"type": "overloaded_error", "message": "M"}}, ErrorBody("M", "overloaded_error")),
    ({"error": {"code": 400, "message": "M", "status": "INVALID_ARGUMENT"}}, ErrorBody("M", "INVALID_ARGUMENT")),
    ([{"error": {"code": 400, "message": "M", "status": "S"}}], ErrorBody("M", "S")),  # streams of Google
    ({"message": "M", "type": "t", "code": "c"}, ErrorBody("M", "c")),  # Cerebras
    ({"message": "M"}, ErrorBody("M")),  # Amazon, Cohere
    ({"detail": "M"}, ErrorBody("M")),
    ({"detail": [{"loc": ["a"], "msg": "M"}, {"msg": "N"}]}, ErrorBody("M; N")),  # FastAPI
    ({"detail": {"status": "s", "message": "M"}}, ErrorBody("M")),  # ElevenLabs
    ({"error": "M"}, ErrorBody("M")),  # Hugging Face
    ({"error": ["M", "N"]}, ErrorBody("M; N")),
    ({"error": "M", "code": "c"}, ErrorBody("M", "c")),
    ({}, ErrorBody()), ([], ErrorBody()), (None, ErrorBody()), ("M", ErrorBody("M")), ({"error": {}}, ErrorBody()),
    ({"error": {"message": {"message": {"message": {"message": "too deep"}}}}}, ErrorBody()),
])  # fmt: skip
def test_the_message_is_found_where_the_provider_has_it(body: object, expected: ErrorBody) -> None:
    assert read_error(json.dumps(body).encode(), {}) == expected


def test_amazon_has_the_code_in_a_header() -> None:
    headers = {"x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/"}
    assert read_error(b'{"message": "M"}', headers) == ErrorBody("M", "ThrottlingException")


def test_a_text_is_the_message_and_a_page_of_a_proxy_is_not() -> None:
    assert read_error(b"upstream connect  error\n", {}) == ErrorBody("upstream connect error")
    assert read_error(b"<html>Bad gateway</html>", {}) == ErrorBody()
    assert read_error(b"\xff\xfe", {}).message is not None


def test_a_long_message_is_cut() -> None:
    body: Object = {"error": {"message": "x" * 100_000}}
    message = read_error(json.dumps(body).encode()[:60_000], {}).message
    assert message is not None
    assert len(message) <= MAX_MESSAGE


@given(st.binary(max_size=60) | st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["error", "message", "detail", "code", "type", "x"]), inner), max_leaves=12,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_any_body_is_read(body: bytes) -> None:
    found = read_error(body, {})
    assert found.message is None or 0 < len(found.message) <= MAX_MESSAGE
