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

    used_by: Sequence[UsedBy] = ()

    @classmethod
    def of(cls, what: str, used_by: Sequence[UsedBy]) -> "InUse":
        """The error for what these use."""
        users = [
            f"version {each.version} to {each.api_key.name} ({each.api_key.id}), last at {each.last_used}"
            for each in used_by
        ]
        error = cls(param="force", what=what, days=IN_USE_DAYS, users=_listed(users, "; "))
        error.used_by = used_by
        return error


class BreakingChange(Conflict):
    """This would break programs that use version {version} of the deployment {key!r}. {changes}{callers} To publish it
    all the same, send ?allow_breaking=true (--allow-breaking on the command line); the history keeps what it broke."""

    code = "breaking_change"

    breaking: Sequence[ContractChange] = ()
    callers: Sequence[BrokenCaller] = ()

    @classmethod
    def of(
        cls, key: str, version: str, breaking: Sequence[ContractChange], callers: Sequence[BrokenCaller]
    ) -> "BreakingChange":
        """The error for what takes the place of a version of the deployment `key`."""
        told = _listed([f"{each.api_key.name} ({each.api_key.id}), last at {each.last_used}" for each in callers], "; ")
        error = cls(
            param="allow_breaking",
            key=key,
            version=version,
            changes=_listed([each.message for each in breaking], " "),
            callers=f" It would break: {told}." if callers else "",
        )
        error.breaking, error.callers = breaking, callers
        return error


def _listed(parts: Sequence[str], between: str) -> str:
    more = [f"and {len(parts) - _SHOWN} more"] if len(parts) > _SHOWN else []
    return between.join([*parts[:_SHOWN], *more])
