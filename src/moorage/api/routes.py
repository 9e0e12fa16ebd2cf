"""The route table: every URL, with its handler, its scopes, and its entry in /openapi.json.

The server responds to no other URL. A route needs an API key with all of its scopes, unless its `scopes` are `OPEN`.
"""

from moorage.api.admin_routes import ADMIN_OPERATIONS
from moorage.api.call_routes import CALL_OPERATIONS
from moorage.api.endpoints import (
    deployments,
    get_config,
    health,
    index,
    manifests,
    snapshot_and_changes,
    usage,
)
from moorage.api.environment_routes import ENVIRONMENT_OPERATIONS
from moorage.api.operation import OPEN, Operation
from moorage.api.route_groups import (
    BODY_ERRORS,
    BOUND_KEY_ERRORS,
    DEPLOYMENT_ERRORS,
    ENVIRONMENT_ERRORS,
    MOVE_ERRORS,
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
    WRITE_OPTION_ERRORS,
)
from moorage.api.tryout_routes import TRYOUT_OPERATIONS
from moorage.api.version_routes import VERSION_OPERATIONS
from moorage.core.access import Scope
from moorage.core.compatibility.consumers import PostUsage, UsageReceipt
from moorage.core.compatibility.errors import DeploymentInUse
from moorage.core.deployments.deleted import DeletedPage
from moorage.core.deployments.deployment import (
    DeletedDeployment,
    DeploymentItem,
    DeploymentPage,
    PatchDeployment,
    PostDeployment,
    PutDeployment,
)
from moorage.core.deployments.drafts import DraftPage
from moorage.core.deployments.filter import FILTERS
from moorage.core.deployments.manifest import Manifest, ManifestPage
from moorage.core.deployments.proposal import ProposalDetail
from moorage.core.deployments.version import Reason
from moorage.core.errors import base as errors
from moorage.core.errors import requests as request_errors
from moorage.core.errors import templates as template_errors
from moorage.core.errors.storage import DatabaseUnavailable
from moorage.core.resolution.config import GetConfigRequest, ResolvedConfig
from moorage.core.resolution.snapshot import SnapshotItem

