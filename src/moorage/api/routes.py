"""The route table: every URL, with its handler, its scopes, and its entry in /openapi.json.

The server responds to no other URL. A route needs an API key with all of its scopes, unless its `scopes` are `OPEN`.
"""

from moorage.api.call_routes import CALL_OPERATIONS
from moorage.api.endpoints import (
    api_keys,
    deployments,
    explain,
    get_config,
    health,
    index,
    integrations,
    manifests,
    snapshot_and_changes,
    usage,
    versions,
)
from moorage.api.operation import OPEN, Operation
from moorage.core.access import ApiKeyItem, ApiKeyPage, PatchApiKey, PostApiKey, Scope
from moorage.core.compatibility.consumers import CallerPage, PostUsage, UsageReceipt
from moorage.core.compatibility.errors import BreakingChange, DeploymentInUse
from moorage.core.deployments.deployment import (
    DeletedDeployment,
    DeploymentItem,
    DeploymentPage,
    PatchDeployment,
    PostDeployment,
    PutDeployment,
)
from moorage.core.deployments.diff import Difference
from moorage.core.deployments.filter import FILTERS
from moorage.core.deployments.history import HistoryPage
from moorage.core.deployments.manifest import ManifestPage
from moorage.core.deployments.version import DeletedVersion, PostVersion, Reason, VersionItem, VersionPage
from moorage.core.errors import base as errors
from moorage.core.errors import integrations as integration_errors
from moorage.core.errors import requests as request_errors
from moorage.core.errors import templates as template_errors
from moorage.core.errors.storage import CommitUnknown, DatabaseUnavailable, StorageFull
from moorage.core.integrations import DeletedIntegration, IntegrationItem, IntegrationPage, PutIntegration
from moorage.core.resolution.config import GetConfigRequest, ResolvedConfig
from moorage.core.resolution.explain import Explained, ExplainRequest, SimulateRequest, SimulationResult
from moorage.core.resolution.snapshot import SnapshotItem
from moorage.gateway.egress import EgressForbidden
from moorage.gateway.probe import Probe

_QUERY_ERRORS = (request_errors.UnknownParameter, request_errors.RepeatedParameter)
_KEYS_ADMIN = frozenset({Scope.KEYS_ADMIN})
_INTEGRATIONS_ADMIN = frozenset({Scope.INTEGRATIONS_ADMIN})
_INTEGRATION_ERRORS = (integration_errors.IntegrationNotFound, integration_errors.IntegrationUnreadable)
_PAGE_PARAMETERS = ("limit", "starting_after", "ending_before", "after", "before")
_PAGE_ERRORS = (
    request_errors.InvalidLimit,
    request_errors.InvalidCursor,
    request_errors.ConflictingCursors,
    *_QUERY_ERRORS,
)
_QUEUE_ERRORS = (errors.ApiKeyQueueFull, errors.WriteQueueFull)
_STORAGE_ERRORS = (DatabaseUnavailable, CommitUnknown, StorageFull, *_QUEUE_ERRORS)
_DEPLOYMENT_ERRORS = (errors.DeploymentNotFound, errors.DeploymentDeleted, errors.DeploymentUnreadable)
_TRANSFER_ERRORS = (
    request_errors.BodyTooLarge, request_errors.BodyTooSlow, request_errors.UnsupportedEncoding, *_QUEUE_ERRORS
)  # fmt: skip
_BODY_ERRORS = (
    request_errors.InvalidJson,
    request_errors.InvalidBody,
    template_errors.EngineNotSupported,
    *_TRANSFER_ERRORS,
)
_RENDER_ERRORS = (
    template_errors.UnsupportedEngine,
    template_errors.InvalidTemplate,
    template_errors.MissingInputs,
    template_errors.OutputTooLarge,
    template_errors.RendererBusy,
)
_OWNERSHIP_PARAMETERS = ("take_ownership",)
_PUBLISH_PARAMETERS = ("take_ownership", "allow_breaking")
_PUBLISH_ERRORS = (template_errors.InvalidTemplate, BreakingChange)
_WRITE_OPTION_ERRORS = (errors.PreconditionFailed, errors.OwnedByFiles, request_errors.InvalidFlag)
_VERSION_ERRORS = (errors.VersionNotFound, errors.VersionDeleted, errors.VersionUnreadable)
_IDEMPOTENCY_ERRORS = (
    request_errors.InvalidIdempotencyKey, errors.IdempotencyConflict, errors.IdempotencyQuotaExceeded
)  # fmt: skip
_POST_ERRORS = (*_BODY_ERRORS, *_IDEMPOTENCY_ERRORS, *_STORAGE_ERRORS)
_RESULT_HEADERS = ("X-Moorage-Result", "X-Moorage-Owner", "X-Moorage-Previous-Owner")
_PUBLISH_HEADERS = ("X-Moorage-Breaking", "X-Moorage-Warnings")
_VARIANT_HEADERS = ("X-Moorage-Deployment", "X-Moorage-Version", "X-Moorage-Variant", "X-Moorage-Reason")


