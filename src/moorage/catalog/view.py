"""View: the deployments of a project as one environment shows them."""

from collections.abc import Iterator, Mapping
from typing import Protocol, Self

from moorage.core.deployments.deployment import LiveVersion, Tombstone
from moorage.core.deployments.filter import Filter
from moorage.core.deployments.page import PageQuery
from moorage.core.errors.base import DeploymentUnreadable
from moorage.core.resolution.snapshot import GoneDeployment

#: A change in the change feed.
Change = LiveVersion | Tombstone | GoneDeployment


class View(Protocol):
    """The deployments of a project in production (`ProjectCatalog`), or in another environment (`EnvironmentView`)."""

    def __len__(self) -> int:
        """Return the number of deployments."""
        ...

    def page(self, query: PageQuery, filters: Filter | None = None) -> bytes:
        """Return the JSON of a page (`DeploymentPage`).

        With a filter it has only the matching deployments, and may scan all deployments after the cursor.

        Raises:
            InvalidCursor: the cursor was never a deployment of this project.
        """
        ...

    def get(self, key_or_id: str) -> tuple[bytes, str]:
        """Return the JSON of a deployment (`DeploymentItem`) by key or id, and its ETag.

        Raises:
            DeploymentNotFound, DeploymentDeleted, NotInEnvironment, DeploymentUnreadable
        """
        ...

    def id_of(self, key_or_id: str) -> str | None:
        """Return the id of a deployment, also of one that is deleted or not in this environment; None if none had it.

        A key is that of a deployment that is not deleted, or else of the one that was deleted last.
        """
        ...

    def live(self, key_or_id: str) -> LiveVersion:
        """Return the live version of a deployment by key or id.

        Raises:
            DeploymentNotFound, DeploymentDeleted, NotInEnvironment, DeploymentUnreadable
        """
        ...

    def follows(self, key_or_id: str) -> bool:
        """Return whether a deployment follows production; in production, none does.

        Raises:
            DeploymentNotFound, DeploymentDeleted, NotInEnvironment, DeploymentUnreadable
        """
        ...

    def live_versions(self) -> Iterator[LiveVersion]:
        """Return the current live versions, oldest deployment first.

        Each is built when the iterator reaches it, which may be in another thread.
        """
        ...

    def changes(self, since: int) -> Iterator[tuple[int, Change]]:
        """Yield the deployments that changed after a revision, with their last revisions.

        Each is yielded once, in its current state, in the order of these revisions. It is built when it is reached, so
        a caller can stop early.
        """
        ...

    def for_scan(self) -> Self:
        """Return a copy for `page` in another thread, while updates are applied to this one."""
        ...

    @property
    def revision(self) -> int:
        """The revision of the last change that the environment shows; 0 if there was none."""
        ...

    @property
    def unreadable(self) -> Mapping[str, DeploymentUnreadable]:
        """The errors of the deployments whose current state cannot be decoded, by their ids."""
        ...
