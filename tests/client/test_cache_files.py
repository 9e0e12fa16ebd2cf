"""The file of the client's disk cache: it is written only to a regular file."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from moorage.client import Moorage
from tests.support.server import Project, a_body


def link(path: Path) -> None:
    path.symlink_to("victim")


def device(path: Path) -> None:
    path.symlink_to("/dev/null")


def a_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("kind", [link, device, a_folder], ids=lambda kind: kind.__name__)
def test_nothing_but_a_regular_file_is_replaced(project: Project, folder: Path, kind: Callable[[Path], None]) -> None:
    project.put("a")
    with Moorage(project.server.url, project.token, cache=folder / "cache") as client:
        client.get_config("a")
    (file,) = (folder / "cache").iterdir()
    (folder / "cache" / "victim").write_text("victim")
    file.unlink()
    kind(file)
    before = file.lstat()
    project.put("a", a_body(model="other"))

    with Moorage(project.server.url, project.token, cache=folder / "cache") as client:
        assert client.get_config("a").model == "other"

    assert file.lstat().st_ino == before.st_ino
    assert {path.name for path in (folder / "cache").iterdir()} == {file.name, "victim"}
    assert (folder / "cache" / "victim").read_text() == "victim"


def test_no_prepared_temporary_name_is_followed(project: Project, folder: Path) -> None:
    project.put("a")
    with Moorage(project.server.url, project.token, cache=folder / "cache") as client:
        client.get_config("a")
    (file,) = (folder / "cache").iterdir()
    (folder / "victim").write_text("victim")
    for name in (f"{file.name}.{os.getpid()}.partial", f"{file.name}.partial", f".{file.name}.part"):
        (folder / "cache" / name).symlink_to(folder / "victim")
    project.put("a", a_body(model="other"))

    with Moorage(project.server.url, project.token, cache=folder / "cache") as client:
        client.get_config("a")

    assert (folder / "victim").read_text() == "victim"
    assert not file.is_symlink()
