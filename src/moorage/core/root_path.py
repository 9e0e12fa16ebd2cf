"""The root path: the prefix of all paths, if a proxy publishes the server under one."""

import re

_SEGMENTS = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")


def parse_root_path(text: str | None) -> str:
    """Return the root path in a setting, without a slash at its end; an empty one for the root itself.

    Raises:
        ValueError: it is no path, or has a character that would have to be encoded.
    """
    path = (text or "").rstrip("/")
    if not path:
        return ""
    if not _SEGMENTS.fullmatch(path) or any(segment in {".", ".."} for segment in path.split("/")):
        raise ValueError(f"'{path[:80]}' is not a path such as /moorage, of letters, digits, and the characters ._~-")
    return path


def without_root_path(path: str, root_path: str) -> str:
    """Return a path below the root path; a path outside of it is returned as it is: a proxy can have removed it."""
    if path.startswith(f"{root_path}/"):
        return path[len(root_path) :]
    return "/" if path == root_path else path
