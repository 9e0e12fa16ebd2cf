"""The operations of a write on environments, live versions, proposals and approvals."""

import json
from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from moorage.core.deployments.history import Actor
from moorage.core.deployments.ownership import Owner
from moorage.core.deployments.proposal import Proposal, ProposalItem, StoredStatus
from moorage.core.environments import Environment, EnvironmentSettings
from moorage.store.reader import Reader


class EnvironmentWrites(Reader):
    """These operations, and the lookups. `now_us` is the time of the write in the order of writes."""

    now_us: int

    @abstractmethod
    def _change(self, **values: Any) -> None:
        """Add values to the changes of the next history entry."""

    def put_environment(self, after: Environment, *, is_new: bool) -> Environment:
        """Insert an environment, or replace its settings; return it with the revision of this write."""
        after = msgspec.structs.replace(after, rev=self.rev)
        values = msgspec.structs.asdict(after) | settings_columns(after.settings)
        del values["settings"]
        self._run("put_environment" if is_new else "update_environment", **values)
        self._change(name=after.name, environment=after.settings)
        return after

    def delete_environment(self, environment_id: str, by: Actor) -> None:
        """Turn an environment into a tombstone."""
        self._run("delete_environment", id=environment_id, now_us=self.now_us, updated_by=by.api_key_id, rev=self.rev)
        self._change(deleted_us=self.now_us)

    def move_pointer(
        self,
        deployment_id: str,
        environment_id: str | None,
        version_id: str | None,
        *,
        owner: Owner,
        file: str | None,
        is_new_owner: bool,
    ) -> None:
        """Set the live version of a deployment in an environment; without one, it follows production.

        `owner` and `file` are those afterwards.
        """
        if environment_id is None:
            assert version_id is not None  # noqa: S101 -- production follows nothing
            self._run("publish_version", id=deployment_id, version_id=version_id, now_us=self.now_us, rev=self.rev)
            if is_new_owner:
                self._run("set_owner", id=deployment_id, owner=owner, file=file, rev=self.rev)
        else:
            self._run(
                "set_pointer", deployment_id=deployment_id, environment_id=environment_id, version_id=version_id,
                owner=owner, file=file, now_us=self.now_us, rev=self.rev,
            )  # fmt: skip
        if is_new_owner:
            self._change(owner=owner, file=file)

    def set_owner(self, deployment_id: str, environment_id: str | None, owner: Owner, file: str | None) -> None:
        """Set the owner of a deployment in an environment, and the file from which it was applied last."""
        if environment_id is None:
            self._run("set_owner", id=deployment_id, owner=owner, file=file, rev=self.rev)
        else:
            self._run(
                "set_pointer_owner", deployment_id=deployment_id, environment_id=environment_id, owner=owner, file=file,
                rev=self.rev,
            )  # fmt: skip
        self._change(owner=owner, file=file)

    def touch_pointers(self, deployment_id: str) -> None:
        """Set the revision of all pointers of a deployment, which is deleted or restored."""
        self._run("touch_pointers", deployment_id=deployment_id, rev=self.rev)

    def insert_proposal(self, proposal: Proposal, items: Iterable[ProposalItem]) -> Proposal:
        """Insert a proposal with its items; return it with the revision of this write."""
        proposal = msgspec.structs.replace(proposal, rev=self.rev)
        values = msgspec.structs.asdict(proposal)
        self._run("put_proposal", **values | {"allow_breaking": int(proposal.allow_breaking)})
        for n, item in enumerate(items):
            self._run(
                "put_proposal_item", proposal_id=proposal.id, n=n, deployment_id=item.deployment_id, base=item.base,
                version_id=item.version_id, breaking=json.dumps(item.breaking) if item.breaking else "",
                owner=item.owner, file=item.file,
            )  # fmt: skip
        return proposal

    def insert_approval(self, proposal_id: str, by: Actor) -> None:
        """Insert an approval of a proposal."""
        values = {"proposal_id": proposal_id, "api_key_id": by.api_key_id, "reason": by.reason}
        self._run("put_approval", **values, at_us=self.now_us)
        self._run("touch_proposal", id=proposal_id, rev=self.rev)

    def close_proposal(
        self, proposal_id: str, status: Literal["published", "rejected", "withdrawn", "stale"], by: Actor, reason: str
    ) -> None:
        """Set the final status of a proposal; one that became stale was closed by nobody."""
        closed: StoredStatus = status
        is_by_key = status != "stale"
        self._run(
            "close_proposal", id=proposal_id, status=closed, now_us=self.now_us,
            closed_by=by.api_key_id if is_by_key else None, closed_name=by.api_key_name if is_by_key else None,
            closed_reason=reason, rev=self.rev,
        )  # fmt: skip


def settings_columns(settings: EnvironmentSettings) -> dict[str, Any]:
    """Return the columns with the settings of an environment."""
    values = msgspec.structs.asdict(settings)
    values["is_protected"] = int(values.pop("protected"))
    return values | {"approve_undo": int(settings.approve_undo)}
