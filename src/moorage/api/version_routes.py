"""The routes of versions, their history, and what is found out about the live one."""

from moorage.api.endpoints import (
    explain,
    history,
    summaries,
    usage,
    versions,
)
from moorage.api.operation import Operation
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
    STORAGE_ERRORS,
    TRANSFER_ERRORS,
    VERSION_ERRORS,
    WRITE_OPTION_ERRORS,
)
from moorage.core.access import Scope
from moorage.core.compatibility.consumers import CallerPage
from moorage.core.compatibility.errors import BreakingChange, DeploymentInUse
from moorage.core.compatibility.usage import UsagePage
from moorage.core.deployments.diff import Difference
from moorage.core.deployments.history import HistoryPage
from moorage.core.deployments.project_history import ProjectHistoryPage
from moorage.core.deployments.proposal import ProposalDetail
from moorage.core.deployments.summary import SummaryList
from moorage.core.deployments.version import DeletedVersion, PostVersion, Reason, VersionItem, VersionPage
from moorage.core.errors import base as errors
from moorage.core.errors import environments as environment_errors
from moorage.core.errors import requests as request_errors
from moorage.core.errors.storage import DatabaseUnavailable, StorageFull
from moorage.core.resolution.explain import Explained, ExplainRequest, SimulateRequest, SimulationResult

