"""A database with the largest contents, for the worst requests."""

from functools import partial

import msgspec

from moorage.core.access import Scope
from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.deployment import FIRST_VERSION, PutDeployment
from moorage.core.deployments.history import Actor
from moorage.core.deployments.ids import new_id
from moorage.core.deployments.ownership import WriteOptions
from moorage.core.deployments.proposal import MAX_ITEMS
from moorage.core.deployments.version import PostVersion
from moorage.core.environments import Environment, EnvironmentSettings
from moorage.registry.deployments import put_deployment
from moorage.registry.versions import save_version
from moorage.registry.write_context import WriteContext
from moorage.store.opening import open_store
from moorage.store.store import Store
from moorage.store.transaction import Transaction
from tests.support.environments import set_environment
from tests.support.registry import create_api_key, create_project, parsed, put, save
from tests.support.server import Project, Server, a_body
from tests.system.worst_cases.bodies import DEPLOYMENTS, HEAVIEST, Body, user

ALLOWED = WriteOptions(allow_breaking=True)
_SMALL = StoredContent(
    '{"tools":[],"model":"m","model_type":"chat","model_parameters":{},"provider":"openai","messages":[]}', "[]", "{}"
)

#: The number of deployments of the project with many, and how many are inserted in one commit.
MANY, _GROUP = 11_000, 500

#: How many deployments to promote have each of the largest contents.
HEAVY = 3


def fill(server: Server) -> tuple[Project, Project]:
    """Fill the database of a server that is not started; return a project with large and one with many deployments."""
    store = open_store(server.database)
    projects = []
    for name in ("large", "many"):
        project = create_project(store, name)
        _, token = create_api_key(store, project.id, "test", frozenset(Scope))
        projects.append(Project(server, project.id, project.name, token))
    large, many = projects
    _fill_environments(store, large.id)
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
    staging = set_environment(store, many.id, "staging", EnvironmentSettings())
    _put_all(store, staging, [f"d{number}" for number in range(0, MANY, 4)], a_body())
    store.close()
    return large, many


def _fill_environments(store: Store, project_id: str) -> None:
    """Put the deployments to promote, which are the oldest of the project, in production and in `staging`.

    `small` ones are as many as a promotion can have, and `heavy` ones have the largest contents. `strict` requires
    approvals.
    """
    production = set_environment(store, project_id, "production", EnvironmentSettings(protected=True))
    staging = set_environment(store, project_id, "staging", EnvironmentSettings())
    set_environment(store, project_id, "strict", EnvironmentSettings(required_approvals=1))
    small = [f"small-{number}" for number in range(MAX_ITEMS)]
    for environment, model in ((production, "old"), (staging, "new")):
        _put_all(store, environment, small, a_body(model=model))
        for key in HEAVIEST:
            body = DEPLOYMENTS[key]
            config = {**body["prompt_config"], "provider": "anthropic" if model == "new" else "openai"}
            _put_all(
                store,
                environment,
                [f"heavy-{key}-{number}" for number in range(HEAVY)],
                {**body, "prompt_config": config},
            )


def _put_all(store: Store, environment: Environment, keys: list[str], body: Body) -> None:
    """Put the same content in many deployments."""
    content = parsed(body, PutDeployment)

    def put_one(tx: Transaction, key: str) -> None:
        put_deployment(tx, WriteContext(environment.project_id, environment=environment), key, content)

    for start in range(0, len(keys), _GROUP):
        for result in store.group_commit([partial(put_one, key=key) for key in keys[start : start + _GROUP]]):
            assert not isinstance(result, Exception), result


def _insert(tx: Transaction, project_id: str, number: int) -> None:
    version_id = new_id()
    deployment_id = tx.insert_deployment(project_id, f"d{number}", "", version_id)
    tx.insert_version(version_id, deployment_id, FIRST_VERSION, _SMALL, Actor())
