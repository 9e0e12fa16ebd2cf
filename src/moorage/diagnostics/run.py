"""Diagnostics of the database at a URL."""

from collections.abc import Iterator
from pathlib import Path

from moorage.core.secret_keys import NO_KEYS, SecretKeys
from moorage.diagnostics import sqlite
from moorage.diagnostics.finding import Finding
from moorage.store.opening import FORM, POSTGRES, SQLITE, is_sqlite, without_password


def diagnose(url: str, listen_url: str | None = None, secret_keys: SecretKeys = NO_KEYS) -> Iterator[Finding]:
    """Yield the findings about the database at `url`, without changing it, and without creating a missing one."""
    if url.startswith(POSTGRES):
        try:
            from moorage.diagnostics import postgres  # noqa: PLC0415 -- psycopg is optional
        except ModuleNotFoundError:
            yield Finding("problem", "database", "psycopg is not installed", "pip install 'moorage[postgres]'")
            return
        yield from postgres.diagnose(url, listen_url, secret_keys)
    elif is_sqlite(url):
        yield from sqlite.diagnose(Path(url.removeprefix(SQLITE)).absolute(), url, secret_keys)
    else:
        yield Finding("problem", "database", f"{without_password(url)} is not a valid database URL", FORM)
