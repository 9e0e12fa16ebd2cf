"""Errors of single rows: another program changed them, or the disk did. All other rows are served.

    MoorageError
    ├── DeploymentUnreadable
    │   └── DeploymentRowUnreadable
    └── ApiKeyUnreadable, ProjectUnreadable, HistoryUnreadable, ProposalUnreadable, ResultUnreadable

They are built like all errors, see `moorage.core.errors.base`.
"""

from moorage.core.errors.base import DeploymentUnreadable, MoorageError

_CHECK = "Run `moorage db check`: it names the row and what to do."


class DeploymentRowUnreadable(DeploymentUnreadable):
    """Deployment {key!r} cannot be decoded and is not served: {reason}."""

    hint = _CHECK


class ApiKeyUnreadable(MoorageError):
    """API key {name!r} cannot be decoded and is rejected: {reason}."""

    code = "api_key_unreadable"
    hint = _CHECK


class ProjectUnreadable(MoorageError):
    """Project {name!r} cannot be decoded: {reason}."""

    code = "project_unreadable"
    hint = _CHECK


class HistoryUnreadable(MoorageError):
    """Entry {id} of the history cannot be decoded: {reason}."""

    code = "history_unreadable"
    hint = _CHECK


class ProposalUnreadable(MoorageError):
    """Proposal {id} cannot be decoded: {reason}."""

    code = "proposal_unreadable"
    hint = _CHECK


class ResultUnreadable(MoorageError):
    """The request with this Idempotency-Key was executed, but its stored result cannot be decoded: {reason}."""

    code = "result_unreadable"
    hint = "Read the deployment to see its state. To send the request once more, use a new key."
