"""The table of settings, read once: command line, then environment, then `NAME_FILE`, then the default."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

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
        Setting("host", "127.0.0.1", "The address to listen on. For other machines, put a TLS proxy in front."),
        Setting("port", "8700", "The port to listen on."),
        Setting(
            "database",
            "sqlite:///moorage.db",
            "sqlite:///PATH, sqlite:////ABSOLUTE/PATH or postgresql://USER:PASSWORD@HOST/NAME.",
        ),
        Setting(
            "database_listen",
            None,
            "The address of the PostgreSQL database itself, for LISTEN, if the other address is a pgbouncer.",
        ),
        Setting(
            "disk_cache",
            "moorage.disk-cache",
            "The file with the last state, for a start while PostgreSQL is unreachable.",
        ),
        Setting(
            "max_staleness", None, "Seconds without the database after which API keys are rejected; default: unlimited."
        ),
        Setting("jinja", "false", "Whether to allow jinja templates, each rendered in a sandboxed process."),
        Setting("workers", "1", "The number of processes that serve requests."),
        Setting("load", None, "A file or folder of deployments to load into the project `default` at the start."),
        Setting("log_format", "json", "The format of the log on standard error: json or console."),
        Setting("log_level", "info", "The lowest level to log: debug, info, warning or error."),
        Setting("url", "http://127.0.0.1:8700", "The URL of the server, for the command line."),
        Setting("api_key", None, "The API key, for the command line.", is_secret=True),
    )
}


class ServerSettings(msgspec.Struct, frozen=True):
    """The settings of a server process."""

    database: str
    log_format: LogFormat = "json"
    log_level: LogLevel = "info"
    database_listen: str | None = None
    disk_cache: str = "moorage.disk-cache"
    max_staleness: float | None = None
    jinja: bool = False


class SettingError(Exception):
    """A setting that cannot be read; the message has its name and the reason."""


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
