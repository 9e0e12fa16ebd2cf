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
from moorage.core.secret_keys import SecretKeys
from moorage.diagnostics.database import diagnose_content, error_finding
from moorage.diagnostics.finding import Finding, State
from moorage.store.engine import KEY_FILE
from moorage.store.errors import error_text
from moorage.store.queries import load_queries
from moorage.store.sqlite.rows import stream_rows
from moorage.store.sqlite.schema import check_version, find_schema

#: The suffixes of the database file and of the files next to it.
_SUFFIXES = ("", "-wal", "-shm", "-revision")

#: Free bytes on the disk below which the state is a warning or a problem.
WARNING_BYTES, PROBLEM_BYTES = 512 * 2**20, 16 * 2**20

_PATH_FIX = "set MOORAGE_DATABASE to a file on a local disk that this user owns"


def diagnose(path: Path, url: str, secret_keys: SecretKeys) -> Iterator[Finding]:
    """Yield the findings about the database in the file `path`, until an error prevents further checks."""
    yield _library_finding(apsw.sqlite_lib_version())
    yield from _path_findings(path)
    if not path.is_file():
        return
    start = time.perf_counter()
    try:
        with closing(_open_without_side_files(path)) as connection:
            schema = find_schema(connection, url)
            milliseconds = (time.perf_counter() - start) * 1000
            yield Finding("ok", "database", f"{url}, responded in {milliseconds:.0f} ms")
            queries = load_queries()
            yield from diagnose_content(
                schema,
                lambda query, **parameters: stream_rows(connection, queries[query], parameters),
                url,
                secret_keys,
                path.resolve().with_name(KEY_FILE),
            )
    except apsw.Error as error:
        yield Finding("problem", "database", f"{url}: {error_text(error)}", _PATH_FIX)
    except StorageError as error:
        yield error_finding("database", error, _PATH_FIX)


def _open_without_side_files(path: Path) -> apsw.Connection:
    """Open the file without creating its side files.

    Only `immutable` prevents SQLite from creating them, but it requires that no program has the database open.
    """
    is_in_use = path.with_name(path.name + "-wal").exists()
    address = f"file:{quote(str(path))}?" + ("mode=ro" if is_in_use else "immutable=1")
    connection = apsw.Connection(address, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    connection.set_busy_timeout(5_000)
    return connection


def _library_finding(version: str) -> Finding:
    try:
        check_version(version)
    except StorageError as error:
        return error_finding("SQLite", error, "pip install 'apsw>=3.51.3'")
    return Finding("ok", "SQLite", version)


def _path_findings(path: Path) -> Iterator[Finding]:
    folder = path.parent
    if not folder.is_dir():
        existing = next(parent for parent in (folder, *folder.parents) if os.path.lexists(parent))
        if existing.is_dir():
            fix = f"{join(('mkdir', '-p', str(folder)))}, or {_PATH_FIX}"
            yield Finding("problem", "database", f"the folder {folder} does not exist", fix)
        else:
            yield Finding("problem", "database", f"{existing} is not a folder", _PATH_FIX)
        return
    if path.is_dir():
        yield Finding("problem", "database", f"{path} is a folder", "set MOORAGE_DATABASE to a file in it")
        return
    if not path.exists():
        text = f"the file {path} does not exist; the next start creates it"
        yield Finding("warning", "database", text, "moorage serve, or set MOORAGE_DATABASE if the file is elsewhere")
    yield _permission_finding(path)
    yield _disk_finding(folder, shutil.disk_usage(folder).free)


def _permission_finding(path: Path) -> Finding:
    files = [file for suffix in _SUFFIXES if (file := path.with_name(path.name + suffix)).exists()]
    not_writable = [str(target) for target in (path.parent, *files) if not os.access(target, os.W_OK)]
    if not_writable:
        text = f"this user cannot write to {', '.join(not_writable)}"
        fix = f"{join(('chown', str(os.geteuid()), *not_writable))}, or run Moorage as the owner"
        return Finding("problem", "permissions", text, fix)
    accessible = [str(file) for file in files if file.stat().st_mode & 0o077]
    if accessible:
        text = f"other users have access to {', '.join(accessible)}, with prompts and hashes of API keys"
        return Finding("warning", "permissions", text, join(("chmod", "600", *accessible)))
    text = "only this user can read and write the file" if files else "the file can be created"
    return Finding("ok", "permissions", text)


def _disk_finding(folder: Path, free: int) -> Finding:
    state: State = "problem" if free < PROBLEM_BYTES else "warning" if free < WARNING_BYTES else "ok"
    fix = "" if state == "ok" else f"free some space on the disk of {folder}"
    return Finding(state, "disk", f"{free // 2**20:,} MiB are free in {folder}", fix)
