"""Create and change deployments."""

from typing import Any

import msgspec
from msgspec import UNSET

from moorage.core import strict_json
from moorage.core.conform import conform
from moorage.core.deployment import FIRST_VERSION, Content, Deployment, PutDeployment, Result
from moorage.core.errors import InvalidBody
from moorage.core.ids import check_key, new_id
from moorage.store.store import Store, Transaction


class Put(msgspec.Struct, frozen=True):
    """What a put did. `normalized` are the paths of the body that were rewritten to an equivalent."""

    result: Result
    deployment: Deployment
    normalized: list[str]


class _Undo(Exception):
    def __init__(self, result: Result, deployment: Deployment) -> None:
        self.result = result
        self.deployment = deployment


def put_deployment(
    store: Store, project_id: str, key: str, body: bytes, by: str | None, *, is_dry_run: bool = False
) -> Put:
    """Make the deployment `key` what `body` (JSON, `PutDeployment`) says: create it, or give it a new live version.

    A version is made only where the content differs; a description alone is changed in place. `by` is the id of the
    API key that asks. A dry run finds out what would be done, and does not.

    Raises:
        InvalidKey, InvalidJson, InvalidBody: nothing was changed.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    check_key(key)
    wanted, normalized = read_put(strict_json.parse(body))
    result: Result
    try:
        with store.write() as write:
            present = write.find_deployment(project_id, key)
            if present is None:
                result = "created"
                _create(write, project_id, key, wanted, by)
            elif _update(write, present, wanted, by):
                result = "updated"
            else:
                raise _Undo("unchanged", present)
            stored = write.find_deployment(project_id, key)
            assert stored is not None  # noqa: S101 -- written in this transaction
            if is_dry_run:
                raise _Undo(result, stored)
    except _Undo as undo:
        return Put(undo.result, undo.deployment, normalized)
    return Put(result, stored, normalized)


def read_put(value: Any) -> tuple[PutDeployment, list[str]]:
    """Hold a parsed body against `PutDeployment`; returns it and the paths that were rewritten to an equivalent.

    Raises:
        InvalidBody: with every problem.
    """
    conformed, report = conform(value, PutDeployment)
    if not report.problems:
        wanted = msgspec.convert(conformed, PutDeployment)
        seen: set[str] = set()
        for index, variable in enumerate(wanted.variables or ()):
            if variable.key in seen:
                report.problem(f"variables[{index}].key", f"{variable.key!r} is declared twice")
            seen.add(variable.key)
        if not report.problems:
            return wanted, report.rewritten
    first, more = report.problems[0], len(report.problems) - 1
    summary = f"{first.path or 'the body'} {first.message}" + (f" (and {more} more)" if more else "")
    raise InvalidBody(param=first.path or None, problems=tuple(report.problems), summary=summary)


def _create(write: Transaction, project_id: str, key: str, wanted: PutDeployment, by: str | None) -> None:
    version_id = new_id()
    description = "" if wanted.description is UNSET else wanted.description
    variables = [] if wanted.variables is UNSET else wanted.variables
    deployment_id = write.insert_deployment(project_id, key, description, version_id)
    content = Content.of(wanted.prompt_config, variables)
    write.insert_version(version_id, deployment_id, FIRST_VERSION, content, wanted.notes, by)


def _update(write: Transaction, present: Deployment, wanted: PutDeployment, by: str | None) -> bool:
    variables = write.live_variables(present.id) if wanted.variables is UNSET else wanted.variables
    content = Content.of(wanted.prompt_config, variables)
    is_new_content = content.sha256 != present.content_sha256
    if is_new_content:
        version_id = new_id()
        number = write.last_version(present.id).next(wanted.version_bump)
        write.insert_version(version_id, present.id, number, content, wanted.notes, by)
        write.publish_version(present.id, version_id)
    description = present.description if wanted.description is UNSET else wanted.description
    if description != present.description:
        write.describe_deployment(present.id, description)
    return is_new_content or description != present.description