VERSION_OPERATIONS = (
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/explain", name="Explain", environment="call",
        handler=explain.explain, scopes=frozenset({Scope.READ}), body=ExplainRequest, is_body_optional=True,
        parameters=("environment",),
        responses={200: Explained},
        errors=(
            *ENVIRONMENT_ERRORS, request_errors.UnknownParameter, *DEPLOYMENT_ERRORS, request_errors.InvalidJson,
            request_errors.InvalidBody, *TRANSFER_ERRORS,
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/simulate", name="Simulate", environment="view",
        handler=explain.simulate, scopes=frozenset({Scope.READ}), body=SimulateRequest,
        parameters=("environment",),
        responses={200: SimulationResult},
        errors=(*ENVIRONMENT_ERRORS, request_errors.UnknownParameter, *DEPLOYMENT_ERRORS, *BODY_ERRORS),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}/versions", name="DeploymentVersions", environment="view",
        handler=versions.list_page, scopes=frozenset({Scope.READ}), parameters=(*PAGE_PARAMETERS, "variant_id",
            "environment"),
        responses={200: VersionPage, 304: None},
        errors=(*ENVIRONMENT_ERRORS, *DEPLOYMENT_ERRORS, *PAGE_ERRORS),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/versions", name="SaveVersion", environment="move",
        handler=versions.post, scopes=frozenset({Scope.WRITE}),  # and PUBLISH, unless it is a draft
        parameters=(*PUBLISH_PARAMETERS, "environment", "emergency"), body=PostVersion,
        responses={201: VersionItem, 202: ProposalDetail}, headers=("ETag", "X-Moorage-Normalized", *PUBLISH_HEADERS),
        errors=(*MOVE_ERRORS, *PUBLISH_ERRORS, *WRITE_OPTION_ERRORS, *QUERY_ERRORS, *DEPLOYMENT_ERRORS, *POST_ERRORS),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}/versions/{version_or_id}", name="GetVersion",
        environment="view",
        handler=versions.get, scopes=frozenset({Scope.READ}),
        parameters=("environment",),
        responses={200: VersionItem, 304: None},
        errors=(*ENVIRONMENT_ERRORS, *VERSION_ERRORS, *QUERY_ERRORS, *DEPLOYMENT_ERRORS),
    ),
    Operation(
        method="DELETE", path="/v2/deployments/{key_or_id}/versions/{version_or_id}", name="DeleteVersion",
        environment="all",
        handler=versions.delete, scopes=frozenset({Scope.PUBLISH}), parameters=("dry_run", "force"),
        responses={200: DeletedVersion},
        errors=(
            *BOUND_KEY_ERRORS, errors.VersionIsLive, DeploymentInUse, errors.PreconditionFailed,
            request_errors.InvalidFlag,
            *VERSION_ERRORS, *QUERY_ERRORS, *DEPLOYMENT_ERRORS, *STORAGE_ERRORS,
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/versions/{version_or_id}/restore", name="RestoreVersion",
        environment="all",
        handler=versions.restore, scopes=frozenset({Scope.PUBLISH}), parameters=("dry_run",),
        body=Reason, is_body_optional=True,
        responses={200: VersionItem},
        errors=(
            *BOUND_KEY_ERRORS, errors.NotDeleted, errors.PreconditionFailed, request_errors.InvalidFlag,
            *VERSION_ERRORS, *QUERY_ERRORS,
            *DEPLOYMENT_ERRORS,
            *POST_ERRORS,
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/versions/{version_or_id}/publish", name="PublishVersion",
        environment="move",
        handler=versions.publish, scopes=frozenset({Scope.PUBLISH}),
        parameters=("dry_run", *PUBLISH_PARAMETERS, "environment", "emergency"),
        body=Reason, is_body_optional=True,
        responses={200: VersionItem, 202: ProposalDetail}, headers=("ETag", *PUBLISH_HEADERS),
        errors=(
            *MOVE_ERRORS, *PUBLISH_ERRORS, *VERSION_ERRORS, *WRITE_OPTION_ERRORS, *QUERY_ERRORS, *DEPLOYMENT_ERRORS,
            *POST_ERRORS,
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/undo", name="Undo", environment="move",
        handler=versions.undo, scopes=frozenset({Scope.PUBLISH}),
        parameters=("dry_run", *OWNERSHIP_PARAMETERS, "environment", "emergency"),
        body=Reason, is_body_optional=True,
        responses={200: VersionItem, 202: ProposalDetail},
        errors=(
            *MOVE_ERRORS, errors.NothingToUndo, errors.VersionDeleted, *WRITE_OPTION_ERRORS, *QUERY_ERRORS,
            *DEPLOYMENT_ERRORS,
            *POST_ERRORS,
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/unpublish", name="Unpublish", environment="move",
        handler=versions.unpublish, scopes=frozenset({Scope.PUBLISH}),
        parameters=("dry_run", *PUBLISH_PARAMETERS, "environment", "emergency"),
        body=Reason, is_body_optional=True,
        responses={200: VersionItem, 202: ProposalDetail}, headers=("ETag", *PUBLISH_HEADERS),
        errors=(
            *MOVE_ERRORS, environment_errors.ProductionCannotFollow, BreakingChange, *WRITE_OPTION_ERRORS,
            *QUERY_ERRORS, *DEPLOYMENT_ERRORS, *POST_ERRORS,
        ),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}/diff", name="Diff", environment="view",
        handler=versions.diff, scopes=frozenset({Scope.READ}), parameters=("from", "to", "environment"),
        responses={200: Difference}, headers=(),
        errors=(*ENVIRONMENT_ERRORS, *VERSION_ERRORS, request_errors.MissingParameter, *DEPLOYMENT_ERRORS,
            *QUERY_ERRORS),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}/history", name="History", environment="view",
        handler=history.of_deployment, scopes=frozenset({Scope.READ}), parameters=(*PAGE_PARAMETERS, "environment"),
        responses={200: HistoryPage, 304: None},
        errors=(*ENVIRONMENT_ERRORS, *DEPLOYMENT_ERRORS, *PAGE_ERRORS),
    ),
    Operation(
        method="GET", path="/v2/history", name="ProjectHistory", environment="view",
        handler=history.of_project, scopes=frozenset({Scope.READ}),
        parameters=(*PAGE_PARAMETERS, "action", "environment"),
        responses={200: ProjectHistoryPage, 304: None},
        errors=(*ENVIRONMENT_ERRORS, request_errors.InvalidFilter, *PAGE_ERRORS),
    ),
    Operation(
        method="GET", path="/v2/summaries", name="Summaries", environment="view",
        handler=summaries.list_some, scopes=frozenset({Scope.READ}),
        parameters=("ids", "environment"),
        responses={200: SummaryList}, headers=(),
        errors=(
            *ENVIRONMENT_ERRORS, request_errors.MissingParameter, request_errors.InvalidRequest, *QUERY_ERRORS,
            DatabaseUnavailable, StorageFull,
        ),
    ),
    Operation(
        method="GET", path="/v2/usage", name="Usage", environment="view",
        handler=usage.list_page, scopes=frozenset({Scope.READ}),
        parameters=(*PAGE_PARAMETERS, "deployment", "environment"),
        responses={200: UsagePage}, headers=(),
        errors=(
            *ENVIRONMENT_ERRORS, errors.DeploymentNotFound, errors.DeploymentDeleted, *PAGE_ERRORS,
            DatabaseUnavailable, StorageFull,
        ),
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}/callers", name="Callers", environment="view",
        handler=usage.list_callers, scopes=frozenset({Scope.READ}),
        parameters=("environment",),
        responses={200: CallerPage}, headers=(),
        errors=(
            *ENVIRONMENT_ERRORS, errors.DeploymentNotFound, errors.DeploymentDeleted, request_errors.UnknownParameter,
            DatabaseUnavailable, StorageFull,
        ),
    ),
)  # fmt: skip
