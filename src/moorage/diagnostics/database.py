"""The checks of `moorage doctor` for the content of a database, on both engines. They change nothing."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from shlex import quote

from moorage import clock
from moorage.core.deployments.content import DECODE_ERRORS
from moorage.core.deployments.prompt_config import decode_prompt_config
from moorage.core.errors.storage import StorageError
from moorage.core.secret_keys import SecretKeys
from moorage.core.times import iso
from moorage.diagnostics.finding import Finding, join_names
from moorage.diagnostics.models import model_findings
from moorage.diagnostics.sdk import NEAREST, NEWEST, REJECTED, rejected_by
from moorage.store.columns import is_time
from moorage.store.engine import Row, Stream
from moorage.store.queries import load_migrations
from moorage.store.sealing import KeyRing

#: The tolerated difference between two clocks, in microseconds.
CLOCK_TOLERANCE_US = 1_000_000

_NO_REVISION = Finding(
    "problem",
    "revision",
    "the row with the revision is missing, so no server can start",
    "move the database away, then: moorage db restore FILE",
)


def error_finding(subject: str, error: StorageError, fix: str) -> Finding:
    """Return the finding for an error."""
    return Finding("problem", subject, str(error.fields.get("reason") or error), fix)


def diagnose_content(
    schema: int, read: Stream, url: str, secret_keys: SecretKeys, key_file: Path | None = None
) -> Iterator[Finding]:
    """Yield the findings about the schema (0: no tables), and about the rows if the schema is supported.

    `url` is shown, so it must not contain a password. `key_file` can have the key of credentials.
    """
    supported = len(load_migrations())
    yield _schema_finding(schema, supported)
    if 0 < schema <= supported:
        yield from (_copy_finding(str(source), url) for source, _, _ in read("find_copy"))
        now_us = clock.now_us()
        yield next((_time_finding(newest_us, now_us) for (newest_us,) in read("newest_time")), _NO_REVISION)
        if schema == supported:
            yield from (_history_finding(secret_keys, head, key_id) for _, _, _, head, key_id in read("state"))
            yield from _credential_findings(read("sealing_keys"), KeyRing(secret_keys, key_file))
        yield from _sdk_findings(read("live_configurations"))
        if schema == supported:
            yield from model_findings(read("live_models"), clock.today())


def _schema_finding(found: int, supported: int) -> Finding:
    if found > supported:
        text = f"{found} is not supported: this Moorage supports schemas up to {supported} and cannot start"
        return Finding(
            "problem",
            "schema",
            text,
            "start the newer Moorage that wrote it, or restore an older backup into another database",
        )
    if found == 0:
        return Finding("ok", "schema", f"the database has no tables; the next start creates them (schema {supported})")
    if found < supported:
        text = f"{found}; the next start upgrades it to {supported}, and then an older Moorage rejects the database"
        return Finding(
            "warning",
            "schema",
            text,
            "stop all servers, run `moorage db backup FILE` with the older Moorage, then: moorage serve",
        )
    return Finding("ok", "schema", f"{found} (current)")


def _copy_finding(source: str, url: str) -> Finding:
    command = f"moorage db copy --from {quote(source)} --to {quote(url)}"
    note = ", with the users and passwords (hidden here)" if "postgresql://" in command else ""
    text = f"the copy of {source} is unfinished, so no server can start"
    return Finding("problem", "copy", text, f"{command}{note}, or moorage db restore FILE --replace")


def _time_finding(newest_us: object, now_us: int) -> Finding:
    if not isinstance(newest_us, int) or not is_time(newest_us):
        text = f"the last write is dated {newest_us!r}, which is not a time; the next write replaces it"
        return Finding("warning", "clock", text, "moorage db check")
    if newest_us > now_us + CLOCK_TOLERANCE_US:
        text = (
            f"the last write is dated {iso(newest_us)}, which is {_duration(newest_us - now_us)} ahead of the local"
            f" clock; until then, each new write is dated 1 µs after the previous one"
        )
        fix = "timedatectl set-ntp true, if the local clock is wrong; moorage db reset-clock, if it is right"
        return Finding("warning", "clock", text, fix)
    return Finding("ok", "clock", "no write is dated in the future")


def _history_finding(secret_keys: SecretKeys, head: object, key_id: object) -> Finding:
    """Return whether the secret key of the settings is that of the history."""
    has_key = secret_keys.current_id is not None
    if not key_id:
        if has_key and head:
            text = "the history is older than MOORAGE_SECRET_KEY, and is not authenticated with it"
            return Finding("warning", "history", text, "moorage db authenticate")
        text = "the first entry will be authenticated with" if has_key else "not authenticated: there is no"
        return Finding("ok", "history", f"{text} MOORAGE_SECRET_KEY")
    if secret_keys.has(str(key_id)):
        return Finding("ok", "history", "authenticated with MOORAGE_SECRET_KEY")
    is_missing = "is not set" if not has_key else "has no such key"
    text = f"the history is authenticated with the secret key {str(key_id)[:40]}, but MOORAGE_SECRET_KEY {is_missing}"
    return Finding("problem", "history", text, "set MOORAGE_SECRET_KEY to that key, or a new one, a comma and that key")


def _credential_findings(rows: Iterable[Row], key_ring: KeyRing) -> Iterator[Finding]:
    """Yield whether the secret keys of the credentials of integrations are known; nothing if there are none."""
    for key_id, count in rows:
        text = f"those of integrations (rows: {count}) are encrypted with the secret key {str(key_id)[:40]}"
        if key_ring.has(str(key_id)):
            yield Finding("ok", "credentials", text)
        else:
            fix = "add that key to MOORAGE_SECRET_KEY, or set the credentials again: moorage integrations set NAME"
            yield Finding("problem", "credentials", f"{text}, which is missing", fix)


def _sdk_findings(rows: Iterable[tuple[str, str, str]]) -> Iterator[Finding]:
    """Yield the findings about live versions that cannot be decoded, or that a version of the SDK rejects.

    A row has the project, the key and the prompt configuration.
    """
    unreadable: list[str] = []
    rejected: dict[tuple[str, str], dict[str, list[str]]] = {}
    for project, key, prompt_config in rows:
        name = f"{project}/{key}"
        try:
            config = decode_prompt_config(prompt_config)
        except (TypeError, *DECODE_ERRORS):
            unreadable.append(name)
            continue
        for version in REJECTED:
            for field, value in rejected_by(version, config):
                rejected.setdefault((version, field), {}).setdefault(value, []).append(name)
    if unreadable:
        text = f"the content of {join_names(unreadable)} cannot be decoded, so it is not served after the next start"
        yield Finding("problem", "values", text, "moorage deployments undo KEY, or moorage db restore FILE --replace")
    for (version, field), values in sorted(rejected.items()):
        shown = "; ".join(f"{field} {value} ({join_names(names)})" for value, names in sorted(values.items()))
        if version == NEWEST:
            fix = f"publish a version with {field} {NEAREST[field]}, or use another version of orq-ai-sdk"
            yield Finding("warning", f"orq-ai-sdk {version}", f"cannot parse a page with {shown}", fix)
        else:  # only for who still uses it
            yield Finding("ok", f"orq-ai-sdk {version}", f"this older version cannot parse a page with {shown}")
    for version in REJECTED:
        if not any(version == rejecting for rejecting, _ in rejected):
            yield Finding("ok", f"orq-ai-sdk {version}", "can parse every live version")


def _duration(microseconds: int) -> str:
    seconds = microseconds // 1_000_000
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} seconds"
