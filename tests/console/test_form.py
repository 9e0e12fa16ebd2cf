"""Forms of both encodings, as browsers send them."""

from urllib.parse import urlencode

import pytest
from urllib3.filepost import encode_multipart_formdata

from moorage.console.form import Form, parse_form
from moorage.core.errors.requests import InvalidRequest

TEXTS = ["", "a b+c&d=e%", "line\r\nline\n\nlast\n", "\ttabs  \t", "größe ☃ 𝄞", "\u2028\ufeff\x00\x1f", "</textarea>"]


def sent(fields: list[tuple[str, str]], encoding: str) -> Form:
    if encoding == "urlencoded":
        return parse_form("application/x-www-form-urlencoded", urlencode(fields).encode())
    body, content_type = encode_multipart_formdata(fields)
    return parse_form(content_type, body)


@pytest.mark.parametrize("encoding", ["urlencoded", "multipart"])
def test_texts_arrive_as_they_were_typed_with_line_feeds(encoding: str) -> None:
    form = sent([(f"f{number}", text) for number, text in enumerate(TEXTS)], encoding)

    assert form.fields == [(f"f{number}", text.replace("\r\n", "\n")) for number, text in enumerate(TEXTS)]


@pytest.mark.parametrize("encoding", ["urlencoded", "multipart"])
def test_a_field_can_occur_several_times_and_be_absent(encoding: str) -> None:
    form = sent([("a", "1"), ("b", ""), ("a", "2")], encoding)

    assert form.get("a") == "1"
    assert form.all("a") == ["1", "2"]
    assert form.get("b") == form.get("c") == ""
    assert "b" in form
    assert "c" not in form


def test_files_are_read_and_a_field_without_a_chosen_file_has_none() -> None:
    content = bytes(range(256)) * 10_000
    body, content_type = encode_multipart_formdata(
        [("files", ("ä.yaml", content, "text/yaml")), ("files", ("b", b"", "text/plain")), ("none", ("", b"", "x/y"))]
    )
    form = parse_form(content_type, body)

    assert [(file.name, file.content) for file in form.files("files")] == [("ä.yaml", content), ("b", b"")]
    assert list(form.files("none")) == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("", b""),
        ("application/json", b"{}"),
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=x", b"--y\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--x--\r\n',
        ),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n"),
        ("application/x-www-form-urlencoded", b"a=%ff"),
        ("application/x-www-form-urlencoded", b"a=\xc3\xa9"),
        ("application/x-www-form-urlencoded", b"a&" * 6_000),
    ],
)
def test_a_form_that_no_browser_sends_is_rejected(content_type: str, body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="form"):
        parse_form(content_type, body)


def test_a_form_of_too_many_parts_is_rejected() -> None:
    body, content_type = encode_multipart_formdata([("a", "1")] * 5_001)

    with pytest.raises(InvalidRequest, match="5,000"):
        parse_form(content_type, body)


def test_the_end_of_a_multipart_form_that_is_missing_is_an_error() -> None:
    body, content_type = encode_multipart_formdata([("a", "1"), ("b", "2")])

    with pytest.raises(InvalidRequest):
        parse_form(content_type, body[:-10])
