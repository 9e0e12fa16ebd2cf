"""Servers on one PostgreSQL database, each as on its own machine."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.server import Project, Server


class Node(Server):
    """A server that shares only the database with other servers. Its disk cache is in its folder."""

    def __init__(self, folder: Path, database: str, *arguments: str) -> None:
        folder.mkdir(exist_ok=True)
        options = ("--disk-cache", str(folder / "disk-cache"), *arguments)
        # The processes of one machine share the newest revision in the temporary folder.
        super().__init__(folder, *options, prefix=("env", f"TMPDIR={folder}"), database=database)

    def new_project(self) -> Project:
        """Create a project as another node does, and wait until this node has it."""
        return super().new_project().on_server(self)


class Nodes:
    """Nodes on one database, and a project on each of them."""

    def __init__(self, folder: Path, database: str, count: int = 2, *arguments: str) -> None:
        self.all = [Node(folder / f"node{number}", database, *arguments) for number in range(count)]
        self.projects: list[Project] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for node in self.all:
            self._stack.enter_context(node)
        project = self.all[0].new_project()
        self.projects = [project.on_server(node) for node in self.all]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
