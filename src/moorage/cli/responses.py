"""The parts of the API's responses that the command line uses.

A response is decoded as one of these types, so a server that is not Moorage, or is hostile, causes one error. A field
that the command line does not use is ignored.
"""

from typing import Any, Generic, Literal, Protocol, TypeVar

import msgspec

from moorage.core.deployments.history import KeyName
from moorage.core.deployments.ids import check_key, is_segment
from moorage.core.deployments.manifest import Manifest
from moorage.core.environments import PRODUCTION
from moorage.core.errors.requests import InvalidKey


class HasId(Protocol):
    """An item of a list; its id is the cursor of the next page."""

    @property
    def id(self) -> str:
        """The id."""


ItemT = TypeVar("ItemT", bound=HasId)


class Page(msgspec.Struct, Generic[ItemT], frozen=True):
    """A page of a list."""

    data: list[ItemT]
    has_more: bool


PageT = TypeVar("PageT", bound=Page[Any])


class Item(msgspec.Struct, frozen=True):
    """Something with an id."""

    id: str

    def __post_init__(self) -> None:
        """Check the id, which becomes a part of paths and of commands to copy."""
        if not is_segment(self.id):
            raise ValueError("not an id")


class Keyed(Item, frozen=True):
    """A deployment."""

    key: str

    def __post_init__(self) -> None:
        """Check the key, which becomes a part of paths, file names and commands to copy."""
        super().__post_init__()
        try:
            check_key(self.key)
        except InvalidKey as error:
            raise ValueError("not a deployment key") from error


class ModelSummary(msgspec.Struct, frozen=True):
    """The model of a deployment."""

    provider: str
    model: str
    model_type: str


class DeploymentRow(Keyed, frozen=True):
    """A row of `moorage deployments list`."""

    version: str
    updated: str
    description: str
    prompt_config: ModelSummary


class ShownDeployment(Keyed, frozen=True):
    """A deployment with its configuration."""

    version: str
    created: str
    updated: str
    description: str
    prompt_config: dict[str, Any]
    aliases: list[str] = []


class LiveDeployment(Keyed, frozen=True):
    """A deployment after a change."""

    version: str
    description: str = ""
    aliases: list[str] = []


class VersionRow(msgspec.Struct, frozen=True):
    """A row of `moorage deployments versions`."""

    id: str = msgspec.field(name="_id")
    version: str
    status: str
    timestamp: str
    user_id: str | None
    description: str
    notes: str = ""
    environments: list[str] = []


class VersionItem(msgspec.Struct, frozen=True):
    """A version with its content."""

    id: str = msgspec.field(name="_id")
    version: str
    status: str
    prompt_config: dict[str, Any]
    tools: list[Any]
    variables: list[Any]
    settings: Any = None
    fallbacks: list[Any] = []
    retry_count: Any = None
    variants: list[Any] = []
    routing: list[Any] = []
    notes: str = ""

    def fields(self) -> dict[str, Any]:
        """Return the content in the form and the order of a manifest, without empty fields."""
        config = {name: value for name, value in self.prompt_config.items() if name != "model_db_id"}
        names = ("variables", "settings", "fallbacks", "retry_count", "variants", "routing")
        others = {name: value for name in names if (value := getattr(self, name)) not in (None, [])}
        return {"prompt_config": {"tools": self.tools, **config}, **others}


class SavedVersion(msgspec.Struct, frozen=True):
    """A version after it was saved, published, or restored."""

    version: str
    status: str = ""

    def __post_init__(self) -> None:
        """Check the number, which becomes a part of commands to copy."""
        if not is_segment(self.version):
            raise ValueError("not a version")


class Deleted(Item, frozen=True):
    """A deployment (with its `key`) or a version (with its `version`) after a deletion."""

    restorable_until: str
    key: str = ""
    version: str = ""

    def __post_init__(self) -> None:
        """Check the names, which become parts of commands to copy."""
        super().__post_init__()
        if not (is_segment(self.key or "-") and is_segment(self.version or "-")):
            raise ValueError("not a deployment key or version")


class KeyItem(Item, frozen=True):
    """An API key in a list, or after its creation, with its token."""

    name: str
    scopes: list[str]
    token: str
    status: str
    created: str
    environment: str = ""
    expires_at: str = ""
    last_used: str = ""


class IntegrationRow(Item, frozen=True):
    """An integration; without `credentials`, they cannot be decrypted."""

    name: str
    provider: str
    url: str
    status: str
    source: str
    credentials: dict[str, str] | None
    key_id: str = ""
    updated: str = ""


class DeletedItem(Item, frozen=True):
    """Something that was deleted and cannot be restored."""

    name: str


class HistoryRow(msgspec.Struct, frozen=True):
    """An entry of the history; without an API key, the operator made the change."""

    id: str
    at: str
    action: str
    from_version: str | None
    to_version: str | None
    api_key: KeyName | None
    reason: str
    breaking: list[str] = []
    environment: str = ""
    from_environment: str = ""
    approved_by: list[KeyName] = []
    emergency: bool = False

    @property
    def by(self) -> str:
        """Who made the change."""
        return self.api_key.name if self.api_key else "the operator"

    @property
    def why(self) -> str:
        """The reason, after the breaking changes that it allowed, and who approved it."""
        parts = [
            *(["emergency"] if self.emergency else []),
            *([f"from {self.from_environment}"] if self.from_environment else []),
            *([f"approved by {', '.join(key.name for key in self.approved_by)}"] if self.approved_by else []),
            *([f"breaking {', '.join(self.breaking)}"] if self.breaking else []),
            *([self.reason] if self.reason else []),
        ]
        return "; ".join(parts)


class ManifestItem(Manifest, frozen=True):
    """A manifest whose key can be the name of a file."""

    def __post_init__(self) -> None:
        """Check the key and the id."""
        Keyed(self.id, self.key)


class UnreadableItem(msgspec.Struct, frozen=True):
    """A deployment that the server cannot decode; its id can be any text."""

    id: str
    message: str


class ManifestPage(Page[ManifestItem], frozen=True):
    """A page of manifests, and the deployments that have none."""

    unreadable: list[UnreadableItem] = []


class SnapshotReply(msgspec.Struct, frozen=True):
    """The live versions of an environment; format 1 is that of production."""

    format: Literal[1, 2]
    project: str
    deployments: list[Keyed]
    environment: str = PRODUCTION


class DifferenceReply(msgspec.Struct, frozen=True):
    """The differences between two versions."""

    changes: list[Any]


class ConfigReply(msgspec.Struct, frozen=True):
    """The configuration to send to a model."""

    provider: str
    model: str
    messages: list[Any]
    missing_inputs: list[str] = []


class ProbeReply(msgspec.Struct, frozen=True):
    """The result of the test of an integration; without a response of the provider, there is no status."""

    url: str
    ok: bool
    milliseconds: float
    message: str
    status: int | None = None


class Health(msgspec.Struct, frozen=True):
    """The state of a server."""

    status: str


class ApiInfo(msgspec.Struct, frozen=True):
    """The version of a server."""

    version: str


class ApiDescription(msgspec.Struct, frozen=True):
    """The head of /openapi.json."""

    info: ApiInfo
