"""The git commit of a file, for the history."""

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Final

import msgspec

from moorage.documents.file_names import git_root

_SECONDS: Final = 10.0
_SHOWN: Final = 12

_HASHES: Final = {40: hashlib.sha1, 64: hashlib.sha256}


class _Repository(msgspec.Struct, frozen=True):
    """A commit, and the hashes of its files by their names."""

    commit: str
    files: dict[str, str]


class Commits:
    """The commits of files. Each repository is read once, with commands that run nothing of it."""

    def __init__(self) -> None:
        self._repositories: dict[Path, _Repository | None] = {}

    def of(self, file: Path) -> str:
        """Return `git 1a2b3c4d5e6f`, followed by `modified` if the file differs from the commit; or nothing."""
        place = Path(os.path.realpath(file))
        root = git_root(place)
        if root is None:
            return ""
        if root not in self._repositories:
            self._repositories[root] = _read(root)
        repository = self._repositories[root]
        if repository is None:
            return ""
        stored = repository.files.get(place.relative_to(root).as_posix())
        is_equal = stored is not None and stored == _hash(place, len(stored))
        return f"git {repository.commit[:_SHOWN]}{'' if is_equal else ', modified'}"


def _read(root: Path) -> _Repository | None:
    """Return the newest commit of a repository, or None if it has none, or there is no git."""
    commit = _run(root, "rev-parse", "--verify", "HEAD")
    listed = None if commit is None else _run(root, "ls-tree", "-r", "-z", "--full-tree", "HEAD")
    if commit is None or listed is None:
        return None
    entries = (entry.partition("\t") for entry in listed.split("\0") if entry)
    return _Repository(commit.strip(), {name: attributes.split(" ")[2] for attributes, _, name in entries})


def _run(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 -- fixed arguments
            ["git", "-C", str(root), *arguments], capture_output=True, timeout=_SECONDS, check=True  # noqa: S607 -- git is where the user has it
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="surrogateescape")


def _hash(file: Path, length: int) -> str:
    """Return the hash under which git stores the content of a file."""
    content = file.read_bytes()
    return _HASHES[length](b"blob %d\0" % len(content) + content).hexdigest() if length in _HASHES else ""
