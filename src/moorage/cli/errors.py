"""The errors of the command line that the responses of a server cause."""

import re
from collections.abc import Sequence
from typing import NoReturn, TypeVar

import click
import msgspec

from moorage.cli.error_responses import AffectedCaller, ErrorReply, FailedAttempt
from moorage.cli.hints import translate
from moorage.cli.http import HttpResponse
from moorage.core.errors.base import Problem
from moorage.core.escaping import visible_line

T = TypeVar("T")

#: The exit code of a command that compares, and finds a difference. An error has 1, also a wrong option: a pipeline
#: must not take it for a difference.
DIFFERENT = 2

#: The maximum number of values in a response; each takes up to a hundred bytes of memory.
MAX_VALUES = 4_000_000

#: The path of an item in a request about several deployments.
_INDEX = re.compile(r"deployments\[(\d{1,4})\](?:\.key)?: ", re.ASCII)

#: How many lines of an error are shown.
_MAX_LINES = 100


class ApiError(click.ClickException):
    """An error response; `problems` are the lines to show, and the message joins them with the hint.

    `details` are the problems of the body, which are among the lines.
    """

    def __init__(self, problems: list[str], hint: str = "", code: str = "", details: Sequence[Problem] = ()) -> None:
        self.problems = [visible_line(problem) for problem in problems[:_MAX_LINES]]
        if len(problems) > _MAX_LINES:
            self.problems.append(f"… and {len(problems) - _MAX_LINES} more")
        self.hint = visible_line(hint)
        self.code = code
        self.details = details
        super().__init__("\n  ".join(self.problems) + (f"\n{self.hint}" if hint else ""))


def name_problems(error: ApiError, keys: Sequence[str]) -> ApiError:
    """Return an error about several deployments with their keys instead of their indexes in the request."""
    if isinstance(error, ServerError) or not error.details:
        return error

    def named(line: str) -> str:
        found = _INDEX.match(line)
        return f"{keys[int(found[1])]}: {line[found.end() :]}" if found and int(found[1]) < len(keys) else line

    return ApiError([named(line) for line in error.problems], error.hint, error.code, error.details)


class ServerError(ApiError):
    """There is no response, or it is not one of Moorage. Other requests would have the same result."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__([f"{problem} {hint}"])


def decode(url: str, response: HttpResponse, kind: type[T]) -> T:
    """Decode the JSON of a response.

    Raises:
        ServerError: it has another type.
    """
    if sum(map(response.body.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise_not_moorage(url, response.status, "the response has too many values")
    try:
        return msgspec.json.decode(response.body, type=kind)
    except msgspec.ValidationError as error:
        raise_not_moorage(url, response.status, str(error))
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise_not_moorage(url, response.status, "the response is not JSON")


def raise_not_moorage(url: str, status: int, reason: str) -> NoReturn:
    """Raise the error of a response that is not one of Moorage."""
    raise ServerError(
        f"{url} is not a Moorage server (status {status}: {visible_line(reason, 200)}).", "Check MOORAGE_URL."
    )


def api_error(url: str, response: HttpResponse, source: str = "") -> ApiError:
    """Return the error for a response that is not 2xx. `source` says where the API key is from."""
    try:
        error = decode(url, response, ErrorReply).error
    except ServerError as unreadable:
        return unreadable
    # A problem of one of several deployments can end with the hint for users of the API.
    problems = [
        f"{problem.path or 'the body'}: {problem.message.removesuffix(error.hint).rstrip()}"
        for problem in error.problems
    ]
    problems += [f"breaking: {change.message}" for change in error.breaking]
    problems += [_affected(caller) for caller in error.callers]
    message, hint = translate(error)
    if response.status == 401 and source:
        message = f"{url} rejects the API key of {source}: {message[:1].lower()}{message[1:]}"
    if not problems:
        attempts = error.attempts if len(error.attempts) > 1 else []
        problems = [message, *map(_attempt, attempts)]
    return ApiError(problems, hint, error.code, error.problems)


def _attempt(attempt: FailedAttempt) -> str:
    """Return a line about a request to a provider."""
    status = "" if attempt.status is None else f", status {attempt.status}"
    next_ = f"; then {attempt.next}" if attempt.next else ""
    result = f"{attempt.outcome}{status} after {attempt.milliseconds:.0f} ms"
    return f"{attempt.provider} {attempt.model}: {result}{': ' if attempt.reason else ''}{attempt.reason}{next_}"


def _affected(caller: AffectedCaller) -> str:
    """Return a line about an API key that a breaking change affects."""
    missing, unused = caller.inputs_missing, caller.inputs_unused
    parts = [
        *([f"does not send {', '.join(missing)}"] if missing else []),
        *([f"sends {', '.join(unused)} without effect"] if unused else []),
    ]
    key = caller.api_key
    return f"affected: {key.name} ({key.id}) {' and '.join(parts)}; last request at {caller.last_used}"
