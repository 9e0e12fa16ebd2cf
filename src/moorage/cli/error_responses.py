"""The parts of the API's error responses that the command line uses."""

import msgspec

from moorage.core.deployments.history import KeyName
from moorage.core.errors.base import Problem


class BreakingLine(msgspec.Struct, frozen=True):
    """A breaking change."""

    message: str


class AffectedCaller(msgspec.Struct, frozen=True):
    """An API key that a breaking change affects."""

    api_key: KeyName
    inputs_missing: list[str]
    inputs_unused: list[str]
    last_used: str


class FailedAttempt(msgspec.Struct, frozen=True):
    """A request to a provider, or the reason why there was none."""

    provider: str
    model: str
    outcome: str
    milliseconds: float = 0.0
    status: int | None = None
    reason: str = ""
    next: str = ""


class ErrorDetail(msgspec.Struct, frozen=True):
    """The details of an error."""

    code: str
    message: str
    hint: str = ""
    key: str = ""
    problems: list[Problem] = []
    breaking: list[BreakingLine] = []
    callers: list[AffectedCaller] = []
    attempts: list[FailedAttempt] = []


class ErrorReply(msgspec.Struct, frozen=True):
    """The body of an error response."""

    error: ErrorDetail
