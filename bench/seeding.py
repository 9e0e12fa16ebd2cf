"""Databases with many deployments in them, made in one transaction."""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import msgspec

from bench.data import Named
from moorage.core.access import DEFAULT_SCOPES, ApiKey, hash_token, new_token
from moorage.core.deployment import FIRST_VERSION, PutDeployment
from moorage.core.history import Actor
from moorage.core.ids import new_id
from moorage.registry.bodies import content_of
from moorage.registry.projects import DEFAULT_PROJECT, get_project
from moorage.store.engine import Run
from moorage.store.sqlite import SqliteEngine
from moorage.store.store import Store
from moorage.store.transaction import Transaction


class Seeded(msgspec.Struct, frozen=True):
    """A database with one project. `ids` are its deployments', newest first, as the list has them."""

    database: Path
    project_id: str
    ids: list[str]
    tokens: list[str]


def seed(folder: Path, deployments: Iterable[Named], keys: int = 1) -> Seeded:
    """Make a database in `folder`: what so many puts would have made, a revision each, with one wait for the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "moorage.db"
    engine = SqliteEngine(database)
    with closing(engine):
        project = get_project(Store(engine), DEFAULT_PROJECT)
        ids: list[str] = []
        with engine.write() as run:
            ids.extend(_insert(_next(run), project.id, named) for named in deployments)
    ids.reverse()
    return Seeded(database, project.id, ids, add_keys(database, project.id, keys))


def add_keys(database: Path, project_id: str, count: int) -> list[str]:
    """Make so many API keys; their tokens."""
    tokens = []
    with closing(SqliteEngine(database)) as engine, engine.write() as run:
        for number in range(count):
            write = _next(run)
            key_id, token = new_token()
            key = ApiKey(key_id, project_id, f"bench-{number}", DEFAULT_SCOPES, hash_token(token), write.now_us)
            write.insert_api_key(key)
            tokens.append(token)
    return tokens


def _next(run: Run) -> Transaction:
    return Transaction(run, *run("next_revision", now_us=0)[0])


def _insert(write: Transaction, project_id: str, named: Named) -> str:
    wanted = msgspec.convert(named.body, PutDeployment)
    content, version_id = content_of(wanted), new_id()
    deployment_id = write.insert_deployment(project_id, named.key, named.body["description"], version_id)
    write.insert_version(version_id, deployment_id, FIRST_VERSION, content, Actor())
    return deployment_id
