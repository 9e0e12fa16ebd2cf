"""Errors: every error that a caller can get.

    MoorageError
    ├── InvalidRequest            the request is wrong, see `moorage.core.errors.requests`
    ├── NotAllowed                the API key does not permit it, see `moorage.core.errors.api_keys`
    ├── NotFound                  DeploymentNotFound, DeploymentDeleted, VersionNotFound, VersionDeleted,
    │                             VariantNotFound, ProjectNotFound,
    │                             and those of `moorage.core.errors.routes` and `moorage.core.errors.api_keys`
    ├── Conflict                  NameTaken, NothingToUndo, KeyTaken, AliasTaken, NotDeleted, VersionIsLive,
    │                             OwnedByFiles, OwnedByApi, IdempotencyConflict, ResponseNotStored,
    │                             and those of `moorage.core.compatibility.errors` and `moorage.core.errors.api_keys`
    ├── PreconditionFailed        DeploymentExists, DeploymentIsLive
    ├── VariantNotResolved        the routing table names a variant that does not exist
    ├── DeploymentUnreadable, VersionUnreadable    another program wrote into the database
    ├── TooManyRequests, TooManyFailures, TooManyStreams, ApiKeyQueueFull, WriteQueueFull, IdempotencyQuotaExceeded
    └── StorageError              the database, see `moorage.core.errors.storage`

The docstring of a class is its message: what is wrong, and the value. `hint` is what to do. Both have `{fields}` that
are filled from the arguments of the error. A hint is written for users of the API; the command line replaces it by one
that names its own options (`moorage.cli.hints`), so the message must make sense alone. `code` is for programs. The HTTP
status of each class is in one table, `moorage.api.errors`.
"""

