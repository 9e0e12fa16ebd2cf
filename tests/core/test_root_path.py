"""The root path: the prefix of all paths behind a proxy."""

import pytest

from moorage.core.root_path import parse_root_path, without_root_path


@pytest.mark.parametrize(
    ("text", "path"), [(None, ""), ("/", ""), ("/moorage", "/moorage"), ("/a/b-c.d_e~f/", "/a/b-c.d_e~f")]
)
def test_a_root_path_has_no_slash_at_its_end(text: str | None, path: str) -> None:
    assert parse_root_path(text) == path


@pytest.mark.parametrize(
    "text", ["moorage", "/a//b", "/a b", "/a?b", "/ä", "/a/../b", "/.", "/%61", "http://a/b", "//a"]
)
def test_a_value_that_is_no_path_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not a path such as /moorage") as error:
        parse_root_path(text)
    assert f"'{text}'" in str(error.value)


@pytest.mark.parametrize(
    ("path", "without"),
    [("/m/v2/a", "/v2/a"), ("/m", "/"), ("/m/", "/"), ("/v2/a", "/v2/a"), ("/mm/v2", "/mm/v2"), ("/m/m/a", "/m/a")],
)
def test_the_root_path_is_removed_once(path: str, without: str) -> None:
    assert without_root_path(path, "/m") == without
