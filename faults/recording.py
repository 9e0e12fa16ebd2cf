"""Recording: all that SQLite does to its files, in order, so that any moment of it can be cut off afterwards.

A write that was not followed by a sync of its file may be on the disk, in pieces, or not at all when the power fails;
SQLite and this module agree on nothing else. So a cut takes what came before it: of each file what was synced, and of
what was written since whatever the `Fate` leaves.
"""

import random
from collections import defaultdict
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

import apsw
import msgspec
from bench.kept import Marked

from faults.account import Account

_SECTOR = 512

#: SQLite's name for the files of this system.
_SYSTEM = "unix"


class Fate(StrEnum):
    """What becomes of writes that were not synced."""

    DROPPED = "dropped"
    HALF = "a random half is kept"
    TORN = "each 512 bytes are kept or not"


class Write(msgspec.Struct, frozen=True, tag=True):
    """Bytes at a place of a file; `data` None: the file ends there."""

    file: str
    offset: int
    data: bytes | None


class Sync(msgspec.Struct, frozen=True, tag=True):
    """All that was written to a file is on the disk, and its name too."""

    file: str


class Delete(msgspec.Struct, frozen=True, tag=True):
    """A file was deleted; `is_synced`: for good."""

    file: str
    is_synced: bool


class Sent(msgspec.Struct, frozen=True, tag=True):
    """A publish was sent."""

    key: str
    mark: str


class Acknowledged(msgspec.Struct, frozen=True, tag=True):
    """A publish was acknowledged."""

    key: str
    mark: str
    version: str


Event = Write | Sync | Delete | Sent | Acknowledged


class Recording:
    """What was done to files, and what was sent and acknowledged meanwhile, in one order."""

    def __init__(self, events: list[Event] | None = None) -> None:
        self.events: list[Event] = events or []

    def note_sent(self, key: str, mark: str) -> None:
        """See `Account`."""
        self.events.append(Sent(key, mark))

    def note_acknowledged(self, key: str, published: Marked) -> None:
        """See `Account`."""
        self.events.append(Acknowledged(key, published.mark, published.version))

    def account(self, cut: int) -> Account:
        """What had been sent and acknowledged before an event."""
        account = Account()
        for event in self.events[:cut]:
            if isinstance(event, Sent):
                account.note_sent(event.key, event.mark)
            elif isinstance(event, Acknowledged):
                account.note_acknowledged(event.key, Marked(event.version, event.mark))
        return account

    def restore(self, cut: int, fate: Fate, rng: random.Random, folder: Path) -> int:
        """Write to a folder the files as a power cut before an event leaves them; how many writes were in danger."""
        disk = _Disk()
        for event in self.events[:cut]:
            disk.take(event)
        in_danger = sum(map(len, disk.unsynced.values()))
        for name, content in disk.after_cut(fate, rng).items():
            (folder / name).write_bytes(content)
        return in_danger


class _Disk:
    """Files by their names: what is on the disk for certain, and what was written since, or that it was deleted."""

    def __init__(self) -> None:
        self.synced: dict[str, bytearray] = {}
        self.unsynced: defaultdict[str, list[Write]] = defaultdict(list)
        self.deleted: set[str] = set()

    def take(self, event: Event) -> None:
        """Go on by an event."""
        match event:
            case Write():
                if event.file in self.deleted:
                    self._forget(event.file)
                self.unsynced[event.file].append(event)
            case Sync():
                if event.file not in self.synced:  # the first time the folder is synced too, deletions with it
                    for name in list(self.deleted):
                        self._forget(name)
                content = self.synced.setdefault(event.file, bytearray())
                for write in self.unsynced.pop(event.file, []):
                    _apply(content, write)
            case Delete():
                self.deleted.add(event.file)
                if event.is_synced:
                    self._forget(event.file)

    def after_cut(self, fate: Fate, rng: random.Random) -> dict[str, bytearray]:
        """What is there when the power is back. A file of which nothing was synced, and one whose deletion was not, are
        there or not."""
        files = {}
        for name in sorted({*self.synced, *self.unsynced}):
            if (name in self.deleted or name not in self.synced) and rng.random() < 0.5:
                continue
            content = bytearray(self.synced.get(name, b""))
            for write in self.unsynced.get(name, []):
                for piece in _left_of(write, fate, rng):
                    _apply(content, piece)
            files[name] = content
        return files

    def _forget(self, name: str) -> None:
        self.synced.pop(name, None)
        self.unsynced.pop(name, None)
        self.deleted.discard(name)


def _apply(content: bytearray, write: Write) -> None:
    if len(content) < write.offset:
        content.extend(bytes(write.offset - len(content)))
    if write.data is None:
        del content[write.offset :]
    else:
        content[write.offset : write.offset + len(write.data)] = write.data


def _left_of(write: Write, fate: Fate, rng: random.Random) -> list[Write]:
    """The pieces of a write that reached the disk though nobody waited for it."""
    if fate is Fate.DROPPED:
        return []
    if fate is Fate.HALF or write.data is None:
        return [write] if rng.random() < 0.5 else []
    first = -write.offset % _SECTOR
    ends = [0, *range(first or _SECTOR, len(write.data), _SECTOR), len(write.data)]
    return [
        Write(write.file, write.offset + start, write.data[start:end])
        for start, end in pairwise(ends)
        if rng.random() < 0.5
    ]


class RecordingVFS(apsw.VFS):
    """Passes everything on to the system, and records it. It is the default until the process ends."""

    def __init__(self, recording: Recording) -> None:
        super().__init__("recording", _SYSTEM, makedefault=True)
        self.recording = recording

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> "_RecordedFile":  # noqa: N802 -- SQLite's
        """See SQLite."""
        return _RecordedFile(self.recording, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001 -- SQLite's
        """See SQLite."""
        super().xDelete(filename, syncdir)
        self.recording.events.append(Delete(Path(filename).name, syncdir))


class _RecordedFile(apsw.VFSFile):
    def __init__(self, recording: Recording, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__(_SYSTEM, name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._name = Path(path or "").name
        self._events = recording.events if path else []  # what has no name is gone after a cut anyway

    def xLock(self, level: int) -> None:  # noqa: N802 -- SQLite's
        try:
            super().xLock(level)
        except apsw.IOError as error:
            # One who only reads asks for the lock of a writer when it closes, and SQLite goes on without it; apsw would
            # raise what the system says to that, but not this.
            raise apsw.BusyError from error

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 -- SQLite's
        self._events.append(Write(self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 -- SQLite's
        self._events.append(Write(self._name, newsize, None))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 -- SQLite's
        super().xSync(flags)
        self._events.append(Sync(self._name))
