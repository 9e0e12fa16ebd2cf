"""Every error a caller can be told about.

    MoorageError
    ├── InvalidRequest            the request itself is wrong, see `moorage.core.request_errors`
    ├── NotAllowed                who asks, and what they may
    │   ├── AuthenticationRequired, InvalidApiKey, ExpiredApiKey
    │   └── InsufficientScope
    ├── NotFound                  DeploymentNotFound, DeploymentDeleted, VersionNotFound, VersionDeleted,
    │                             ProjectNotFound, ApiKeyNotFound, RouteNotFound, MethodNotAllowed
    ├── Conflict                  NameTaken, NothingToUndo, KeyTaken, NotDeleted, VersionIsLive,
    │                             OwnedByFiles, OwnedByApi, IdempotencyConflict,
    │                             and those of `moorage.core.usage_errors`
    ├── PreconditionFailed        somebody else was faster
    ├── VariantNotResolved        a deployment that has no answer for a context
    ├── DeploymentUnreadable, VersionUnreadable    somebody else wrote in the database
    ├── TooManyStreams            there is no room for one more
    └── StorageError              where things are kept, see `moorage.core.storage_errors`

A class's docstring is its message, with `{fields}` filled from the arguments it is raised with; `code` is what
programs read. What HTTP makes of each stands in one table, `moorage.api.problems`.
"""

from typing import ClassVar

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong in a body: `path` as in `prompt_config.messages[2].role`, and what to do about it."""

    path: str
    message: str


class MoorageError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "internal_error"

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
        text = " ".join((type(self).__doc__ or "").split())
        super().__init__(text.format(**fields, param=param))


class NotAllowed(MoorageError):
    """This is not allowed."""

    code = "not_allowed"


class AuthenticationRequired(NotAllowed):
    """An API key is needed: send the header `Authorization: Bearer <API key>`. `moorage keys create NAME` makes one."""

    code = "authentication_required"


class InvalidApiKey(NotAllowed):
    """The API key is not valid here. `moorage keys list` shows which are, `moorage keys create NAME` makes one."""

    code = "invalid_api_key"


class ExpiredApiKey(NotAllowed):
    """The API key expired at {expired_at}. `moorage keys create NAME` makes a new one."""

    code = "expired_api_key"


class InsufficientScope(NotAllowed):
    """This needs an API key with the scope {required}; this one has: {held}."""

    code = "insufficient_scope"


class NotFound(MoorageError):
    """There is nothing here."""

    code = "not_found"


class DeploymentNotFound(NotFound):
    """There is no deployment {key!r} in this project. `moorage deployments list` shows what there is."""

    code = "deployment_not_found"


class DeploymentUnreadable(MoorageError):
    """The live version of the deployment {key!r} is not as Moorage writes it, so it is not served: {reason}. `moorage
    deployments undo {key}` goes back to the version before, and `moorage check` looks for what else was changed."""

    code = "deployment_unreadable"


class VersionUnreadable(MoorageError):
    """The version {version} is not as Moorage writes it: {reason}. `moorage check` looks for what else was changed."""

    code = "version_unreadable"


class DeploymentDeleted(NotFound):
    """The deployment {key!r} was deleted at {deleted_at}. {outlook}."""

    code = "deployment_deleted"


class VersionNotFound(NotFound):
    """The deployment {key!r} has no version {version!r}; give its number or its id as GET …/versions shows them."""

    code = "version_not_found"


class VersionDeleted(NotFound):
    """Version {version} of the deployment {key!r} was deleted at {deleted_at}. {outlook}."""

    code = "version_deleted"


class ProjectNotFound(NotFound):
    """There is no project {name!r}; there are: {known}. `moorage projects create {name}` makes it."""

    code = "project_not_found"


class ApiKeyNotFound(NotFound):
    """There is no API key {name!r}; give its id or its name as `moorage keys list` shows them."""

    code = "api_key_not_found"


class RouteNotFound(NotFound):
    """There is no {path} here. /docs lists what there is."""

    code = "not_found"


class MethodNotAllowed(NotFound):
    """{path} does not answer {method}; it answers {allowed}."""

    code = "method_not_allowed"


class Conflict(MoorageError):
    """This conflicts with what is there."""

    code = "conflict"


class KeyTaken(Conflict):
    """There is a deployment {key!r} already; change that one (PUT, POST …/versions), or choose another key."""

    code = "key_taken"


class NotDeleted(Conflict):
    """{what} is not deleted: there is nothing to restore."""

    code = "not_deleted"


class VersionIsLive(Conflict):
    """Version {version} of the deployment {key!r} is live and cannot be deleted; publish another one first."""

    code = "version_is_live"


class OwnedByFiles(Conflict):
    """The deployment {key!r} is kept in the file {file}: change it there and run `moorage apply`, or send
    ?take_ownership=true (--take-ownership on the command line) to keep it here from now on."""

    code = "owned_by_files"


class OwnedByApi(Conflict):
    """The deployment {key!r} was taken over from the file {file} and is kept through the API: `moorage drift` shows
    what differs; send ?take_ownership=true (--take-ownership on the command line) to keep it in {by} from now on."""

    code = "owned_by_api"


class IdempotencyConflict(Conflict):
    """This Idempotency-Key was used for another request in the last 24 hours; use a new one for each thing you do."""

    code = "idempotency_conflict"


class VariantNotResolved(MoorageError):
    """The routing of the deployment {key!r} leads to the variant {variant!r}, which it does not have; publish a version
    that has it, or undo the last one."""

    code = "variant_not_resolved"


class TooManyStreams(MoorageError):
    """This server follows the changes for as many clients as it can; try again later, or ask another one."""

    code = "too_many_streams"


class PreconditionFailed(MoorageError):
    """The deployment {key!r} {what}; it is {etag} now. error.current is how it is, error.history what was done since;
    look, and send the request again with its ETag."""

    code = "precondition_failed"


class NothingToUndo(Conflict):
    """The deployment {key!r} was created, and its live version never moved since: there is nothing to undo."""

    code = "nothing_to_undo"


class NameTaken(Conflict):
    """There is already a {what} named {name!r}; choose another name."""

    code = "name_taken"
