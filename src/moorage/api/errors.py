"""Errors as HTTP responses: the table of statuses, and a body that every client can parse."""

import logging
import math
from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response
from starlette.types import Scope

from moorage.api.metrics import Metrics
from moorage.core.compatibility.changes import ContractChange
from moorage.core.compatibility.consumers import AffectedConsumer, Consumer
from moorage.core.compatibility.errors import BreakingChange, DeploymentInUse
from moorage.core.deployments.deployment import DeploymentItem
from moorage.core.deployments.history import HistoryEntry
from moorage.core.errors import api_keys as api_key_errors
from moorage.core.errors import base as errors
from moorage.core.errors import environments as environment_errors
from moorage.core.errors import integrations as integration_errors
from moorage.core.errors import requests as request_errors
from moorage.core.errors import routes as route_errors
from moorage.core.errors import templates as template_errors
from moorage.core.errors.base import MoorageError, Problem
from moorage.core.errors.storage import DatabaseUnavailable, Stale, StorageError, StorageFull, TooStale
from moorage.gateway import errors as call_errors
from moorage.gateway.credential_errors import CredentialUnusable
from moorage.gateway.egress import EgressForbidden
from moorage.providers.errors import NotSupportedByProvider, UnsupportedModelType

_log = logging.getLogger("moorage.api")

#: Class -> status. A class that is not listed has the status of its nearest ancestor.
STATUS: dict[type[MoorageError], int] = {
    request_errors.InvalidRequest: 400,
    api_key_errors.AuthenticationRequired: 401,
    api_key_errors.InvalidApiKey: 401,
    api_key_errors.ExpiredApiKey: 401,
    api_key_errors.InsufficientScope: 403,
    environment_errors.WrongEnvironment: 403,
    environment_errors.EnvironmentGone: 403,
    environment_errors.OwnProposal: 403,
    environment_errors.VersionNotPublished: 403,
    errors.NotFound: 404,
    route_errors.MethodNotAllowed: 405,
    request_errors.BodyTooSlow: 408,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.VariantNotResolved: 422,
    EgressForbidden: 422,
    CredentialUnusable: 422,
    integration_errors.NoIntegration: 422,
    integration_errors.OtherProvider: 422,
    integration_errors.CredentialsUnreadable: 422,
    request_errors.BodyTooLarge: 413,
    request_errors.UnsupportedEncoding: 415,
    errors.MoorageError: 500,
    template_errors.RendererBusy: 503,
    NotSupportedByProvider: 400,
    UnsupportedModelType: 400,
    call_errors.UnsupportedModelTypeForCall: 400,
    call_errors.WrongRoute: 400,
    call_errors.ProviderCredentialInvalid: 422,
    call_errors.ProviderRejected: 400,
    call_errors.ProviderRateLimited: 429,
    call_errors.ProviderOverloaded: 503,
    call_errors.ProviderTimeout: 504,
    call_errors.ProviderError: 502,
    errors.TooManyRequests: 429,
    errors.TooManyFailures: 429,
    errors.TooManyStreams: 503,
    errors.ApiKeyQueueFull: 429,
    errors.WriteQueueFull: 503,
    errors.IdempotencyQuotaExceeded: 429,
    StorageError: 503,
    StorageFull: 507,
}

_RETRY_AFTER_SECONDS = {429: "1", 503: "1", 507: "30"}

#: The words of OpenAI for a status.
_TYPES = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
    422: "invalid_request_error", 429: "rate_limit_error", 500: "server_error", 502: "server_error",
    503: "server_error", 504: "server_error",
}  # fmt: skip

#: SDKs wait as long as they are told, up to two minutes; a caller should hear of it earlier (seconds).
_MAX_RETRY_AFTER = 30

#: A quota of a day has more room in an hour, not in a second.
_RETRY_AFTER_QUOTA = "3600"


