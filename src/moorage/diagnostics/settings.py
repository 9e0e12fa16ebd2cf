"""Diagnostics of the settings: conflicts and unknown variables."""

import difflib
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from moorage.diagnostics.finding import Finding
from moorage.settings import SETTINGS


def conflicting_settings(values: Mapping[str, str | None]) -> Iterator[Finding]:
    """Yield a finding for each conflict between settings; `values` has the values by the names of the settings."""
    database, listen = values["database"] or "", values["database_listen"]
    if listen and database.startswith("sqlite:"):
        text = "MOORAGE_DATABASE_LISTEN is set, but MOORAGE_DATABASE is SQLite, which does not use it"
        yield Finding("warning", "settings", text, "unset it, or set MOORAGE_DATABASE to postgresql://…")
    try:
        url, server_port = urlsplit(values["url"] or ""), urlsplit(f"//:{values['port']}").port
        host, port = url.hostname, url.port
    except ValueError:
        return  # an invalid port has its own finding
    is_port_set = values["port"] != SETTINGS["port"].default  # else the port of the server can be an option
    if host in ("127.0.0.1", "localhost") and port and server_port and port != server_port and is_port_set:
        text = f"MOORAGE_URL has port {port}, but `moorage serve` listens on port {server_port}"
        fix = f"set MOORAGE_URL=http://{host}:{server_port}, or MOORAGE_PORT={port}"
        yield Finding("warning", "settings", text, fix)


def unknown_settings(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding for each variable that has the prefix of the settings but is not a setting."""
    known = [name for setting in SETTINGS.values() for name in (setting.variable, f"{setting.variable}_FILE")]
    for name in sorted(environment):
        if name.startswith("MOORAGE_") and name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
            text = f"{name} is not a setting of Moorage"
            yield Finding("warning", "settings", text, f"unset it, or set {nearest} instead")
