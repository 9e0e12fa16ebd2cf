"""A database with the largest contents, for the worst requests."""

from functools import partial

import msgspec

from moorage.core.access import Scope
from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.deployment import FIRST_VERSION, PutDeployment
from moorage.core.deployments.history import Actor
from moorage.core.deployments.ids import new_id
from moorage.core.deployments.ownership import WriteOptions
from moorage.core.deployments.version import PostVersion
from moorage.registry.deployments import put_deployment
from moorage.registry.versions import save_version
from moorage.registry.write_context import WriteContext
from moorage.store.opening import open_store
from moorage.store.transaction import Transaction
from tests.support.registry import create_api_key, create_project, parsed, put, save
from tests.support.server import Project, Server, a_body
from tests.system.worst_cases.bodies import DEPLOYMENTS, HEAVIEST, user

ALLOWED = WriteOptions(allow_breaking=True)
_SMALL = StoredContent(
    '{"tools":[],"model":"m","model_type":"chat","model_parameters":{},"provider":"openai","messages":[]}', "[]", "{}"
)

#: The number of deployments of the project with many, and how many are inserted in one commit.
MANY, _GROUP = 11_000, 500


def fill(server: Server) -> tuple[Project, Project]:
    """Fill the database of a server that is not started; return a project with large and one with many deployments."""
    store = open_store(server.database)
    projects = []
    for name in ("large", "many"):
        project = create_project(store, name)
        _, token = create_api_key(store, project.id, "test", frozenset(Scope))
        projects.append(Project(server, project.id, project.name, token))
    large, many = projects
    ctx = WriteContext(large.id, options=ALLOWED)
    for key, body in DEPLOYMENTS.items():
        content = parsed(body, PutDeployment)
        config = msgspec.structs.replace(content.prompt_config, provider="anthropic")
        draft = PostVersion(prompt_config=config)
        store.run(put_deployment, ctx, key, content)
        for prefix in ("deleted-", "drafts-", "published-") if key in HEAVIEST else ():
            store.run(put_deployment, ctx, f"{prefix}{key}", content)
            store.run(save_version, ctx, f"{prefix}{key}", draft)
    for key in ("versions", "history", "saved"):
        put(store, large.id, key, a_body())
    for number in range(12):
        config = a_body(messages=[user(f"{number}" * 500_000)])["prompt_config"]
        save(store, large.id, "versions", {"prompt_config": config})
        put(store, large.id, f"page{number}", {"prompt_config": config})
    for number in range(45):
        names = [f"{'n' * 120}{number}x{index}" for index in range(200)]
        text = "".join(f"{{{{{name}}}}}" for name in names)
        put(store, large.id, "history", a_body(messages=[user(text)]), ALLOWED, reason="\x01" * 10_000)
    for start in range(0, MANY, _GROUP):
        insert = [partial(_insert, project_id=many.id, number=number) for number in range(start, start + _GROUP)]
        assert not any(isinstance(result, Exception) for result in store.group_commit(insert))
    store.close()
    return large, many


def _insert(tx: Transaction, project_id: str, number: int) -> None:
    version_id = new_id()
    deployment_id = tx.insert_deployment(project_id, f"d{number}", "", version_id)
    tx.insert_version(version_id, deployment_id, FIRST_VERSION, _SMALL, Actor())
