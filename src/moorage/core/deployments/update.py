"""The content of a deployment after a write."""

from msgspec import UNSET

from moorage.core.deployments.content import DECODE_ERRORS, Content, StoredContent
from moorage.core.deployments.deployment import Deployment, PutDeployment, unreadable
from moorage.core.deployments.prompt_config import Variable, decode_variables
from moorage.core.deployments.runtime_config import EMPTY, check_variables, decode_runtime_config
from moorage.core.deployments.template_check import MAX_ELEMENTS, check_templates
from moorage.core.deployments.version import PostVersion
from moorage.core.errors.requests import InvalidBody
from moorage.core.validation.validate import Report


def encoded_content(body: PutDeployment | PostVersion, live: Deployment | None = None) -> tuple[StoredContent, str]:
    """Return the JSON texts of the content that a body describes, and their hash.

    Raises:
        InvalidBody, DeploymentUnreadable: see `updated_content`.
    """
    content = updated_content(body, live).encode()
    return content, content.sha256()


def updated_content(body: PutDeployment | PostVersion, live: Deployment | None = None) -> Content:
    """Return the content that a body describes; omitted fields come from the live version.

    Raises:
        InvalidBody: the fields contradict each other, or those of the live version.
        DeploymentUnreadable: the live version cannot be decoded.
    """
    variables, runtime_config = list[Variable](), EMPTY
    if live is not None:
        try:  # the body replaces prompt_config, so a put can repair one that cannot be decoded
            variables = decode_variables(live.content.variables)
            runtime_config = decode_runtime_config(live.content.runtime_config)
        except DECODE_ERRORS as error:
            raise unreadable(live.key, error) from error
    if body.variables is not UNSET:
        variables = body.variables
    runtime_config, report = runtime_config.updated(body), Report()
    check_variables(variables, report)
    runtime_config.check(report)
    elements = len(variables) + len(body.prompt_config.tools)
    elements += check_templates(body.prompt_config, runtime_config.settings, report, "prompt_config")
    for index, variant in enumerate(runtime_config.variants):
        elements += len(variant.variables or ()) + len(variant.prompt_config.tools)
        elements += check_templates(variant.prompt_config, variant.settings, report, f"variants[{index}].prompt_config")
    if elements > MAX_ELEMENTS:
        parts = "messages, template tags, variables and tools"
        report.problem("", f"must have at most {MAX_ELEMENTS:,} {parts}, in all variants together")
    if report.problems:
        raise InvalidBody.of(report.problems)
    return Content(body.prompt_config, variables, runtime_config)
