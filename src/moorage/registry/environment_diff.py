"""The differences between the live versions of two environments."""

from itertools import islice
from typing import Literal

import msgspec

from moorage.core.compatibility.breaking import breaking_changes
from moorage.core.deployments.content import DECODE_ERRORS
from moorage.core.deployments.deployment import Deployment
from moorage.core.deployments.page import PageQuery
from moorage.core.environments import Environment
from moorage.core.errors.requests import ComparisonTooLarge
from moorage.store.reader import Reader

#: The text for a version that is too large to compare.
_NOT_COMPARED = "not compared"

Relation = Literal["ahead", "behind", "only_in_from", "only_in_to"]


class DifferenceItem(msgspec.Struct, frozen=True):
    """A deployment whose live versions differ; a version is null where it is not live.

    `relation` is that of the version in `from` to the one in `to`. `breaking` lists the paths that a promotion breaks.
    """

    id: str
    key: str
    from_version: str | None
    to_version: str | None
    from_follows: bool
    to_follows: bool
    relation: Relation
    breaking: list[str]


class EnvironmentDifference(msgspec.Struct, frozen=True):
    """A page of differences, in the order of the ids of deployments, which are the cursors."""

    object: Literal["list"]
    data: list[DifferenceItem]
    has_more: bool


class LivePair(msgspec.Struct, frozen=True):
    """A deployment as it is in both environments."""

    before: Deployment
    after: Deployment


def differing(
    reader: Reader, project_id: str, source: Environment, target: Environment, query: PageQuery
) -> tuple[list[LivePair], bool]:
    """Return a page of the deployments whose live versions differ, and whether there are more."""
    found: dict[str, list[str | None]] = {}
    production: dict[str, str | None] = {}
    for side, environment in enumerate((source, target)):
        for pointer in reader.pointers_of_environment(environment.id):
            if not pointer.is_deleted:
                found.setdefault(pointer.deployment_id, [None, None])[side] = pointer.version_id
                production[pointer.deployment_id] = pointer.production_version_id
    ids = sorted(
        each for each, (one, other) in found.items() if (one or production[each]) != (other or production[each])
    )
    if query.ending_before is not None:
        before = [each for each in ids if each < query.ending_before]
        page, has_more = before[-query.limit :], len(before) > query.limit
    else:
        after = [each for each in ids if each > (query.starting_after or "")]
        page, has_more = list(islice(after, query.limit)), len(after) > query.limit
    pairs = []
    for each in page:
        one, other = (reader.find_deployment(project_id, each, side.pointer_id) for side in (source, target))
        if one is not None and other is not None:
            pairs.append(LivePair(one, other))
    return pairs, has_more


def difference_item(pair: LivePair) -> DifferenceItem:
    """Return a difference in responses."""
    one, other = pair.before, pair.after
    is_in_both = one.live_version_id is not None and other.live_version_id is not None
    relation: Relation
    if is_in_both:
        relation = "ahead" if one.version > other.version else "behind"
    else:
        relation = "only_in_to" if one.live_version_id is None else "only_in_from"
    return DifferenceItem(
        id=one.id,
        key=one.key,
        from_version=None if one.live_version_id is None else str(one.version),
        to_version=None if other.live_version_id is None else str(other.version),
        from_follows=one.is_following,
        to_follows=other.is_following,
        relation=relation,
        breaking=_breaking(other, one) if is_in_both else [],
    )


def _breaking(live: Deployment, new: Deployment) -> list[str]:
    try:
        return [change.path for change in breaking_changes(live.content, new.content)]
    except (ComparisonTooLarge, *DECODE_ERRORS):
        return [_NOT_COMPARED]
