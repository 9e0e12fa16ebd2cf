"""Version: immutable content of a deployment, in the shape of the orq.ai Deployments API."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.deployments.content import DECODE_ERRORS, StoredContent
from moorage.core.deployments.deployment import MAX_DESCRIPTION, MAX_NOTES, Bump, VersionNumber
from moorage.core.deployments.model_parameters import ModelParameters
from moorage.core.deployments.prompt_config import (
    IntegrationId,
    Message,
    ModelType,
    PromptConfig,
    Provider,
    Tool,
    Variable,
)
from moorage.core.deployments.runtime_config import RuntimeConfigFields
from moorage.core.deployments.variant import Fallback, Settings, Variant
from moorage.core.errors.base import VersionUnreadable
from moorage.core.routing.rules import RoutingRule
from moorage.core.times import iso
from moorage.core.validation.bounds import Number

Status = Literal["live", "draft", "pending", "published"]


class VersionPromptConfig(msgspec.Struct, frozen=True):
    """A version's configuration; its tools are separate. `model_db_id` equals `model`."""

    model: str
    model_db_id: str
    model_type: ModelType
    model_parameters: ModelParameters
    provider: Provider
    messages: list[Message]
    integration_id: IntegrationId | UnsetType = UNSET


class VersionItem(msgspec.Struct, frozen=True):
    """A version in responses; `user_id` is the id of the API key that created it.

    `status` is `live` for the version that the environment of the request serves, `pending` for one that a proposal
    would publish there, `published` for one that was live anywhere, and `draft` for one that never was.
    """

    id: Annotated[str, Meta(description="Opaque; the cursor of the list.")] = msgspec.field(name="_id")
    deployment_id: str
    variant_id: str
    prompt_config: VersionPromptConfig
    fallbacks: list[Fallback]
    tools: list[Tool]
    variables: list[Variable]
    timestamp: str
    version: str
    description: str
    status: Status
    user_id: str | None
    notes: str | UnsetType = UNSET
    settings: Settings | UnsetType = UNSET
    retry_count: Number | UnsetType = UNSET
    variants: list[Variant] | UnsetType = UNSET
    routing: list[RoutingRule] | UnsetType = UNSET
    environments: Annotated[
        list[str] | UnsetType, Meta(description="The environments other than production in which it is live.")
    ] = UNSET


class VersionPage(msgspec.Struct, frozen=True):
    """A page of versions, newest first."""

    object: Literal["list"]
    data: list[VersionItem]
    has_more: bool


class DeletedVersion(msgspec.Struct, frozen=True):
    """The response to the deletion of a version, which can be restored until `restorable_until`.

    No other version gets its number.
    """

    id: str
    deployment_id: str
    version: str
    deleted: Literal[True]
    deleted_at: str
    restorable_until: str


class PostVersion(RuntimeConfigFields, frozen=True, forbid_unknown_fields=True):
    """The body of `POST …/versions`: a new version, saved as a draft or published immediately.

    If `variables`, `settings`, `fallbacks`, `retry_count`, `variants` or `routing` is omitted, its value is that of the
    live version. `reason` goes into the history.
    """

    prompt_config: PromptConfig
    variables: list[Variable] | UnsetType = UNSET
    status: Literal["draft", "published", "live"] = "draft"
    version_bump: Bump = "minor"
    description: Annotated[str, Meta(max_length=MAX_DESCRIPTION)] = ""
    notes: Annotated[str, Meta(max_length=MAX_NOTES)] = ""
    reason: Annotated[str, Meta(max_length=MAX_NOTES)] | UnsetType = UNSET


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The optional body of `publish` and `undo`."""

    reason: Annotated[str, Meta(max_length=MAX_NOTES)] | UnsetType = UNSET


class Version(msgspec.Struct, frozen=True):
    """A stored version with its current status; `rev` is the revision that created it."""

    id: str
    deployment_id: str
    number: VersionNumber
    content: StoredContent
    description: str
    notes: str
    content_sha256: str
    created_us: int
    api_key_id: str | None
    rev: int
    deleted_us: int | None
    status: Status

    @property
    def is_purged(self) -> bool:
        """Whether its content was permanently deleted."""
        return not self.content.prompt_config

    @property
    def place(self) -> int:
        """Its position in the list."""
        return self.rev

    def comparable(self) -> dict[str, Any]:
        """Return the fields that a diff of versions compares, as JSON values.

        Raises:
            VersionUnreadable
        """
        self.item()
        return {
            "prompt_config": msgspec.json.decode(self.content.prompt_config),
            "variables": msgspec.json.decode(self.content.variables),
            "description": self.description,
            **msgspec.json.decode(self.content.runtime_config),
        }

    def item(self, environments: list[str] | None = None) -> VersionItem:
        """Return the representation in responses; it is live in `environments`.

        Raises:
            VersionUnreadable: the stored version was not written by Moorage.
        """
        try:
            content = self.content.decode()
        except DECODE_ERRORS as error:
            raise VersionUnreadable(version=str(self.number), reason=str(error)[:500]) from error
        config, runtime_config = content.prompt_config, content.runtime_config
        return VersionItem(
            id=self.id,
            deployment_id=self.deployment_id,
            variant_id=self.deployment_id,  # that of the default variant
            prompt_config=VersionPromptConfig(
                config.model,
                config.model,
                config.model_type,
                config.model_parameters,
                config.provider,
                config.messages,
                config.integration_id,
            ),
            fallbacks=runtime_config.fallbacks,
            tools=config.tools,
            variables=content.variables,
            timestamp=iso(self.created_us),
            version=str(self.number),
            description=self.description,
            status=self.status,
            user_id=self.api_key_id,
            notes=self.notes or UNSET,
            settings=runtime_config.settings,
            retry_count=runtime_config.retry_count,
            variants=runtime_config.variants or UNSET,
            routing=runtime_config.routing or UNSET,
            environments=environments or UNSET,
        )
