"""Snapshot: what a catalog showed last, in a file, for a start while the database is away.

It is encrypted (AES-256-GCM) with a key that is made of the database's password (scrypt), so whoever can read it could
read the database as well, and nobody else. It is bound to the database's address. So is the time when it was current,
which is written over every few seconds while nothing else changes; a copy of the file tells the same.

    magic | salt | nonce, time | nonce, what the catalog showed
"""

import fcntl
import hashlib
import logging
import os
import struct
import time
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from moorage.catalog.project import ProjectState
from moorage.catalog.state import CatalogState
from moorage.core.access import ApiKey
from moorage.store.changes import State

_MAGIC = b"Moorage snapshot 4\n"
_SALT, _NONCE, _TAG = 16, 12, 16
_HEAD = len(_MAGIC) + _SALT

#: When it was current, in seconds since 1970.
_TIME = struct.Struct(">d")
_SEALED_TIME = _NONCE + _TIME.size + _TAG

#: It is written this often at most (seconds), and so seldom that it takes no more than this part of the time.
_PAUSE_SECONDS = 5.0
_PART = 0.005

_log = logging.getLogger("moorage.catalog")


class _File(msgspec.Struct, frozen=True, array_like=True):
    """What is encrypted."""

    state: State
    projects: dict[str, ProjectState]
    api_keys: dict[str, ApiKey]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_File).decode


class DiskCache:
    """The snapshot at a path, of the database with that address and password. Of several processes that keep it, one
    writes."""

    def __init__(self, path: Path, url: str, secret: bytes) -> None:
        self._path = path.resolve()
        self._url = url.encode()
        self._secret = secret
        self._salt = os.urandom(_SALT)
        self._key: AESGCM | None = None
        self._kept: State | None = None
        self._body_nonce = b""
        self._not_before = 0.0
        self._lock: int | None = None

    def save(self, contents: CatalogState, age: float) -> None:
        """Write what was current `age` seconds ago, or only that it still was; not too often."""
        started = time.monotonic()
        if started < self._not_before:
            return
        try:
            if self._acquire_lock():
                current_at = time.time() - age
                if contents.state != self._kept or not self._path.exists():
                    self._kept = self._write(contents, current_at)
                else:
                    self._confirm(current_at)
        except OSError as error:
            _log.warning("the snapshot %s cannot be written: %s", self._path, error.strerror)
        ended = time.monotonic()
        self._not_before = ended + max(_PAUSE_SECONDS, (ended - started) / _PART)

    def load(self) -> tuple[CatalogState, float] | None:
        """What was kept, and how many seconds ago it was current; None if there is none that can be read."""
        try:
            data = self._path.read_bytes()
        except OSError:
            return None
        head, sealed_time, with_id = data[:_HEAD], data[_HEAD : _HEAD + _SEALED_TIME], data[_HEAD + _SEALED_TIME :]
        if not head.startswith(_MAGIC):
            return None
        try:
            key, nonce = self._cipher(head[len(_MAGIC) :]), with_id[:_NONCE]
            (current_at,) = _TIME.unpack(key.decrypt(sealed_time[:_NONCE], sealed_time[_NONCE:], nonce + self._url))
            file = _decode(key.decrypt(nonce, with_id[_NONCE:], head + self._url))
        except (InvalidTag, ValueError, struct.error, msgspec.MsgspecError):
            _log.warning("the snapshot %s is damaged, or of another database or password", self._path)
            return None
        return CatalogState.of(file.state, file.projects, file.api_keys), max(0.0, time.time() - current_at)

    def _acquire_lock(self) -> bool:
        """Whether this process is the one that writes; it is until it ends."""
        if self._lock is None:
            lock = os.open(
                self._path.with_name(self._path.name + ".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600
            )
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                return False
            self._lock = lock
        return True

    def _confirm(self, current_at: float) -> None:
        """Write over when it was current."""
        handle = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(handle, self._seal_time(current_at), _HEAD)
        finally:
            os.close(handle)

    def _seal_time(self, current_at: float) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher_kept().encrypt(nonce, _TIME.pack(current_at), self._body_nonce + self._url)

    def _write(self, contents: CatalogState, current_at: float) -> State:
        # The state first: what is taken over meanwhile is taken over once more after a start, which changes nothing.
        file = _File(contents.state, contents.kept(), contents.api_keys)
        head, self._body_nonce = _MAGIC + self._salt, os.urandom(_NONCE)
        with_id = self._cipher_kept().encrypt(self._body_nonce, _encode(file), head + self._url)
        partial = self._path.with_name(self._path.name + ".partial")
        with open(partial, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as written:
            written.write(head + self._seal_time(current_at) + self._body_nonce + with_id)
            written.flush()
            os.fsync(written.fileno())
        partial.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return file.state

    def _cipher_kept(self) -> AESGCM:
        """To make a key takes a while, and memory."""
        if self._key is None:
            self._key = self._cipher(self._salt)
        return self._key

    def _cipher(self, salt: bytes) -> AESGCM:
        return AESGCM(hashlib.scrypt(self._secret, salt=salt, n=2**14, r=8, p=1, dklen=32))
