"""Manifest: a deployment as a file says it, and who keeps it."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.deployment import Deployment
from moorage.core.ownership import Owner
from moorage.core.prompt_config import Number, PromptConfig, Variable, decode_prompt_config, decode_variables
from moorage.core.routing import Route
from moorage.core.serving import decode_serving
from moorage.core.times import iso
from moorage.core.variant import Fallback, Settings, Variant


class Manifest(msgspec.Struct, frozen=True):
    """All that a file would say of a deployment: the list's item shows no variables. `file` is where it was applied
    from last; with `owner` `api` it was taken over from there."""

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
    settings: Settings | UnsetType = UNSET
    fallbacks: list[Fallback] | UnsetType = UNSET
    retry_count: Number | UnsetType = UNSET
    variants: list[Variant] | UnsetType = UNSET
    routing: list[Route] | UnsetType = UNSET


class ManifestPage(msgspec.Struct, frozen=True):
    """A page of manifests, newest deployment first."""

    object: Literal["list"]
    data: list[Manifest]
    has_more: bool


def manifest_of(deployment: Deployment) -> Manifest:
    """What is sent of a deployment."""
    it, serving = deployment, decode_serving(deployment.serving)
    return Manifest(
        id=it.id,
        key=it.key,
        owner=it.owner,
        file=it.file,
        etag=it.etag,
        version=str(it.version),
        updated=iso(it.updated_us),
        description=it.description,
        variables=decode_variables(it.variables),
        prompt_config=decode_prompt_config(it.prompt_config),
        settings=serving.settings,
        fallbacks=serving.fallbacks or UNSET,
        retry_count=serving.retry_count,
        variants=serving.variants or UNSET,
        routing=serving.routing or UNSET,
    )
