"""Secret keys: the operator's keys, which are stored outside the database.

The history is authenticated with a key that is derived from the first one, and the credentials of integrations are
encrypted with another. A key that was replaced stays in the setting, after a comma, so that older entries can still be
verified, and older credentials decrypted.
"""

import hmac
from collections.abc import Sequence
from typing import Self

#: A shorter key can be guessed: 32 hexadecimal digits are 128 random bits.
MIN_LENGTH = 32

_ID_LENGTH = 8


class SecretKeys:
    """The keys of this process, the one for new entries first. Their text is never shown."""

    __slots__ = ("_macs", "current_id", "sealing_keys")

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._macs = {_id_of(key): _derive(key, b"moorage history") for key in reversed(keys)}
        #: Key id -> the key that encrypts credentials; the first one encrypts new ones.
        self.sealing_keys = {_id_of(key): _derive(key, b"moorage credentials") for key in keys}
        #: The id of the key for new entries; None without a key.
        self.current_id = _id_of(keys[0]) if keys else None

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """Return the keys in a setting, separated by commas.

        Raises:
            ValueError: a key is too short, or not printable ASCII without spaces. The message does not contain it.
        """
        keys = [key.strip() for key in text.split(",")] if text else []
        for number, key in enumerate(keys, 1):
            which = f"key {number} of {len(keys)}" if len(keys) > 1 else "the key"
            if len(key) < MIN_LENGTH:
                raise ValueError(f"{which} has {len(key)} characters, and needs at least {MIN_LENGTH}")
            if not (key.isascii() and key.isprintable()) or " " in key:
                raise ValueError(f"{which} has a character that is not printable ASCII, or a space")
        return cls(keys)

    def mac(self, digest: str) -> str:
        """Return the MAC of an entry's hash, with the id of the current key: `ID:HMAC-SHA256`."""
        assert self.current_id is not None  # noqa: S101 -- only the holder of a key authenticates
        return f"{self.current_id}:{_mac(self._macs[self.current_id], digest)}"

    def has(self, key_id: str) -> bool:
        """Return whether a key with this id is one of these."""
        return key_id in self._macs

    def verify(self, digest: str, mac: str) -> bool | None:
        """Return whether a MAC is that of a hash; None if its key is unknown here."""
        key_id, _, value = mac.partition(":")
        key = self._macs.get(key_id)
        if key is None:
            return None
        return hmac.compare_digest(_mac(key, digest).encode(), value.encode())


#: Without a secret key, the history is a chain of plain hashes.
NO_KEYS = SecretKeys()


def key_id_of(mac: str) -> str:
    """Return the id of the key that made a MAC; empty for none."""
    return mac.partition(":")[0]


def _id_of(key: str) -> str:
    """Return the public id of a key, which reveals nothing about it."""
    return _derive(key, b"moorage key id").hex()[:_ID_LENGTH]


def _derive(key: str, label: bytes) -> bytes:
    """Return the key for one purpose. It reveals neither the key nor those for other purposes."""
    return hmac.digest(key.encode(), label, "sha256")


def _mac(key: bytes, digest: str) -> str:
    return hmac.digest(key, digest.encode(), "sha256").hex()
