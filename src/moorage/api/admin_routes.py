"""The routes for administrators: API keys and integrations."""

from moorage.api.endpoints import api_keys, integrations
from moorage.api.operation import Operation
from moorage.api.route_groups import (
    BODY_ERRORS,
    BOUND_KEY_ERRORS,
    PAGE_ERRORS,
    PAGE_PARAMETERS,
    POST_ERRORS,
    QUERY_ERRORS,
    STORAGE_ERRORS,
)
from moorage.core.access import ApiKeyItem, ApiKeyPage, PatchApiKey, PostApiKey, Scope
from moorage.core.compatibility.consumers import ApiKeyUsage
from moorage.core.deployments.version import Reason
from moorage.core.errors import api_keys as api_key_errors
from moorage.core.errors import base as errors
from moorage.core.errors import environments as environment_errors
from moorage.core.errors import integrations as integration_errors
from moorage.core.errors import requests as request_errors
from moorage.core.errors.storage import DatabaseUnavailable, StorageFull
from moorage.core.integrations import DeletedIntegration, IntegrationItem, IntegrationPage, PutIntegration
from moorage.gateway.egress import EgressForbidden
from moorage.gateway.probe import Probe

_KEYS_ADMIN = frozenset({Scope.KEYS_ADMIN})
_INTEGRATIONS_ADMIN = frozenset({Scope.INTEGRATIONS_ADMIN})
_INTEGRATION_ERRORS = (integration_errors.IntegrationNotFound, integration_errors.IntegrationUnreadable)


ADMIN_OPERATIONS = (
    Operation(
        method="GET", path="/v2/api-keys", name="ApiKeys",
        handler=api_keys.list_page, scopes=_KEYS_ADMIN, parameters=PAGE_PARAMETERS,
        responses={200: ApiKeyPage}, headers=(), errors=PAGE_ERRORS,
    ),
    Operation(
        method="POST", path="/v2/api-keys", name="CreateApiKey",
        handler=api_keys.post, scopes=_KEYS_ADMIN, body=PostApiKey,
        responses={201: ApiKeyItem},
        errors=(
            *BOUND_KEY_ERRORS, environment_errors.EnvironmentNotFound, request_errors.InvalidRequest, *QUERY_ERRORS,
            *POST_ERRORS,
        ),
    ),
    Operation(
        method="GET", path="/v2/api-keys/{api_key_id}", name="GetApiKey",
        handler=api_keys.get, scopes=_KEYS_ADMIN,
        responses={200: ApiKeyItem}, headers=(),
        errors=(api_key_errors.ApiKeyNotFound, *BOUND_KEY_ERRORS, *QUERY_ERRORS),
    ),
    Operation(
        method="PATCH", path="/v2/api-keys/{api_key_id}", name="PatchApiKey",
        handler=api_keys.patch, scopes=_KEYS_ADMIN, body=PatchApiKey,
        responses={200: ApiKeyItem}, headers=(),
        errors=(
            api_key_errors.ApiKeyNotFound, *BOUND_KEY_ERRORS, request_errors.InvalidRequest, *QUERY_ERRORS,
            *BODY_ERRORS, *STORAGE_ERRORS,
        ),
    ),
    Operation(
        method="DELETE", path="/v2/api-keys/{api_key_id}", name="RevokeApiKey",
        handler=api_keys.delete, scopes=_KEYS_ADMIN,
        responses={200: ApiKeyItem}, headers=(),
        errors=(api_key_errors.ApiKeyNotFound, *BOUND_KEY_ERRORS, *QUERY_ERRORS, *STORAGE_ERRORS),
    ),
    Operation(
        method="GET", path="/v2/api-keys/{api_key_id}/usage", name="ApiKeyUsage",
        handler=api_keys.usage, scopes=_KEYS_ADMIN | {Scope.READ},
        responses={200: ApiKeyUsage}, headers=(),
        errors=(
            api_key_errors.ApiKeyNotFound, *BOUND_KEY_ERRORS, *QUERY_ERRORS, DatabaseUnavailable, StorageFull,
        ),
    ),
    Operation(
        method="POST", path="/v2/api-keys/{api_key_id}/rotate", name="RotateApiKey",
        handler=api_keys.rotate, scopes=_KEYS_ADMIN, body=Reason, is_body_optional=True,
        responses={200: ApiKeyItem},
        errors=(
            *BOUND_KEY_ERRORS, api_key_errors.ApiKeyNotFound, api_key_errors.ApiKeyNotActive,
            request_errors.InvalidRequest, *QUERY_ERRORS, *POST_ERRORS,
        ),
    ),
    Operation(
        method="GET", path="/v2/integrations", name="Integrations",
        handler=integrations.list_page, scopes=_INTEGRATIONS_ADMIN, parameters=PAGE_PARAMETERS,
        responses={200: IntegrationPage}, headers=(), errors=PAGE_ERRORS,
    ),
    Operation(
        method="GET", path="/v2/integrations/{name}", name="GetIntegration",
        handler=integrations.get, scopes=_INTEGRATIONS_ADMIN,
        responses={200: IntegrationItem, 304: None}, errors=(*_INTEGRATION_ERRORS, *QUERY_ERRORS),
    ),
    Operation(
        method="PUT", path="/v2/integrations/{name}", name="PutIntegration", environment="all",
        handler=integrations.put, scopes=_INTEGRATIONS_ADMIN, body=PutIntegration,
        responses={200: IntegrationItem, 201: IntegrationItem}, headers=("ETag", "X-Moorage-Result"),
        errors=(
            request_errors.InvalidKey, integration_errors.CredentialsRequired, integration_errors.CredentialsUnreadable,
            integration_errors.EncryptionKeyMissing, integration_errors.KeyFileUnusable, errors.PreconditionFailed,
            EgressForbidden,
            *_INTEGRATION_ERRORS, *BOUND_KEY_ERRORS, *QUERY_ERRORS, *BODY_ERRORS, *STORAGE_ERRORS,
        ),
    ),
    Operation(
        method="DELETE", path="/v2/integrations/{name}", name="DeleteIntegration", environment="all",
        handler=integrations.delete, scopes=_INTEGRATIONS_ADMIN,
        responses={200: DeletedIntegration},
        errors=(
            integration_errors.IntegrationInUse, integration_errors.IntegrationFromEnvironment,
            errors.PreconditionFailed, *_INTEGRATION_ERRORS, *BOUND_KEY_ERRORS, *QUERY_ERRORS, *STORAGE_ERRORS,
        ),
    ),
    Operation(
        method="POST", path="/v2/integrations/{name}/test", name="TestIntegration",
        handler=integrations.test, scopes=_INTEGRATIONS_ADMIN,
        responses={200: Probe}, headers=(),
        errors=(*_INTEGRATION_ERRORS, integration_errors.CredentialsUnreadable, *QUERY_ERRORS), is_call=True,
    ),
)  # fmt: skip
