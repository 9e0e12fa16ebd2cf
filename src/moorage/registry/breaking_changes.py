"""Breaking changes: a version that breaks callers is published only with `allow_breaking`."""

from moorage.core.compatibility.breaking import MAX_LISTED, breaks, listed, templates_of
from moorage.core.compatibility.consumers import ConsumerRecord, affected_consumers
from moorage.core.compatibility.contract import Needs, Templates
from moorage.core.compatibility.errors import BreakingChange
from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.deployment import Deployment
from moorage.core.errors.requests import ComparisonTooLarge
from moorage.core.errors.templates import InvalidTemplate, JinjaNotEnabled
from moorage.core.routing.rules import DEFAULT_VARIANT
from moorage.core.validation.json_path import join
from moorage.registry.write_context import WriteContext
from moorage.store.reader import Reader

#: The entry of the history for a version that was too large to compare, in place of the paths.
_NOT_COMPARED = "not compared"


def check_jinja(ctx: WriteContext, new: StoredContent) -> None:
    """Check that the jinja templates of a content can be rendered.

    Raises:
        JinjaNotEnabled: this server does not render jinja templates.
        InvalidTemplate: a template does not compile.
    """
    if '"jinja"' not in new.runtime_config:  # decoding costs more than this search
        return
    jinja = ctx.calculate(_jinja_templates, new)
    if jinja and not ctx.templates.has_jinja:
        raise JinjaNotEnabled(param="engine")
    for name, found in zip(jinja, ctx.templates.find_variables([*jinja.values()]), strict=True):
        if isinstance(found, InvalidTemplate):
            where = "prompt_config.messages" if name == DEFAULT_VARIANT else join("variants", name)
            raise InvalidTemplate(param=where, engine="jinja", reason=found.fields["reason"])


def _jinja_templates(content: StoredContent) -> dict[str, Templates]:
    """Return the templates of the variants that use jinja."""
    variants = content.decode().variants()
    return {name: templates_of(each) for name, each in variants.items() if each.settings.engine == "jinja"}


def check_breaking(reader: Reader, ctx: WriteContext, live: Deployment, new: StoredContent) -> list[str]:
    """Return the paths that break for callers when `new` replaces the live version; none if nothing is live.

    Raises:
        BreakingChange: there are such paths, and the options do not allow them.
        ComparisonTooLarge: there are too many changes to find out, and the options do not allow breaking changes.
    """
    if live.live_version_id is None:
        return []
    try:
        found = ctx.calculate(breaks, live.content, new, ctx.templates.find_variables)
    except ComparisonTooLarge:
        if not ctx.options.allow_breaking:
            raise
        return [_NOT_COMPARED]
    breaking = listed(found)
    if breaking and not ctx.options.allow_breaking:
        required = sorted({name for each in found for name in each.needs.required})
        removed = sorted({name for each in found for name in each.needs.removed})
        affected = affected_consumers(_callers(reader, live), Needs(required, removed))
        raise BreakingChange.of(live.key, str(live.version), breaking, affected[:MAX_LISTED])
    return [change.path for change in breaking]


def _callers(reader: Reader, live: Deployment) -> list[ConsumerRecord]:
    """Return the consumers of a live version in its environment; of production, also those of its followers."""
    found = reader.consumers_of_version(live.live_version_id or "", 0)
    if live.environment_id is not None:
        return [record for record in found if record.environment_id == live.environment_id]
    others = {each.environment_id for each in reader.own_pointers(live.id)}
    return [record for record in found if record.environment_id not in others]
