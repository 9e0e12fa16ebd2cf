"""Every URL there is, in one list: its handler, the scopes it needs, and what /openapi.json says of it.

Whatever is not in the list is not answered, and a row whose `scopes` are not `OPEN` needs an API key that has them all.
"""

from moorage.api.endpoints import (
    api_keys,
    deployments,
    health,
    manifests,
    versions,
)
from moorage.api.endpoints import (
    explain as explanations,
)
from moorage.api.endpoints import (
    get_config as configurations,
)
from moorage.api.endpoints import (
    snapshot_and_changes as following,
)
from moorage.api.operation import OPEN, Operation
from moorage.core.access import ApiKeyItem, ApiKeyPage, PatchApiKey, PostApiKey, Scope
from moorage.core.compatibility import errors as usage_errors
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
from moorage.core.errors.storage import StorageFull, StorageUnavailable
from moorage.core.resolution.config import GetConfigRequest, ResolvedConfig
from moorage.core.resolution.explain import Explained, ExplainRequest, SimulateRequest, SimulationResult
from moorage.core.resolution.snapshot import SnapshotItem

_QUERY = (request_errors.UnknownParameter, request_errors.RepeatedParameter)
_ADMIN = frozenset({Scope.KEYS_ADMIN})
_PAGE = ("limit", "starting_after", "ending_before", "after", "before")
_PAGING = (request_errors.InvalidLimit, request_errors.InvalidCursor, request_errors.ConflictingCursors, *_QUERY)
_STORAGE = (StorageUnavailable, StorageFull)
_GONE = (errors.DeploymentNotFound, errors.DeploymentDeleted, errors.DeploymentUnreadable)
_LARGE = (request_errors.BodyTooLarge, request_errors.BodyTooSlow, request_errors.UnsupportedEncoding)
_BODY = (
    request_errors.InvalidJson,
    request_errors.InvalidBody,
    template_errors.EngineNotSupported,
    *_LARGE,
)
_TEMPLATE = (
    template_errors.UnsupportedEngine,
    template_errors.InvalidTemplate,
    template_errors.MissingInputs,
    template_errors.OutputTooLarge,
    template_errors.RendererBusy,
)
_TAKE = ("take_ownership",)
_PUBLISH = ("take_ownership", "allow_breaking")
_LIVE = (template_errors.InvalidTemplate, usage_errors.BreakingChange)
_TERMS = (errors.PreconditionFailed, errors.OwnedByFiles, request_errors.InvalidFlag)
_NO_VERSION = (errors.VersionNotFound, errors.VersionDeleted, errors.VersionUnreadable)
_ONCE = (request_errors.InvalidIdempotencyKey, errors.IdempotencyConflict)
_OWNER = ("X-Moorage-Result", "X-Moorage-Owner", "X-Moorage-Previous-Owner")
_SERVED = ("X-Moorage-Deployment", "X-Moorage-Version", "X-Moorage-Variant", "X-Moorage-Reason")


