"""Rows of queries.sql as typed values. The queries define the order of the columns.

One row that cannot be decoded must cost nothing but what it describes. Where a whole table is read, such a row is an
`UnreadableRow`; a lookup of one row raises its error.
"""

import re
from typing import NamedTuple

import msgspec

from moorage.core.access import ApiKey, Project
from moorage.core.compatibility.consumers import ConsumerRecord
from moorage.core.deployments.content import DECODE_ERRORS, StoredContent
from moorage.core.deployments.deployment import VersionNumber
from moorage.core.deployments.history import Entry, HistoryEntry, KeyName
from moorage.core.deployments.version import Version
from moorage.core.errors.base import VersionUnreadable
from moorage.core.errors.rows import HistoryUnreadable, ProjectUnreadable
from moorage.core.integrations import Integration, decode_options
from moorage.store.column_problems import type_problem
from moorage.store.columns import (
    ApiKeyRow,
    HistoryRow,
    IntegrationRow,
    ProjectRow,
    VersionRow,
    is_time,
)
from moorage.store.engine import Row
from moorage.store.row_problems import read_scopes
from moorage.store.unreadable import UnreadableRow, as_name

_NUMBER = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})", re.ASCII)


#: More than the entries of a revision: the place of an entry in lists is its revision times this, plus its number.
_PLACES = 1 << 20


def place_after(rev: int) -> int:
    """Return the place after all history entries of a revision."""
    return rev * _PLACES + _PLACES - 1


class Chained(msgspec.Struct, frozen=True):
    """A history entry with its hash, its version numbers, and the name of its environment."""

    entry: Entry
    hash: str
    from_version: str | None
    to_version: str | None
    environment: str | None = None

    @property
    def place(self) -> int:
        """The position in the list."""
        return self.entry.rev * _PLACES + self.entry.n

    @property
    def item(self) -> HistoryEntry:
        """The entry as clients get it."""
        return HistoryEntry.of(self.entry, self.from_version, self.to_version, self.hash, self.environment)


def api_key(row: Row) -> ApiKey | UnreadableRow:
    """Return a row of `api_keys`."""
    problem = type_problem(ApiKeyRow, (*row, 0))
    if problem is None:
        try:
            id_, project_id, name, scopes, *others = row
            return ApiKey(id_, project_id, name, read_scopes(scopes), *others)
        except ValueError as error:
            problem = str(error)
    return UnreadableRow("api_key", as_name(row[0]), problem, as_name(row[1]))


def get_api_key(row: Row) -> ApiKey:
    """Return a row of `find_api_key`.

    Raises:
        ApiKeyUnreadable
    """
    found = api_key(row)
    if isinstance(found, UnreadableRow):
        raise found.api_key_error()
    return found


def integration(row: Row) -> Integration | UnreadableRow:
    """Return a row of `integrations` or `find_integration`."""
    problem = type_problem(IntegrationRow, row)
    if problem is None:
        try:
            id_, project_id, name, provider, base_url, options, credentials, headers, key_id, *others = row
            created_us, created_by, updated_us, updated_by, deleted_us, rev = others
            return Integration(
                id=id_, project_id=project_id, name=name, provider=provider, base_url=base_url,
                options=decode_options(options), credentials=credentials, headers=headers, key_id=key_id,
                created_us=created_us, created_by=created_by, updated_us=updated_us, updated_by=updated_by,
                deleted_us=deleted_us, rev=rev,
            )  # fmt: skip
        except DECODE_ERRORS as error:
            problem = f"options cannot be decoded ({error})"
    return UnreadableRow(
        "integration", as_name(row[0]), problem, as_name(row[1]), as_name(row[2]), is_deleted=row[13] is not None
    )


def get_integration(row: Row) -> Integration:
    """Return a row of `find_integration`.

    Raises:
        IntegrationUnreadable
    """
    found = integration(row)
    if isinstance(found, UnreadableRow):
        raise found.integration_error()
    return found


def project(row: Row) -> Project | UnreadableRow:
    """Return a row of `projects`."""
    problem = type_problem(ProjectRow, (*row, 0))
    return Project(*row) if problem is None else UnreadableRow("project", as_name(row[0]), problem)


