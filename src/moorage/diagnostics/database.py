"""The checks of `moorage doctor` that both kinds of databases have. They change nothing."""

import time
from collections.abc import Iterable, Iterator
from shlex import quote

import msgspec

from moorage.core.deployments.prompt_config import decode_prompt_config
from moorage.core.errors.storage import StorageError
from moorage.core.times import iso
from moorage.diagnostics.finding import Finding
from moorage.diagnostics.sdk import NEAREST, REJECTED, rejected_by
from moorage.store.engine import Stream
from moorage.store.queries import load_migrations

#: How far two clocks may be apart, in microseconds.
CLOCK_SLACK_US = 1_000_000

#: How many deployments a finding names.
_NAMED = 5

_NO_REVISION = Finding("problem", "revision", "its row is gone, so nothing can be written", "restore a backup")


def refusal(what: str, error: StorageError, fix: str) -> Finding:
    """Return the problem that an error describes."""
    return Finding("problem", what, str(error.fields.get("reason") or error), fix)


def of_content(schema: int, read: Stream, url: str) -> Iterator[Finding]:
    """Yield findings about the schema (0: there are no tables), and about the rows if the schema is known.
    `url` is the database's, as it may be shown."""
    known = len(load_migrations())
    yield _of_schema(schema, known)
    if 0 < schema <= known:
        yield from (_of_copy(source, url) for source, _, _ in read("find_copy"))
        now_us = time.time_ns() // 1000
        yield next((_of_newest_time(newest_us, now_us) for (newest_us,) in read("newest_time")), _NO_REVISION)
        yield from _of_values(read("live_configurations"))


def _of_schema(found: int, known: int) -> Finding:
    if found > known:
        text = f"{found}, and this Moorage knows schemas up to {known}: it refuses to start"
        return Finding(
            "problem",
            "schema",
            text,
            "start the newer Moorage that wrote it, or restore an older backup into another database",
        )
    if found == 0:
        return Finding("ok", "schema", f"there are no tables yet; the next start makes them (schema {known})")
    if found < known:
        text = f"{found}; the next start upgrades it to {known}, and an older Moorage refuses it from then on"
        return Finding(
            "warning",
            "schema",
            text,
            "stop all servers, make a backup with the Moorage that it has now, then: moorage serve",
        )
    return Finding("ok", "schema", f"{found}, the newest")


def _of_copy(source: str, url: str) -> Finding:
    command = f"moorage db copy --from {quote(source)} --to {quote(url)}"
    note = ", with the users and passwords, which are not shown" if "postgresql://" in command else ""
    text = f"the copy of {source} is not finished, so no server starts"
    return Finding("problem", "copy", text, f"{command}{note}, or moorage db restore FILE --replace")


def _of_newest_time(newest_us: int, now_us: int) -> Finding:
    if newest_us > now_us + CLOCK_SLACK_US:
        text = (
            f"the last write is dated {iso(newest_us)}, which is {_span(newest_us - now_us)} ahead of this machine's"
            f" clock; until then every write is dated just after it"
        )
        return Finding("warning", "clock", text, "timedatectl set-ntp true, if it is this clock that is wrong")
    return Finding("ok", "clock", "no write is dated in the future")


def _of_values(rows: Iterable[tuple[str, str, str]]) -> Iterator[Finding]:
    """Which of the live configurations, each with its project and key, which version of the SDK rejects."""
    unreadable: list[str] = []
    rejected: dict[tuple[str, str], dict[str, list[str]]] = {}
    for project, key, prompt_config in rows:
        name = f"{project}/{key}"
        try:
            config = decode_prompt_config(prompt_config)
        except msgspec.DecodeError:
            unreadable.append(name)
            continue
        for version in REJECTED:
            for field, value in rejected_by(version, config):
                rejected.setdefault((version, field), {}).setdefault(value, []).append(name)
    if unreadable:
        text = f"{_names(unreadable)} is not as Moorage writes it, so it is not served after the next start"
        yield Finding("problem", "values", text, "moorage deployments undo KEY, or restore a backup")
    for (version, field), values in sorted(rejected.items()):
        shown = "; ".join(f"{field} {value} ({_names(names)})" for value, names in sorted(values.items()))
        fix = f"publish a version with {field} {NEAREST[field]}, or use another orq-ai-sdk"
        yield Finding("warning", f"orq-ai-sdk {version}", f"cannot read a page that has {shown}", fix)
    for version in REJECTED:
        if not any(version == each for each, _ in rejected):
            yield Finding("ok", f"orq-ai-sdk {version}", "can read every live version")


def _names(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _span(microseconds: int) -> str:
    seconds = microseconds // 1_000_000
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} seconds"
