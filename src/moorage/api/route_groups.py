"""Groups of errors, parameters and headers that many routes have in common."""

from moorage.core.compatibility.errors import BreakingChange
from moorage.core.errors import base as errors
from moorage.core.errors import environments as environment_errors
from moorage.core.errors import requests as request_errors
from moorage.core.errors import templates as template_errors
from moorage.core.errors.storage import CommitUnknown, DatabaseUnavailable, StorageFull

QUERY_ERRORS = (request_errors.UnknownParameter, request_errors.RepeatedParameter)
PAGE_PARAMETERS = ("limit", "starting_after", "ending_before", "after", "before")
PAGE_ERRORS = (
    request_errors.InvalidLimit,
    request_errors.InvalidCursor,
    request_errors.ConflictingCursors,
    *QUERY_ERRORS,
)
QUEUE_ERRORS = (errors.ApiKeyQueueFull, errors.WriteQueueFull)
STORAGE_ERRORS = (DatabaseUnavailable, CommitUnknown, StorageFull, *QUEUE_ERRORS)
DEPLOYMENT_ERRORS = (errors.DeploymentNotFound, errors.DeploymentDeleted, errors.DeploymentUnreadable)
TRANSFER_ERRORS = (
    request_errors.BodyTooLarge, request_errors.BodyTooSlow, request_errors.UnsupportedEncoding, *QUEUE_ERRORS
)  # fmt: skip
BODY_ERRORS = (
    request_errors.InvalidJson,
    request_errors.InvalidBody,
    template_errors.EngineNotSupported,
    *TRANSFER_ERRORS,
)
RENDER_ERRORS = (
    template_errors.UnsupportedEngine,
    template_errors.InvalidTemplate,
    template_errors.MissingInputs,
    template_errors.OutputTooLarge,
    template_errors.RendererBusy,
)
BOUND_KEY_ERRORS = (environment_errors.WrongEnvironment, environment_errors.EnvironmentGone)
ENVIRONMENT_ERRORS = (
    *BOUND_KEY_ERRORS, environment_errors.EnvironmentNotFound, environment_errors.NotInEnvironment
)  # fmt: skip
MOVE_ERRORS = (*ENVIRONMENT_ERRORS, environment_errors.ReasonMissing)
OWNERSHIP_PARAMETERS = ("take_ownership",)
PUBLISH_PARAMETERS = ("take_ownership", "allow_breaking")
PUBLISH_ERRORS = (template_errors.InvalidTemplate, BreakingChange)
WRITE_OPTION_ERRORS = (errors.PreconditionFailed, errors.OwnedByFiles, request_errors.InvalidFlag)
VERSION_ERRORS = (errors.VersionNotFound, errors.VersionDeleted, errors.VersionUnreadable)
IDEMPOTENCY_ERRORS = (
    request_errors.InvalidIdempotencyKey, errors.IdempotencyConflict, errors.IdempotencyQuotaExceeded
)  # fmt: skip
POST_ERRORS = (*BODY_ERRORS, *IDEMPOTENCY_ERRORS, *STORAGE_ERRORS)
RESULT_HEADERS = ("X-Moorage-Result", "X-Moorage-Owner", "X-Moorage-Previous-Owner")
PUBLISH_HEADERS = ("X-Moorage-Breaking", "X-Moorage-Warnings")
VARIANT_HEADERS = ("X-Moorage-Deployment", "X-Moorage-Version", "X-Moorage-Variant", "X-Moorage-Reason")
