"""The routes that try a version before it is served."""

from moorage.api.call_routes import CALL_ERRORS, CALL_HEADERS
from moorage.api.calls.orq import InvokeResponse
from moorage.api.endpoints import cases, tryouts
from moorage.api.operation import Operation
from moorage.api.route_groups import (
    BODY_ERRORS,
    DEPLOYMENT_ERRORS,
    ENVIRONMENT_ERRORS,
    QUERY_ERRORS,
    RENDER_ERRORS,
    STORAGE_ERRORS,
    TRANSFER_ERRORS,
    VERSION_ERRORS,
)
from moorage.api.tasks import shapes, transcripts
from moorage.core.access import Scope
from moorage.core.deployments.cases import (
    Case,
    CaseBody,
    CaseList,
    CaseNotFound,
    DeletedCase,
    TooManyCases,
)
from moorage.core.errors import base as errors
from moorage.core.errors import requests as request_errors
from moorage.core.resolution.tries import RenderedVersion, RenderRequest, TryRequest

#: The response of a try-out is that of the route for models of its type.
_TRIED = (
    InvokeResponse, shapes.EmbeddingsResponse, shapes.ImagesResponse, transcripts.TranscriptResponse,
    shapes.ModerationResponse, shapes.RerankResponse, "audio/mpeg",
)  # fmt: skip

TRYOUT_OPERATIONS = (
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/versions/{version_or_id}/render", name="RenderVersion",
        environment="call",
        handler=tryouts.render, scopes=frozenset({Scope.READ}), body=RenderRequest, is_body_optional=True,
        parameters=("environment",),
        responses={200: RenderedVersion},
        errors=(
            *ENVIRONMENT_ERRORS, request_errors.UnknownParameter, *DEPLOYMENT_ERRORS, *VERSION_ERRORS,
            errors.VariantNotResolved, *RENDER_ERRORS, request_errors.InvalidJson, request_errors.InvalidBody,
            *TRANSFER_ERRORS,
        ),
    ),
    Operation(
        method="POST", path="/v2/deployments/{key_or_id}/versions/{version_or_id}/try", name="TryVersion",
        environment="call",
        # An API key of an application reads nothing: so it cannot serve its users with drafts.
        handler=tryouts.try_version, scopes=frozenset({Scope.READ, Scope.INVOKE}), body=TryRequest,
        is_body_optional=True, parameters=("environment",),
        responses={200: _TRIED}, headers=CALL_HEADERS,
        errors=(request_errors.UnknownParameter, *VERSION_ERRORS, *CALL_ERRORS), is_call=True,
    ),
    Operation(
        method="GET", path="/v2/deployments/{key_or_id}/cases", name="Cases", handler=cases.list_all,
        scopes=frozenset({Scope.READ}), responses={200: CaseList}, headers=(),
        errors=(*QUERY_ERRORS, *DEPLOYMENT_ERRORS),
    ),
    Operation(
        method="PUT", path="/v2/deployments/{key_or_id}/cases/{case_name}", name="PutCase", handler=cases.put,
        scopes=frozenset({Scope.WRITE}), body=CaseBody, responses={200: Case}, headers=(),
        errors=(
            request_errors.InvalidRequest, TooManyCases, *QUERY_ERRORS, *DEPLOYMENT_ERRORS, *BODY_ERRORS,
            *STORAGE_ERRORS,
        ),
    ),
    Operation(
        method="DELETE", path="/v2/deployments/{key_or_id}/cases/{case_name}", name="DeleteCase",
        handler=cases.delete, scopes=frozenset({Scope.WRITE}), responses={200: DeletedCase}, headers=(),
        errors=(
            request_errors.InvalidRequest, CaseNotFound, *QUERY_ERRORS, *DEPLOYMENT_ERRORS, *STORAGE_ERRORS,
        ),
    ),
)  # fmt: skip