class ErrorDetail(msgspec.Struct, frozen=True, omit_defaults=True):
    """The details of an error.

    `message` ends with `hint`, which says what to do. `key` is the deployment, `param` the parameter or the first
    invalid path; `problems` lists all problems of a body. After a failed precondition, `current` and `history` have the
    current state of the deployment and its changes. `used_by` lists the consumers of a deployment or version in use,
    `breaking` the breaking changes, and `callers` the affected consumers. `deployments` lists the keys of the
    deployments that use an integration. `type` is a word that clients of OpenAI know. After a call, `provider` has the
    words of the provider, and `attempts` what was tried.
    """

    code: str
    message: str
    request_id: str
    doc_url: str
    hint: str | UnsetType = UNSET
    key: str | UnsetType = UNSET
    param: str | UnsetType = UNSET
    problems: list[Problem] | UnsetType = UNSET
    current: DeploymentItem | msgspec.Raw | UnsetType = UNSET
    history: list[HistoryEntry] | UnsetType = UNSET
    used_by: list[Consumer] | UnsetType = UNSET
    breaking: list[ContractChange] | UnsetType = UNSET
    callers: list[AffectedConsumer] | UnsetType = UNSET
    deployments: list[str] | UnsetType = UNSET
    type: str | UnsetType = UNSET
    provider: call_errors.ProviderReason | UnsetType = UNSET
    attempts: list[call_errors.Attempt] | UnsetType = UNSET


class ErrorBody(msgspec.Struct, frozen=True):
    """The body of every error response. It has no `code` at the top level: clients disagree on its type."""

    message: str
    error: ErrorDetail


def status_of(kind: type[MoorageError]) -> int:
    """Return the status of an error class."""
    return next(STATUS[ancestor] for ancestor in kind.__mro__ if ancestor in STATUS)


def public_error(error: MoorageError) -> MoorageError:
    """Return an error as a response shows it: without the address of the database and the text of its driver."""
    return DatabaseUnavailable() if isinstance(error, StorageError) and not error.is_public else error


def report_error(metrics: Metrics, scope: Scope, error: MoorageError) -> MoorageError:
    """Record an error for the log of its request, and a failure of the database; return the error as clients see it."""
    if isinstance(error, StorageError) and not isinstance(error, Stale | TooStale):  # those are not failures of a use
        metrics.database_error(error)
        fields = {"request_id": scope["moorage.request_id"]}
        _log.warning("%s", error, extra={"fields": fields})  # the response does not have the reason
    error = public_error(error)
    scope["moorage.error"] = error.code
    return error


def error_response(
    error: MoorageError, request_id: str, root_path: str = "", attempts: Sequence[call_errors.Attempt] = ()
) -> Response:
    """Return the response for an error; `root_path` is the prefix of its link, and `attempts` those of a call."""
    error = public_error(error)
    status = status_of(type(error))
    detail = ErrorDetail(
        code=error.code,
        message=str(error),
        request_id=request_id,
        doc_url=f"{root_path}/docs#{error.code}",
        hint=error.action or UNSET,
        key=str(error.fields["key"]) if "key" in error.fields else UNSET,
        param=error.param or UNSET,
        problems=list(error.problems) or UNSET,
        current=UNSET if error.current is None else msgspec.Raw(error.current),
        history=[entry for entry in error.history if isinstance(entry, HistoryEntry)] or UNSET,
        used_by=list(error.used_by) if isinstance(error, DeploymentInUse) else UNSET,
        breaking=list(error.breaking) if isinstance(error, BreakingChange) else UNSET,
        deployments=list(error.used_by) if isinstance(error, integration_errors.IntegrationInUse) else UNSET,
        callers=list(error.callers) if isinstance(error, BreakingChange) else UNSET,
        type=_TYPES.get(status, UNSET),
        provider=(error.provider or UNSET) if isinstance(error, call_errors.CallFailed) else UNSET,
        attempts=list(attempts) or UNSET,
    )
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status in _RETRY_AFTER_SECONDS:
        headers["Retry-After"] = _RETRY_AFTER_SECONDS[status]
    if isinstance(error, errors.IdempotencyQuotaExceeded):
        headers["Retry-After"] = _RETRY_AFTER_QUOTA
    if isinstance(error, call_errors.CallFailed) and error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(min(error.retry_after, _MAX_RETRY_AFTER)))
    if isinstance(error, errors.TooManyRequests | errors.TooManyFailures):
        headers["Retry-After"] = str(error.fields["retry_after"])
    if isinstance(error, route_errors.MethodNotAllowed):
        headers["Allow"] = str(error.fields["allowed"])
    body = msgspec.json.encode(ErrorBody(detail.message, detail))
    return Response(body, status, headers, media_type="application/json")
