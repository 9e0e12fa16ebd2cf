"""The names of files: relative to their git repository, so that they are the same from every folder."""

import os
from pathlib import Path


def git_root(place: Path) -> Path | None:
    """Return the root of the git repository that contains an absolute path, if any."""
    return next((folder for folder in (place, *place.parents) if (folder / ".git").exists()), None)


def name_in_project(path: str) -> str:
    """Return the path of a file relative to its git repository; outside of one, the path as given."""
    place = Path(os.path.realpath(path))  # `Path.resolve` raises an error for links in a circle
    top = git_root(place)
    return (place.relative_to(top) if top else Path(os.path.normpath(path))).as_posix()
