"""Usage: who was served by which version, and with which inputs: their names, never their values."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Annotated

import msgspec
from msgspec import Meta

from moorage.core.compatibility.contract import Needs
from moorage.core.deployments.history import KeyName
from moorage.core.times import iso

#: The days for which a served version counts as in use.
IN_USE_DAYS = 7

#: The days after which usage is deleted.
CONSUMER_DAYS = 30

#: The number of names that are stored for a version and an API key, and the length of a name.
MAX_NAMES = 100
MAX_NAME = 256


class UsageRecord(msgspec.Struct, frozen=True, order=True):
    """That a version served an API key, from one time to another (microseconds since 1970), with these inputs."""

    version_id: str
    api_key_id: str
    first_us: int
    last_us: int
    inputs: tuple[str, ...]


class ConsumerRecord(msgspec.Struct, frozen=True):
    """The same as it is looked up: the key with the name it has now, and the number of the version."""

    api_key: KeyName
    version: str
    last_us: int
    inputs: frozenset[str]


class Consumer(msgspec.Struct, frozen=True):
    """An API key that was served by content to be deleted, with the version and the time of the last request."""

    api_key: KeyName
    version: str
    last_used: str

    @classmethod
    def of(cls, served: ConsumerRecord) -> "Consumer":
        """Return the representation in responses."""
        return cls(served.api_key, served.version, iso(served.last_us))


class AffectedConsumer(msgspec.Struct, frozen=True):
    """An API key that uses the live version in a way that a new one breaks."""

    api_key: KeyName
    inputs_missing: Annotated[list[str], Meta(description="Inputs that the new version needs and this key never sent.")]
    inputs_unused: Annotated[
        list[str], Meta(description="Inputs that this key sent and the new version no longer uses.")
    ]
    last_used: str


def affected_consumers(served: Iterable[ConsumerRecord], needs: Needs) -> list[AffectedConsumer]:
    """Return the consumers that the needs of a new version break, the most recently served first."""
    found = []
    for each in sorted(served, key=lambda served: -served.last_us):
        missing = [name for name in needs.required if not _is_sent(name, each.inputs)]
        unused = [name for name in needs.removed if _is_sent(name, each.inputs)]
        if missing or unused:
            found.append(AffectedConsumer(each.api_key, missing, unused, iso(each.last_us)))
    return found


def merged(known: Sequence[str], more: Iterable[str]) -> list[str]:
    """Return both, each name once, up to the limit."""
    return list(dict.fromkeys([*known, *more]))[:MAX_NAMES]


def _is_sent(name: str, inputs: AbstractSet[str]) -> bool:
    """Whether one of the inputs is meant by a name in a template: `customer.name` may be inside of `customer`."""
    return name in inputs or name.partition(".")[0] in inputs
