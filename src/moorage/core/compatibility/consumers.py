"""Consumers: the API keys that use a version, and the names of their inputs, never the values."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from moorage.core.compatibility.contract import Needs
from moorage.core.deployments.history import KeyName
from moorage.core.environments import PRODUCTION
from moorage.core.times import iso

#: The days for which a served version counts as in use.
IN_USE_DAYS = 7

#: The days after which a usage record is deleted.
CONSUMER_DAYS = 30

_DAY_US = 86_400_000_000

#: The number of names that are stored for a version and an API key, and the length of a name.
MAX_NAMES = 100
MAX_NAME = 256

#: The number of versions in a report, and of callers in a response.
MAX_REPORTED = 200
MAX_CALLERS = 500


def oldest_us(now_us: int) -> int:
    """Return the time after which usage records count."""
    return now_us - CONSUMER_DAYS * _DAY_US


class UsageRecord(msgspec.Struct, frozen=True, order=True):
    """The use of a version by an API key in an environment (empty for production).

    Times are in microseconds since 1970; `inputs` are names.
    """

    version_id: str
    api_key_id: str
    first_us: int
    last_us: int
    inputs: tuple[str, ...]
    environment_id: str = ""


class ConsumerRecord(msgspec.Struct, frozen=True):
    """A usage record with the key's current name and the number of the version."""

    api_key: KeyName
    version: str
    last_us: int
    inputs: frozenset[str]
    environment_id: str | None = None


class Consumer(msgspec.Struct, frozen=True):
    """An API key that uses content to be deleted, with the version and the time of its last request."""

    api_key: KeyName
    version: str
    last_used: str

    @classmethod
    def of(cls, served: ConsumerRecord) -> "Consumer":
        """Return the representation in responses."""
        return cls(served.api_key, served.version, iso(served.last_us))


class UsedVersion(msgspec.Struct, frozen=True):
    """A version that a client used, and the names of the inputs."""

    version_id: Annotated[str, Meta(min_length=1, max_length=64, description="As in the snapshot.")]
    inputs: Annotated[
        list[Annotated[str, Meta(max_length=MAX_NAME)]],
        Meta(max_length=MAX_NAMES, description="The names of inputs, never their values."),
    ] = []


class PostUsage(msgspec.Struct, frozen=True):
    """The body of `POST /v2/deployments/usage`."""

    versions: Annotated[list[UsedVersion], Meta(max_length=MAX_REPORTED)]


class UsageReceipt(msgspec.Struct, frozen=True):
    """How many versions were recorded. Versions that are unknown or deleted are ignored."""

    recorded: int


class Caller(msgspec.Struct, frozen=True):
    """An API key that used a deployment in the last 30 days, with its versions and all names of inputs."""

    api_key: KeyName
    versions: list[str]
    inputs: list[str]
    last_used: str


class CallerPage(msgspec.Struct, frozen=True):
    """The callers of a deployment, the most recent one first; `has_more` if there are more than 500."""

    object: Literal["list"]
    data: list[Caller]
    has_more: bool


class KeyUse(msgspec.Struct, frozen=True):
    """The last time that an API key was served a version in an environment."""

    key: str
    version: str
    last_us: int
    environment_id: str | None = None


class UsedDeployment(msgspec.Struct, frozen=True):
    """A deployment that an API key used in an environment in the last 30 days, with its versions."""

    key: str
    environment: str
    versions: list[str]
    last_used: str


class ApiKeyUsage(msgspec.Struct, frozen=True):
    """What an API key used, the most recent first; `has_more` if there is more than 500."""

    object: Literal["list"]
    data: list[UsedDeployment]
    has_more: bool


class AffectedConsumer(msgspec.Struct, frozen=True):
    """An API key whose requests a new version breaks."""

    api_key: KeyName
    inputs_missing: Annotated[
        list[str], Meta(description="Inputs that the new version requires and this key never sent.")
    ]
    inputs_unused: Annotated[
        list[str], Meta(description="Inputs that this key sent and the new version no longer uses.")
    ]
    last_used: str


def affected_consumers(served: Iterable[ConsumerRecord], needs: Needs) -> list[AffectedConsumer]:
    """Return the consumers that a new version breaks, the most recently served first."""
    found = []
    for record in sorted(served, key=lambda record: -record.last_us):
        missing = [name for name in needs.required if not _is_sent(name, record.inputs)]
        unused = [name for name in needs.removed if _is_sent(name, record.inputs)]
        if missing or unused:
            found.append(AffectedConsumer(record.api_key, missing, unused, iso(record.last_us)))
    return found


def callers(served: Iterable[ConsumerRecord]) -> CallerPage:
    """Return the callers in usage records of a deployment, the most recent one first."""
    by_key: dict[str, list[ConsumerRecord]] = {}
    for record in sorted(served, key=lambda record: (-record.last_us, record.version)):
        by_key.setdefault(record.api_key.id, []).append(record)
    found = [
        Caller(
            records[0].api_key,
            [record.version for record in records],
            sorted({name for record in records for name in record.inputs}),
            iso(records[0].last_us),
        )
        for records in by_key.values()
    ]
    return CallerPage("list", found[:MAX_CALLERS], len(found) > MAX_CALLERS)


def usage_of_key(uses: Iterable[KeyUse], environments: Mapping[str, str]) -> ApiKeyUsage:
    """Return the deployments that an API key used, the most recent first; `environments` has the names by their ids."""
    found: dict[tuple[str, str], list[KeyUse]] = {}
    for use in sorted(uses, key=lambda use: (-use.last_us, use.key, use.version)):
        environment = PRODUCTION if use.environment_id is None else environments.get(use.environment_id)
        if environment is not None:  # one that was deleted needs the key no more
            found.setdefault((use.key, environment), []).append(use)
    used = [
        UsedDeployment(key, environment, [use.version for use in each], iso(each[0].last_us))
        for (key, environment), each in found.items()
    ]
    return ApiKeyUsage("list", used[:MAX_CALLERS], len(used) > MAX_CALLERS)


def merge_names(stored: Sequence[str], new: Iterable[str]) -> list[str]:
    """Return the distinct names of both, up to the limit."""
    return list(dict.fromkeys([*stored, *new]))[:MAX_NAMES]


def _is_sent(name: str, inputs: AbstractSet[str]) -> bool:
    """Return whether a template name can use one of the inputs: `customer.name` can be in `customer`."""
    return name in inputs or name.partition(".")[0] in inputs
