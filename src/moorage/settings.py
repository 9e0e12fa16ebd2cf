"""The table of settings, read once: command line, then environment, then `NAME_FILE`, then the default."""

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from moorage.core.finding import Finding

LogFormat = Literal["json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]


class Setting(msgspec.Struct, frozen=True):
    """A row of the table. `variable` is the environment's name; `default` is None where there is none."""

    name: str
    default: str | None
    help: str
    is_secret: bool = False

    @property
    def variable(self) -> str:
        """The name in the environment."""
        return f"MOORAGE_{self.name.upper()}"


SETTINGS = {
    row.name: row
    for row in (
        Setting("host", "127.0.0.1", "The address to listen on. Beyond this machine, put TLS in front."),
        Setting("port", "8700", "The port to listen on."),
        Setting(
            "database",
            "sqlite:///moorage.db",
            "sqlite:///PATH, sqlite:////ABSOLUTE/PATH or postgresql://USER:PASSWORD@HOST/NAME.",
        ),
        Setting("database_listen", None, "The same PostgreSQL database without a pgbouncer in between, for LISTEN."),
        Setting("snapshot", "moorage.snapshot", "Where the last state is kept for a start while PostgreSQL is away."),
        Setting("max_age", None, "Seconds without the database after which no API key is trusted; default: for ever."),
        Setting("jinja", "false", "Whether deployments may have jinja templates, each rendered in a limited process."),
        Setting("workers", "1", "Processes that answer requests."),
        Setting("load", None, "A file or folder of deployments to put into the project `default` at the start."),
        Setting("log_format", "json", "How the server logs to standard error: json or console."),
        Setting("log_level", "info", "The least level that is logged: debug, info, warning or error."),
        Setting("url", "http://127.0.0.1:8700", "Where the command line finds the server."),
        Setting("api_key", None, "The API key the command line uses.", is_secret=True),
    )
}


class ServerSettings(msgspec.Struct, frozen=True):
    """What a server process needs to know."""

    database: str
    log_format: LogFormat = "json"
    log_level: LogLevel = "info"
    database_listen: str | None = None
    snapshot: str = "moorage.snapshot"
    max_age: float | None = None
    jinja: bool = False


def contradictions(values: Mapping[str, str | None]) -> Iterator[Finding]:
    """What makes no sense together in the values of settings, by their names."""
    database, listen = values["database"] or "", values["database_listen"]
    if listen and database.startswith("sqlite:"):
        text = "MOORAGE_DATABASE_LISTEN is set, and of no use to SQLite"
        yield Finding("warning", "settings", text, "unset it, or set MOORAGE_DATABASE to the PostgreSQL it belongs to")
    try:
        url, listens = urlsplit(values["url"] or ""), urlsplit(f"//:{values['port']}").port
        host, port = url.hostname, url.port
    except ValueError:
        return  # one of them is no port, and whoever uses it says so
    if host in ("127.0.0.1", "localhost") and port and listens and port != listens:
        text = f"the command line looks for the server on port {port}, and serve listens on port {listens}"
        yield Finding("warning", "settings", text, f"MOORAGE_URL=http://{host}:{listens}, or MOORAGE_PORT={port}")


def strangers(environment: Mapping[str, str]) -> Iterator[Finding]:
    """The variables that look like settings, and are none."""
    known = [name for row in SETTINGS.values() for name in (row.variable, f"{row.variable}_FILE")]
    for name in sorted(environment):
        if name.startswith("MOORAGE_") and name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
            yield Finding("warning", "settings", f"{name} is no setting", f"unset it, or set {nearest} instead")


class SettingError(Exception):
    """A setting cannot be read; says which, and why."""


def from_environment(name: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """A setting's value from `MOORAGE_NAME`, else the first line of the file in `MOORAGE_NAME_FILE`, else its default.

    Raises:
        SettingError: both are set, or the file cannot be read.
    """
    setting = SETTINGS[name]
    value = environment.get(setting.variable)
    file = environment.get(f"{setting.variable}_FILE")
    if value and file:
        raise SettingError(f"{setting.variable} and {setting.variable}_FILE are both set; set one of them")
    if value:
        return value
    if file:
        try:
            return Path(file).read_text("utf-8").partition("\n")[0].strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingError(f"{setting.variable}_FILE: {error}") from error
    return setting.default
