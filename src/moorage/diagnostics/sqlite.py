"""The checks of `moorage doctor` for a SQLite file. They create and change nothing."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from shlex import join
from urllib.parse import quote

import apsw

from moorage.core.errors.storage import StorageError
from moorage.diagnostics.database import of_content, refusal
from moorage.diagnostics.finding import Finding, State
from moorage.store.errors import error_text
from moorage.store.queries import load_queries
from moorage.store.sqlite.schema import check_version, find_schema

#: The suffixes of the files that SQLite creates next to the database.
SIDE_FILES = ("", "-wal", "-shm", "-revision")

#: Bytes that should be free on its disk, and those without which writes fail soon.
ROOM, LEAST_ROOM = 512 * 2**20, 16 * 2**20

_WHERE = "set MOORAGE_DATABASE to a file of this user's on a local disk"


def examine(path: Path, url: str) -> Iterator[Finding]:
    """Look at it, as far as can be seen."""
    yield _of_library(apsw.sqlite_lib_version())
    yield from _of_place(path)
    if not path.is_file():
        return
    began = time.perf_counter()
    try:
        with closing(_open_untouched(path)) as connection:
            schema = find_schema(connection, url)
            took = (time.perf_counter() - began) * 1000
            yield Finding("ok", "database", f"{url} answered in {took:.0f} ms")
            queries = load_queries()
            yield from of_content(
                schema, lambda query, **parameters: connection.execute(queries[query], parameters), url
            )
    except apsw.Error as error:
        yield Finding("problem", "database", f"{url}: {error_text(error)}", _WHERE)
    except StorageError as error:
        yield refusal("database", error, _WHERE)


def _open_untouched(path: Path) -> apsw.Connection:
    """A connection that leaves no trace. Without `immutable` SQLite makes the side files of a WAL database, so it is
    said where nobody has the database open."""
    is_in_use = path.with_name(path.name + "-wal").exists()
    address = f"file:{quote(str(path))}?" + ("mode=ro" if is_in_use else "immutable=1")
    connection = apsw.Connection(address, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    connection.set_busy_timeout(5_000)
    return connection


def _of_library(version: str) -> Finding:
    try:
        check_version(version)
    except StorageError as error:
        return refusal("SQLite", error, "pip install 'apsw>=3.51.3'")
    return Finding("ok", "SQLite", version)


def _of_place(path: Path) -> Iterator[Finding]:
    folder = path.parent
    if not folder.is_dir():
        in_the_way = next(each for each in (folder, *folder.parents) if os.path.lexists(each))
        if in_the_way.is_dir():
            fix = f"{join(('mkdir', '-p', str(folder)))}, or {_WHERE}"
            yield Finding("problem", "database", f"there is no folder {folder}", fix)
        else:
            yield Finding("problem", "database", f"{in_the_way} is no folder", _WHERE)
        return
    if path.is_dir():
        yield Finding("problem", "database", f"{path} is a folder", "name a file in it in MOORAGE_DATABASE")
        return
    if not path.exists():
        text = f"there is no file {path} yet; the next start makes it"
        yield Finding("warning", "database", text, "moorage serve, or MOORAGE_DATABASE if it is elsewhere")
    yield _of_permissions(path)
    yield _of_room(folder, shutil.disk_usage(folder).free)


def _of_permissions(path: Path) -> Finding:
    there = [file for end in SIDE_FILES if (file := path.with_name(path.name + end)).exists()]
    closed = [str(each) for each in (path.parent, *there) if not os.access(each, os.W_OK)]
    if closed:
        text = f"this user cannot write {', '.join(closed)}"
        fix = f"{join(('chown', str(os.geteuid()), *closed))}, or run as the owner"
        return Finding("problem", "permissions", text, fix)
    open_to_all = [str(each) for each in there if each.stat().st_mode & 0o077]
    if open_to_all:
        text = f"other users may open {', '.join(open_to_all)}: prompts, and hashes of API keys"
        return Finding("warning", "permissions", text, join(("chmod", "600", *open_to_all)))
    return Finding("ok", "permissions", "this user can write, and no other can read" if there else "it can be made")


def _of_room(folder: Path, free: int) -> Finding:
    state: State = "problem" if free < LEAST_ROOM else "warning" if free < ROOM else "ok"
    fix = "" if state == "ok" else f"free some space on the disk of {folder}"
    return Finding(state, "disk", f"{free // 2**20:,} MiB are free in {folder}", fix)
