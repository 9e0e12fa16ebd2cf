"""Simulated power cuts on SQLite: writes that were not synced are lost, in whole or in part."""

import asyncio
import random
import shutil
import struct
from multiprocessing.connection import Connection
from pathlib import Path

import apsw
import msgspec

from tools.common.machine import rng as random_numbers
from tools.common.report import pluralize
from tools.faults.inspection import inspect
from tools.faults.outcome import Outcome, Part, Tally
from tools.faults.publishing import PROCESSES, publish
from tools.faults.recording import Event, Fate, Recording, RecordingVFS, Sync

_CUTS_PER_RECORDING = 25

#: Server starts of a recording, and publishes of each writer per start.
_STARTS, _PUBLISHES = 2, 8

#: Pages in the write-ahead log before a checkpoint: the default of SQLite, and one that is reached often.
_CHECKPOINTS = (1_000, 40)

_NAME = "moorage.db"

_encode = msgspec.msgpack.Encoder().encode
_events = msgspec.msgpack.Decoder(list[Event])


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Cut `count` times; see `Part`."""
    rng, tally = random_numbers(seed, "power-cut"), Tally()
    at_risk = 0
    for first in range(0, count, _CUTS_PER_RECORDING):
        recording = record(folder / "recorded", rng.choice(_CHECKPOINTS))
        for number in range(first, min(first + _CUTS_PER_RECORDING, count)):
            writes, acknowledged, wrong = cut(recording, rng, folder / "cut")
            at_risk += writes > 0
            tally.acknowledged += acknowledged
            tally.violations += [f"cut {number}: {violation}" for violation in wrong]
    controls = max(20, count // 10)
    recording = record(folder / "recorded", _CHECKPOINTS[0], is_normal=True)
    lost = sum(any("is not stored" in text for text in cut(recording, rng, folder / "cut")[2]) for _ in range(controls))
    return Outcome(
        count=count,
        result=f"{tally.acknowledged:,} publishes were acknowledged before a cut; {at_risk:,} cuts had unsynced writes",
        violations=tally.violations,
        control=f"with `synchronous=NORMAL`, acknowledged publishes lost at {lost:,} of {pluralize(controls, 'cut')}",
        is_control_found=lost > 0,
    )


def record(folder: Path, checkpoint: int, *, is_normal: bool = False) -> Recording:
    """Record the file operations of a server on a new database; `is_normal` sets `synchronous=NORMAL`."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    receiver, sender = PROCESSES.Pipe(duplex=False)
    arguments = (folder / _NAME, sender, checkpoint)
    process = PROCESSES.Process(target=_record, args=arguments, kwargs={"is_normal": is_normal})
    process.start()
    sender.close()
    with receiver:
        events = _events.decode(receiver.recv_bytes())
    process.join()
    process.close()
    return Recording(events)


def cut(recording: Recording, rng: random.Random, folder: Path) -> tuple[int, int, list[str]]:
    """Cut a recording at a random moment, at a sync or between two, and restore it in a new folder.

    Returns the number of unsynced writes, the number of publishes acknowledged before, and the violations.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    syncs = [place for place, event in enumerate(recording.events) if isinstance(event, Sync)]
    at_sync = rng.choice(syncs) + rng.randrange(2)
    moment = rng.choice((at_sync, rng.randrange(len(recording.events) + 1)))
    log = recording.acknowledged(moment)
    acknowledged = log.count()
    writes = recording.restore(moment, rng.choice(list(Fate)), rng, folder)
    _damage_revision(folder / f"{_NAME}-revision", rng)
    return writes, acknowledged, inspect(folder / _NAME, log)


def _record(database: Path, pipe: "Connection[bytes, None]", checkpoint: int, *, is_normal: bool) -> None:
    recording = Recording()
    vfs = RecordingVFS(recording)

    def prepare(connection: apsw.Connection) -> None:
        connection.wal_autocheckpoint(checkpoint)
        if is_normal:
            connection.exec_trace = _set_normal

    apsw.connection_hooks.append(prepare)
    for number in range(_STARTS):
        asyncio.run(publish(database, f"start{number}", recording, _PUBLISHES))
    vfs.unregister()
    pipe.send_bytes(_encode(recording.events))


def _set_normal(cursor: apsw.Cursor, sql: str, _: object) -> bool:
    """Reset the setting that the engine has made and checked, before each write."""
    if sql == "BEGIN IMMEDIATE":
        cursor.connection.pragma("synchronous", "NORMAL")
    return True


def _damage_revision(file: Path, rng: random.Random) -> None:
    """Write an old, a broken or no file of the shared revision, which is mapped into memory and never synced."""
    content = rng.choice((None, b"", struct.pack("Q", rng.randrange(2**20)), rng.randbytes(4_096)))
    if content is not None:
        file.write_bytes(content)


PART = Part(
    "power-cut", run, 1_000, 50, "cuts",
    fault="simulated power cuts while 6 writers publish, at a sync or between two: unsynced writes are dropped, half "
    "written, or torn at 512 bytes; the file of the shared revision is old, garbage, short or missing",
    invariant="as for kill-sqlite",
    limit="Power cuts are simulated above the file system: they show that Moorage and SQLite wait for every sync, not "
    "that a disk stores what it reports as synced.",
)  # fmt: skip
