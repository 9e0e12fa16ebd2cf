"""Errors that protect the consumers of a deployment. They are built like all errors, see `moorage.core.errors.base`.

Conflict
├── DeploymentInUse
└── BreakingChange
"""

from collections.abc import Sequence

from moorage.core.compatibility.changes import ContractChange
from moorage.core.compatibility.consumers import IN_USE_DAYS, AffectedConsumer, Consumer
from moorage.core.errors.base import Conflict

#: How many consumers and changes a message lists.
_MAX_LISTED = 10


class DeploymentInUse(Conflict):
    """{subject} was served in the last {days} days: {consumers}."""

    code = "in_use"
    hint = "To delete it anyway, pass force=true."

    used_by: Sequence[Consumer] = ()

    @classmethod
    def of(cls, subject: str, used_by: Sequence[Consumer]) -> "DeploymentInUse":
        """Return the error for a deployment or version (a noun phrase) that has these consumers."""
        consumers = [
            f"version {use.version} to {use.api_key.name} ({use.api_key.id}), last at {use.last_used}"
            for use in used_by
        ]
        error = cls(param="force", subject=subject, days=IN_USE_DAYS, consumers=_join_listed(consumers, "; "))
        error.used_by = used_by
        return error


class BreakingChange(Conflict):
    """This is a breaking change for callers of version {version} of deployment {key!r}. {changes}{callers}"""

    code = "breaking_change"
    hint = "To publish anyway, pass allow_breaking=true; the history records it."

    breaking: Sequence[ContractChange] = ()
    callers: Sequence[AffectedConsumer] = ()

    @classmethod
    def of(
        cls, key: str, version: str, breaking: Sequence[ContractChange], callers: Sequence[AffectedConsumer]
    ) -> "BreakingChange":
        """Return the error for a version that replaces `version` of the deployment `key`."""
        names = [f"{caller.api_key.name} ({caller.api_key.id}), last at {caller.last_used}" for caller in callers]
        error = cls(
            param="allow_breaking",
            key=key,
            version=version,
            changes=_join_listed([change.message for change in breaking], " "),
            callers=f" Affected callers: {_join_listed(names, '; ')}." if callers else "",
        )
        error.breaking, error.callers = breaking, callers
        return error


def _join_listed(parts: Sequence[str], separator: str) -> str:
    more = [f"and {len(parts) - _MAX_LISTED} more"] if len(parts) > _MAX_LISTED else []
    return separator.join([*parts[:_MAX_LISTED], *more])
