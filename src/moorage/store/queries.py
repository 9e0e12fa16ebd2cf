"""Reads queries.sql, which see."""

import re
from importlib import resources

_NAME = re.compile(r"^-- (\w+) --$", re.MULTILINE)
_PARAMETER = re.compile(r":(\w+)")


def load_queries() -> dict[str, str]:
    """Name -> SQL, without comments."""
    text = resources.files("moorage.store").joinpath("queries.sql").read_text("utf-8")
    _, *parts = _NAME.split(text)
    bodies = ("\n".join(line for line in body.splitlines() if not line.startswith("--")) for body in parts[1::2])
    return {name: body.strip() for name, body in zip(parts[::2], bodies, strict=True)}


def parameters(sql: str) -> list[str]:
    """What a query takes, in the order in which it names them."""
    return _PARAMETER.findall(sql)


def for_psycopg(sql: str) -> str:
    """A query with its parameters as psycopg wants them: `:name` -> `%(name)s`. It knows no quotes and no casts (`::`);
    no query has any with a colon in it."""
    return _PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))


def load_migrations() -> list[str]:
    """The scripts in order: the first takes an empty database to schema 1, and so on."""
    folder = resources.files("moorage.store.migrations")
    scripts = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    return [script.read_text("utf-8") for script in scripts]
