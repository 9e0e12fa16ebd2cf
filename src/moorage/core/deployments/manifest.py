"""Manifest: a deployment as in a file, with its owner."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.deployments.content import Content
from moorage.core.deployments.deployment import Deployment
from moorage.core.deployments.ownership import Owner
from moorage.core.deployments.prompt_config import PromptConfig, Variable
from moorage.core.deployments.runtime_config import RuntimeConfig
from moorage.core.deployments.variant import Fallback, Settings, Variant
from moorage.core.routing.rules import RoutingRule
from moorage.core.times import iso
from moorage.core.validation.bounds import Number


class Manifest(msgspec.Struct, frozen=True):
    """The full content of a deployment, as a file describes it.

    `file` is the file of the last `moorage apply`. If `owner` is `api`, the API took the deployment over from it.
    """

    id: Annotated[str, Meta(description="Opaque; the cursor of the list.")]
    key: str
    owner: Owner
    file: str | None
    etag: str
    version: str
    updated: str
    description: str
    variables: list[Variable]
    prompt_config: PromptConfig
    aliases: list[str] | UnsetType = UNSET
    settings: Settings | UnsetType = UNSET
    fallbacks: list[Fallback] | UnsetType = UNSET
    retry_count: Number | UnsetType = UNSET
    variants: list[Variant] | UnsetType = UNSET
    routing: list[RoutingRule] | UnsetType = UNSET

    def content(self) -> Content:
        """Return the content."""
        config = RuntimeConfig(
            self.settings, self.fallbacks or [], self.retry_count, self.variants or [], self.routing or []
        )
        return Content(self.prompt_config, self.variables, config)


class UnreadableDeployment(msgspec.Struct, frozen=True):
    """A deployment that has no manifest, because its row in the database cannot be decoded."""

    id: str
    key: str
    message: str


class ManifestPage(msgspec.Struct, frozen=True):
    """A page of manifests, newest deployment first. `unreadable` lists deployments that are not in `data`."""

    object: Literal["list"]
    data: list[Manifest]
    has_more: bool
    unreadable: list[UnreadableDeployment] | UnsetType = UNSET


def manifest_of(deployment: Deployment) -> Manifest:
    """Return the representation of a deployment in responses."""
    return Manifest(
        id=deployment.id,
        key=deployment.key,
        owner=deployment.owner,
        file=deployment.file,
        etag=deployment.etag,
        version=str(deployment.version),
        updated=iso(deployment.updated_us),
        description=deployment.description,
        aliases=[*deployment.aliases] or UNSET,
        **fields_of(deployment.content.decode()),
    )


def fields_of(content: Content) -> dict[str, Any]:
    """Return the fields of a content in a manifest; empty ones of the runtime configuration are UNSET."""
    runtime_config = content.runtime_config
    return {
        "variables": content.variables,
        "prompt_config": content.prompt_config,
        "settings": runtime_config.settings,
        "fallbacks": runtime_config.fallbacks or UNSET,
        "retry_count": runtime_config.retry_count,
        "variants": runtime_config.variants or UNSET,
        "routing": runtime_config.routing or UNSET,
    }