OPERATIONS = (
    *CALL_OPERATIONS,
    Operation(
        method="POST", path=get_config.PATH, name="DeploymentGetConfig",
        handler=get_config.get_config, scopes=get_config.SCOPES,
        body=GetConfigRequest,
        responses={200: ResolvedConfig, 304: None}, headers=("ETag", *_VARIANT_HEADERS, "X-Moorage-Warnings"),
        errors=(
            *_DEPLOYMENT_ERRORS, errors.VariantNotResolved, *_RENDER_ERRORS, request_errors.InvalidJson,
            request_errors.InvalidBody, *_TRANSFER_ERRORS,
        ),
    ),
    Operation(
        method="GET", path="/v2/deployments/snapshot", name="Snapshot",
        handler=snapshot_and_changes.snapshot, scopes=frozenset({Scope.INVOKE}),
        responses={200: SnapshotItem, 304: None}, headers=("ETag", "X-Moorage-Signature", "X-Moorage-Unreadable"),
        errors=(request_errors.UnknownParameter,),
    ),
    Operation(
        method="GET", path="/v2/deployments/changes", name="Changes",
        handler=snapshot_and_changes.changes, scopes=frozenset({Scope.INVOKE}),
        parameters=("since",),
        responses={200: "text/event-stream"}, headers=(),
        errors=(request_errors.InvalidSince, errors.TooManyStreams, *_QUERY_ERRORS),
    ),
    Operation(
        method="POST", path="/v2/deployments/usage", name="ReportUsage",
        handler=usage.report, scopes=frozenset({Scope.INVOKE}), body=PostUsage,
        responses={200: UsageReceipt}, headers=(),
        errors=(
            request_errors.UnknownParameter, request_errors.InvalidJson, request_errors.InvalidBody,
            DatabaseUnavailable, *_TRANSFER_ERRORS,
        ),
    ),
    Operation(
        method="GET", path="/v2/deployments", name="Deployments",
        handler=deployments.list_page, scopes=frozenset({Scope.READ}),
        parameters=(*_PAGE_PARAMETERS, *FILTERS),
        responses={200: DeploymentPage, 304: None},
        errors=(request_errors.InvalidFilter, *_PAGE_ERRORS),
    ),
    Operation(
        method="POST", path="/v2/deployments", name="CreateDeployment",
        handler=deployments.post, scopes=frozenset({Scope.WRITE, Scope.PUBLISH}), body=PostDeployment,
        responses={201: DeploymentItem},
        headers=("ETag", "X-Moorage-Result", "X-Moorage-Normalized", "X-Moorage-Warnings"),
        errors=(
            errors.KeyTaken, request_errors.InvalidKey, request_errors.UnknownParameter,
            template_errors.InvalidTemplate, *_POST_ERRORS,
        ),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}", name="GetDeployment",
        handler=deployments.get, scopes=frozenset({Scope.READ}),
        responses={200: DeploymentItem, 304: None},
        errors=(request_errors.UnknownParameter, *_DEPLOYMENT_ERRORS),
    ),
    Operation(
        method="PUT", path="/v2/deployments/{key_or_id}", name="PutDeployment",
        handler=deployments.put, scopes=frozenset({Scope.WRITE, Scope.PUBLISH}),
        parameters=("dry_run", "file", *_PUBLISH_PARAMETERS), body=PutDeployment,
        responses={200: DeploymentItem, 201: DeploymentItem},
        headers=("ETag", *_RESULT_HEADERS, "X-Moorage-Previous-Version", "X-Moorage-Normalized", *_PUBLISH_HEADERS),
        errors=(
            request_errors.InvalidKey, request_errors.InvalidRequest, *_WRITE_OPTION_ERRORS, errors.OwnedByApi,
            *_PUBLISH_ERRORS, *_DEPLOYMENT_ERRORS, *_QUERY_ERRORS, *_BODY_ERRORS, *_STORAGE_ERRORS
        ),
    ),
    Operation(
        method="PATCH", path="/v2/deployments/{key_or_id}", name="PatchDeployment",
        handler=deployments.patch, scopes=frozenset({Scope.WRITE}), parameters=_OWNERSHIP_PARAMETERS,
        body=PatchDeployment,
        responses={200: DeploymentItem}, headers=("ETag", *_RESULT_HEADERS),
        errors=(*_WRITE_OPTION_ERRORS, *_QUERY_ERRORS, *_DEPLOYMENT_ERRORS, *_BODY_ERRORS, *_STORAGE_ERRORS),
    ),
    Operation(
        method="DELETE", path="/v2/deployments/{key_or_id}", name="DeleteDeployment",
        handler=deployments.delete, scopes=frozenset({Scope.PUBLISH}), parameters=(*_OWNERSHIP_PARAMETERS, "force"),
        responses={200: DeletedDeployment},
        errors=(DeploymentInUse, *_WRITE_OPTION_ERRORS, *_QUERY_ERRORS, *_DEPLOYMENT_ERRORS, *_STORAGE_ERRORS),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/restore", name="RestoreDeployment",
        handler=deployments.restore, scopes=frozenset({Scope.PUBLISH}),
        body=Reason, is_body_optional=True,
        responses={200: DeploymentItem},
        errors=(
            errors.NotDeleted, errors.KeyTaken, errors.PreconditionFailed, *_QUERY_ERRORS, *_DEPLOYMENT_ERRORS,
            *_POST_ERRORS,
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/explain", name="Explain",
        handler=explain.explain, scopes=frozenset({Scope.READ}), body=ExplainRequest, is_body_optional=True,
        responses={200: Explained},
        errors=(
            request_errors.UnknownParameter, *_DEPLOYMENT_ERRORS, request_errors.InvalidJson,
            request_errors.InvalidBody, *_TRANSFER_ERRORS,
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/simulate", name="Simulate",
        handler=explain.simulate, scopes=frozenset({Scope.READ}), body=SimulateRequest,
        responses={200: SimulationResult},
        errors=(request_errors.UnknownParameter, *_DEPLOYMENT_ERRORS, *_BODY_ERRORS),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}/versions", name="DeploymentVersions",
        handler=versions.list_page, scopes=frozenset({Scope.READ}), parameters=(*_PAGE_PARAMETERS, "variant_id"),
        responses={200: VersionPage, 304: None},
        errors=(*_DEPLOYMENT_ERRORS, *_PAGE_ERRORS),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/versions", name="SaveVersion",
        handler=versions.post, scopes=frozenset({Scope.WRITE}),  # and PUBLISH, unless it is a draft
        parameters=_PUBLISH_PARAMETERS, body=PostVersion,
        responses={201: VersionItem}, headers=("ETag", "X-Moorage-Normalized", *_PUBLISH_HEADERS),
        errors=(*_PUBLISH_ERRORS, *_WRITE_OPTION_ERRORS, *_QUERY_ERRORS, *_DEPLOYMENT_ERRORS, *_POST_ERRORS),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}/versions/{version_or_id}", name="GetVersion",
        handler=versions.get, scopes=frozenset({Scope.READ}),
        responses={200: VersionItem, 304: None},
        errors=(*_VERSION_ERRORS, *_QUERY_ERRORS, *_DEPLOYMENT_ERRORS),
    ),
    Operation(
        method="DELETE", path="/v2/deployments/{key_or_id}/versions/{version_or_id}", name="DeleteVersion",
        handler=versions.delete, scopes=frozenset({Scope.PUBLISH}), parameters=("force",),
        responses={200: DeletedVersion},
        errors=(
            errors.VersionIsLive, DeploymentInUse, errors.PreconditionFailed, request_errors.InvalidFlag,
            *_VERSION_ERRORS, *_QUERY_ERRORS, *_DEPLOYMENT_ERRORS, *_STORAGE_ERRORS,
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/versions/{version_or_id}/restore", name="RestoreVersion",
        handler=versions.restore, scopes=frozenset({Scope.PUBLISH}),
        body=Reason, is_body_optional=True,
        responses={200: VersionItem},
        errors=(
            errors.NotDeleted, errors.PreconditionFailed, *_VERSION_ERRORS, *_QUERY_ERRORS, *_DEPLOYMENT_ERRORS,
            *_POST_ERRORS,
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/versions/{version_or_id}/publish", name="PublishVersion",
        handler=versions.publish, scopes=frozenset({Scope.PUBLISH}), parameters=_PUBLISH_PARAMETERS,
        body=Reason, is_body_optional=True,
        responses={200: VersionItem}, headers=("ETag", *_PUBLISH_HEADERS),
        errors=(
            *_PUBLISH_ERRORS, *_VERSION_ERRORS, *_WRITE_OPTION_ERRORS, *_QUERY_ERRORS, *_DEPLOYMENT_ERRORS,
            *_POST_ERRORS,
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/undo", name="Undo",
        handler=versions.undo, scopes=frozenset({Scope.PUBLISH}), parameters=_OWNERSHIP_PARAMETERS,
        body=Reason, is_body_optional=True,
        responses={200: VersionItem},
        errors=(
            errors.NothingToUndo, errors.VersionDeleted, *_WRITE_OPTION_ERRORS, *_QUERY_ERRORS, *_DEPLOYMENT_ERRORS,
            *_POST_ERRORS,
        ),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}/diff", name="Diff",
        handler=versions.diff, scopes=frozenset({Scope.READ}), parameters=("from", "to"),
        responses={200: Difference}, headers=(),
        errors=(*_VERSION_ERRORS, request_errors.MissingParameter, *_DEPLOYMENT_ERRORS, *_QUERY_ERRORS),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}/history", name="History",
        handler=versions.history, scopes=frozenset({Scope.READ}), parameters=_PAGE_PARAMETERS,
        responses={200: HistoryPage, 304: None},
        errors=(*_DEPLOYMENT_ERRORS, *_PAGE_ERRORS),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}/callers", name="Callers",
        handler=usage.list_callers, scopes=frozenset({Scope.READ}),
        responses={200: CallerPage}, headers=(),
        errors=(
            errors.DeploymentNotFound, errors.DeploymentDeleted, request_errors.UnknownParameter,
            DatabaseUnavailable, StorageFull,
        ),
    ),
    Operation(
        method="GET", path="/v2/manifests", name="Manifests",
        handler=manifests.list_page, scopes=frozenset({Scope.READ}), parameters=_PAGE_PARAMETERS,
        responses={200: ManifestPage, 304: None},
        errors=_PAGE_ERRORS,
    ),
    Operation(
        method="GET", path="/v2/api-keys", name="ApiKeys",
        handler=api_keys.list_page, scopes=_KEYS_ADMIN, parameters=_PAGE_PARAMETERS,
        responses={200: ApiKeyPage}, headers=(), errors=_PAGE_ERRORS,
    ),
    Operation(
        method="POST", path="/v2/api-keys", name="CreateApiKey",
        handler=api_keys.post, scopes=_KEYS_ADMIN, body=PostApiKey,
        responses={201: ApiKeyItem},
        errors=(request_errors.InvalidRequest, *_QUERY_ERRORS, *_POST_ERRORS),
    ),
    Operation(
        method="GET", path="/v2/api-keys/{api_key_id}", name="GetApiKey",
        handler=api_keys.get, scopes=_KEYS_ADMIN,
        responses={200: ApiKeyItem}, headers=(), errors=(errors.ApiKeyNotFound, *_QUERY_ERRORS),
    ),
    Operation(
        method="PATCH", path="/v2/api-keys/{api_key_id}", name="PatchApiKey",
        handler=api_keys.patch, scopes=_KEYS_ADMIN, body=PatchApiKey,
        responses={200: ApiKeyItem}, headers=(),
        errors=(errors.ApiKeyNotFound, request_errors.InvalidRequest, *_QUERY_ERRORS, *_BODY_ERRORS, *_STORAGE_ERRORS),
    ),
    Operation(
        method="DELETE", path="/v2/api-keys/{api_key_id}", name="RevokeApiKey",
        handler=api_keys.delete, scopes=_KEYS_ADMIN,
        responses={200: ApiKeyItem}, headers=(), errors=(errors.ApiKeyNotFound, *_QUERY_ERRORS, *_STORAGE_ERRORS),
    ),
    Operation(
        method="POST", path="/v2/api-keys/{api_key_id}/rotate", name="RotateApiKey",
        handler=api_keys.rotate, scopes=_KEYS_ADMIN, body=Reason, is_body_optional=True,
        responses={200: ApiKeyItem},
        errors=(
            errors.ApiKeyNotFound, errors.ApiKeyNotActive, request_errors.InvalidRequest, *_QUERY_ERRORS, *_POST_ERRORS,
        ),
    ),
    Operation(
        method="GET", path="/v2/integrations", name="Integrations",
        handler=integrations.list_page, scopes=_INTEGRATIONS_ADMIN, parameters=_PAGE_PARAMETERS,
        responses={200: IntegrationPage}, headers=(), errors=_PAGE_ERRORS,
    ),
    Operation(
        method="GET", path="/v2/integrations/{name}", name="GetIntegration",
        handler=integrations.get, scopes=_INTEGRATIONS_ADMIN,
        responses={200: IntegrationItem, 304: None}, errors=(*_INTEGRATION_ERRORS, *_QUERY_ERRORS),
    ),
    Operation(
        method="PUT", path="/v2/integrations/{name}", name="PutIntegration",
        handler=integrations.put, scopes=_INTEGRATIONS_ADMIN, body=PutIntegration,
        responses={200: IntegrationItem, 201: IntegrationItem}, headers=("ETag", "X-Moorage-Result"),
        errors=(
            request_errors.InvalidKey, integration_errors.CredentialsRequired, integration_errors.CredentialsUnreadable,
            integration_errors.EncryptionKeyMissing, integration_errors.KeyFileUnusable, errors.PreconditionFailed,
            EgressForbidden,
            *_INTEGRATION_ERRORS, *_QUERY_ERRORS, *_BODY_ERRORS, *_STORAGE_ERRORS,
        ),
    ),
    Operation(
        method="DELETE", path="/v2/integrations/{name}", name="DeleteIntegration",
        handler=integrations.delete, scopes=_INTEGRATIONS_ADMIN,
        responses={200: DeletedIntegration},
        errors=(
            integration_errors.IntegrationInUse, integration_errors.IntegrationFromEnvironment,
            errors.PreconditionFailed, *_INTEGRATION_ERRORS, *_QUERY_ERRORS, *_STORAGE_ERRORS,
        ),
    ),
    Operation(
        method="POST", path="/v2/integrations/{name}/test", name="TestIntegration",
        handler=integrations.test, scopes=_INTEGRATIONS_ADMIN,
        responses={200: Probe}, headers=(),
        errors=(*_INTEGRATION_ERRORS, integration_errors.CredentialsUnreadable, *_QUERY_ERRORS), is_call=True,
    ),
    Operation(
        method="GET", path="/", name="Index", handler=index.index, scopes=OPEN,
        responses={200: index.ServerIndex},
    ),
    Operation(
        method="GET", path="/health/live", name="Live", handler=health.live, scopes=OPEN,
        responses={200: health.Health},
    ),
    Operation(
        method="GET", path="/health/ready", name="Ready", handler=health.ready, scopes=OPEN,
        responses={200: health.Health},
    ),
    Operation(
        method="GET", path="/metrics", name="Metrics", handler=health.metrics, scopes=OPEN,
        responses={200: "text/plain"},
    ),
    Operation(
        method="GET", path="/openapi.json", name="OpenApi", handler=health.openapi_json, scopes=OPEN,
        responses={200: "application/json"},
    ),
    Operation(
        method="GET", path="/docs", name="Docs", handler=health.docs, scopes=OPEN,
        responses={200: "text/html"},
    ),
)  # fmt: skip