OPERATIONS = (
    *CALL_OPERATIONS,
    Operation(
        method="POST", path=get_config.PATH, name="DeploymentGetConfig", environment="call",
        handler=get_config.get_config, scopes=get_config.SCOPES,
        parameters=("environment",),
        body=GetConfigRequest,
        responses={200: ResolvedConfig, 304: None}, headers=("ETag", *VARIANT_HEADERS, "X-Moorage-Warnings"),
        errors=(
            *ENVIRONMENT_ERRORS, *DEPLOYMENT_ERRORS, errors.VariantNotResolved, *RENDER_ERRORS,
            request_errors.InvalidJson,
            request_errors.InvalidBody, *TRANSFER_ERRORS,
        ),
    ),
    Operation(
        method="GET", path="/v2/deployments/snapshot", name="Snapshot", environment="view",
        handler=snapshot_and_changes.snapshot, scopes=frozenset({Scope.INVOKE}),
        parameters=("environment",),
        responses={200: SnapshotItem, 304: None}, headers=("ETag", "X-Moorage-Signature", "X-Moorage-Unreadable"),
        errors=(*ENVIRONMENT_ERRORS, request_errors.UnknownParameter,),
    ),
    Operation(
        method="GET", path="/v2/deployments/changes", name="Changes", environment="view",
        handler=snapshot_and_changes.changes, scopes=frozenset({Scope.INVOKE}),
        parameters=("since", "environment"),
        responses={200: "text/event-stream"}, headers=(),
        errors=(*ENVIRONMENT_ERRORS, request_errors.InvalidSince, errors.TooManyStreams, *QUERY_ERRORS),
    ),
    Operation(
        method="POST", path="/v2/deployments/usage", name="ReportUsage", environment="view",
        handler=usage.report, scopes=frozenset({Scope.INVOKE}), body=PostUsage,
        parameters=("environment",),
        responses={200: UsageReceipt}, headers=(),
        errors=(
            *ENVIRONMENT_ERRORS, request_errors.UnknownParameter, request_errors.InvalidJson,
            request_errors.InvalidBody,
            DatabaseUnavailable, *TRANSFER_ERRORS,
        ),
    ),
    Operation(
        method="GET", path="/v2/deployments", name="Deployments", environment="view",
        handler=deployments.list_page, scopes=frozenset({Scope.READ}),
        parameters=(*PAGE_PARAMETERS, *FILTERS, "environment"),
        responses={200: DeploymentPage, 304: None},
        errors=(*ENVIRONMENT_ERRORS, request_errors.InvalidFilter, *PAGE_ERRORS),
    ),
    Operation(
        method="POST", path="/v2/deployments", name="CreateDeployment", environment="move",
        handler=deployments.post, scopes=frozenset({Scope.WRITE, Scope.PUBLISH}), body=PostDeployment,
        parameters=("environment", "emergency",),
        responses={201: DeploymentItem, 202: ProposalDetail},
        headers=("ETag", "X-Moorage-Result", "X-Moorage-Normalized", "X-Moorage-Warnings"),
        errors=(
            *MOVE_ERRORS, errors.KeyTaken, errors.AliasTaken, request_errors.InvalidKey,
            request_errors.UnknownParameter, template_errors.InvalidTemplate, *POST_ERRORS,
        ),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}", name="GetDeployment", environment="view",
        handler=deployments.get, scopes=frozenset({Scope.READ}),
        parameters=("environment",),
        responses={200: DeploymentItem, 304: None},
        errors=(*ENVIRONMENT_ERRORS, request_errors.UnknownParameter, *DEPLOYMENT_ERRORS),
    ),
    Operation(
        method="PUT", path="/v2/deployments/{key_or_id}", name="PutDeployment", environment="move",
        handler=deployments.put, scopes=frozenset({Scope.WRITE, Scope.PUBLISH}),
        parameters=("dry_run", "draft", "file", *PUBLISH_PARAMETERS, "environment", "emergency"), body=PutDeployment,
        responses={200: DeploymentItem, 201: DeploymentItem, 202: ProposalDetail},
        headers=("ETag", *RESULT_HEADERS, "X-Moorage-Previous-Version", "X-Moorage-Normalized", *PUBLISH_HEADERS),
        errors=(
            *MOVE_ERRORS, request_errors.InvalidKey, request_errors.InvalidRequest, *WRITE_OPTION_ERRORS,
            errors.OwnedByApi, errors.AliasTaken,
            *PUBLISH_ERRORS, *DEPLOYMENT_ERRORS, *QUERY_ERRORS, *BODY_ERRORS, *STORAGE_ERRORS
        ),
    ),
    Operation(
        method="PATCH", path="/v2/deployments/{key_or_id}", name="PatchDeployment", environment="all",
        handler=deployments.patch, scopes=frozenset({Scope.WRITE}), parameters=OWNERSHIP_PARAMETERS,
        body=PatchDeployment,
        responses={200: DeploymentItem}, headers=("ETag", *RESULT_HEADERS),
        errors=(*BOUND_KEY_ERRORS, errors.AliasTaken, *WRITE_OPTION_ERRORS, *QUERY_ERRORS, *DEPLOYMENT_ERRORS,
            *BODY_ERRORS, *STORAGE_ERRORS),
    ),
    Operation(
        method="DELETE", path="/v2/deployments/{key_or_id}", name="DeleteDeployment", environment="all",
        handler=deployments.delete, scopes=frozenset({Scope.PUBLISH}), parameters=("dry_run",
            *OWNERSHIP_PARAMETERS, "force", "emergency"),
        responses={200: DeletedDeployment, 202: ProposalDetail},
        errors=(*BOUND_KEY_ERRORS, DeploymentInUse, *WRITE_OPTION_ERRORS, *QUERY_ERRORS, *DEPLOYMENT_ERRORS,
            *STORAGE_ERRORS),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/restore", name="RestoreDeployment", environment="all",
        handler=deployments.restore, scopes=frozenset({Scope.PUBLISH}),
        parameters=("dry_run", "emergency"),
        body=Reason, is_body_optional=True,
        responses={200: DeploymentItem, 202: ProposalDetail},
        errors=(
            *BOUND_KEY_ERRORS, errors.NotDeleted, errors.KeyTaken, errors.AliasTaken, errors.PreconditionFailed,
            request_errors.InvalidFlag, *QUERY_ERRORS, *DEPLOYMENT_ERRORS,
            *POST_ERRORS,
        ),
    ),
    Operation(
        method="GET", path="/v2/deleted-deployments", name="DeletedDeployments", environment="all",
        handler=deployments.list_deleted, scopes=frozenset({Scope.READ}), parameters=PAGE_PARAMETERS,
        responses={200: DeletedPage}, headers=(),
        errors=(*BOUND_KEY_ERRORS, *PAGE_ERRORS, DatabaseUnavailable),
    ),
    Operation(
        method="GET", path="/v2/draft-deployments", name="DraftDeployments", environment="all",
        handler=deployments.list_drafts, scopes=frozenset({Scope.READ}), parameters=PAGE_PARAMETERS,
        responses={200: DraftPage, 304: None},
        errors=(*BOUND_KEY_ERRORS, *PAGE_ERRORS, DatabaseUnavailable),
    ),
    Operation(
        method="GET", path="/v2/manifests", name="Manifests", environment="view",
        handler=manifests.list_page, scopes=frozenset({Scope.READ}), parameters=(*PAGE_PARAMETERS, "environment"),
        responses={200: ManifestPage, 304: None},
        errors=(*ENVIRONMENT_ERRORS, *PAGE_ERRORS),
    ),
    Operation(
        method="GET", path="/v2/manifests/{key_or_id}", name="GetManifest", environment="view",
        handler=manifests.get, scopes=frozenset({Scope.READ}), parameters=("environment",),
        responses={200: Manifest, 304: None},
        errors=(*ENVIRONMENT_ERRORS, *QUERY_ERRORS, *DEPLOYMENT_ERRORS),
    ),
    *VERSION_OPERATIONS,
    *TRYOUT_OPERATIONS,
    *ENVIRONMENT_OPERATIONS,
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
