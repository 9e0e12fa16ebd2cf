"""The operations of one write."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from moorage.core.access import ApiKey, Project
from moorage.core.deployments.content import StoredContent
from moorage.core.deployments.deployment import VersionNumber
from moorage.core.deployments.history import (
    NO_CHANGES,
    Actor,
    Entry,
    EntryAction,
    Subject,
    description_sha256,
    text_sha256,
)
from moorage.core.deployments.ids import new_id
from moorage.core.environments import production_of
from moorage.core.integrations import Integration, encode_options
from moorage.core.secret_keys import SecretKeys, key_id_of
from moorage.store import rows
from moorage.store.engine import Run
from moorage.store.history_head import HistoryHead
from moorage.store.result_writes import STORED_US, ResultWrites
from moorage.store.transfer.dump import Fingerprint

NO_DETAILS: Mapping[str, Any] = {}


class Transaction(ResultWrites):
    """The operations of one write, and the lookups.

    `rev` is the revision of the write. `now_us` is its time in the order of writes: later than that of every earlier
    write, even if the clock stepped back. `clock_us` is the time of the clock, with which durations are measured. The
    operations collect what they change, and `record` stores it in the history.
    """

    def __init__(
        self, run: Run, rev: int, now_us: int, clock_us: int, head: HistoryHead, secret_keys: SecretKeys
    ) -> None:
        super().__init__(run, rev, clock_us)
        self._head = head
        self._secret_keys = secret_keys
        self._changes = NO_CHANGES
        self._recorded = 0
        self.now_us = now_us
        self.is_discarded = False

    def discard(self) -> None:
        """Roll this write back when it ends, without an error and without a new revision."""
        self.is_discarded = True

    def find_project(self, name: str) -> Project | None:
        """Return the project with a name.

        Raises:
            ProjectUnreadable
        """
        return next(map(rows.get_project, self._run("find_project", name=name)), None)

    def insert_project(self, name: str) -> Project:
        """Insert a project with its environment `production`; its name must be unused."""
        project = Project(new_id(), name, self.now_us)
        self._run("insert_project", id=project.id, name=name, created_us=self.now_us, rev=self.rev)
        self.put_environment(production_of(project.id, self.now_us, self.rev), is_new=True)
        self._changes = NO_CHANGES  # the environment follows from the project
        self._change(name=name)
        return project

    def insert_api_key(self, key: ApiKey) -> None:
        """Insert an API key."""
        values: dict[str, Any] = {
            "name": key.name, "scopes": " ".join(sorted(key.scopes)), "token_sha256": key.token_sha256,
            "created_us": key.created_us, "expires_us": key.expires_us,
        }  # fmt: skip
        self._run(
            "insert_api_key", id=key.id, project_id=key.project_id, environment_id=key.environment_id,
            created_by=key.created_by, rev=self.rev, **values,
        )  # fmt: skip
        self._change(**values, bound_to=UNSET if key.environment_id is None else key.environment_id)

    def revoke_api_key(self, key_id: str) -> None:
        """Revoke an API key; a revoked key does not change."""
        self._run("revoke_api_key", id=key_id, now_us=self.now_us, rev=self.rev)
        self._change(revoked_us=self.now_us)

    def rename_api_key(self, key_id: str, name: str) -> None:
        """Rename an API key."""
        self._run("rename_api_key", id=key_id, name=name, rev=self.rev)
        self._change(name=name)

    def rotate_api_key(self, key_id: str, token_sha256: str) -> None:
        """Replace the token of an API key."""
        self._run("rotate_api_key", id=key_id, token_sha256=token_sha256, rev=self.rev)
        self._change(token_sha256=token_sha256)

    def put_integration(self, after: Integration, *, is_new: bool) -> Integration:
        """Insert or replace an integration; return it with the revision of this write."""
        after = msgspec.structs.replace(after, rev=self.rev)
        values = msgspec.structs.asdict(after) | {"options": encode_options(after.options)}
        del values["variables"]
        self._run("put_integration" if is_new else "update_integration", **values)
        self._change(
            name=after.name, provider=after.provider, settings_sha256=after.settings_sha256,
            sealed_sha256=after.sealed_sha256,
        )  # fmt: skip
        return after

    def delete_integration(self, integration_id: str, by: Actor) -> None:
        """Turn an integration into a tombstone without its credentials."""
        self._run("delete_integration", id=integration_id, now_us=self.now_us, updated_by=by.api_key_id, rev=self.rev)
        self._change(deleted_us=self.now_us)

    def reseal_integrations(self, integrations: Sequence[Integration]) -> None:
        """Replace the encrypted columns of integrations."""
        for each in integrations:
            self._run(
                "reseal_integration", id=each.id, credentials=each.credentials, headers=each.headers,
                key_id=each.key_id, rev=self.rev,
            )  # fmt: skip
        self._change(rotated={each.id: each.sealed_sha256 for each in integrations})

    def insert_deployment(
        self, project_id: str, key: str, description: str, version_id: str | None, file: str | None = None
    ) -> str:
        """Insert a deployment and return its id; its first version must be inserted next.

        Without a `version_id`, it is not in production.
        """
        deployment_id, owner = new_id(), "api" if file is None else "files"
        self._run(
            "insert_deployment", id=deployment_id, project_id=project_id, key=key, description=description,
            version_id=version_id, owner=owner, file=file, now_us=self.now_us, rev=self.rev,
        )  # fmt: skip
        self._change(key=key, description_sha256=description_sha256(description), owner=owner, file=file)
        return deployment_id

    def insert_version(  # noqa: PLR0913 -- the columns of a row
        self,
        version_id: str,
        deployment_id: str,
        number: VersionNumber,
        content: StoredContent,
        by: Actor,
        *,
        sha256: str = "",
        notes: str = "",
        description: str = "",
        made_as: Literal["published", "draft"] = "published",
    ) -> str:
        """Insert a version, and return the hash of its content; `sha256` is that hash, if it is known.

        With `made_as` draft it is not live until it is published.
        """
        content_sha256 = sha256 or content.sha256()
        self._run(
            "insert_version", id=version_id, deployment_id=deployment_id, major=number.major, minor=number.minor,
            prompt_config=content.prompt_config, variables=content.variables,
            runtime_config=content.runtime_config, notes=notes,
            content_sha256=content_sha256, created_us=self.now_us, api_key_id=by.api_key_id, rev=self.rev,
            made_as=made_as, description=description,
        )  # fmt: skip
        self._change(version=str(number), text_sha256=text_sha256(content, notes, description))
        return content_sha256

    def set_description(self, deployment_id: str, description: str) -> None:
        """Set the description of a deployment."""
        self._run("set_description", id=deployment_id, description=description, now_us=self.now_us, rev=self.rev)
        self._change(description_sha256=description_sha256(description))

    def set_aliases(self, project_id: str, deployment_id: str, aliases: Sequence[str]) -> None:
        """Set the aliases of a deployment; no other deployment of the project may have them."""
        self._run("set_aliases", id=deployment_id, aliases=" ".join(aliases), now_us=self.now_us, rev=self.rev)
        self._run("delete_aliases", deployment_id=deployment_id)
        for name in aliases:
            self._run("insert_alias", project_id=project_id, name=name, deployment_id=deployment_id)
        self._change(aliases=aliases)

    def delete_deployment(self, deployment_id: str) -> None:
        """Turn a deployment into a tombstone: only cursors to it stay valid."""
        self._run("delete_deployment", id=deployment_id, clock_us=self.clock_us, now_us=self.now_us, rev=self.rev)
        self._change(deleted_us=self.clock_us)

    def restore_deployment(self, deployment_id: str) -> None:
        """Restore a tombstone to its position in the list."""
        self._run("restore_deployment", id=deployment_id, now_us=self.now_us, rev=self.rev)

    def touch_deployment(self, deployment_id: str) -> None:
        """Set the revision of a deployment whose item did not change."""
        self._run("touch_deployment", id=deployment_id, rev=self.rev)

    def delete_version(self, version_id: str) -> None:
        """Remove a version from the list; its number stays in use."""
        self._run("delete_version", id=version_id, clock_us=self.clock_us)
        self._change(deleted_us=self.clock_us)

    def restore_version(self, version_id: str) -> None:
        """Restore a deleted version."""
        self._run("restore_version", id=version_id)

    def reset_clock(self) -> None:
        """Date the next write by the clock, and replace all times in the future, except in the history."""
        for query in (
            "redate_projects", "redate_api_keys", "redate_integrations", "redate_deployments", "redate_versions",
            "redate_environments", "redate_pointers", "redate_proposals", "redate_approvals", "redate_results",
            "redate_consumers", "set_newest_time",
        ):  # fmt: skip
            self._run(query, clock_us=self.clock_us, rev=self.rev)
        self._change(clock_us=self.clock_us)

    def purge(self, before_us: int) -> int:
        """Purge what was deleted before a time, with its consumers and stored results.

        Return the number of deployments, plus the number of versions of other deployments.
        """
        period = {"before_us": before_us, "clock_us": self.clock_us}
        self._run("delete_consumers", **period)
        self._run("delete_cases", **period)
        self._run("purge_aliases", **period)
        purged = {row[0] for row in self._run("purge_deployments", **period, rev=self.rev)}
        versions = self._run("purge_versions", **period)
        self._run("delete_results", since_us=max(self.clock_us - STORED_US, before_us))
        ids = Fingerprint.of((each,) for each in (*purged, *(version_id for version_id, _ in versions)))
        self._change(purged=ids.count, purged_sum=ids.digest)
        return len(purged) + sum(deployment_id not in purged for _, deployment_id in versions)

    def record(
        self,
        action: EntryAction,
        by: Actor,
        subject: Subject,
        *,
        breaking: Sequence[str] = (),
        details: Mapping[str, Any] = NO_DETAILS,
    ) -> None:
        """Append an entry with the changes since the last one, and with `details`, to the history.

        `breaking` has the paths of allowed breaking changes.

        Raises:
            SecretKeyMissing: the history is authenticated with a secret key, and this process has none.
        """
        if details:
            self._change(**details)
        about = msgspec.structs.asdict(subject)
        entry = Entry(
            rev=self.rev, id=new_id(), action=action, changes=self._changes.encode(), reason=by.reason,
            api_key_id=by.api_key_id, api_key_name=by.api_key_name, request_id=by.request_id, at_us=self.now_us,
            breaking=json.dumps(breaking) if breaking else "", n=self._recorded, **about,
        )  # fmt: skip
        self._recorded += 1
        self._changes = NO_CHANGES
        self._head.check_key(self._secret_keys)
        is_authenticated = self._head.is_authenticated(self._secret_keys) or action == "authenticated"
        digest = entry.hash(self._head.hash)
        mac = self._secret_keys.mac(digest) if is_authenticated else ""
        self._run("insert_entry", hash=digest, mac=mac, **msgspec.structs.asdict(entry))
        self._head = HistoryHead(digest, key_id_of(mac))

    def finish(self) -> None:
        """Store the head of the history, after the last entry of this write."""
        if self._recorded:
            assert self._changes == NO_CHANGES  # noqa: S101 -- the entries have all changes of the write
            self._run("set_history_head", hash=self._head.hash, key_id=self._head.key_id)

    def _change(self, **values: Any) -> None:
        self._changes = msgspec.structs.replace(self._changes, **values)
