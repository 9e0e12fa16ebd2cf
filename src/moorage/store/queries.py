"""The named queries of `queries.sql`, and the migrations."""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType

#: The folder of the migrations; tests add migrations of their own.
MIGRATIONS: Traversable = resources.files("moorage.store.migrations")

_NAME = re.compile(r"^-- (\w+) --$", re.MULTILINE)
_PARAMETER = re.compile(r":(\w+)")


@cache
def load_queries() -> Mapping[str, str]:
    """Return the SQL of each query by name, without comments."""
    text = resources.files("moorage.store").joinpath("queries.sql").read_text("utf-8")
    _, *parts = _NAME.split(text)
    bodies = ("\n".join(line for line in body.splitlines() if not line.startswith("--")) for body in parts[1::2])
    return MappingProxyType({name: body.strip() for name, body in zip(parts[::2], bodies, strict=True)})


def parameters(sql: str) -> list[str]:
    """Return the parameters of a query, in order."""
    return _PARAMETER.findall(sql)


def for_psycopg(sql: str) -> str:
    """Return a query with psycopg's parameters: `:name` -> `%(name)s`.

    Quotes and casts (`::`) are not parsed; no query has one with a colon.
    """
    return _PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))


def load_migrations() -> list[str]:
    """Return the scripts in order; the first one upgrades an empty database to schema 1."""
    scripts = sorted(
        (entry for entry in MIGRATIONS.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name
    )
    return [script.read_text("utf-8") for script in scripts]
