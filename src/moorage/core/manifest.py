"""Manifest: a deployment as a file says it, and who keeps it."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from moorage.core.deployment import Deployment
from moorage.core.ownership import Owner
from moorage.core.prompt_config import PromptConfig, Variable
from moorage.core.times import iso

_prompt_config = msgspec.json.Decoder(PromptConfig)
_variables = msgspec.json.Decoder(list[Variable])


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


class ManifestPage(msgspec.Struct, frozen=True):
    """A page of manifests, newest deployment first."""

    object: Literal["list"]
    data: list[Manifest]
    has_more: bool


class Kept(msgspec.Struct, frozen=True):
    """A deployment with the declared variables of its live version, as they are stored."""

    deployment: Deployment
    variables: str

    @property
    def place(self) -> int:
        """Its place in the list."""
        return self.deployment.seq

    def manifest(self) -> Manifest:
        """What is sent of it."""
        it = self.deployment
        return Manifest(
            id=it.id,
            key=it.key,
            owner=it.owner,
            file=it.file,
            etag=it.etag,
            version=str(it.version),
            updated=iso(it.updated_us),
            description=it.description,
            variables=_variables.decode(self.variables),
            prompt_config=_prompt_config.decode(it.prompt_config),
        )
