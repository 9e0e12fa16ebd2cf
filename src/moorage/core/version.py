"""Version: an immutable snapshot of a deployment, as the orq.ai Deployments API shows it."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.deployment import MAX_DESCRIPTION, MAX_NOTES, UNREADABLE, Bump, VersionNumber
from moorage.core.errors import VersionUnreadable
from moorage.core.prompt_config import (
    Message,
    ModelParameters,
    ModelType,
    Number,
    PromptConfig,
    Provider,
    Tool,
    Variable,
    decode_prompt_config,
    decode_variables,
)
from moorage.core.routing import Route
from moorage.core.serving import ServingFields, decode_serving
from moorage.core.times import iso
from moorage.core.variant import Fallback, Settings, Variant

Status = Literal["live", "draft", "pending", "published"]


class VersionPromptConfig(msgspec.Struct, frozen=True):
    """A version's configuration; its tools stand beside it. `model_db_id` is the model: there is no table of models."""

    model: str
    model_db_id: str
    model_type: ModelType
    model_parameters: ModelParameters
    provider: Provider
    messages: list[Message]


class VersionItem(msgspec.Struct, frozen=True):
    """A version as clients see it. `status` is `live` for the one that is served, `published` for one that was, and
    `draft` for one that never was. `user_id` is the id of the API key that made it."""

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
    routing: list[Route] | UnsetType = UNSET


class VersionPage(msgspec.Struct, frozen=True):
    """A page of versions, newest first."""

    object: Literal["list"]
    data: list[VersionItem]
    has_more: bool


class DeletedVersion(msgspec.Struct, frozen=True):
    """What the deletion of a version answers: until `final` it can be restored. Its number stays taken."""

    id: str
    deployment_id: str
    version: str
    deleted: Literal[True]
    deleted_at: str
    final: str


class PostVersion(ServingFields, frozen=True, forbid_unknown_fields=True):
    """The body of `POST …/versions`: a new version, kept as a draft or published at once.

    What is left out of `variables`, `settings`, `fallbacks`, `retry_count`, `variants` and `routing` is as in the live
    version. `reason` goes into the history.
    """

    prompt_config: PromptConfig
    variables: list[Variable] | UnsetType = UNSET
    status: Literal["draft", "published", "live"] = "draft"
    version_bump: Bump = "minor"
    description: Annotated[str, Meta(max_length=MAX_DESCRIPTION)] = ""
    notes: Annotated[str, Meta(max_length=MAX_NOTES)] = ""
    reason: Annotated[str, Meta(max_length=MAX_NOTES)] | UnsetType = UNSET


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of what moves the live pointer; it may be left out."""

    reason: Annotated[str, Meta(max_length=MAX_NOTES)] | UnsetType = UNSET


class Version(msgspec.Struct, frozen=True):
    """A version as it is stored, with the status it has now. `rev` is the revision that made it, and its place."""

    id: str
    deployment_id: str
    number: VersionNumber
    prompt_config: str
    variables: str
    description: str
    notes: str
    content_sha256: str
    created_us: int
    api_key_id: str | None
    rev: int
    deleted_us: int | None
    serving: str
    status: Status

    @property
    def is_erased(self) -> bool:
        """Whether its content is gone for good."""
        return not self.prompt_config

    @property
    def place(self) -> int:
        """Its place in the list."""
        return self.rev

    def content(self) -> dict[str, Any]:
        """What differs between versions: the configuration and the variables, as JSON values.

        Raises:
            VersionUnreadable
        """
        self.item()
        return {
            "prompt_config": msgspec.json.decode(self.prompt_config),
            "variables": msgspec.json.decode(self.variables),
            "description": self.description,
            **msgspec.json.decode(self.serving),
        }

    def item(self) -> VersionItem:
        """What is sent of it.

        Raises:
            VersionUnreadable: what is stored was not written by Moorage.
        """
        try:
            config, serving = decode_prompt_config(self.prompt_config), decode_serving(self.serving)
            variables = decode_variables(self.variables)
        except UNREADABLE as error:
            raise VersionUnreadable(version=str(self.number), reason=str(error)[:500]) from error
        return VersionItem(
            id=self.id,
            deployment_id=self.deployment_id,
            variant_id=self.deployment_id,  # of the default variant, which its prompt_config is
            prompt_config=VersionPromptConfig(
                config.model, config.model, config.model_type, config.model_parameters, config.provider, config.messages
            ),
            fallbacks=serving.fallbacks,
            tools=config.tools,
            variables=variables,
            timestamp=iso(self.created_us),
            version=str(self.number),
            description=self.description,
            status=self.status,
            user_id=self.api_key_id,
            notes=self.notes or UNSET,
            settings=serving.settings,
            retry_count=serving.retry_count,
            variants=serving.variants or UNSET,
            routing=serving.routing or UNSET,
        )
