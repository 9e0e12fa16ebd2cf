"""The files that browsers load besides pages: small, of this host only, and without what the security policy blocks."""

import gzip
import re
from importlib.resources import files
from pathlib import Path

import pytest

_FOLDER = Path(str(files("moorage"))) / "console"
_TEMPLATES = sorted((_FOLDER / "templates").glob("*.html"))
_STATIC = sorted((_FOLDER / "static").iterdir())


@pytest.mark.parametrize(("suffix", "limit"), [(".css", 10_240), (".js", 25_600)])
def test_style_sheets_and_scripts_are_small(suffix: str, limit: int) -> None:
    sizes = {path.name: len(gzip.compress(path.read_bytes())) for path in _STATIC if path.suffix == suffix}

    assert 0 < sum(sizes.values()) <= limit, sizes


@pytest.mark.parametrize("path", _STATIC, ids=lambda path: str(path.name))
def test_a_static_file_refers_to_no_other_file(path: Path) -> None:
    text = path.read_text().replace('xmlns="http://www.w3.org/2000/svg"', "")

    assert not re.search(r"@import|url\(|https?:|\bimport\b", text)


def test_scripts_never_write_html_from_strings() -> None:
    for path in _STATIC:
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", path.read_text())


@pytest.mark.parametrize("path", _TEMPLATES, ids=lambda path: str(path.name))
def test_a_template_has_nothing_that_the_content_security_policy_blocks(path: Path) -> None:
    text = path.read_text()

    assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text)), "no script is inside a page"
    assert not re.search(r"\|\s*safe\b|autoescape\s+false", text), "all values are escaped"