from typing import ClassVar

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong in a body: `path` as in `prompt_config.messages[2].role`, and what to do about it."""

    path: str
    message: str


class MoorageError(Exception):
    """Internal error."""

    code: ClassVar[str] = "internal_error"
    hint: ClassVar[str] = ""

    def __init__(
        self,
        *,
        param: str | None = None,
        problems: tuple[Problem, ...] = (),
        current: bytes | None = None,
        history: tuple[object, ...] = (),
        **fields: object,
    ) -> None:
        self.param = param
        self.problems = problems
        self.current = current
        self.history = history
        self.fields = fields
        self.message = " ".join((type(self).__doc__ or "").split()).format(**fields, param=param)
        self.action = self.hint.format(**fields, param=param)
        super().__init__(f"{self.message} {self.action}".rstrip())


class NotAllowed(MoorageError):
    """This is not allowed."""

    code = "not_allowed"


class NotFound(MoorageError):
    """Not found."""

    code = "not_found"


class DeploymentNotFound(NotFound):
    """Deployment {key!r} not found in this project."""

    code = "deployment_not_found"
    hint = "`moorage deployments list` shows all deployments."


class DeploymentUnreadable(MoorageError):
    """The live version of deployment {key!r} cannot be decoded and is not served: {reason}."""

    code = "deployment_unreadable"
    hint = (
        "Run `moorage deployments undo {key}` to return to the previous version, and `moorage db check` to find out"
        " what else was changed."
    )


class VersionUnreadable(MoorageError):
    """Version {version} cannot be decoded: {reason}."""

    code = "version_unreadable"
    hint = "Run `moorage db check` to find other changes."


class DeploymentDeleted(NotFound):
    """Deployment {key!r} was deleted at {deleted_at}."""

    code = "deployment_deleted"
    hint = "{restore_hint}"


class VersionNotFound(NotFound):
    """Deployment {key!r} has no version {version!r}."""

    code = "version_not_found"
    hint = "Use the number or id of a version: `GET /v2/deployments/{key}/versions` lists them."


class VersionDeleted(NotFound):
    """Version {version} of deployment {key!r} was deleted at {deleted_at}."""

    code = "version_deleted"
    hint = "{restore_hint}"


class VariantNotFound(NotFound):
    """Deployment {key!r} has no variant {variant!r}; it has: {existing}."""

    code = "variant_not_found"


class ProjectNotFound(NotFound):
    """Project {name!r} not found; existing projects: {existing}."""

    code = "project_not_found"
    hint = "`moorage projects create {name}` creates it."


class Conflict(MoorageError):
    """The request conflicts with the current state."""

    code = "conflict"


class KeyTaken(Conflict):
    """Deployment {key!r} already exists."""

    code = "key_taken"
    hint = "Change it with `PUT /v2/deployments/{key}`, or choose another key."


class AliasTaken(Conflict):
    """{name!r} is {kind} of the deployment {key!r}."""

    code = "alias_taken"
    hint = (
        "Choose another name, or free it: `PATCH /v2/deployments/{key}` sets the aliases, and only the deletion of a"
        " deployment frees its key."
    )


class NotDeleted(Conflict):
    """{subject} is not deleted: there is nothing to restore."""

    code = "not_deleted"


class VersionIsLive(Conflict):
    """Version {version} of deployment {key!r} is live{where} and cannot be deleted."""

    code = "version_is_live"
    hint = "Publish another version first."


class OwnedByFiles(Conflict):
    """Deployment {key!r} is managed by the file {file}."""

    code = "owned_by_files"
    hint = "Edit the file and run `moorage apply`, or pass take_ownership=true to manage it through the API."


class OwnedByApi(Conflict):
    """Deployment {key!r} was taken over from the file {file} and is managed through the API."""

    code = "owned_by_api"
    hint = "`moorage drift` shows the difference. Pass take_ownership=true to manage it by {by}."


class IdempotencyConflict(Conflict):
    """This Idempotency-Key was used for another request in the last 24 hours."""

    code = "idempotency_conflict"
    hint = "Use a new key for each operation."


class ResponseNotStored(Conflict):
    """The response to the call with this Idempotency-Key had more than {maximum} bytes, and was not stored."""

    code = "response_not_stored"
    hint = "Call again with a new key: that is another call of the model."


class IdempotencyQuotaExceeded(MoorageError):
    """The outcomes of this API key under Idempotency-Keys take {held} bytes; at most {maximum} bytes are stored for 24
    hours."""

    code = "idempotency_quota_exceeded"
    hint = "Retry later, or omit the Idempotency-Key."


class ApiKeyQueueFull(MoorageError):
    """The waiting requests of this API key hold {held} bytes of memory, and this one needs {needed}. An API key can
    hold as much as it leaves free: {free} bytes."""

    code = "api_key_queue_full"
    hint = "Retry later, with fewer concurrent requests."


class WriteQueueFull(MoorageError):
    """The waiting requests of this server hold {held} of {maximum} bytes of memory, and this one needs {needed}."""

    code = "write_queue_full"
    hint = "Retry later."


class TooManyRequests(MoorageError):
    """This API key has sent more than {limit} requests per minute."""

    code = "rate_limit_exceeded"
    hint = "Retry after {retry_after} seconds."


class TooManyFailures(MoorageError):
    """The address {address} has sent more than {limit} requests per minute without a valid API key."""

    code = "rate_limit_exceeded"
    hint = "Retry after {retry_after} seconds with a valid API key; `moorage keys list` shows them."


class VariantNotResolved(MoorageError):
    """The routing of deployment {key!r} leads to the variant {variant!r}, which does not exist."""

    code = "variant_not_resolved"
    hint = "Publish a version with that variant, or undo the last publish."


class TooManyStreams(MoorageError):
    """Too many open change streams on this node."""

    code = "too_many_streams"
    hint = "Retry later or use another node."


class PreconditionFailed(MoorageError):
    """Deployment {key!r} has changed: If-Match was {given}, the current ETag is {etag}."""

    code = "precondition_failed"
    hint = "See error.current and error.history, then retry with the current ETag."


class DeploymentExists(PreconditionFailed):
    """Deployment {key!r} already exists, and the request requires that it does not (If-None-Match: *)."""

    hint = "See error.current; its ETag is {etag}."


class DeploymentIsLive(PreconditionFailed):
    """Deployment {key!r} has the live version {version}; the request requires that it has none (If-None-Match: *)."""

    hint = "See error.current and error.history; send If-Match with the ETag {etag} to replace the live version."


class NothingToUndo(Conflict):
    """The live version of deployment {key!r} never changed: there is nothing to undo."""

    code = "nothing_to_undo"


class NameTaken(Conflict):
    """The {kind} {name!r} already exists."""

    code = "name_taken"
    hint = "Choose another name."
