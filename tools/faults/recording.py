"""Recording of all file operations of SQLite, which can be cut at any moment.

After a power failure, a write without a later sync of its file can be on the disk completely, in parts, or not at all.
A cut leaves the synced content of each file, and the part of the later writes that the `Fate` selects.
"""

import random
from collections import defaultdict
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

import apsw
import msgspec

from tools.common.stored import MarkedVersion
from tools.faults.acknowledged import Acknowledged

_SECTOR = 512
_SYSTEM = "unix"  # SQLite's name of the system's file system


class Fate(StrEnum):
    """Result of a cut for the unsynced writes."""

    DROPPED = "dropped"
    HALF = "a random half is written"
    TORN = "a random half of the sectors is written"


class Write(msgspec.Struct, frozen=True, tag=True):
    """Bytes at an offset of a file; `data` None truncates the file there."""

    file: str
    offset: int
    data: bytes | None


class Sync(msgspec.Struct, frozen=True, tag=True):
    """Sync of a file; the first one of a new file syncs its folder, too."""

    file: str


class Delete(msgspec.Struct, frozen=True, tag=True):
    """Deletion of a file; `is_synced` if the folder is synced."""

    file: str
    is_synced: bool


class PublishSent(msgspec.Struct, frozen=True, tag=True):
    """Publish that was sent."""

    key: str
    marker: str


class PublishAcknowledged(msgspec.Struct, frozen=True, tag=True):
    """Publish that was acknowledged."""

    key: str
    marker: str
    version: str


Event = Write | Sync | Delete | PublishSent | PublishAcknowledged


class Recording:
    """File operations and publishes in one order."""

    def __init__(self, events: list[Event] | None = None) -> None:
        self.events: list[Event] = events or []

    def add_sent(self, key: str, marker: str) -> None:
        """See `Acknowledged`."""
        self.events.append(PublishSent(key, marker))

    def add_acknowledged(self, key: str, version: MarkedVersion) -> None:
        """See `Acknowledged`."""
        self.events.append(PublishAcknowledged(key, version.marker, version.version))

    def acknowledged(self, cut: int) -> Acknowledged:
        """Return the log of the publishes before an event."""
        log = Acknowledged()
        for event in self.events[:cut]:
            if isinstance(event, PublishSent):
                log.add_sent(event.key, event.marker)
            elif isinstance(event, PublishAcknowledged):
                log.add_acknowledged(event.key, MarkedVersion(event.version, event.marker))
        return log

    def restore(self, cut: int, fate: Fate, rng: random.Random, folder: Path) -> int:
        """Write the files that a power cut before an event leaves; return the number of unsynced writes."""
        disk = _Disk()
        for event in self.events[:cut]:
            disk.apply(event)
        for name, content in disk.after_cut(fate, rng).items():
            (folder / name).write_bytes(content)
        return sum(map(len, disk.unsynced.values()))


class _Disk:
    """Files by name: synced content, unsynced writes, and unsynced deletions."""

    def __init__(self) -> None:
        self.synced: dict[str, bytearray] = {}
        self.unsynced: defaultdict[str, list[Write]] = defaultdict(list)
        self.deleted: set[str] = set()

    def apply(self, event: Event) -> None:
        """Apply an event."""
        match event:
            case Write():
                if event.file in self.deleted:
                    self._remove(event.file)
                self.unsynced[event.file].append(event)
            case Sync():
                if event.file not in self.synced:  # the first sync includes the folder and its deletions
                    for name in list(self.deleted):
                        self._remove(name)
                content = self.synced.setdefault(event.file, bytearray())
                for write in self.unsynced.pop(event.file, []):
                    _apply(content, write)
            case Delete():
                self.deleted.add(event.file)
                if event.is_synced:
                    self._remove(event.file)

    def after_cut(self, fate: Fate, rng: random.Random) -> dict[str, bytearray]:
        """Return the files after the cut. A file that was never synced, or whose deletion was not synced, can exist."""
        files = {}
        for name in sorted({*self.synced, *self.unsynced}):
            if (name in self.deleted or name not in self.synced) and rng.random() < 0.5:
                continue
            content = bytearray(self.synced.get(name, b""))
            for write in self.unsynced.get(name, []):
                for piece in _surviving(write, fate, rng):
                    _apply(content, piece)
            files[name] = content
        return files

    def _remove(self, name: str) -> None:
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


def _surviving(write: Write, fate: Fate, rng: random.Random) -> list[Write]:
    """Return the pieces of an unsynced write that reached the disk."""
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
    """File system that records all operations and passes them to the system. It is the default of the process."""

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
        self._events = recording.events if path else []  # no file without a name survives a cut

    def xLock(self, level: int) -> None:  # noqa: N802 -- SQLite's
        try:
            super().xLock(level)
        except apsw.IOError as error:
            # A read-only connection requests a write lock when it closes, and SQLite continues without it. apsw would
            # raise the error of the system, but not this one.
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
