"""The routes that call models: those of orq.ai, and those of OpenAI under each of their prefixes."""

from typing import Any

from moorage.api.calls.openai_chat import ChatResponse
from moorage.api.calls.openai_request import ChatBody, TextBody
from moorage.api.calls.openai_responses import ResponseObject
from moorage.api.calls.openai_text import TextResponse
from moorage.api.calls.orq import InvokeResponse
from moorage.api.calls.responses_request import ResponsesBody
from moorage.api.endpoints import invoke, models, openai, tasks
from moorage.api.operation import Operation
from moorage.api.route_groups import (
    DEPLOYMENT_ERRORS,
    ENVIRONMENT_ERRORS,
    IDEMPOTENCY_ERRORS,
    QUERY_ERRORS,
    RENDER_ERRORS,
    STORAGE_ERRORS,
    TRANSFER_ERRORS,
    VARIANT_HEADERS,
)
from moorage.api.tasks import bodies, shapes, transcripts
from moorage.core.access import Scope
from moorage.core.errors import base as errors
from moorage.core.errors import integrations as integration_errors
from moorage.core.errors import requests as request_errors
from moorage.core.errors.environments import VersionNotPublished
from moorage.core.errors.rows import ResultUnreadable
from moorage.core.resolution.config import GetConfigRequest
from moorage.gateway import errors as call_errors
from moorage.gateway.egress import EgressForbidden
from moorage.providers.errors import NotSupportedByProvider, UnsupportedModelType

_INVOKE = frozenset({Scope.INVOKE})

CALL_ERRORS = (
    *ENVIRONMENT_ERRORS, *DEPLOYMENT_ERRORS, errors.VariantNotResolved, *RENDER_ERRORS, request_errors.InvalidJson,
    request_errors.InvalidBody, *TRANSFER_ERRORS, UnsupportedModelType, NotSupportedByProvider,
    call_errors.UnsupportedModelTypeForCall, call_errors.WrongRoute, call_errors.ProviderCredentialInvalid,
    call_errors.ProviderRejected,
    call_errors.ProviderRateLimited, call_errors.ProviderOverloaded, call_errors.ProviderTimeout,
    call_errors.ProviderError, integration_errors.NoIntegration, integration_errors.OtherProvider,
    integration_errors.CredentialsUnreadable, integration_errors.IntegrationUnreadable, EgressForbidden,
)  # fmt: skip
_PINNED_ERRORS = (
    VersionNotPublished, errors.VersionNotFound, errors.VersionUnreadable, errors.VariantNotFound,
    request_errors.InvalidRequest,
)  # fmt: skip
_ONCE_ERRORS = (*IDEMPOTENCY_ERRORS, errors.ResponseNotStored, ResultUnreadable, *STORAGE_ERRORS)
CALL_HEADERS = (
    *VARIANT_HEADERS, "X-Moorage-Provider",
    "X-Moorage-Model", "X-Moorage-Attempts", "X-Moorage-Overhead-Ms", "X-Moorage-Dropped", "X-Moorage-Attempt-Log",
    "X-Moorage-Warnings", "X-Moorage-Cache", "Age", "Sunset", "Deprecation", "Link",
)  # fmt: skip


def _openai(prefix: str) -> tuple[Operation, ...]:
    """Return the operations of OpenAI's API under a prefix."""
    title = {"/v1": "OpenAi", "/v2/router": "Router2", "/v3/router": "Router3"}[prefix]
    call: dict[str, Any] = {
        "method": "POST", "scopes": _INVOKE, "headers": CALL_HEADERS,
        "errors": (*CALL_ERRORS, *_ONCE_ERRORS, *_PINNED_ERRORS),
        "is_call": True, "environment": "call", "parameters": ("environment",), "is_idempotent": True,
    }  # fmt: skip
    audio = call | {
        "is_idempotent": False,
        "errors": (*CALL_ERRORS, *_PINNED_ERRORS),
    }  # a large upload, or a large response that is no text
    return (
        Operation(
            path=f"{prefix}/chat/completions", name=f"{title}ChatCompletions", handler=openai.chat_completions,
            body=ChatBody, responses={200: ChatResponse}, **call,
        ),
        Operation(
            path=f"{prefix}/completions", name=f"{title}Completions", handler=openai.completions, body=TextBody,
            responses={200: TextResponse}, **call,
        ),
        Operation(
            path=f"{prefix}/embeddings", name=f"{title}Embeddings", handler=tasks.embeddings,
            body=bodies.EmbeddingsBody, responses={200: shapes.EmbeddingsResponse}, **call,
        ),
        Operation(
            path=f"{prefix}/images/generations", name=f"{title}Images", handler=tasks.images,
            body=bodies.ImagesBody, responses={200: shapes.ImagesResponse}, **call,
        ),
        Operation(
            path=f"{prefix}/audio/speech", name=f"{title}Speech", handler=tasks.speech, body=bodies.SpeechBody,
            responses={200: "audio/mpeg"}, **audio,
        ),
        Operation(
            path=f"{prefix}/audio/transcriptions", name=f"{title}Transcriptions", handler=tasks.transcriptions,
            body=bodies.TranscriptionForm, responses={200: transcripts.TranscriptResponse}, **audio,
        ),
        Operation(
            path=f"{prefix}/moderations", name=f"{title}Moderations", handler=tasks.moderations,
            body=bodies.ModerationsBody, responses={200: shapes.ModerationResponse}, **call,
        ),
        Operation(
            path=f"{prefix}/rerank", name=f"{title}Rerank", handler=tasks.rerank, body=bodies.RerankBody,
            responses={200: shapes.RerankResponse}, **call,
        ),
        Operation(
            path=f"{prefix}/responses", name=f"{title}Responses", handler=openai.responses, body=ResponsesBody,
            responses={200: ResponseObject}, **call,
        ),
        Operation(
            method="GET", path=f"{prefix}/models", name=f"{title}Models", handler=models.list_page, scopes=_INVOKE,
            parameters=("models:limit", "models:after", "environment"), environment="view",
            responses={200: models.ModelList, 304: None},
            errors=(*ENVIRONMENT_ERRORS, request_errors.InvalidLimit, request_errors.InvalidCursor, *QUERY_ERRORS),
        ),
        Operation(
            method="GET", path=f"{prefix}/models/{{key_or_id}}", name=f"{title}GetModel", handler=models.get,
            scopes=_INVOKE, responses={200: models.Model, 304: None}, parameters=("environment",), environment="view",
            errors=(*ENVIRONMENT_ERRORS, *DEPLOYMENT_ERRORS, *QUERY_ERRORS),
        ),
    )  # fmt: skip


CALL_OPERATIONS = (
    Operation(
        method="POST", path="/v2/deployments/invoke", name="DeploymentInvoke", handler=invoke.invoke, scopes=_INVOKE,
        body=GetConfigRequest, responses={200: InvokeResponse}, headers=CALL_HEADERS,
        errors=(request_errors.UnknownParameter, *CALL_ERRORS, *_ONCE_ERRORS), is_call=True, is_idempotent=True,
        environment="call", parameters=("environment",),
    ),
    Operation(
        method="POST", path="/v2/deployments/stream", name="DeploymentStream", handler=invoke.stream, scopes=_INVOKE,
        body=GetConfigRequest, responses={200: "text/event-stream"}, headers=CALL_HEADERS,
        errors=(request_errors.UnknownParameter, *CALL_ERRORS, *_ONCE_ERRORS), is_call=True, is_idempotent=True,
        environment="call", parameters=("environment",),
    ),
    *(operation for prefix in openai.PREFIXES for operation in _openai(prefix)),
)  # fmt: skip