def get_project(row: Row) -> Project:
    """Return a row of `find_project`.

    Raises:
        ProjectUnreadable
    """
    found = project(row)
    if isinstance(found, UnreadableRow):
        raise ProjectUnreadable(name=as_name(row[1]), reason=found.reason)
    return found


def version(row: Row) -> Version:
    """Return a row of `find_version`, `versions_older` or `versions_newer`.

    Raises:
        VersionUnreadable
    """
    *columns, status = row
    problem = type_problem(VersionRow, tuple(columns))
    (
        id_, deployment_id, major, minor, prompt_config, variables, notes, content_sha256, created_us, api_key_id, rev,
        _, description, deleted_us, runtime_config,
    ) = columns  # fmt: skip
    if problem is not None:
        raise VersionUnreadable(version=f"{as_name(major)}.{as_name(minor)}", reason=problem)
    content = StoredContent(prompt_config, variables, runtime_config)
    return Version(
        id_, deployment_id, VersionNumber(major, minor), content, description, notes, content_sha256, created_us,
        api_key_id, rev, deleted_us, status,
    )  # fmt: skip


def version_number(row: Row) -> VersionNumber:
    """Return a row of `last_version`.

    Raises:
        VersionUnreadable
    """
    major, minor = row
    if not isinstance(major, int) or not isinstance(minor, int):
        raise VersionUnreadable(
            version=f"{as_name(major)}.{as_name(minor)}", reason="its number is not of whole numbers"
        )
    return VersionNumber(major, minor)


def chained(row: Row) -> Chained:
    """Return a row of `find_entry`, `entries_older` or `entries_newer`.

    Raises:
        HistoryUnreadable
    """
    *columns, digest, from_major, from_minor, to_major, to_minor, environment = row
    problem = type_problem(HistoryRow, (*columns, digest, ""))
    if problem is None:
        from_version = None if from_major is None else f"{from_major}.{from_minor}"
        to_version = None if to_major is None else f"{to_major}.{to_minor}"
        found = Chained(Entry(*columns), digest, from_version, to_version, environment)
        try:
            found.item  # noqa: B018 -- decodes its texts
        except msgspec.DecodeError as error:
            problem = f"breaking or changes cannot be decoded ({error})"
        else:
            return found
    raise HistoryUnreadable(id=as_name(columns[1]), reason=problem)


class Move(NamedTuple):
    """A move of a live version: the versions before and after, None for none or for following production."""

    before: str | None
    after: str | None
    rev: int


def move(row: Row) -> Move:
    """Return a row of `last_move`.

    Raises:
        HistoryUnreadable
    """
    before, after, _, rev = row
    if not isinstance(before, str | None) or not isinstance(after, str | None) or not isinstance(rev, int):
        raise HistoryUnreadable(id="of the last publication", reason="the id of a version is not a text")
    return Move(before, after, rev)


def consumer_record(row: Row) -> ConsumerRecord:
    """Return a row of `consumers_of_deployment` or `consumers_of_version`.

    A record that cannot be decoded counts as a consumer: its version may be in use.
    """
    key_id, key_name, major, minor, last_us, inputs, environment_id = row
    name = KeyName(as_name(key_id), as_name(key_name))
    return ConsumerRecord(
        name, f"{as_name(major)}.{as_name(minor)}", last_us if is_time(last_us) else 0, frozenset(names(inputs)),
        as_name(environment_id) or None,
    )  # fmt: skip


def names(inputs: object) -> list[str]:
    """Return the names in the column `inputs` of a consumer; none if they cannot be decoded."""
    try:
        return msgspec.json.decode(inputs, type=list[str]) if isinstance(inputs, str) else []
    except msgspec.DecodeError:
        return []


def version_parameters(id_or_number: str) -> dict[str, object]:
    """Return the parameters of `find_version` for an id or a number such as `1.2`."""
    number = _NUMBER.fullmatch(id_or_number)
    major, minor = (int(number[1]), int(number[2])) if number else (None, None)
    return {"id": id_or_number, "major": major, "minor": minor}
