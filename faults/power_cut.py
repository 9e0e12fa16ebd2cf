"""Power cuts on SQLite: what was not synced is lost, in whole or in part, and what was acknowledged must not be."""

import asyncio
import random
import shutil
import struct
from multiprocessing.connection import Connection
from pathlib import Path

import apsw
import msgspec
from bench.report import counted

from faults.forking import CONTEXT
from faults.inspection import inspect
from faults.outcome import Outcome, Tally
from faults.publishing import publish_some
from faults.recording import Event, Fate, Recording, RecordingVFS, Sync

#: A new recording after so many cuts.
_CUTS_OF_A_RECORDING = 25

#: In a recording the server is started so often, and each of its writers publishes so often.
_STARTS = 2
_EACH = 8

#: Pages in the log from which on they are taken over into the database: SQLite's own number, and one that has it happen
#: every few commits.
_CHECKPOINTS = (1_000, 40)

_NAME = "moorage.db"

_encode = msgspec.msgpack.Encoder().encode
_events = msgspec.msgpack.Decoder(list[Event])


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Cut so often; see `Part`."""
    rng, tally = random.Random(f"{seed} power-cut"), Tally()
    in_danger = 0
    for first in range(0, count, _CUTS_OF_A_RECORDING):
        recording = record(folder / "recorded", rng.choice(_CHECKPOINTS))
        for number in range(first, min(first + _CUTS_OF_A_RECORDING, count)):
            danger, acknowledged, wrong = cut(recording, rng, folder / "cut")
            in_danger += danger > 0
            tally.acknowledged += acknowledged
            tally.violations += [f"cut {number}: {what}" for what in wrong]
    controls = max(20, count // 10)
    recording = record(folder / "recorded", _CHECKPOINTS[0], is_normal=True)
    lost = sum(any("is not there" in what for what in cut(recording, rng, folder / "cut")[2]) for _ in range(controls))
    return Outcome(
        fault="simulated power cuts while 6 writers publish, at a sync or between two: what was not synced is dropped, "
        "kept by half, or torn at 512 bytes; the file of the shared revision is old, garbage, short or gone",
        invariant="as with kill-sqlite: the file opens, is intact, has all that was acknowledged and nothing twice",
        count=count,
        result=f"{tally.acknowledged:,} publishes were acknowledged before a cut; at {in_danger:,} cuts there were "
        "writes to lose",
        violations=tally.violations,
        control=f"the same with `synchronous=NORMAL`: acknowledged publishes lost at {lost:,} of "
        f"{counted(controls, 'cut')}",
        is_control_found=lost > 0,
        not_shown=[
            "A power cut is simulated above the file system: it shows that Moorage and SQLite wait for every sync, not "
            "that a disk keeps what it says it has kept."
        ],
    )


def record(folder: Path, checkpoint: int, *, is_normal: bool = False) -> Recording:
    """What a server does to a new database in a folder, which is made anew. Normal: with `synchronous=NORMAL`."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    mine, its = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_record, args=(folder / _NAME, its, checkpoint), kwargs={"is_normal": is_normal})
    process.start()
    its.close()
    with mine:
        events = _events.decode(mine.recv_bytes())
    process.join()
    process.close()
    return Recording(events)


def cut(recording: Recording, rng: random.Random, folder: Path) -> tuple[int, int, list[str]]:
    """Cut a recording at some moment: how many writes were in danger, how many publishes were acknowledged until then,
    and what is wrong with what is left, in words. The folder is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    syncs = [place for place, event in enumerate(recording.events) if isinstance(event, Sync)]
    at_sync = rng.choice(syncs) + rng.randrange(2)
    moment = rng.choice((at_sync, rng.randrange(len(recording.events) + 1)))
    account = recording.account(moment)
    acknowledged = account.count()
    in_danger = recording.restore(moment, rng.choice(list(Fate)), rng, folder)
    _leave_revision(folder / f"{_NAME}-revision", rng)
    return in_danger, acknowledged, inspect(folder / _NAME, account)


def _record(database: Path, pipe: "Connection[bytes, None]", checkpoint: int, *, is_normal: bool) -> None:
    recording = Recording()
    vfs = RecordingVFS(recording)

    def prepare(connection: apsw.Connection) -> None:
        connection.wal_autocheckpoint(checkpoint)
        if is_normal:
            connection.exec_trace = _be_normal

    apsw.connection_hooks.append(prepare)
    for number in range(_STARTS):
        asyncio.run(publish_some(database, f"start{number}", recording, _EACH))
    vfs.unregister()
    pipe.send_bytes(_encode(recording.events))


def _be_normal(cursor: apsw.Cursor, sql: str, _: object) -> bool:
    """The positive control: before a write, what the engine has set and checked is set back."""
    if sql == "BEGIN IMMEDIATE":
        cursor.connection.pragma("synchronous", "NORMAL")
    return True


def _leave_revision(file: Path, rng: random.Random) -> None:
    """What a cut may leave of the file that is mapped into memory, and never synced."""
    content = rng.choice((None, b"", struct.pack("Q", rng.randrange(2**20)), rng.randbytes(4_096)))
    if content is not None:
        file.write_bytes(content)
