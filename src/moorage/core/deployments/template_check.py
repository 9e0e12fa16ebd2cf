"""The check of templates when a version is saved, instead of when it is used."""

import msgspec
from msgspec import UNSET, UnsetType

from moorage.core.deployments.message_templates import templates_in
from moorage.core.deployments.prompt_config import PromptConfig
from moorage.core.deployments.variant import Settings
from moorage.core.errors.templates import InvalidTemplate
from moorage.core.templates.template import count_tags
from moorage.core.validation.validate import Report

#: The maximum number of messages, template tags, variables and tools of a version, in all variants together: each costs
#: some microseconds when the version is compared, published and compiled.
MAX_ELEMENTS = 5_000


def check_templates(config: PromptConfig, settings: Settings | UnsetType, report: Report, path: str) -> int:
    """Report invalid mustache templates of a `prompt_config` at `path`; return the number of its templates and tags.

    Every text is a valid text template. Only the rendering process can check jinja templates.
    """
    engine, tags = (settings.engine if settings else UNSET) or "text", 0
    if engine == "jinja":
        return len(config.messages)
    for where, template in templates_in(msgspec.to_builtins(config.messages)):
        if tags > MAX_ELEMENTS:
            break  # the caller reports it
        try:
            tags += 1 + count_tags(engine, template)
        except InvalidTemplate as error:
            report.problem(f"{path}.messages{where}", f"is not a valid mustache template: {error.fields['reason']}")
    return tags
