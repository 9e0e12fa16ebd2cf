"""Snapshot: what a catalog showed last, in a file, for a start while the database is away.

It is encrypted (AES-256-GCM) with a key that is made of the database's password (scrypt), so whoever can read it could
read the database as well, and nobody else.
"""

import fcntl
import hashlib
import logging
import os
import time
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from moorage.catalog.contents import Contents
from moorage.catalog.project_catalog import Kept
from moorage.core.access import ApiKey
from moorage.store.changes import State

_MAGIC = b"Moorage snapshot 3\n"
_SALT, _NONCE = 16, 12

#: It is written this often at most (seconds), and so seldom that it takes no more than this part of the time.
_PAUSE_SECONDS = 5.0
_PART = 0.005

_log = logging.getLogger("moorage.catalog")


class _File(msgspec.Struct, frozen=True, array_like=True):
    """What is encrypted."""

    state: State
    projects: dict[str, Kept]
    api_keys: dict[str, ApiKey]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_File).decode


class Snapshot:
    """The snapshot at a path; the time of the file is when it was known to be current. Of several processes that keep
    it, one writes."""

    def __init__(self, path: Path, secret: bytes) -> None:
        self._path = path.resolve()
        self._secret = secret
        self._salt = os.urandom(_SALT)
        self._key: AESGCM | None = None
        self._kept: State | None = None
        self._not_before = 0.0
        self._lock: int | None = None

    def keep(self, contents: Contents, age: float) -> None:
        """Write what was current `age` seconds ago, or only that it still was; not too often."""
        started = time.monotonic()
        if started < self._not_before:
            return
        try:
            if self._is_ours():
                if contents.state != self._kept:
                    self._kept = self._write(contents)
                current_at = time.time() - age
                os.utime(self._path, (current_at, current_at))
        except OSError as error:
            _log.warning("the snapshot %s cannot be written: %s", self._path, error.strerror)
        ended = time.monotonic()
        self._not_before = ended + max(_PAUSE_SECONDS, (ended - started) / _PART)

    def load(self) -> tuple[Contents, float] | None:
        """What was kept, and how many seconds ago it was current; None if there is none that can be read."""
        try:
            data, current_at = self._path.read_bytes(), self._path.stat().st_mtime
        except OSError:
            return None
        head, sealed = data[: len(_MAGIC) + _SALT], data[len(_MAGIC) + _SALT :]
        if not head.startswith(_MAGIC):
            return None
        try:
            plain = self._cipher(head[len(_MAGIC) :]).decrypt(sealed[:_NONCE], sealed[_NONCE:], head)
            file = _decode(plain)
        except (InvalidTag, ValueError, msgspec.MsgspecError):
            _log.warning("the snapshot %s is damaged, or of a database with another password", self._path)
            return None
        return Contents.of(file.state, file.projects, file.api_keys), max(0.0, time.time() - current_at)

    def _is_ours(self) -> bool:
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

    def _write(self, contents: Contents) -> State:
        if self._key is None:
            self._key = self._cipher(self._salt)
        # The state first: what is taken over meanwhile is taken over once more after a start, which changes nothing.
        file = _File(contents.state, contents.kept(), contents.api_keys)
        head, nonce = _MAGIC + self._salt, os.urandom(_NONCE)
        sealed = self._key.encrypt(nonce, _encode(file), head)
        partial = self._path.with_name(self._path.name + ".partial")
        with open(partial, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as written:
            written.write(head + nonce + sealed)
            written.flush()
            os.fsync(written.fileno())
        partial.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return file.state

    def _cipher(self, salt: bytes) -> AESGCM:
        return AESGCM(hashlib.scrypt(self._secret, salt=salt, n=2**14, r=8, p=1, dklen=32))
