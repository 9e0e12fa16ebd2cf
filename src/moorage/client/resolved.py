"""A request of `get_config` with its variant."""

from typing import Any

from moorage.client.config import Config
from moorage.client.state import ClientState
from moorage.client.usage import UsageReports
from moorage.core.deployments.deployment import LiveVersion
from moorage.core.resolution.compiled import CompiledVariant
from moorage.core.resolution.config import GetConfigRequest
from moorage.core.routing.table import Resolution
from moorage.core.templates.template import Rendered


class ResolvedRequest:
    """A request with its variant, before the templates are rendered."""

    __slots__ = ("live", "request", "resolution", "state", "usage", "variant")

    state: ClientState
    live: LiveVersion
    variant: CompiledVariant
    resolution: Resolution

    def __init__(self, state: ClientState, request: GetConfigRequest, usage: UsageReports | None) -> None:
        self.usage = usage
        if "environments" in request.context:
            state.check_context(request.context["environments"])
        compiled = state.compiled(request.key)
        self.state, self.live, self.request = state, compiled.live, request
        self.resolution, self.variant = compiled.resolve(request.attributes())

    def for_jinja(self) -> tuple[list[str], dict[str, Any], Any]:
        """Return the arguments for rendering with jinja."""
        return self.variant.texts, self.variant.inputs(self.request.inputs), self.variant.missing

    def rendered(self, templates: list[Rendered]) -> bytes:
        """Return the response as JSON, with the output of jinja."""
        return self.variant.encoded(templates, self.request)

    def config(self, json: bytes) -> Config:
        """Return the result with its source, and record the use."""
        if self.usage is not None:
            self.usage.record(self.live.version_id, self.request.inputs)
        return Config(json, self.live, self.resolution, self.state.source, self.state.age())
