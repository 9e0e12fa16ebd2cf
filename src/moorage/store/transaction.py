"""The operations of one write."""

import json
from collections.abc import Sequence
from typing import Literal

import msgspec

from moorage.core.access import ApiKey, Project
from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.deployment import VersionNumber
from moorage.core.deployments.history import Action, Actor, Entry
from moorage.core.deployments.ids import new_id
from moorage.core.deployments.ownership import Owner
from moorage.store.engine import Run
from moorage.store.reader import Reader

#: How long the result under an idempotency key is stored.
STORED_US = 24 * 3_600_000_000


class StoredResult(msgspec.Struct, frozen=True):
    """The result of a write as JSON, and the hash of the request."""

    request_sha256: str
    result: str


class Transaction(Reader):
    """The operations of one write, and the lookups.

    `rev` is the revision of the write. `now_us` is its time, later than that of every earlier write.
    """

    def __init__(self, run: Run, rev: int, now_us: int, history_hash: str) -> None:
        super().__init__(run, rev)
        self._history_hash = history_hash
        self.now_us = now_us
        self.is_discarded = False

    def discard(self) -> None:
        """Roll this write back when it ends, without an error and without a new revision."""
        self.is_discarded = True

    def find_project(self, name: str) -> Project | None:
        """Return the project with a name."""
        return next((Project(*row) for row in self._run("find_project", name=name)), None)

    def insert_project(self, name: str) -> Project:
        """Insert a project; its name must be unused."""
        project = Project(new_id(), name, self.now_us)
        self._run("insert_project", id=project.id, name=name, created_us=self.now_us, rev=self.rev)
        return project

    def insert_api_key(self, key: ApiKey) -> None:
        """Insert an API key."""
        self._run(
            "insert_api_key", id=key.id, project_id=key.project_id, name=key.name, token_sha256=key.token_sha256,
            scopes=" ".join(sorted(key.scopes)), created_us=key.created_us, expires_us=key.expires_us, rev=self.rev,
        )  # fmt: skip

    def revoke_api_key(self, key_id: str) -> None:
        """Revoke an API key; a revoked key does not change."""
        self._run("revoke_api_key", id=key_id, now_us=self.now_us, rev=self.rev)

    def rename_api_key(self, key_id: str, name: str) -> None:
        """Rename an API key."""
        self._run("rename_api_key", id=key_id, name=name, rev=self.rev)

    def insert_deployment(
        self, project_id: str, key: str, description: str, version_id: str, file: str | None = None
    ) -> str:
        """Insert a deployment and return its id; its version `version_id` must be inserted next."""
        deployment_id = new_id()
        self._run(
            "insert_deployment", id=deployment_id, project_id=project_id, key=key, description=description,
            version_id=version_id, owner="api" if file is None else "files", file=file, now_us=self.now_us,
            rev=self.rev,
        )  # fmt: skip
        return deployment_id

    def insert_version(
        self,
        version_id: str,
        deployment_id: str,
        number: VersionNumber,
        content: StoredContent,
        by: Actor,
        *,
        notes: str = "",
        description: str = "",
        made_as: Literal["published", "draft"] = "published",
    ) -> None:
        """Insert a version. With `made_as` draft it is not live until it is published."""
        self._run(
            "insert_version", id=version_id, deployment_id=deployment_id, major=number.major, minor=number.minor,
            prompt_config=content.prompt_config, variables=content.variables,
            runtime_config=content.runtime_config, notes=notes,
            content_sha256=content.sha256(), created_us=self.now_us, api_key_id=by.api_key_id, rev=self.rev,
            made_as=made_as, description=description,
        )  # fmt: skip

    def publish_version(self, deployment_id: str, version_id: str) -> None:
        """Make a version live."""
        self._run("publish_version", id=deployment_id, version_id=version_id, now_us=self.now_us, rev=self.rev)

    def set_description(self, deployment_id: str, description: str) -> None:
        """Set the description of a deployment."""
        self._run("set_description", id=deployment_id, description=description, now_us=self.now_us, rev=self.rev)

    def delete_deployment(self, deployment_id: str) -> None:
        """Turn a deployment into a tombstone: only cursors to it stay valid."""
        self._run("delete_deployment", id=deployment_id, now_us=self.now_us, rev=self.rev)

    def restore_deployment(self, deployment_id: str) -> None:
        """Restore a tombstone to its position in the list."""
        self._run("restore_deployment", id=deployment_id, now_us=self.now_us, rev=self.rev)

    def touch_deployment(self, deployment_id: str) -> None:
        """Set the revision of a deployment whose item did not change."""
        self._run("touch_deployment", id=deployment_id, rev=self.rev)

    def set_owner(self, deployment_id: str, owner: Owner, file: str | None) -> None:
        """Set the owner of a deployment, and the file from which it was applied last."""
        self._run("set_owner", id=deployment_id, owner=owner, file=file, rev=self.rev)

    def delete_version(self, version_id: str) -> None:
        """Remove a version from the list; its number stays in use."""
        self._run("delete_version", id=version_id, now_us=self.now_us)

    def restore_version(self, version_id: str) -> None:
        """Restore a deleted version."""
        self._run("restore_version", id=version_id)

    def purge(self, before_us: int) -> int:
        """Purge what was deleted before a time, with its consumers and stored results.

        Return the number of deployments, plus the number of versions of other deployments.
        """
        self._run("delete_consumers", before_us=before_us)
        purged = {row[0] for row in self._run("purge_deployments", before_us=before_us, rev=self.rev)}
        versions = [row[0] for row in self._run("purge_versions", before_us=before_us)]
        self._run("delete_results", since_us=max(self.now_us - STORED_US, before_us))
        return len(purged) + sum(deployment_id not in purged for deployment_id in versions)

    def find_result(self, project_id: str, key: str) -> StoredResult | None:
        """Return the result that was stored under an idempotency key in the last 24 hours."""
        found = self._run("find_result", project_id=project_id, key=key, since_us=self.now_us - STORED_US)
        return next((StoredResult(*row) for row in found), None)

    def insert_result(self, project_id: str, key: str, result: StoredResult) -> None:
        """Store a result under an idempotency key, and delete results older than 24 hours."""
        self._run("delete_results", since_us=self.now_us - STORED_US)
        self._run(
            "insert_result", project_id=project_id, key=key, request_sha256=result.request_sha256,
            result=result.result, now_us=self.now_us,
        )  # fmt: skip

    def record(
        self,
        project_id: str,
        deployment_id: str,
        action: Action,
        by: Actor,
        before: str | None,
        after: str | None,
        *,
        breaking: Sequence[str] = (),
    ) -> None:
        """Append an entry to the history, at most once in a write.

        `before` and `after` are the ids of the live version. `breaking` has the paths of allowed breaking changes.
        """
        entry = Entry(
            self.rev, new_id(), project_id, deployment_id, action, before, after, by.reason, by.api_key_id,
            by.api_key_name, by.request_id, self.now_us, json.dumps(breaking) if breaking else "",
        )  # fmt: skip
        digest = entry.hash(self._history_hash)
        self._run("insert_entry", hash=digest, **msgspec.structs.asdict(entry))
        self._run("set_history_hash", hash=digest)
