"""The disk cache: the last state of a catalog, for a start without the database.

It is encrypted (AES-256-GCM) with a key derived from the password of the database (scrypt). So only those who can read
the database can read the file. It is bound to the address of the database. So is the time at which it was current,
which is overwritten every few seconds while nothing else changes. A copy of the file stays valid. The credentials of
integrations are in it as in the database: encrypted with the secret key.

    magic | salt | nonce, time | nonce, state of the catalog
"""

import fcntl
import hashlib
import logging
import os
import struct
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from moorage import clock
from moorage.catalog.project import ProjectState
from moorage.catalog.state import CatalogState
from moorage.core.access import ApiKey
from moorage.core.environments import Environment
from moorage.core.integrations import Integration
from moorage.files import open_regular, remove_leftovers, write_file
from moorage.store.changes import StorePosition

_MAGIC = b"Moorage disk cache 5\n"
_SALT, _NONCE, _TAG = 16, 12, 16
_HEAD = len(_MAGIC) + _SALT

#: The time at which the state was current, in seconds since 1970.
_TIME = struct.Struct(">d")
_SEALED_TIME = _NONCE + _TIME.size + _TAG

#: The shortest pause between two writes (seconds), and the largest share of the time that writes may take.
_PAUSE_SECONDS = 5.0
_MAX_SHARE = 0.005

#: How far a clock may have stepped back since a write (seconds), and the age of a state from the future: ten years, so
#: that it is older than every `max_staleness`.
_MAX_APART_SECONDS = 60.0
_UNKNOWN_AGE = 3_650 * 86_400.0

_log = logging.getLogger("moorage.catalog")


class _File(msgspec.Struct, frozen=True, array_like=True):
    """The encrypted part of the file."""

    position: StorePosition
    projects: dict[str, ProjectState]
    api_keys: dict[str, ApiKey]
    integrations: Mapping[str, Integration]
    environments: Mapping[str, Environment]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_File).decode


class DiskCache:
    """The disk cache of a database at a path; of several processes with it, one writes."""

    def __init__(self, path: Path, url: str, secret: bytes) -> None:
        self._path = path.absolute()
        self._url = url.encode()
        self._secret = secret
        self._salt = os.urandom(_SALT)
        self._key: AESGCM | None = None
        self._stored: StorePosition | None = None
        self._body_nonce = b""
        self._not_before = 0.0
        self._lock: int | None = None

    def save(self, state: CatalogState, age: float) -> None:
        """Write a state that was current `age` seconds ago, or only its time if it is stored."""
        started = time.monotonic()
        if started < self._not_before:
            return
        try:
            if self._acquire_lock():
                current_at = clock.now_seconds() - age
                if state.position != self._stored or not self._path.exists():
                    self._stored = self._write(state, current_at)
                else:
                    self._confirm(current_at)
        except OSError as error:
            _log.warning("The disk cache %s cannot be written: %s", self._path, error.strerror)
        ended = time.monotonic()
        self._not_before = ended + max(_PAUSE_SECONDS, (ended - started) / _MAX_SHARE)

    def load(self) -> tuple[CatalogState, float] | None:
        """Return the stored state and its age in seconds, or None if there is no readable file."""
        try:
            data = self._path.read_bytes() if self._path.is_file() else b""  # a device has no end
        except OSError:
            return None
        head, sealed_time, sealed_state = data[:_HEAD], data[_HEAD : _HEAD + _SEALED_TIME], data[_HEAD + _SEALED_TIME :]
        if not head.startswith(_MAGIC):
            return None
        try:
            key, nonce = self._cipher(head[len(_MAGIC) :]), sealed_state[:_NONCE]
            (current_at,) = _TIME.unpack(key.decrypt(sealed_time[:_NONCE], sealed_time[_NONCE:], nonce + self._url))
            file = _decode(key.decrypt(nonce, sealed_state[_NONCE:], head + self._url))
        except (InvalidTag, ValueError, struct.error, msgspec.MsgspecError):
            _log.warning("The disk cache %s is damaged, or belongs to another database or password", self._path)
            return None
        age = clock.now_seconds() - current_at
        if age < -_MAX_APART_SECONDS:  # a clock was ahead when it was written, or is behind now
            age = _UNKNOWN_AGE
        content = file.projects, file.api_keys, file.integrations, file.environments
        return CatalogState.of(file.position, *content), max(0.0, age)

    def _acquire_lock(self) -> bool:
        """Return whether this process has the write lock; it keeps the lock until it ends."""
        if self._lock is None:
            lock = open_regular(self._path.with_name(self._path.name + ".lock"), os.O_CREAT | os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                return False
            self._lock = lock
            remove_leftovers(self._path.parent)
        return True

    def _confirm(self, current_at: float) -> None:
        """Overwrite the time at which the state was current."""
        handle = open_regular(self._path, os.O_WRONLY)
        try:
            os.pwrite(handle, self._seal_time(current_at), _HEAD)
        finally:
            os.close(handle)

    def _seal_time(self, current_at: float) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cached_cipher().encrypt(nonce, _TIME.pack(current_at), self._body_nonce + self._url)

    def _write(self, state: CatalogState, current_at: float) -> StorePosition:
        # The position first: concurrent changes are then applied again after a start, which changes nothing.
        position, projects = state.position, state.project_states()
        file = _File(position, projects, state.api_keys, state.integrations.stored(), state.environments.stored())
        head, self._body_nonce = _MAGIC + self._salt, os.urandom(_NONCE)
        sealed_state = self._cached_cipher().encrypt(self._body_nonce, _encode(file), head + self._url)
        content = head + self._seal_time(current_at) + self._body_nonce + sealed_state
        write_file(self._path, content, is_private=True)
        return file.position

    def _cached_cipher(self) -> AESGCM:
        """Return the cipher; the derivation of its key is slow and takes memory."""
        if self._key is None:
            self._key = self._cipher(self._salt)
        return self._key

    def _cipher(self, salt: bytes) -> AESGCM:
        return AESGCM(hashlib.scrypt(self._secret, salt=salt, n=2**14, r=8, p=1, dklen=32))
