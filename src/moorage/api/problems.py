"""Errors as HTTP: the one table of statuses, and the one body that every client can parse."""

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from moorage.core import errors, request_errors, template_errors
from moorage.core.contract import ContractChange
from moorage.core.deployment import DeploymentItem
from moorage.core.errors import MoorageError, Problem
from moorage.core.history import HistoryEntry
from moorage.core.storage_errors import StorageError, StorageFull
from moorage.core.usage import BrokenCaller, UsedBy
from moorage.core.usage_errors import BreakingChange, InUse

#: Class -> status. A class that is not here has its nearest ancestor's.
STATUS: dict[type[MoorageError], int] = {
    request_errors.InvalidRequest: 400,
    errors.AuthenticationRequired: 401,
    errors.InvalidApiKey: 401,
    errors.ExpiredApiKey: 401,
    errors.InsufficientScope: 403,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    request_errors.BodyTooSlow: 408,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.VariantNotResolved: 422,
    request_errors.BodyTooLarge: 413,
    request_errors.UnsupportedEncoding: 415,
    errors.MoorageError: 500,
    template_errors.RenderingBusy: 503,
    errors.TooManyStreams: 503,
    StorageError: 503,
    StorageFull: 507,
}

_RETRY_AFTER_SECONDS = {503: "1", 507: "30"}


class ErrorDetail(msgspec.Struct, frozen=True, omit_defaults=True):
    """What programs read. `problems` is everything wrong with a body; `param` the parameter, or the first path;
    `current` how the object is that a condition was about, and `history` what was done to it since; `used_by` who uses
    what shall be deleted; `breaking` what a publication breaks, and `callers` for whom."""

    code: str
    message: str
    request_id: str
    doc_url: str
    param: str | UnsetType = UNSET
    problems: list[Problem] | UnsetType = UNSET
    current: DeploymentItem | msgspec.Raw | UnsetType = UNSET
    history: list[HistoryEntry] | UnsetType = UNSET
    used_by: list[UsedBy] | UnsetType = UNSET
    breaking: list[ContractChange] | UnsetType = UNSET
    callers: list[BrokenCaller] | UnsetType = UNSET


class ErrorBody(msgspec.Struct, frozen=True):
    """Every error answer. There is no `code` at the top: clients disagree on its type."""

    message: str
    error: ErrorDetail


def status_of(kind: type[MoorageError]) -> int:
    """The status an error class is answered with."""
    return next(STATUS[ancestor] for ancestor in kind.__mro__ if ancestor in STATUS)


def problem(error: MoorageError, request_id: str) -> Response:
    """The answer that tells of an error."""
    status = status_of(type(error))
    detail = ErrorDetail(
        code=error.code,
        message=str(error),
        request_id=request_id,
        doc_url=f"/docs#{error.code}",
        param=error.param or UNSET,
        problems=list(error.problems) or UNSET,
        current=UNSET if error.current is None else msgspec.Raw(error.current),
        history=[each for each in error.history if isinstance(each, HistoryEntry)] or UNSET,
        used_by=list(error.used_by) if isinstance(error, InUse) else UNSET,
        breaking=list(error.breaking) if isinstance(error, BreakingChange) else UNSET,
        callers=list(error.callers) if isinstance(error, BreakingChange) else UNSET,
    )
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status in _RETRY_AFTER_SECONDS:
        headers["Retry-After"] = _RETRY_AFTER_SECONDS[status]
    if isinstance(error, errors.MethodNotAllowed):
        headers["Allow"] = str(error.fields["allowed"])
    body = msgspec.json.encode(ErrorBody(detail.message, detail))
    return Response(body, status, headers, media_type="application/json")
