"""Gateway: from a key, a context and inputs to what is sent to a model."""

from collections.abc import Mapping
from typing import Any

import msgspec

from moorage.catalog.catalog import Catalog
from moorage.core.configuration import ConfigurationRequest
from moorage.core.deployment import Live
from moorage.core.plan import Plan, Prepared
from moorage.core.resolution import Resolution
from moorage.core.template import Rendered
from moorage.core.template_errors import JinjaNotEnabled
from moorage.rendering.jinja import Jinja

#: How many plans are kept; what is asked for again after that is made again.
MAX_PLANS = 10_000


class Resolved(msgspec.Struct, frozen=True):
    """The answer to a call, as JSON (`Configuration`), and what it is of."""

    live: Live
    resolution: Resolution
    configuration: bytes


class Gateway:
    """Answers calls from the catalog."""

    def __init__(self, catalog: Catalog, jinja: Jinja | None) -> None:
        """Without `jinja` such templates are refused."""
        self._catalog = catalog
        self._jinja = jinja
        self._plans: dict[str, Plan] = {}

    @property
    def has_jinja(self) -> bool:
        """Whether it answers calls of deployments with jinja templates."""
        return self._jinja is not None

    def plan(self, project_id: str, key_or_id: str) -> Plan:
        """The plan of a deployment's live version.

        Raises:
            DeploymentNotFound, DeploymentDeleted
        """
        live = self._catalog.project(project_id).live(key_or_id)
        plan = self._plans.get(live.id)
        if plan is None or plan.live != live:
            if len(self._plans) >= MAX_PLANS:
                self._plans.clear()
            plan = self._plans[live.id] = Plan(live)
        return plan

    async def resolve(self, project_id: str, request: ConfigurationRequest) -> Resolved:
        """What to send to the model.

        Raises:
            DeploymentNotFound, DeploymentDeleted, InvalidBody, VariantNotResolved, TemplateError, RenderingBusy
        """
        plan = self.plan(project_id, request.key)
        resolved = resolve_now(plan, request)
        if resolved is not None:
            return resolved
        resolution, prepared = plan.resolve(request.attributes())
        rendered = await self._render_jinja(prepared, request.inputs)
        return Resolved(plan.live, resolution, prepared.encoded(rendered, request))

    def close(self) -> None:
        """End what renders."""
        if self._jinja is not None:
            self._jinja.close()

    async def _render_jinja(self, prepared: Prepared, inputs: Mapping[str, Any]) -> list[Rendered]:
        if self._jinja is None:
            raise JinjaNotEnabled
        return await self._jinja.render(prepared.texts, prepared.inputs(inputs), prepared.missing)


def resolve_now(plan: Plan, request: ConfigurationRequest) -> Resolved | None:
    """The same at once, by a deployment's plan; nothing for a template that is rendered elsewhere.

    Raises:
        InvalidBody, VariantNotResolved, TemplateError
    """
    resolution, prepared = plan.resolve(request.attributes())
    if prepared.engine == "jinja":
        return None
    return Resolved(plan.live, resolution, prepared.answer(request))
