"""Diagnostics of the settings: conflicts and unknown variables."""

import difflib
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from moorage.diagnostics.finding import Finding
from moorage.settings import SETTINGS


def conflicting_settings(values: Mapping[str, str | None]) -> Iterator[Finding]:
    """Yield the conflicts between settings, by their names."""
    database, listen = values["database"] or "", values["database_listen"]
    if listen and database.startswith("sqlite:"):
        text = "MOORAGE_DATABASE_LISTEN is set, and of no use to SQLite"
        yield Finding("warning", "settings", text, "unset it, or set MOORAGE_DATABASE to the PostgreSQL it belongs to")
    try:
        url, listens = urlsplit(values["url"] or ""), urlsplit(f"//:{values['port']}").port
        host, port = url.hostname, url.port
    except ValueError:
        return  # one of them is not a port, which is reported elsewhere
    if host in ("127.0.0.1", "localhost") and port and listens and port != listens:
        text = f"the command line looks for the server on port {port}, and serve listens on port {listens}"
        yield Finding("warning", "settings", text, f"MOORAGE_URL=http://{host}:{listens}, or MOORAGE_PORT={port}")


def unknown_settings(environment: Mapping[str, str]) -> Iterator[Finding]:
    """The variables that look like settings, and are none."""
    known = [name for row in SETTINGS.values() for name in (row.variable, f"{row.variable}_FILE")]
    for name in sorted(environment):
        if name.startswith("MOORAGE_") and name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
            yield Finding("warning", "settings", f"{name} is no setting", f"unset it, or set {nearest} instead")
