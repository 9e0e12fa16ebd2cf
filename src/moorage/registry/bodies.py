"""What the body of a write says of a deployment."""

from msgspec import UNSET

from moorage.core import strict_json
from moorage.core.body import read_body
from moorage.core.conform import Report
from moorage.core.deployment import UNREADABLE, Content, Deployment, PutDeployment, unreadable
from moorage.core.history import Actor
from moorage.core.prompt_config import Variable, decode_variables
from moorage.core.request_errors import InvalidBody
from moorage.core.serving import NOTHING, check_variables, decode_serving
from moorage.core.template_check import check_templates
from moorage.core.version import PostVersion, Reason


def content_of(wanted: PutDeployment | PostVersion, live: Deployment | None = None) -> Content:
    """What a body makes of a deployment's content; what it leaves out stays as in the `live` version.

    Raises:
        InvalidBody: its parts do not fit together, or not with what stays.
        DeploymentUnreadable: it cannot be told what stays.
    """
    variables, serving = list[Variable](), NOTHING
    if live is not None:
        try:
            variables, serving = decode_variables(live.variables), decode_serving(live.serving)
        except UNREADABLE as error:
            raise unreadable(live.key, error) from error
    if wanted.variables is not UNSET:
        variables = wanted.variables
    serving, report = serving.changed(wanted), Report()
    check_variables(variables, report)
    serving.check(report)
    check_templates(wanted.prompt_config, serving.settings, report, "prompt_config")
    for index, variant in enumerate(serving.variants):
        check_templates(variant.prompt_config, variant.settings, report, f"variants[{index}].prompt_config")
    if report.problems:
        raise InvalidBody.of(report.problems)
    return Content.of(wanted.prompt_config, variables, serving)


def with_reason(body: bytes, by: Actor) -> Actor:
    """Who asks, with the reason of a body (JSON, `Reason`) if there is one.

    Raises:
        InvalidJson, InvalidBody
    """
    if not body.strip():
        return by
    return by.because(read_body(strict_json.parse(body), Reason)[0].reason)
