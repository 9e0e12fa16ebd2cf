"""The routes of environments, promotions and proposals."""

from typing import Any

from moorage.api.endpoints import environments, promotions, vendor_environments
from moorage.api.operation import Operation
from moorage.api.route_groups import (
    BODY_ERRORS,
    BOUND_KEY_ERRORS,
    DEPLOYMENT_ERRORS,
    ENVIRONMENT_ERRORS,
    MOVE_ERRORS,
    PAGE_ERRORS,
    PAGE_PARAMETERS,
    POST_ERRORS,
    PUBLISH_ERRORS,
    QUERY_ERRORS,
    STORAGE_ERRORS,
    VERSION_ERRORS,
)
from moorage.core.access import Scope
from moorage.core.deployments.promotion import PostPromotion, PostProposal, Promotion
from moorage.core.deployments.proposal import ProposalDetail, ProposalPage, ProposalReason
from moorage.core.environments import EnvironmentItem, EnvironmentPage, PutEnvironment
from moorage.core.errors import base as errors
from moorage.core.errors import environments as environment_errors
from moorage.core.errors import requests as request_errors
from moorage.core.errors.rows import ProposalUnreadable
from moorage.registry.environment_diff import EnvironmentDifference

_READ = frozenset({Scope.READ})
_ADMIN = frozenset({Scope.ENVIRONMENTS_ADMIN})
_APPROVE = frozenset({Scope.APPROVE})
_SEEN_ERRORS = (*BOUND_KEY_ERRORS, environment_errors.EnvironmentNotFound)
_PROPOSAL_ERRORS = (environment_errors.ProposalNotFound, ProposalUnreadable, *BOUND_KEY_ERRORS)
_DELETE_ERRORS = (
    environment_errors.ProductionIsPermanent, environment_errors.KeysBound, environment_errors.EnvironmentInUse,
    errors.PreconditionFailed,
)  # fmt: skip
_SETTINGS_ERRORS = (
    environment_errors.InvalidEnvironmentName, environment_errors.TooManyEnvironments,
    environment_errors.ProductionIsPermanent, errors.PreconditionFailed,
)  # fmt: skip


def _decision(name: str, handler: Any, scopes: frozenset[Scope], *own: type[errors.MoorageError]) -> Operation:
    """Return the route of a decision about a proposal."""
    return Operation(
        method="POST", path=f"/v2/proposals/{{proposal_id}}/{name}", name=f"{name.capitalize()}Proposal",
        handler=handler, scopes=scopes, body=ProposalReason, is_body_optional=True, decides=True,
        responses={200: ProposalDetail}, headers=("ETag",),
        errors=(environment_errors.ProposalClosed, *own, *_PROPOSAL_ERRORS, *QUERY_ERRORS, *POST_ERRORS),
    )  # fmt: skip


