"""The profile: the address of a server and an API key, which `moorage login` stores for the commands."""

import os
import stat
from pathlib import Path
from typing import Final

import click
import msgspec

from moorage.core.escaping import visible_line
from moorage.files import open_regular, write_file
from moorage.settings import SETTINGS, find_mistake

_MAX_BYTES: Final = 65_536


class Profile(msgspec.Struct, frozen=True):
    """A server and an API key of it. The key is sent to no other server."""

    url: str
    api_key: str


def profile_path() -> Path:
    """Return the file of the profile, in the user's folder for configuration (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".config") / "moorage" / "profile.json"


def read_profile() -> Profile | None:
    """Return the profile of this user, or None if there is none.

    Raises:
        click.ClickException: it cannot be read, or other users can read it.
    """
    try:
        path = profile_path()
    except RuntimeError:  # the user has no home folder
        return None
    try:
        handle = open_regular(path, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise click.ClickException(f"{visible_line(path)}: {error.strerror}. Run: moorage login URL") from error
    with os.fdopen(handle, "rb") as file:
        if os.fstat(handle).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            shown = visible_line(path)
            raise click.ClickException(f"{shown}: other users have access to this API key. Run: chmod 600 '{shown}'")
        content = file.read(_MAX_BYTES)
    try:
        profile = msgspec.json.decode(content, type=Profile)
        for name in ("url", "api_key"):
            if mistake := find_mistake(SETTINGS[name], getattr(profile, name)):
                raise ValueError(mistake)
    except ValueError as error:
        raise click.ClickException(f"{visible_line(path)} is not a profile. Run: moorage login URL") from error
    return profile


def write_profile(profile: Profile) -> Path:
    """Store the profile, so that only this user can read it; return its file.

    Raises:
        OSError
    """
    path = profile_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_file(path, msgspec.json.format(msgspec.json.encode(profile)) + b"\n", is_private=True)
    return path
