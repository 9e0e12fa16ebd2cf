"""Rows of queries.sql as typed values. The queries define the order of the columns."""

import json
import re

import msgspec

from moorage.core.access import ApiKey, Scope
from moorage.core.compatibility.consumers import ConsumerRecord
from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.deployment import Deployment, VersionNumber
from moorage.core.deployments.history import Entry, HistoryEntry, KeyName
from moorage.core.deployments.version import Version
from moorage.store.engine import Row

_NUMBER = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})", re.ASCII)


class Chained(msgspec.Struct, frozen=True):
    """A history entry with its hash and its version numbers."""

    entry: Entry
    hash: str
    from_version: str | None
    to_version: str | None

    @property
    def place(self) -> int:
        """The position in the list."""
        return self.entry.rev

    @property
    def item(self) -> HistoryEntry:
        """The entry as clients get it."""
        return HistoryEntry.of(self.entry, self.from_version, self.to_version, self.hash)


def deployment(row: Row) -> Deployment:
    """Return a row of a query for deployments."""
    prompt_config, variables, runtime_config = row[10], row[16], row[17]
    content = StoredContent(prompt_config, variables, runtime_config)
    columns = (*row[:8], VersionNumber(row[8], row[9]), content, *row[11:16])
    return Deployment(*columns)


def api_key(row: Row) -> ApiKey:
    """Return a row of `api_keys`."""
    key_id, project_id, name, scopes, *rest = row
    return ApiKey(key_id, project_id, name, frozenset(map(Scope, scopes.split())), *rest)


def version(row: Row) -> Version:
    """Return a row of `find_version`, `versions_older` or `versions_newer`."""
    prompt_config, variables, runtime_config = row[4], row[5], row[13]
    content = StoredContent(prompt_config, variables, runtime_config)
    columns = (*row[:2], VersionNumber(row[2], row[3]), content, *row[6:13], row[14])
    return Version(*columns)


def chained(row: Row) -> Chained:
    """Return a row of `find_entry`, `entries_older` or `entries_newer`."""
    *columns, digest, from_major, from_minor, to_major, to_minor = row
    from_version = None if from_major is None else f"{from_major}.{from_minor}"
    to_version = None if to_major is None else f"{to_major}.{to_minor}"
    return Chained(Entry(*columns), digest, from_version, to_version)


def consumer_record(row: Row) -> ConsumerRecord:
    """Return a row of `consumers_of_deployment` or `consumers_of_version`."""
    key_id, key_name, major, minor, last_us, inputs = row
    return ConsumerRecord(KeyName(key_id, key_name), f"{major}.{minor}", last_us, frozenset(json.loads(inputs)))


def version_parameters(id_or_number: str) -> dict[str, object]:
    """Return the parameters of `find_version` for an id or a number such as `1.2`."""
    number = _NUMBER.fullmatch(id_or_number)
    major, minor = (int(number[1]), int(number[2])) if number else (None, None)
    return {"id": id_or_number, "major": major, "minor": minor}
