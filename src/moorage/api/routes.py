"""The route table: every URL, with its handler, its scopes, and its entry in /openapi.json.

The server responds to no other URL. A route needs an API key with all of its scopes, unless its `scopes` are `OPEN`.
"""

from moorage.api.admin_routes import ADMIN_OPERATIONS
from moorage.api.call_routes import CALL_OPERATIONS
from moorage.api.endpoints import (
    deployments,
    explain,
    get_config,
    health,
    index,
    manifests,
    snapshot_and_changes,
    usage,
    versions,
)
from moorage.api.operation import OPEN, Operation
from moorage.api.route_groups import (
    BODY_ERRORS,
    DEPLOYMENT_ERRORS,
    OWNERSHIP_PARAMETERS,
    PAGE_ERRORS,
    PAGE_PARAMETERS,
    POST_ERRORS,
    PUBLISH_ERRORS,
    PUBLISH_HEADERS,
    PUBLISH_PARAMETERS,
    QUERY_ERRORS,
    RENDER_ERRORS,
    RESULT_HEADERS,
    STORAGE_ERRORS,
    TRANSFER_ERRORS,
    VARIANT_HEADERS,
    VERSION_ERRORS,
    WRITE_OPTION_ERRORS,
)
from moorage.core.access import Scope
from moorage.core.compatibility.consumers import CallerPage, PostUsage, UsageReceipt
from moorage.core.compatibility.errors import DeploymentInUse
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
from moorage.core.errors import requests as request_errors
from moorage.core.errors import templates as template_errors
from moorage.core.errors.storage import DatabaseUnavailable, StorageFull
from moorage.core.resolution.config import GetConfigRequest, ResolvedConfig
from moorage.core.resolution.explain import Explained, ExplainRequest, SimulateRequest, SimulationResult
from moorage.core.resolution.snapshot import SnapshotItem

