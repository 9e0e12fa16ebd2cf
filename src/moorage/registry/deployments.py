"""Create and change deployments."""

import msgspec
from msgspec import UNSET

from moorage.core import strict_json
from moorage.core.deployment import FIRST_VERSION, Content, Deployment, PutDeployment, Result
from moorage.core.history import Actor
from moorage.core.ids import check_key, new_id
from moorage.registry.bodies import read_body, refuse_repeated_variables
from moorage.registry.versions import move_pointer
from moorage.store.store import Store
from moorage.store.transaction import Transaction


class Put(msgspec.Struct, frozen=True):
    """What a put did. `normalized` are the paths of the body that were rewritten to an equivalent."""

    result: Result
    deployment: Deployment
    normalized: list[str]


class _Undo(Exception):
    def __init__(self, result: Result, deployment: Deployment) -> None:
        self.result = result
        self.deployment = deployment


def put_deployment(store: Store, project_id: str, key: str, body: bytes, by: Actor, *, is_dry_run: bool = False) -> Put:
    """Make the deployment `key` what `body` (JSON, `PutDeployment`) says: create it, or give it a new live version.

    A version is made only where the content differs; a description alone is changed in place. A dry run finds out what
    would be done, and does not.

    Raises:
        InvalidKey, InvalidJson, InvalidBody: nothing was changed.
        StorageFull, StorageUnavailable: nothing is acknowledged.
    """
    check_key(key)
    wanted, normalized = read_body(strict_json.parse(body), PutDeployment)
    refuse_repeated_variables(wanted.variables)
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


def _create(write: Transaction, project_id: str, key: str, wanted: PutDeployment, by: Actor) -> None:
    version_id = new_id()
    description = "" if wanted.description is UNSET else wanted.description
    variables = [] if wanted.variables is UNSET else wanted.variables
    deployment_id = write.insert_deployment(project_id, key, description, version_id)
    content = Content.of(wanted.prompt_config, variables)
    write.insert_version(version_id, deployment_id, FIRST_VERSION, content, by, notes=wanted.notes)
    write.record(project_id, deployment_id, "created", by, None, version_id)


def _update(write: Transaction, present: Deployment, wanted: PutDeployment, by: Actor) -> bool:
    variables = write.live_variables(present.id) if wanted.variables is UNSET else wanted.variables
    content = Content.of(wanted.prompt_config, variables)
    is_new_content = content.sha256 != present.content_sha256
    if is_new_content:
        version_id = new_id()
        number = write.last_version(present.id).next(wanted.version_bump)
        write.insert_version(version_id, present.id, number, content, by, notes=wanted.notes)
        move_pointer(write, present, version_id, by)
    description = present.description if wanted.description is UNSET else wanted.description
    is_new_description = description != present.description
    if is_new_description:
        write.describe_deployment(present.id, description)
        if not is_new_content:
            live = present.live_version_id
            write.record(present.project_id, present.id, "changed", by, live, live)
    return is_new_content or is_new_description
