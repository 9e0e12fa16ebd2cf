"""The head of the history, which each write continues."""

import msgspec

from moorage.core.errors.storage import SecretKeyMissing
from moorage.core.secret_keys import SecretKeys


class HistoryHead(msgspec.Struct, frozen=True):
    """The hash of the newest history entry, and the id of the secret key of its MAC; both may be empty."""

    hash: str
    key_id: str

    def check_key(self, secret_keys: SecretKeys) -> None:
        """Raise `SecretKeyMissing` if the history is authenticated, and the process has no secret key."""
        if self.key_id and secret_keys.current_id is None:
            raise SecretKeyMissing(key_id=self.key_id)

    def is_authenticated(self, secret_keys: SecretKeys) -> bool:
        """Return whether a new entry is authenticated. The first entry decides, and afterwards the operator.

        Otherwise the next write would authenticate a history that somebody forged without the key.
        """
        return secret_keys.current_id is not None and bool(self.key_id or not self.hash)