OPERATIONS = (
    *CALL_OPERATIONS,
    Operation(
        method="POST", path=get_config.PATH, name="DeploymentGetConfig",
        handler=get_config.get_config, scopes=get_config.SCOPES,
        body=GetConfigRequest,
        responses={200: ResolvedConfig, 304: None}, headers=("ETag", *VARIANT_HEADERS, "X-Moorage-Warnings"),
        errors=(
            *DEPLOYMENT_ERRORS, errors.VariantNotResolved, *RENDER_ERRORS, request_errors.InvalidJson,
            request_errors.InvalidBody, *TRANSFER_ERRORS,
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
        errors=(request_errors.InvalidSince, errors.TooManyStreams, *QUERY_ERRORS),
    ),
    Operation(
        method="POST", path="/v2/deployments/usage", name="ReportUsage",
        handler=usage.report, scopes=frozenset({Scope.INVOKE}), body=PostUsage,
        responses={200: UsageReceipt}, headers=(),
        errors=(
            request_errors.UnknownParameter, request_errors.InvalidJson, request_errors.InvalidBody,
            DatabaseUnavailable, *TRANSFER_ERRORS,
        ),
    ),
    Operation(
        method="GET", path="/v2/deployments", name="Deployments",
        handler=deployments.list_page, scopes=frozenset({Scope.READ}),
        parameters=(*PAGE_PARAMETERS, *FILTERS),
        responses={200: DeploymentPage, 304: None},
        errors=(request_errors.InvalidFilter, *PAGE_ERRORS),
    ),
    Operation(
        method="POST", path="/v2/deployments", name="CreateDeployment",
        handler=deployments.post, scopes=frozenset({Scope.WRITE, Scope.PUBLISH}), body=PostDeployment,
        responses={201: DeploymentItem},
        headers=("ETag", "X-Moorage-Result", "X-Moorage-Normalized", "X-Moorage-Warnings"),
        errors=(
            errors.KeyTaken, request_errors.InvalidKey, request_errors.UnknownParameter,
            template_errors.InvalidTemplate, *POST_ERRORS,
        ),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}", name="GetDeployment",
        handler=deployments.get, scopes=frozenset({Scope.READ}),
        responses={200: DeploymentItem, 304: None},
        errors=(request_errors.UnknownParameter, *DEPLOYMENT_ERRORS),
    ),
    Operation(
        method="PUT", path="/v2/deployments/{key_or_id}", name="PutDeployment",
        handler=deployments.put, scopes=frozenset({Scope.WRITE, Scope.PUBLISH}),
        parameters=("dry_run", "file", *PUBLISH_PARAMETERS), body=PutDeployment,
        responses={200: DeploymentItem, 201: DeploymentItem},
        headers=("ETag", *RESULT_HEADERS, "X-Moorage-Previous-Version", "X-Moorage-Normalized", *PUBLISH_HEADERS),
        errors=(
            request_errors.InvalidKey, request_errors.InvalidRequest, *WRITE_OPTION_ERRORS, errors.OwnedByApi,
            *PUBLISH_ERRORS, *DEPLOYMENT_ERRORS, *QUERY_ERRORS, *BODY_ERRORS, *STORAGE_ERRORS
        ),
    ),
    Operation(
        method="PATCH", path="/v2/deployments/{key_or_id}", name="PatchDeployment",
        handler=deployments.patch, scopes=frozenset({Scope.WRITE}), parameters=OWNERSHIP_PARAMETERS,
        body=PatchDeployment,
        responses={200: DeploymentItem}, headers=("ETag", *RESULT_HEADERS),
        errors=(*WRITE_OPTION_ERRORS, *QUERY_ERRORS, *DEPLOYMENT_ERRORS, *BODY_ERRORS, *STORAGE_ERRORS),
    ),
    Operation(
        method="DELETE", path="/v2/deployments/{key_or_id}", name="DeleteDeployment",
        handler=deployments.delete, scopes=frozenset({Scope.PUBLISH}), parameters=(*OWNERSHIP_PARAMETERS, "force"),
        responses={200: DeletedDeployment},
        errors=(DeploymentInUse, *WRITE_OPTION_ERRORS, *QUERY_ERRORS, *DEPLOYMENT_ERRORS, *STORAGE_ERRORS),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/restore", name="RestoreDeployment",
        handler=deployments.restore, scopes=frozenset({Scope.PUBLISH}),
        body=Reason, is_body_optional=True,
        responses={200: DeploymentItem},
        errors=(
            errors.NotDeleted, errors.KeyTaken, errors.PreconditionFailed, *QUERY_ERRORS, *DEPLOYMENT_ERRORS,
            *POST_ERRORS,
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/explain", name="Explain",
        handler=explain.explain, scopes=frozenset({Scope.READ}), body=ExplainRequest, is_body_optional=True,
        responses={200: Explained},
        errors=(
            request_errors.UnknownParameter, *DEPLOYMENT_ERRORS, request_errors.InvalidJson,
            request_errors.InvalidBody, *TRANSFER_ERRORS,
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/simulate", name="Simulate",
        handler=explain.simulate, scopes=frozenset({Scope.READ}), body=SimulateRequest,
        responses={200: SimulationResult},
        errors=(request_errors.UnknownParameter, *DEPLOYMENT_ERRORS, *BODY_ERRORS),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}/versions", name="DeploymentVersions",
        handler=versions.list_page, scopes=frozenset({Scope.READ}), parameters=(*PAGE_PARAMETERS, "variant_id"),
        responses={200: VersionPage, 304: None},
        errors=(*DEPLOYMENT_ERRORS, *PAGE_ERRORS),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/versions", name="SaveVersion",
        handler=versions.post, scopes=frozenset({Scope.WRITE}),  # and PUBLISH, unless it is a draft
        parameters=PUBLISH_PARAMETERS, body=PostVersion,
        responses={201: VersionItem}, headers=("ETag", "X-Moorage-Normalized", *PUBLISH_HEADERS),
        errors=(*PUBLISH_ERRORS, *WRITE_OPTION_ERRORS, *QUERY_ERRORS, *DEPLOYMENT_ERRORS, *POST_ERRORS),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}/versions/{version_or_id}", name="GetVersion",
        handler=versions.get, scopes=frozenset({Scope.READ}),
        responses={200: VersionItem, 304: None},
        errors=(*VERSION_ERRORS, *QUERY_ERRORS, *DEPLOYMENT_ERRORS),
    ),
    Operation(
        method="DELETE", path="/v2/deployments/{key_or_id}/versions/{version_or_id}", name="DeleteVersion",
        handler=versions.delete, scopes=frozenset({Scope.PUBLISH}), parameters=("force",),
        responses={200: DeletedVersion},
        errors=(
            errors.VersionIsLive, DeploymentInUse, errors.PreconditionFailed, request_errors.InvalidFlag,
            *VERSION_ERRORS, *QUERY_ERRORS, *DEPLOYMENT_ERRORS, *STORAGE_ERRORS,
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/versions/{version_or_id}/restore", name="RestoreVersion",
        handler=versions.restore, scopes=frozenset({Scope.PUBLISH}),
        body=Reason, is_body_optional=True,
        responses={200: VersionItem},
        errors=(
            errors.NotDeleted, errors.PreconditionFailed, *VERSION_ERRORS, *QUERY_ERRORS, *DEPLOYMENT_ERRORS,
            *POST_ERRORS,
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/versions/{version_or_id}/publish", name="PublishVersion",
        handler=versions.publish, scopes=frozenset({Scope.PUBLISH}), parameters=PUBLISH_PARAMETERS,
        body=Reason, is_body_optional=True,
        responses={200: VersionItem}, headers=("ETag", *PUBLISH_HEADERS),
        errors=(
            *PUBLISH_ERRORS, *VERSION_ERRORS, *WRITE_OPTION_ERRORS, *QUERY_ERRORS, *DEPLOYMENT_ERRORS,
            *POST_ERRORS,
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/undo", name="Undo",
        handler=versions.undo, scopes=frozenset({Scope.PUBLISH}), parameters=OWNERSHIP_PARAMETERS,
        body=Reason, is_body_optional=True,
        responses={200: VersionItem},
        errors=(
            errors.NothingToUndo, errors.VersionDeleted, *WRITE_OPTION_ERRORS, *QUERY_ERRORS, *DEPLOYMENT_ERRORS,
            *POST_ERRORS,
        ),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}/diff", name="Diff",
        handler=versions.diff, scopes=frozenset({Scope.READ}), parameters=("from", "to"),
        responses={200: Difference}, headers=(),
        errors=(*VERSION_ERRORS, request_errors.MissingParameter, *DEPLOYMENT_ERRORS, *QUERY_ERRORS),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}/history", name="History",
        handler=versions.history, scopes=frozenset({Scope.READ}), parameters=PAGE_PARAMETERS,
        responses={200: HistoryPage, 304: None},
        errors=(*DEPLOYMENT_ERRORS, *PAGE_ERRORS),
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
        handler=manifests.list_page, scopes=frozenset({Scope.READ}), parameters=PAGE_PARAMETERS,
        responses={200: ManifestPage, 304: None},
        errors=PAGE_ERRORS,
    ),
    *ADMIN_OPERATIONS,
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
