"""Store: the verbs of what is kept, written once over any `Engine`."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from moorage.core.access import ApiKey, Project, Scope
from moorage.core.deployment import Content, Deployment, VersionNumber
from moorage.core.ids import new_id
from moorage.core.prompt_config import Variable
from moorage.store.engine import Engine, Row, Run, Stream

_variables = msgspec.json.Decoder(list[Variable])


class Changes(msgspec.Struct, frozen=True):
    """All that changed after a revision, up to `rev`. The rows are read as they are asked for, once."""

    rev: int
    deployments: Iterator[Deployment]
    api_keys: Iterator[ApiKey]


class Store:
    """What is kept, and the only way to change it."""

    def __init__(self, engine: Engine, clock: Callable[[], int] = time.time_ns) -> None:
        """Keep things in `engine`; `clock` gives nanoseconds since 1970 and may step back."""
        self._engine = engine
        self._clock = clock

    @contextmanager
    def write(self) -> Iterator["Transaction"]:
        """One write: revision + 1, the verbs of the transaction, and it is durable. An exception undoes it all.

        Raises:
            StorageFull, StorageUnavailable: nothing is acknowledged.
        """
        with self._engine.write() as run:
            ((rev, now_us),) = run("next_revision", now_us=self._clock() // 1000)
            yield Transaction(run, rev, now_us)

    def newest_revision(self) -> int:
        """The newest revision known on this machine, at the price of one look into memory."""
        return self._engine.newest_revision()

    def current_revision(self) -> int:
        """The revision of the last committed write, asked of the database."""
        with self._engine.read() as stream:
            return _rev(stream)

    @contextmanager
    def changes(self, since: int) -> Iterator[Changes]:
        """What changed after the revision `since`, tombstones included, deployments in creation order.

        When the block ends, the other processes on the machine know of the revision, so no reader that asks two of them
        is taken back in time.
        """
        with self._engine.read() as stream:
            rev = _rev(stream)
            deployments = (_deployment(row) for row in stream("deployments", rev=since))
            yield Changes(rev, deployments, (_api_key(row) for row in stream("api_keys", rev=since)))
        if rev > self._engine.newest_revision():
            self._engine.saw_revision(rev)

    def projects(self) -> list[Project]:
        """All projects, oldest first."""
        with self._engine.read() as stream:
            return [Project(*row) for row in stream("projects")]

    def api_keys(self) -> list[ApiKey]:
        """All API keys, revoked and expired ones too, oldest first."""
        with self._engine.read() as stream:
            return [_api_key(row) for row in stream("api_keys", rev=0)]

    def close(self) -> None:
        """Close the database."""
        self._engine.close()


class Transaction:
    """The verbs of one write. `rev` is the revision it makes, `now_us` its time, later than any write's before."""

    def __init__(self, run: Run, rev: int, now_us: int) -> None:
        self._run = run
        self.rev = rev
        self.now_us = now_us

    def find_project(self, name: str) -> Project | None:
        """The project of that name."""
        return next((Project(*row) for row in self._run("find_project", name=name)), None)

    def insert_project(self, name: str) -> Project:
        """A new project; the name must be free."""
        project = Project(new_id(), name, self.now_us)
        self._run("insert_project", id=project.id, name=name, created_us=self.now_us, rev=self.rev)
        return project

    def insert_api_key(self, key: ApiKey) -> None:
        """Keep a new API key."""
        self._run(
            "insert_api_key", id=key.id, project_id=key.project_id, name=key.name, token_sha256=key.token_sha256,
            scopes=" ".join(sorted(key.scopes)), created_us=key.created_us, expires_us=key.expires_us, rev=self.rev,
        )  # fmt: skip

    def revoke_api_key(self, key_id: str) -> None:
        """Revoke a key; one revoked before stays as it was."""
        self._run("revoke_api_key", id=key_id, now_us=self.now_us, rev=self.rev)

    def find_deployment(self, project_id: str, key: str) -> Deployment | None:
        """The deployment that has `key` now."""
        return next((_deployment(row) for row in self._run("find_deployment", project_id=project_id, key=key)), None)

    def live_variables(self, deployment_id: str) -> list[Variable]:
        """The declared variables of the live version."""
        ((variables,),) = self._run("live_variables", id=deployment_id)
        return _variables.decode(variables)

    def last_version(self, deployment_id: str) -> VersionNumber:
        """The highest version number given out."""
        ((major, minor),) = self._run("last_version", deployment_id=deployment_id)
        return VersionNumber(major, minor)

    def insert_deployment(self, project_id: str, key: str, description: str, version_id: str) -> str:
        """A new deployment whose live version will be `version_id`, to be inserted next; returns its id."""
        deployment_id = new_id()
        self._run(
            "insert_deployment", id=deployment_id, project_id=project_id, key=key, description=description,
            version_id=version_id, now_us=self.now_us, rev=self.rev,
        )  # fmt: skip
        return deployment_id

    def insert_version(
        self,
        version_id: str,
        deployment_id: str,
        number: VersionNumber,
        content: Content,
        notes: str,
        by: str | None,
    ) -> None:
        """A new version, made by the API key `by` (its id)."""
        self._run(
            "insert_version", id=version_id, deployment_id=deployment_id, major=number.major, minor=number.minor,
            prompt_config=content.prompt_config, variables=content.variables, notes=notes,
            content_sha256=content.sha256, created_us=self.now_us, api_key_id=by, rev=self.rev,
        )  # fmt: skip

    def publish_version(self, deployment_id: str, version_id: str) -> None:
        """Make a version the live one."""
        self._run("publish_version", id=deployment_id, version_id=version_id, now_us=self.now_us, rev=self.rev)

    def describe_deployment(self, deployment_id: str, description: str) -> None:
        """Change the description."""
        self._run("describe_deployment", id=deployment_id, description=description, now_us=self.now_us, rev=self.rev)

    def delete_deployment(self, deployment_id: str) -> None:
        """Leave a tombstone: gone from lists and lookups, known to cursors."""
        self._run("delete_deployment", id=deployment_id, now_us=self.now_us, rev=self.rev)


def _rev(stream: Stream) -> int:
    ((rev,),) = stream("current_revision")
    return int(rev)


def _deployment(row: Row) -> Deployment:
    columns = (*row[:8], VersionNumber(row[8], row[9]), *row[10:])
    return Deployment(*columns)


def _api_key(row: Row) -> ApiKey:
    key_id, project_id, name, scopes, *rest = row
    return ApiKey(key_id, project_id, name, frozenset(map(Scope, scopes.split())), *rest)
