"""Deployments that `moorage serve --load` puts into the default project at the start."""

import logging
from functools import partial

import msgspec

from moorage.core.deployments.deployment import PutDeployment
from moorage.core.deployments.ownership import WriteOptions
from moorage.core.deployments.page import PageQuery
from moorage.core.errors.base import DeploymentUnreadable, MoorageError
from moorage.core.errors.rows import HistoryUnreadable
from moorage.core.validation import strict_json
from moorage.core.validation.body import read_body
from moorage.documents.read import read_paths
from moorage.registry.deployments import put_deployment
from moorage.registry.lookup import find_including_deleted
from moorage.registry.projects import DEFAULT_PROJECT, get_project
from moorage.registry.write_context import WriteContext
from moorage.rendering.jinja import Jinja
from moorage.rendering.variables import TemplateVariables
from moorage.store.store import Store

_log = logging.getLogger("moorage.server")


def load_deployments(store: Store, path: str, jinja: Jinja | None) -> tuple[int, list[str]]:
    """Put the deployments in `path` into the default project; return how many there are, and all problems."""
    templates = TemplateVariables(jinja)
    # At the start, the file decides.
    ctx = WriteContext(
        get_project(store, DEFAULT_PROJECT).id, options=WriteOptions(allow_breaking=True), templates=templates
    )
    documents, problems = [document for document in read_paths([path]) if not document.is_skipped], []
    for document in documents:
        if document.problem:
            problems.append(document.problem_with_place())
            continue
        if _was_changed(store, ctx.project_id, document.key):
            continue
        try:
            body, _ = read_body(strict_json.parse(msgspec.json.encode(document.body)), PutDeployment)
            templates.run_with_variables(partial(store.run, put_deployment, ctx, document.key, body))
        except MoorageError as error:
            lines = [f"{problem.path}: {problem.message}" for problem in error.problems] or [str(error)]
            problems += [f"{document.source} ({document.key}): {line}" for line in lines]
    if jinja is not None:
        jinja.close()
    return len(documents), problems


def _was_changed(store: Store, project_id: str, key: str) -> bool:
    """Return whether a deployment was changed or deleted since it was loaded, or is managed by a file.

    A restart must not revert such a change. One that cannot be decoded was changed, and must not stop the start.
    """
    try:
        with store.read() as reader:
            deployment = find_including_deleted(reader, project_id, key)
            if deployment is None:
                return False
            entries, _ = reader.history(deployment.id, PageQuery(limit=1))
    except (DeploymentUnreadable, HistoryUnreadable) as error:
        _log.error("%s It is not loaded again.", error)
        return True
    return deployment.owner == "files" or any(entry.api_key is not None for entry in entries)
