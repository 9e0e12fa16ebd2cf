"""Integrations: named connections of a project to a provider, with credentials that are stored encrypted."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.times import iso

IntegrationProvider = Literal[
    "openai", "groq", "cohere", "azure", "aws", "google", "google-ai", "huggingface", "togetherai", "perplexity",
    "anthropic", "leonardoai", "fal", "nvidia", "jina", "elevenlabs", "litellm", "cerebras", "openailike", "bytedance",
    "mistral", "deepseek", "contextualai", "moonshotai",
]  # fmt: skip

MAX_REASON = 2_000

#: A value of an option.
Option = str | int | float

#: A credential of at least this many characters is shown with its last four.
_MIN_MASKED = 12

_encode = msgspec.json.Encoder(order="sorted").encode


class PutIntegration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `PUT /v2/integrations/{name}`. It replaces the integration.

    If `credentials` or `headers` is omitted, the stored ones are kept, unless the requests would go to another host.
    """

    provider: IntegrationProvider
    base_url: (
        Annotated[str, Meta(min_length=1, max_length=2_048, description="Replaces the provider's own base URL.")]
        | UnsetType
    ) = UNSET
    credentials: (
        Annotated[
            dict[str, Any],
            Meta(
                description="An `api_key`; for aws also `access_key_id`, `secret_access_key` and `session_token`; for"
                " google the content of a service account's file, or an `access_token`. They are never returned."
            ),
        ]
        | UnsetType
    ) = UNSET
    options: dict[str, Any] = {}
    headers: (
        Annotated[dict[str, Any], Meta(description="Further headers of each request. Their values are never returned.")]
        | UnsetType
    ) = UNSET
    reason: Annotated[str, Meta(max_length=MAX_REASON)] | UnsetType = UNSET  # fmt: skip


class Credentials(msgspec.Struct, frozen=True):
    """The decrypted credentials and headers of an integration. They have no representation in logs."""

    values: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return "Credentials(…)"


class Integration(msgspec.Struct, frozen=True, kw_only=True):
    """An integration. `credentials` and `headers` are encrypted with the secret key `key_id`; both can be empty.

    One of the environment has neither, but the `variables` that they are from.
    """

    id: str
    project_id: str
    name: str
    provider: str
    base_url: str | None = None
    options: Mapping[str, Option] = {}
    credentials: str = ""
    headers: str = ""
    key_id: str = ""
    created_us: int = 0
    created_by: str | None = None
    updated_us: int = 0
    updated_by: str | None = None
    deleted_us: int | None = None
    rev: int = 0
    variables: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Integration({self.name!r}, {self.provider!r}, rev={self.rev})"

    @property
    def etag(self) -> str:
        """The ETag of its current state."""
        return f'"{self.rev}-{self.id}"'

    @property
    def is_from_environment(self) -> bool:
        """Whether it is from the environment of the server."""
        return bool(self.variables)

    @property
    def settings_sha256(self) -> str:
        """The hash of what is stored in clear, except the name and the provider."""
        return settings_sha256(self.base_url, encode_options(self.options))

    @property
    def sealed_sha256(self) -> str:
        """The hash of what is stored encrypted."""
        return sealed_sha256(self.credentials, self.headers, self.key_id)


def encode_options(options: Mapping[str, Option]) -> str:
    """Return the stored form of options."""
    return _encode(options).decode()


decode_options = msgspec.json.Decoder(dict[str, str | int | float]).decode


def settings_sha256(base_url: object, options: object) -> str:
    """Return the hash of the columns that are stored in clear."""
    return hashlib.sha256(_encode([base_url, options])).hexdigest()


def sealed_sha256(credentials: object, headers: object, key_id: object) -> str:
    """Return the hash of the encrypted columns. It reveals nothing: equal credentials are encrypted differently."""
    return hashlib.sha256(_encode([credentials, headers, key_id])).hexdigest()


class IntegrationItem(msgspec.Struct, frozen=True):
    """An integration in responses, with masked credentials and headers, which are null if they cannot be decrypted.

    `url` is the base URL that is used: `base_url`, or else that of the provider. `key_id` is the secret key that
    encrypts the credentials, and `variables` the variables of the server's environment that they are from.
    """

    id: Annotated[str, Meta(description="The cursor of the list.")]
    name: str
    provider: str
    project_id: str
    base_url: str | None
    url: str
    options: Mapping[str, Option]
    credentials: Mapping[str, str] | None
    headers: Mapping[str, str] | None
    status: Literal["ready", "unreadable"]
    source: Literal["project", "environment"]
    key_id: str | UnsetType = UNSET
    variables: list[str] | UnsetType = UNSET
    created: str | UnsetType = UNSET
    updated: str | UnsetType = UNSET
    created_by: str | UnsetType = UNSET
    updated_by: str | UnsetType = UNSET

    @classmethod
    def of(cls, integration: Integration, url: str, opened: Credentials | None, project_id: str) -> "IntegrationItem":
        """Return the representation of an integration for a project; `opened` is None if it cannot be decrypted."""
        is_stored = not integration.is_from_environment
        return cls(
            id=integration.id,
            name=integration.name,
            provider=integration.provider,
            project_id=project_id,
            base_url=integration.base_url,
            url=url,
            options=integration.options,
            credentials=None if opened is None else _masked(opened.values),
            headers=None if opened is None else _masked(opened.headers),
            status="unreadable" if opened is None else "ready",
            source="project" if is_stored else "environment",
            key_id=integration.key_id or UNSET,
            variables=UNSET if is_stored else [*integration.variables],
            created=iso(integration.created_us) if is_stored else UNSET,
            updated=iso(integration.updated_us) if is_stored else UNSET,
            created_by=integration.created_by or UNSET,
            updated_by=integration.updated_by or UNSET,
        )


class IntegrationPage(msgspec.Struct, frozen=True):
    """A page of the integrations of a project, newest first; those of the environment are the last ones."""

    object: Literal["list"]
    data: list[IntegrationItem]
    has_more: bool


class DeletedIntegration(msgspec.Struct, frozen=True):
    """The response to the deletion of an integration. Its credentials are gone."""

    id: str
    name: str
    deleted: Literal[True]
    deleted_at: str


def _masked(values: Mapping[str, str]) -> dict[str, str]:
    return {name: f"…{value[-4:] if len(value) >= _MIN_MASKED else ''}" for name, value in values.items()}
