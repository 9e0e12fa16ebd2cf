"""Errors of environments and proposals.

InvalidRequest                    InvalidEnvironmentName
NotAllowed                        WrongEnvironment, EnvironmentGone, OwnProposal, VersionNotPublished
NotFound                          EnvironmentNotFound, ProposalNotFound, NotInEnvironment
Conflict                          ProposalClosed, ProductionCannotFollow, ProductionIsPermanent, KeysBound,
                                  EnvironmentInUse, TooManyEnvironments
PreconditionFailed                EnvironmentChanged, EnvironmentExists, PromotionOutdated
"""

from moorage.core.errors.base import Conflict, DeploymentNotFound, NotAllowed, NotFound, PreconditionFailed
from moorage.core.errors.requests import InvalidRequest


class InvalidEnvironmentName(InvalidRequest):
    """{name!r} is not the name of an environment: {reason}."""

    code = "invalid_environment_name"


class WrongEnvironment(NotAllowed):
    """This API key is bound to the environment {bound!r}, and the request is about {requested}."""

    code = "wrong_environment"
    hint = "Use a key of that environment, or one that is bound to none."


class EnvironmentGone(NotAllowed):
    """The environment of this API key was deleted."""

    code = "environment_deleted"
    hint = "Use a key of another environment."


class OwnProposal(NotAllowed):
    """This API key cannot approve proposal {id}: {reason}."""

    code = "own_proposal"
    hint = "Another person approves it, with their own key."


class VersionNotPublished(NotAllowed):
    """Version {version} of deployment {key!r} was never live in {environment}, which is protected."""

    code = "version_not_published"
    hint = "Publish it there first, or name a version that was live."


class EnvironmentNotFound(NotFound):
    """Environment {name!r} not found; this project has: {existing}."""

    code = "environment_not_found"


class ProposalNotFound(NotFound):
    """Proposal {id!r} not found in this project."""

    code = "proposal_not_found"
    hint = "`moorage proposals list` shows all proposals."


class NotInEnvironment(DeploymentNotFound):
    """Deployment {key!r} is not in the environment {environment!r}; it is in: {existing}."""

    code = "deployment_not_in_environment"
    hint = "Publish or promote it there."


class ProposalClosed(Conflict):
    """Proposal {id} is {status}{reason}."""

    code = "proposal_closed"
    hint = "Propose the change again."


class ProductionCannotFollow(Conflict):
    """Deployment {key!r} cannot be unpublished from production, which follows no other environment."""

    code = "production_cannot_follow"
    hint = "Publish another version, or delete the deployment."


class ProductionIsPermanent(Conflict):
    """The environment production can be neither deleted nor unprotected."""

    code = "production_is_permanent"


class KeysBound(Conflict):
    """{count} valid API keys are bound to the environment {name!r}: {keys}."""

    code = "keys_bound"
    hint = "Revoke them, or pass force=true, which revokes them."


class EnvironmentInUse(Conflict):
    """Calls used the environment {name!r} in the last 7 days, by the API keys: {keys}."""

    code = "in_use"
    hint = "Pass force=true to delete it anyway."


class TooManyEnvironments(Conflict):
    """This project has {maximum} environments, which is the maximum."""

    code = "too_many_environments"
    hint = "Delete one first."


class NothingToPropose(Conflict):
    """There is nothing to propose for the environment {name!r}: {reason}."""

    code = "nothing_to_propose"


class ReasonMissing(InvalidRequest):
    """An emergency needs a reason."""

    code = "reason_missing"
    hint = "Send it as `reason`, or in the header X-Moorage-Change-Reason."


class EnvironmentChanged(PreconditionFailed):
    """Environment {name!r} has changed: If-Match was {given}, the current ETag is {etag}."""

    hint = "Read it again, then retry with the current ETag."


class EnvironmentExists(PreconditionFailed):
    """Environment {name!r} already exists, and the request requires that it does not (If-None-Match: *)."""

    hint = "Its ETag is {etag}."


class PromotionOutdated(PreconditionFailed):
    """Nothing was changed: deployment {key!r} has version {state} in {environment}, and the request says {given}."""

    hint = "See error.history, then send the request with the current versions."
