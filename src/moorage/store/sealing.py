"""Encryption of credentials (AES-256-GCM), with the operator's secret keys or the key file of a SQLite database.

A sealed text is bound to its project, its integration and its field, so it cannot be moved to another row. The id of
its key is stored beside it.
"""

import base64
import binascii
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from moorage.core.errors.integrations import CredentialsUnreadable, EncryptionKeyMissing, KeyFileUnusable
from moorage.core.integrations import Credentials, Integration
from moorage.core.secret_keys import NO_KEYS, SecretKeys
from moorage.files import open_regular
from moorage.store.engine import KEY_FILE

_FORMAT = "v1."
_NONCE = 12
_KEY_FILE_BYTES = 4_096

_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(dict[str, str]).decode


class Sealed(msgspec.Struct, frozen=True):
    """Encrypted credentials and headers (each can be empty), and the id of their key."""

    credentials: str
    headers: str
    key_id: str


class KeyRing:
    """The keys that encrypt credentials: those of MOORAGE_SECRET_KEY, and that of the key file.

    The first one of MOORAGE_SECRET_KEY writes. Without any, that of the file does, which the first write creates.
    """

    def __init__(self, secret_keys: SecretKeys = NO_KEYS, file: Path | None = None) -> None:
        """`file` is None for a database on the network: its nodes would create different files."""
        self._secret_keys = secret_keys
        self._file = file

    def seal(self, project_id: str, integration_id: str, opened: Credentials) -> Sealed:
        """Encrypt credentials and headers with the first key.

        Raises:
            EncryptionKeyMissing, KeyFileUnusable
        """
        if not opened.values and not opened.headers:
            return Sealed("", "", "")
        key_id, key = self._writing_key()
        credentials = _seal(key, opened.values, _context(project_id, integration_id, "credentials"))
        headers = _seal(key, opened.headers, _context(project_id, integration_id, "headers"))
        return Sealed(credentials, headers, key_id)

    def open(self, integration: Integration) -> Credentials:
        """Decrypt the credentials and headers of an integration.

        Raises:
            CredentialsUnreadable: its key is not known, or the stored text was changed.
        """
        if not integration.credentials and not integration.headers:
            return Credentials()
        try:
            key = self._find_key(integration.key_id)
        except KeyFileUnusable as error:
            raise CredentialsUnreadable(name=integration.name, reason=error.message.rstrip(".")) from error
        if key is None:
            reason = f"the secret key {integration.key_id} is missing"
            raise CredentialsUnreadable(name=integration.name, reason=reason)
        ids = integration.project_id, integration.id
        try:
            return Credentials(
                _open(key, integration.credentials, _context(*ids, "credentials")),
                _open(key, integration.headers, _context(*ids, "headers")),
            )
        except ValueError:
            reason = "the stored text was changed after it was written"
            raise CredentialsUnreadable(name=integration.name, reason=reason) from None

    @property
    def can_seal(self) -> bool:
        """Whether there is a key to encrypt with, or a file for one."""
        return bool(self._secret_keys.sealing_keys) or self._file is not None

    def writing_key_id(self) -> str:
        """Return the id of the first key.

        Raises:
            EncryptionKeyMissing, KeyFileUnusable
        """
        return self._writing_key()[0]

    def has(self, key_id: str) -> bool:
        """Return whether a key is known; one in a file that cannot be used is not."""
        try:
            return self._find_key(key_id) is not None
        except KeyFileUnusable:
            return False

    def _writing_key(self) -> tuple[str, bytes]:
        keys = self._secret_keys.sealing_keys or self._file_keys(is_created=True)
        for key_id, key in keys.items():
            return key_id, key
        raise EncryptionKeyMissing

    def _find_key(self, key_id: str) -> bytes | None:
        return self._secret_keys.sealing_keys.get(key_id) or self._file_keys().get(key_id)

    def _file_keys(self, *, is_created: bool = False) -> Mapping[str, bytes]:
        """Return the keys of the key file, none if there is no file."""
        if self._file is None:
            return {}
        try:
            if is_created and not os.path.lexists(self._file):
                _create(self._file)
            return SecretKeys.parse(_read(self._file)).sealing_keys
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise KeyFileUnusable(reason=error.strerror or "it cannot be read") from error
        except ValueError as error:  # without the text of a key
            raise KeyFileUnusable(reason=str(error)) from None


def _create(file: Path) -> None:
    """Create the key file. Of several processes, one creates it, and the others find it complete."""
    temporary = file.with_name(f".moorage-{secrets.token_hex(8)}.part")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(secrets.token_hex(32).encode() + b"\n")
            opened.flush()
            os.fsync(handle)
        with suppress(FileExistsError):
            os.link(temporary, file)
    finally:
        temporary.unlink()
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)  # no credential is stored before its key is
    finally:
        os.close(folder)


def _read(file: Path) -> str:
    """Return the content of the key file.

    Raises:
        OSError
        ValueError: other users can read it, or it is not a text.
    """
    if file.is_symlink():
        raise ValueError("it is a link; replace it by the file")
    with os.fdopen(open_regular(file, os.O_RDONLY), "rb") as opened:
        found = os.fstat(opened.fileno())
        if found.st_uid != os.geteuid():
            raise ValueError("it belongs to another user")
        if found.st_mode & 0o077:
            raise ValueError(f"other users have access to it; run: chmod 600 {KEY_FILE}")
        try:
            return opened.read(_KEY_FILE_BYTES).decode("ascii").strip()
        except UnicodeDecodeError:
            raise ValueError("it is not a key") from None


def _context(project_id: str, integration_id: str, field: str) -> bytes:
    return "\n".join((project_id, integration_id, field)).encode()


def _seal(key: bytes, values: Mapping[str, str], context: bytes) -> str:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 -- it takes 20 ms

    if not values:
        return ""
    nonce = os.urandom(_NONCE)
    return _FORMAT + base64.b64encode(nonce + AESGCM(key).encrypt(nonce, _encode(values), context)).decode()


def _open(key: bytes, text: str, context: bytes) -> dict[str, str]:
    """Decrypt a sealed text.

    Raises:
        ValueError
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 -- it takes 20 ms
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 -- as above

    if not text:
        return {}
    if not text.startswith(_FORMAT):
        raise ValueError("unknown format")
    try:
        sealed = base64.b64decode(text.removeprefix(_FORMAT), validate=True)
        return _decode(AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], context))
    except (InvalidTag, binascii.Error, msgspec.MsgspecError):
        raise ValueError("it was changed") from None
