"""The table of settings, read once: command line, then environment, then `NAME_FILE`, then the default."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from moorage.core.escaping import visible, visible_line
from moorage.core.private_hosts import NO_PRIVATE_HOSTS, PrivateHosts
from moorage.core.resolution.config import MAX_CALL_BODY
from moorage.core.secret_keys import NO_KEYS, SecretKeys
from moorage.core.trusted_proxies import NO_PROXIES, TrustedProxies

#: The maximum length of a value, and how much of a `NAME_FILE` is read.
MAX_LENGTH = 4_096
_FILE_BYTES = 65_536

#: The default of the maximum size of an upload: two hours of uncompressed speech (bytes).
MAX_UPLOAD = 256 * 1024 * 1024
#: The default size of the cache of responses (bytes).
RESPONSE_CACHE_BYTES = 64 * 1024 * 1024

LogFormat = Literal["json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]


class Setting(msgspec.Struct, frozen=True):
    """A row of the table. `variable` is the environment's name; `default` is None where there is none.

    An error never shows the value of a secret.
    """

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
            is_secret=True,
        ),
        Setting(
            "database_listen",
            None,
            "The address of the PostgreSQL database itself, for LISTEN, if the other address is a pgbouncer.",
            is_secret=True,
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
        Setting(
            "secret_key",
            None,
            "A secret of 32 characters or more for history and credentials; replaced keys follow, after commas.",
            is_secret=True,
        ),
        Setting(
            "max_call_body",
            str(MAX_CALL_BODY),
            "The maximum size of a call or a get_config request in bytes, with its pictures.",
        ),
        Setting(
            "max_upload",
            str(MAX_UPLOAD),
            "The maximum size of a file for a transcription, with its form, in bytes; it is stored on disk meanwhile.",
        ),
        Setting(
            "response_cache_bytes",
            str(RESPONSE_CACHE_BYTES),
            "The memory of a worker for responses of models that deployments cache, in bytes; 0: none are cached.",
        ),
        Setting(
            "root_path",
            None,
            "The path under which a proxy publishes the server, such as /moorage; the proxy may remove it or not.",
        ),
        Setting(
            "trusted_proxies",
            None,
            "Addresses and networks of proxies whose X-Forwarded-For or Forwarded names the client, with commas.",
        ),
        Setting(
            "private_hosts",
            None,
            "Hosts, addresses and networks without public addresses, or without TLS, that integrations may connect to.",
        ),
        Setting(
            "requests_per_key",
            None,
            "Requests per minute that each API key can send to a worker; default: unlimited.",
        ),
        Setting(
            "failures_per_address",
            "600",
            "Requests per minute without a valid API key that an address can send to a worker; 0: unlimited.",
        ),
        Setting(
            "stop_seconds",
            "30",
            "Seconds that requests in progress have when the server stops, such as streams of models.",
        ),
        Setting("workers", "1", "The number of processes that serve requests."),
        Setting("load", None, "A file or folder of deployments to load into the project `default` at the start."),
        Setting("log_format", "json", "The format of the log on standard error: json or console."),
        Setting("log_level", "info", "The lowest level to log: debug, info, warning or error."),
        Setting("url", "http://127.0.0.1:8700", "The URL of the server, for the command line."),
        Setting("api_key", None, "The API key, for the command line.", is_secret=True),
        Setting("environment", None, "The environment of `Moorage.from_env()`; default: that of the API key."),
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
    secret_keys: SecretKeys = NO_KEYS
    max_call_body: int = MAX_CALL_BODY
    max_upload: int = MAX_UPLOAD
    response_cache_bytes: int = RESPONSE_CACHE_BYTES
    root_path: str = ""
    trusted_proxies: TrustedProxies = NO_PROXIES
    private_hosts: PrivateHosts = NO_PRIVATE_HOSTS
    requests_per_key: int | None = None
    failures_per_address: int | None = None
    stop_seconds: int = 30


class SettingError(Exception):
    """A setting that cannot be read; the message has its name and the reason."""


def from_environment(name: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """A setting's value from `MOORAGE_NAME`, else the first line of the file in `MOORAGE_NAME_FILE`, else its default.

    Raises:
        SettingError: both are set, the file cannot be read, or the value has invalid characters.
    """
    setting = SETTINGS[name]
    value = environment.get(setting.variable)
    file = environment.get(f"{setting.variable}_FILE")
    if value and file:
        raise SettingError(f"{setting.variable} and {setting.variable}_FILE are both set; set one of them")
    if value:
        return _checked(setting, value, setting.variable)
    if file:
        variable = f"{setting.variable}_FILE"
        return _checked(setting, _first_line(file, variable), variable)
    return setting.default


def secret_keys(environment: Mapping[str, str] = os.environ) -> SecretKeys:
    """Return the secret keys of the environment.

    Raises:
        SettingError: the setting cannot be read, or a key is not usable; without its text.
    """
    value = from_environment("secret_key", environment)
    try:
        return SecretKeys.parse(value)
    except ValueError as error:
        variable = SETTINGS["secret_key"].variable
        raise SettingError(f"{variable}: {error}; create one with: openssl rand -hex 32") from error


def find_mistake(setting: Setting, value: str) -> str:
    """Return what is wrong with the characters of a value, or an empty text. The value of a secret is not shown."""
    rule = _broken_rule(setting, value)
    return rule and f"{'the value' if setting.is_secret else _quoted(value)} {rule}"


def _broken_rule(setting: Setting, value: str) -> str:
    if not value:
        return "is empty"
    if len(value) > MAX_LENGTH:
        return f"is longer than {MAX_LENGTH} characters"
    if visible(value) != value:
        return "contains a control character, a line break or an invalid character"
    if setting.name == "api_key" and not re.fullmatch(r"[!-~]+", value):
        return "contains a space or a character that is not ASCII, so it is not an API key"
    return ""


def _quoted(value: str) -> str:
    return f"'{visible(value.rpartition('@')[2][:80])}'"  # a URL can have a password before the @


def _checked(setting: Setting, value: str, variable: str) -> str:
    if mistake := find_mistake(setting, value):
        raise SettingError(f"{variable}: {mistake}")
    return value


def _first_line(file: str, variable: str) -> str:
    try:
        with Path(file).open("rb") as opened:  # a device has no end
            return opened.read(_FILE_BYTES).partition(b"\n")[0].decode("utf-8-sig").strip()
    except OSError as error:
        raise SettingError(f"{variable}: {visible_line(file)}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingError(f"{variable}: {visible_line(file)} is not UTF-8") from error