OPERATIONS = (
    Operation(
        method="POST", path=configurations.PATH, name="DeploymentGetConfig",
        handler=configurations.get_config, scopes=configurations.SCOPES,
        body=GetConfigRequest,
        answers={200: ResolvedConfig, 304: None}, headers=("ETag", *_SERVED),
        errors=(
            *_GONE, errors.VariantNotResolved, *_TEMPLATE, request_errors.InvalidJson, request_errors.InvalidBody,
            *_LARGE,
        ),
    ),
    Operation(
        method="GET", path="/v2/deployments/snapshot", name="Snapshot",
        handler=following.snapshot, scopes=frozenset({Scope.INVOKE}),
        answers={200: SnapshotItem, 304: None}, headers=("ETag", "X-Moorage-Signature"),
        errors=(request_errors.UnknownParameter,),
    ),
    Operation(
        method="GET", path="/v2/deployments/changes", name="Changes",
        handler=following.changes, scopes=frozenset({Scope.INVOKE}),
        parameters=("since",),
        answers={200: "text/event-stream"}, headers=(),
        errors=(request_errors.InvalidSince, errors.TooManyStreams, *_QUERY),
    ),
    Operation(
        method="GET", path="/v2/deployments", name="Deployments",
        handler=deployments.list_page, scopes=frozenset({Scope.READ}),
        parameters=(*_PAGE, *FILTERS),
        answers={200: DeploymentPage, 304: None},
        errors=(request_errors.InvalidFilter, *_PAGING),
    ),
    Operation(
        method="POST", path="/v2/deployments", name="CreateDeployment",
        handler=deployments.post, scopes=frozenset({Scope.WRITE, Scope.PUBLISH}), body=PostDeployment,
        answers={201: DeploymentItem}, headers=("ETag", "X-Moorage-Result", "X-Moorage-Normalized"),
        errors=(
            errors.KeyTaken, request_errors.InvalidKey, request_errors.UnknownParameter,
            template_errors.InvalidTemplate, *_BODY, *_ONCE, *_STORAGE,
        ),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}", name="GetDeployment",
        handler=deployments.get, scopes=frozenset({Scope.READ}),
        answers={200: DeploymentItem, 304: None},
        errors=(request_errors.UnknownParameter, *_GONE),
    ),
    Operation(
        method="PUT", path="/v2/deployments/{key_or_id}", name="PutDeployment",
        handler=deployments.put, scopes=frozenset({Scope.WRITE, Scope.PUBLISH}),
        parameters=("dry_run", "file", *_PUBLISH), body=PutDeployment,
        answers={200: DeploymentItem, 201: DeploymentItem},
        headers=("ETag", *_OWNER, "X-Moorage-Normalized", "X-Moorage-Breaking"),
        errors=(
            request_errors.InvalidKey, request_errors.InvalidRequest, *_TERMS, errors.OwnedByApi,
            *_LIVE, *_GONE, *_QUERY, *_BODY, *_STORAGE
        ),
    ),
    Operation(
        method="PATCH", path="/v2/deployments/{key_or_id}", name="PatchDeployment",
        handler=deployments.patch, scopes=frozenset({Scope.WRITE}), parameters=_TAKE, body=PatchDeployment,
        answers={200: DeploymentItem}, headers=("ETag", *_OWNER),
        errors=(*_TERMS, *_QUERY, *_GONE, *_BODY, *_STORAGE),
    ),
    Operation(
        method="DELETE", path="/v2/deployments/{key_or_id}", name="DeleteDeployment",
        handler=deployments.delete, scopes=frozenset({Scope.PUBLISH}), parameters=(*_TAKE, "force"),
        answers={200: DeletedDeployment},
        errors=(usage_errors.DeploymentInUse, *_TERMS, *_QUERY, *_GONE, *_STORAGE),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/restore", name="RestoreDeployment",
        handler=deployments.restore, scopes=frozenset({Scope.PUBLISH}),
        body=Reason, is_body_optional=True,
        answers={200: DeploymentItem},
        errors=(
            errors.NotDeleted, errors.KeyTaken, errors.PreconditionFailed, *_QUERY, *_GONE, *_BODY, *_ONCE, *_STORAGE
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/explain", name="Explain",
        handler=explanations.explain, scopes=frozenset({Scope.READ}), body=ExplainRequest, is_body_optional=True,
        answers={200: Explained},
        errors=(
            request_errors.UnknownParameter, *_GONE, request_errors.InvalidJson, request_errors.InvalidBody, *_LARGE
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/simulate", name="SimulationResult",
        handler=explanations.simulate, scopes=frozenset({Scope.READ}), body=SimulateRequest,
        answers={200: SimulationResult},
        errors=(request_errors.UnknownParameter, *_GONE, *_BODY),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}/versions", name="DeploymentVersions",
        handler=versions.list_page, scopes=frozenset({Scope.READ}), parameters=(*_PAGE, "variant_id"),
        answers={200: VersionPage, 304: None},
        errors=(*_GONE, *_PAGING),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/versions", name="SaveVersion",
        handler=versions.post, scopes=frozenset({Scope.WRITE}),  # PUBLISH too, unless a draft
        parameters=_PUBLISH, body=PostVersion,
        answers={201: VersionItem}, headers=("ETag", "X-Moorage-Normalized", "X-Moorage-Breaking"),
        errors=(*_LIVE, *_TERMS, *_QUERY, *_GONE, *_BODY, *_ONCE, *_STORAGE),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}/versions/{version_or_id}", name="GetVersion",
        handler=versions.get, scopes=frozenset({Scope.READ}),
        answers={200: VersionItem, 304: None},
        errors=(*_NO_VERSION, *_QUERY, *_GONE),
    ),
    Operation(
        method="DELETE", path="/v2/deployments/{key_or_id}/versions/{version_or_id}", name="DeleteVersion",
        handler=versions.delete, scopes=frozenset({Scope.PUBLISH}), parameters=("force",),
        answers={200: DeletedVersion},
        errors=(
            errors.VersionIsLive, usage_errors.DeploymentInUse, errors.PreconditionFailed, request_errors.InvalidFlag,
            *_NO_VERSION, *_QUERY, *_GONE, *_STORAGE,
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/versions/{version_or_id}/restore", name="RestoreVersion",
        handler=versions.restore, scopes=frozenset({Scope.PUBLISH}),
        body=Reason, is_body_optional=True,
        answers={200: VersionItem},
        errors=(
            errors.NotDeleted, errors.PreconditionFailed, *_NO_VERSION, *_QUERY, *_GONE, *_BODY, *_ONCE, *_STORAGE
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/versions/{version_or_id}/publish", name="PublishVersion",
        handler=versions.publish, scopes=frozenset({Scope.PUBLISH}), parameters=_PUBLISH,
        body=Reason, is_body_optional=True,
        answers={200: VersionItem}, headers=("ETag", "X-Moorage-Breaking"),
        errors=(
            *_LIVE, *_NO_VERSION, *_TERMS, *_QUERY, *_GONE, *_BODY, *_ONCE, *_STORAGE,
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/undo", name="Undo",
        handler=versions.undo, scopes=frozenset({Scope.PUBLISH}), parameters=_TAKE, body=Reason, is_body_optional=True,
        answers={200: VersionItem},
        errors=(
            errors.NothingToUndo, errors.VersionDeleted, *_TERMS, *_QUERY, *_GONE, *_BODY, *_ONCE, *_STORAGE
        ),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}/diff", name="Diff",
        handler=versions.diff, scopes=frozenset({Scope.READ}), parameters=("from", "to"),
        answers={200: Difference}, headers=(),
        errors=(*_NO_VERSION, request_errors.MissingParameter, *_GONE, *_QUERY),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}/history", name="History",
        handler=versions.history, scopes=frozenset({Scope.READ}), parameters=_PAGE,
        answers={200: HistoryPage, 304: None},
        errors=(*_GONE, *_PAGING),
    ),
    Operation(
        method="GET", path="/v2/manifests", name="Manifests",
        handler=manifests.list_page, scopes=frozenset({Scope.READ}), parameters=_PAGE,
        answers={200: ManifestPage, 304: None},
        errors=_PAGING,
    ),
    Operation(
        method="GET", path="/v2/api-keys", name="ApiKeys",
        handler=api_keys.list_all, scopes=_ADMIN,
        answers={200: ApiKeyPage}, headers=(), errors=_QUERY,
    ),
    Operation(
        method="POST", path="/v2/api-keys", name="CreateApiKey",
        handler=api_keys.post, scopes=_ADMIN, body=PostApiKey,
        answers={201: ApiKeyItem}, errors=(request_errors.InvalidRequest, *_QUERY, *_BODY, *_ONCE, *_STORAGE),
    ),
    Operation(
        method="GET", path="/v2/api-keys/{api_key_id}", name="GetApiKey",
        handler=api_keys.get, scopes=_ADMIN,
        answers={200: ApiKeyItem}, headers=(), errors=(errors.ApiKeyNotFound, *_QUERY),
    ),
    Operation(
        method="PATCH", path="/v2/api-keys/{api_key_id}", name="PatchApiKey",
        handler=api_keys.patch, scopes=_ADMIN, body=PatchApiKey,
        answers={200: ApiKeyItem}, headers=(),
        errors=(errors.ApiKeyNotFound, request_errors.InvalidRequest, *_QUERY, *_BODY, *_STORAGE),
    ),
    Operation(
        method="DELETE", path="/v2/api-keys/{api_key_id}", name="RevokeApiKey",
        handler=api_keys.delete, scopes=_ADMIN,
        answers={200: ApiKeyItem}, headers=(), errors=(errors.ApiKeyNotFound, *_QUERY, *_STORAGE),
    ),
    Operation(
        method="GET", path="/health/live", name="Live", handler=health.live, scopes=OPEN,
        answers={200: health.Health},
    ),
    Operation(
        method="GET", path="/health/ready", name="Ready", handler=health.ready, scopes=OPEN,
        answers={200: health.Health},
    ),
    Operation(
        method="GET", path="/metrics", name="Metrics", handler=health.metrics, scopes=OPEN,
        answers={200: "text/plain"},
    ),
    Operation(
        method="GET", path="/openapi.json", name="OpenApi", handler=health.openapi_json, scopes=OPEN,
        answers={200: "application/json"},
    ),
    Operation(
        method="GET", path="/docs", name="Docs", handler=health.docs, scopes=OPEN,
        answers={200: "text/html"},
    ),
)  # fmt: skip
