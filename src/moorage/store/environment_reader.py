"""Lookups of environments, of live versions in them, and of proposals."""

from operator import attrgetter
from typing import Any, NamedTuple

from moorage.core.access import ApiKey, Scope
from moorage.core.deployments.deployment import Deployment
from moorage.core.deployments.history import decode_changes
from moorage.core.deployments.page import MAX_LIMIT, PageQuery
from moorage.core.deployments.proposal import PROPOSAL_US, Approval, OpenItem, Proposal, ProposalItem
from moorage.core.environments import PRODUCTION, Environment
from moorage.store import environment_rows, rows
from moorage.store.lists import ListQueries, Lookups
from moorage.store.rows import Move
from moorage.store.unreadable import as_name, readable

_PROPOSALS = ListQueries("find_proposal", "proposals_older", "proposals_newer", MAX_LIMIT + 1)


class OwnPointer(NamedTuple):
    """An environment in which a deployment has a live version of its own."""

    environment_id: str
    name: str
    version_id: str


class EnvironmentPointer(NamedTuple):
    """A live version in an environment, with the hash of its content, and the live version of production.

    A file manages the deployment there, or did, if it `is_managed`.
    """

    deployment_id: str
    version_id: str
    content_sha256: str
    is_managed: bool
    production_version_id: str | None
    is_deleted: bool

    @classmethod
    def of(cls, deployment_id: str, version_id: str, sha256: str | None, *others: Any) -> "EnvironmentPointer":
        """Return a row of `pointers_of_environment`."""
        owner, file, production, deleted_us = others
        is_managed = (owner, file) != ("api", None)
        return cls(deployment_id, version_id, sha256 or "", is_managed, production, deleted_us is not None)


class EnvironmentReader(Lookups):
    """The lookups of environments and proposals."""

    def environments(self, project_id: str) -> dict[str, Environment]:
        """Return the environments of a project by name, production first, without deleted ones."""
        found = readable(map(environment_rows.environment, self._run("environments_of_project", project_id=project_id)))
        in_order = sorted(found, key=lambda each: (each.name != PRODUCTION, each.created_us, each.id))
        return {each.name: each for each in in_order}

    def find_environment(self, environment_id: str) -> Environment | None:
        """Return the environment with an id, also a deleted one."""
        found = self._run("find_environment", id=environment_id)
        return next(iter(readable(map(environment_rows.environment, found))), None)

    def keys_of_environment(self, environment_id: str) -> list[ApiKey]:
        """Return the API keys that are bound to an environment and not revoked."""
        return readable(map(rows.api_key, self._run("keys_of_environment", environment_id=environment_id)))

    def callers_of_environment(self, environment_id: str, since_us: int) -> list[str]:
        """Return the names of the API keys that used an environment since a time."""
        found = self._run("callers_of_environment", environment_id=environment_id, since_us=since_us)
        return sorted({as_name(name) for (name,) in found})

    def pointers_of_environment(self, environment_id: str) -> list[EnvironmentPointer]:
        """Return the live versions that deployments, deleted ones included, have in an environment of their own."""
        found = self._run("pointers_of_environment", environment_id=environment_id)
        return [EnvironmentPointer.of(*row) for row in found]

    def last_move(self, deployment: Deployment) -> Move | None:
        """Return the last move of the live version of a deployment in its environment.

        Raises:
            HistoryUnreadable
        """
        found = self._run("last_move", deployment_id=deployment.id, environment_id=deployment.environment_id)
        return next(map(rows.move, found), None)

    def was_emergency(self, deployment: Deployment, version_id: str | None, rev: int) -> bool:
        """Return whether the last move to a version before a revision was an emergency."""
        found = self._run(
            "last_move_to", deployment_id=deployment.id, environment_id=deployment.environment_id,
            version_id=version_id, rev=rev,
        )  # fmt: skip
        changes = next((text for (text,) in found), "")
        return bool(changes) and decode_changes(changes).emergency is True

    def was_live(self, version_id: str, environment_id: str | None) -> bool:
        """Return whether a version was ever live in an environment."""
        ((found,),) = self._run("was_live", version_id=version_id, environment_id=environment_id)
        return bool(found)

    def live_elsewhere(self, deployment_id: str, content_sha256: str) -> str | None:
        """Return the id of the newest version of a deployment with a content that is live in any environment."""
        found = self._run("live_elsewhere", deployment_id=deployment_id, content_sha256=content_sha256)
        return next((version_id for (version_id,) in found), None)

    def own_pointers(self, deployment_id: str) -> list[OwnPointer]:
        """Return the environments in which a deployment has a live version of its own, by name."""
        found = self._run("own_pointers", deployment_id=deployment_id)
        return sorted((OwnPointer(*map(as_name, row)) for row in found), key=attrgetter("name"))

    def unknown_names(self, project_id: str, since_us: int) -> list[str]:
        """Return the names that calls sent since a time and that are no environments."""
        return [as_name(name) for (name,) in self._run("unknown_names", project_id=project_id, since_us=since_us)]

    def find_proposal(self, project_id: str, proposal_id: str) -> Proposal | None:
        """Return a proposal by its id.

        Raises:
            ProposalUnreadable
        """
        found = self._run("find_proposal", project_id=project_id, id=proposal_id)
        return next(map(environment_rows.proposal, found), None)

    def items_of_proposal(self, proposal_id: str) -> list[ProposalItem]:
        """Return the items of a proposal, in order."""
        return list(map(environment_rows.proposal_item, self._run("items_of_proposal", proposal_id=proposal_id)))

    def approvals_of_proposal(self, proposal_id: str) -> list[Approval]:
        """Return the approvals of a proposal, oldest first, also those that do not count any more."""
        found = map(environment_rows.approval, self._run("approvals_of_proposal", proposal_id=proposal_id))
        return sorted(found, key=lambda each: (each.at_us, each.api_key.id))

    def proposals(
        self, project_id: str, query: PageQuery, *, environment_id: str = "", status: str = "", created_by: str = ""
    ) -> tuple[list[Proposal], bool]:
        """Return a page of the proposals of a project, newest first, and whether there are more.

        Raises:
            InvalidCursor: the cursor is not a proposal of this project.
            ProposalUnreadable
        """
        filters = {
            "environment_id": environment_id, "status": status, "created_by": created_by,
            "open_after_us": self.clock_us - PROPOSAL_US,
        }  # fmt: skip
        return self._page(_PROPOSALS, environment_rows.proposal, {"project_id": project_id, **filters}, query)

    def open_proposals_of_deployment(self, deployment_id: str) -> list[OpenItem]:
        """Return what the open proposals change of a deployment, those of expired ones included."""
        return [OpenItem(*row) for row in self._run("open_proposals_of_deployment", deployment_id=deployment_id)]

    def open_proposals_of_environment(self, environment_id: str) -> list[str]:
        """Return the ids of the open proposals for an environment, expired ones included."""
        return [row[0] for row in self._run("open_proposals_of_environment", environment_id=environment_id)]

    def approving_keys(self, project_id: str) -> list[ApiKey]:
        """Return the valid API keys of a project that may approve."""
        found = readable(map(rows.api_key, self._run("approving_keys", project_id=project_id)))
        return [key for key in found if Scope.APPROVE in key.scopes and not key.is_expired_at(self.clock_us)]
