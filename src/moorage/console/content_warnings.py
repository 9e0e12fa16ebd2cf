"""The warnings about a stored version, where no dry run can return them: for example, without the scope to publish."""

from collections.abc import Mapping
from typing import Any

from moorage import clock
from moorage.console.page_request import PageRequest
from moorage.core.deployments.content import StoredContent
from moorage.core.errors.base import Problem
from moorage.core.lint.content import lint
from moorage.registry.lookup import get_deployment, get_version
from moorage.registry.write_context import WriteContext
from moorage.rendering.variables import VariablesNotCached


async def content_warnings(page: PageRequest, version: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the path and the message of each warning about a version that the page has read.

    Raises:
        NotFound: the version was deleted in the meantime.
        StorageError
    """
    services, project_id = page.services, page.key.project_id
    context = WriteContext(project_id, templates=services.template_variables)

    def read() -> tuple[StoredContent, list[Problem]]:
        with services.store.read() as reader:
            deployment = get_deployment(reader, project_id, version["deployment_id"])
            content = get_version(reader, deployment, version["_id"]).content
            return content, [*context.integration_warnings(reader, content)]

    content, of_integrations = await page.in_thread(read)
    while True:
        try:
            found = await page.compute(lambda: lint(content, services.template_variables.find_variables, clock.today()))
            return [(each.path, each.message) for each in [*found, *of_integrations]]
        except VariablesNotCached as missing:  # only a jinja process can list them
            await services.template_variables.load(missing.templates)
