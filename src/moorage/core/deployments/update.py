"""The content of a deployment after a write."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from moorage.core.deployments.content import DECODE_ERRORS, Content, StoredContent
from moorage.core.deployments.deployment import Deployment, PutDeployment, unreadable
from moorage.core.deployments.prompt_config import PromptConfig, Variable, decode_variables
from moorage.core.deployments.runtime_config import EMPTY, RuntimeConfig, check_variables, decode_runtime_config
from moorage.core.deployments.template_check import MAX_ELEMENTS, check_templates
from moorage.core.deployments.variant import Missing, Settings
from moorage.core.deployments.version import PostVersion
from moorage.core.errors.requests import InvalidBody
from moorage.core.validation.validate import Report


def encoded_content(body: PutDeployment | PostVersion, live: Deployment | None = None) -> tuple[StoredContent, str]:
    """Return the JSON texts of the content that a body describes, and their hash.

    Raises:
        InvalidBody: see `updated_content`.
        DeploymentUnreadable: the live version cannot be decoded.
    """
    variables, runtime_config = list[Variable](), None
    if live is not None:
        try:  # the body replaces prompt_config, so a put can repair one that cannot be decoded
            variables = decode_variables(live.content.variables)
            runtime_config = decode_runtime_config(live.content.runtime_config)
        except DECODE_ERRORS as error:
            raise unreadable(live.key, error) from error
    content = updated_content(body, variables, runtime_config).encode()
    return content, content.sha256()


def updated_content(
    body: PutDeployment | PostVersion, variables: Sequence[Variable] = (), runtime_config: RuntimeConfig | None = None
) -> Content:
    """Return the content that a body describes.

    Args:
        body: The fields to change.
        variables: Those of the live version, for a body without variables.
        runtime_config: That of the live version, for omitted fields; None for a new deployment.

    Raises:
        InvalidBody: the fields contradict each other, or those of the live version.
    """
    declared = list(variables) if body.variables is UNSET else body.variables
    updated = _with_missing_inputs((runtime_config or EMPTY).updated(body), declared, runtime_config)
    report = Report()
    check_variables(declared, report)
    updated.check(report)
    _check_tools(body.prompt_config, report, "prompt_config.tools")
    for index, variant in enumerate(body.variants or ()):
        _check_tools(variant.prompt_config, report, f"variants[{index}].prompt_config.tools")
    elements = len(declared) + len(body.prompt_config.tools)
    elements += check_templates(body.prompt_config, updated.settings, report, "prompt_config")
    for index, variant in enumerate(updated.variants):
        elements += len(variant.variables or ()) + len(variant.prompt_config.tools)
        elements += check_templates(variant.prompt_config, variant.settings, report, f"variants[{index}].prompt_config")
    if elements > MAX_ELEMENTS:
        parts = "messages, template tags, variables and tools"
        report.problem("", f"must have at most {MAX_ELEMENTS:,} {parts}, in all variants together")
    if report.problems:
        raise InvalidBody.of(report.problems)
    return Content(body.prompt_config, declared, updated)


def _with_missing_inputs(
    config: RuntimeConfig, variables: Sequence[Variable], live: RuntimeConfig | None
) -> RuntimeConfig:
    """Return a runtime configuration in which an omitted `missing_inputs` has its default.

    In a new deployment, that is `error` for each variant that declares variables: its author knows which inputs there
    are, so a missing one is a mistake. Later, the value is unchanged, so a change of other settings does not change how
    requests are treated.
    """
    if live is None:
        settings = _completed(config.settings, _for_new(variables))
        defaults = {each.name: _for_new(each.variables) for each in config.variants}
    else:
        settings = _completed(config.settings, live.settings.missing_inputs if live.settings else UNSET)
        of_default = settings.missing_inputs if settings else UNSET
        before = {each.name: each.settings.missing_inputs if each.settings else UNSET for each in live.variants}
        defaults = {each.name: before.get(each.name, of_default) for each in config.variants}
    variants = [
        msgspec.structs.replace(each, settings=_completed(each.settings, defaults[each.name]))
        for each in config.variants
    ]
    return msgspec.structs.replace(config, settings=settings, variants=variants)


def _for_new(variables: Sequence[Variable] | UnsetType) -> Missing | UnsetType:
    return "error" if variables else UNSET


def _completed(settings: Settings | UnsetType, missing_inputs: Missing | UnsetType) -> Settings | UnsetType:
    if missing_inputs is UNSET or (settings and settings.missing_inputs):
        return settings
    return msgspec.structs.replace(settings or Settings(), missing_inputs=missing_inputs)


def _check_tools(config: PromptConfig, report: Report, path: str) -> None:
    """Report tools with the name of another: a model could not say which one it calls."""
    seen = dict[str, int]()
    for index, tool in enumerate(config.tools):
        name = tool.function.name
        if name in seen:
            where = f"{path}[{index}].function.name"
            report.problem(where, f"is already the name of tools[{seen[name]}]: {name!r}; rename or remove one")
        else:
            seen[name] = index