ENVIRONMENT_OPERATIONS = (
    Operation(
        method="GET", path="/v2/environments", name="Environments",
        handler=environments.list_all, scopes=_READ,
        responses={200: EnvironmentPage}, headers=(), errors=(environment_errors.EnvironmentGone, *QUERY_ERRORS),
    ),
    Operation(
        method="GET", path="/v2/environments/diff", name="EnvironmentDiff",
        handler=environments.diff, scopes=_READ, parameters=("environments:from", "environments:to", *PAGE_PARAMETERS),
        responses={200: EnvironmentDifference, 304: None},
        errors=(request_errors.MissingParameter, *_SEEN_ERRORS, *PAGE_ERRORS),
    ),
    Operation(
        method="GET", path="/v2/environments/{name}", name="GetEnvironment",
        handler=environments.get, scopes=_READ,
        responses={200: EnvironmentItem, 304: None}, errors=(*_SEEN_ERRORS, *QUERY_ERRORS),
    ),
    Operation(
        method="PUT", path="/v2/environments/{name}", name="PutEnvironment",
        handler=environments.put, scopes=_ADMIN, environment="all", body=PutEnvironment,
        responses={200: EnvironmentItem, 201: EnvironmentItem},
        headers=("ETag", "X-Moorage-Result", "X-Moorage-Warnings"),
        errors=(*_SETTINGS_ERRORS, *_SEEN_ERRORS, *QUERY_ERRORS, *BODY_ERRORS, *STORAGE_ERRORS),
    ),
    Operation(
        method="DELETE", path="/v2/environments/{name}", name="DeleteEnvironment",
        handler=environments.delete, scopes=_ADMIN, environment="all", parameters=("force",),
        responses={200: environments.DeletedEnvironment},
        errors=(*_DELETE_ERRORS, request_errors.InvalidFlag, *_SEEN_ERRORS, *QUERY_ERRORS, *STORAGE_ERRORS),
    ),
    Operation(
        method="POST", path="/v2/promotions", name="Promote",
        handler=promotions.post_promotion, scopes=_READ, environment="all", is_batch=True,
        parameters=("dry_run", "take_ownership", "emergency"), body=PostPromotion,
        responses={200: Promotion, 202: ProposalDetail}, headers=("ETag", "X-Moorage-Environment"),
        errors=(
            *MOVE_ERRORS, *PUBLISH_ERRORS, errors.PreconditionFailed, errors.OwnedByFiles, errors.OwnedByApi,
            request_errors.InvalidFlag, request_errors.InvalidRequest, *DEPLOYMENT_ERRORS, *QUERY_ERRORS, *POST_ERRORS,
        ),
    ),
    Operation(
        method="GET", path="/v2/proposals", name="Proposals",
        handler=promotions.list_proposals, scopes=_READ,
        parameters=(*PAGE_PARAMETERS, "proposals:environment", "proposals:status", "proposals:mine"),
        responses={200: ProposalPage}, headers=(),
        errors=(
            ProposalUnreadable, request_errors.InvalidFlag, request_errors.InvalidRequest, *_SEEN_ERRORS, *PAGE_ERRORS
        ),
    ),
    Operation(
        method="POST", path="/v2/proposals", name="Propose",
        handler=promotions.post_proposal, scopes=_READ, environment="all", is_batch=True,
        parameters=("take_ownership",), body=PostProposal,
        responses={202: ProposalDetail}, headers=("ETag",),
        errors=(
            environment_errors.NothingToPropose, environment_errors.ProductionCannotFollow, *ENVIRONMENT_ERRORS,
            *PUBLISH_ERRORS, errors.PreconditionFailed,
            errors.OwnedByFiles, errors.OwnedByApi, request_errors.InvalidFlag, *VERSION_ERRORS, *DEPLOYMENT_ERRORS,
            *QUERY_ERRORS, *POST_ERRORS,
        ),
    ),
    Operation(
        method="GET", path="/v2/proposals/{proposal_id}", name="GetProposal",
        handler=promotions.get_proposal, scopes=_READ,
        responses={200: ProposalDetail}, headers=(), errors=(*_PROPOSAL_ERRORS, *QUERY_ERRORS),
    ),
    _decision(
        "approve", promotions.approve_proposal, _APPROVE,
        environment_errors.OwnProposal, errors.KeyTaken, errors.AliasTaken, *DEPLOYMENT_ERRORS,
    ),
    _decision("reject", promotions.reject_proposal, _APPROVE),
    _decision("withdraw", promotions.withdraw_proposal, _READ),
    Operation(
        method="GET", path="/v3/environments", name="VendorEnvironments",
        handler=vendor_environments.list_page, scopes=_READ,
        parameters=(*PAGE_PARAMETERS, "vendor:search", "vendor:project_id"),
        responses={200: vendor_environments.VendorEnvironmentPage}, headers=(),
        errors=(environment_errors.EnvironmentGone, request_errors.InvalidRequest, *PAGE_ERRORS),
    ),
    Operation(
        method="POST", path="/v3/environments", name="CreateVendorEnvironment",
        handler=vendor_environments.post, scopes=_ADMIN, environment="all",
        body=vendor_environments.PostVendorEnvironment,
        responses={200: vendor_environments.VendorEnvironmentReply}, headers=(),
        errors=(
            errors.NameTaken, *_SETTINGS_ERRORS, *BOUND_KEY_ERRORS, request_errors.InvalidRequest, *QUERY_ERRORS,
            *POST_ERRORS,
        ),
    ),
    Operation(
        method="GET", path="/v3/environments/{environment_id}", name="GetVendorEnvironment",
        handler=vendor_environments.get, scopes=_READ,
        responses={200: vendor_environments.VendorEnvironmentReply}, headers=(),
        errors=(*_SEEN_ERRORS, *QUERY_ERRORS),
    ),
    Operation(
        method="PATCH", path="/v3/environments/{environment_id}", name="PatchVendorEnvironment",
        handler=vendor_environments.patch, scopes=_ADMIN, environment="all",
        body=vendor_environments.PatchVendorEnvironment,
        responses={200: vendor_environments.VendorEnvironmentReply}, headers=(),
        errors=(
            errors.PreconditionFailed, request_errors.InvalidRequest, *_SEEN_ERRORS, *QUERY_ERRORS, *BODY_ERRORS,
            *STORAGE_ERRORS,
        ),
    ),
    Operation(
        method="DELETE", path="/v3/environments/{environment_id}", name="DeleteVendorEnvironment",
        handler=vendor_environments.delete, scopes=_ADMIN, environment="all",
        responses={200: vendor_environments.EmptyReply}, headers=(),
        errors=(*_DELETE_ERRORS, *_SEEN_ERRORS, *QUERY_ERRORS, *STORAGE_ERRORS),
    ),
)  # fmt: skip
