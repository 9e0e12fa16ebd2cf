"""The errors that protect those who use a deployment. They are made as all others are, see `moorage.core.errors`.

Conflict
├── InUse
└── BreakingChange
"""

from collections.abc import Sequence

from moorage.core.contract import ContractChange
from moorage.core.errors import Conflict
from moorage.core.usage import IN_USE_DAYS, BrokenCaller, UsedBy

#: How many of each a message lists.
_SHOWN = 10


class InUse(Conflict):
    """{what} was served in the last {days} days: {users}. To delete it all the same, send ?force=true (--force on the
    command line)."""

    code = "in_use"

    def __init__(self, what: str, used_by: Sequence[UsedBy]) -> None:
        users = [
            f"version {each.version} to {each.api_key.name} ({each.api_key.id}), last at {each.last_used}"
            for each in used_by
        ]
        super().__init__(param="force", what=what, days=IN_USE_DAYS, users=_listed(users, "; "))
        self.used_by = list(used_by)


class BreakingChange(Conflict):
    """This would break programs that use version {version} of the deployment {key!r}. {changes}{callers} To publish it
    all the same, send ?allow_breaking=true (--allow-breaking on the command line); the history keeps what it broke."""

    code = "breaking_change"

    def __init__(
        self, key: str, version: str, breaking: Sequence[ContractChange], callers: Sequence[BrokenCaller]
    ) -> None:
        told = _listed([f"{each.api_key.name} ({each.api_key.id}), last at {each.last_used}" for each in callers], "; ")
        super().__init__(
            param="allow_breaking",
            key=key,
            version=version,
            changes=_listed([each.message for each in breaking], " "),
            callers=f" It would break: {told}." if callers else "",
        )
        self.breaking = list(breaking)
        self.callers = list(callers)


def _listed(parts: Sequence[str], between: str) -> str:
    more = [f"and {len(parts) - _SHOWN} more"] if len(parts) > _SHOWN else []
    return between.join([*parts[:_SHOWN], *more])
