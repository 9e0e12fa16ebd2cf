"""The secret keys without which the credentials in a backup or a copy cannot be read."""

from collections.abc import Mapping

from moorage.cli.output import echo, pluralize
from moorage.store.sealing import KeyRing


def print_needed_keys(sealing_keys: Mapping[str, int], what: str, key_ring: KeyRing | None = None) -> None:
    """Print which secret keys the credentials need.

    With the keys of the new database, print only those that it does not have.
    """
    for key_id, count in sealing_keys.items():
        needed = f"The credentials of {pluralize(count, 'integration')} are encrypted with the secret key {key_id}"
        if key_ring is None:
            echo(f"{needed}, which is not in {what}. Store it elsewhere: without it, they are lost.", err=True)
        elif not key_ring.has(key_id):
            echo(
                f"{needed}, which is missing here. Add it to MOORAGE_SECRET_KEY, or put moorage.key beside the"
                " database. Until then, these integrations are unreadable; everything else works.",
                err=True,
            )
