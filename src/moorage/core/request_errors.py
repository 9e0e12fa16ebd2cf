"""What is wrong with a request: the parameters, the headers, or the body.

InvalidRequest
├── InvalidLimit, InvalidCursor, ConflictingCursors, InvalidFilter, InvalidFlag, InvalidSince
├── UnknownParameter, RepeatedParameter, MissingParameter, InvalidIdempotencyKey
├── InvalidJson, InvalidBody, InvalidKey, BodyTooLarge, BodyTooSlow,
└── UnsupportedEncoding
"""

from collections.abc import Sequence

from moorage.core.errors import MoorageError, Problem


class InvalidRequest(MoorageError):
    """The request is not valid: {reason}"""

    code = "invalid_request"


class InvalidLimit(InvalidRequest):
    """limit must be a whole number from 1 to {maximum}; got {value!r}."""

    code = "invalid_limit"


class InvalidCursor(InvalidRequest):
    """{param} must be the id of an item of this list; got {value!r}."""

    code = "invalid_cursor"


class InvalidFilter(InvalidRequest):
    """{param} {reason}."""

    code = "invalid_filter"


class ConflictingCursors(InvalidRequest):
    """Send starting_after (older deployments) or ending_before (newer ones), not both."""

    code = "conflicting_cursors"


class UnknownParameter(InvalidRequest):
    """There is no query parameter {name!r} here; this route knows: {known}."""

    code = "unknown_parameter"


class MissingParameter(InvalidRequest):
    """The query parameter {name!r} is needed: {meaning}."""

    code = "missing_parameter"


class RepeatedParameter(InvalidRequest):
    """The query parameter {name!r} was sent more than once (its aliases count as the same); send it once."""

    code = "repeated_parameter"


class InvalidIdempotencyKey(InvalidRequest):
    """An Idempotency-Key is 1 to 255 visible ASCII characters."""

    code = "invalid_idempotency_key"


class InvalidMinRevision(InvalidRequest):
    """X-Min-Revision must be a revision as X-Moorage-Revision tells it, a whole number; got {value!r}."""

    code = "invalid_min_revision"


class InvalidSince(InvalidRequest):
    """{param} must be a revision, or the id of an event of this stream; got {value!r}."""

    code = "invalid_since"


class InvalidFlag(InvalidRequest):
    """{param} must be true or false; got {value!r}."""

    code = "invalid_flag"


class InvalidJson(InvalidRequest):
    """The body is not JSON that can be kept: {reason}."""

    code = "invalid_json"


class InvalidBody(InvalidRequest):
    """{summary}"""

    code = "invalid_request_body"

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> "InvalidBody":
        """The error for a body with these problems."""
        first, more = problems[0], len(problems) - 1
        summary = f"{first.path or 'the body'} {first.message}" + (f" (and {more} more)" if more else "")
        return cls(param=first.path or None, problems=tuple(problems), summary=summary)


class InvalidKey(InvalidRequest):
    """A deployment key is 1 to 128 of the characters a-z A-Z 0-9 _ - . and {rule}; got {value!r}."""

    code = "invalid_key"


class BodyTooLarge(InvalidRequest):
    """The body is larger than {maximum} bytes."""

    code = "body_too_large"


class BodyTooSlow(InvalidRequest):
    """The body did not arrive within {seconds} seconds."""

    code = "request_timeout"


class UnsupportedEncoding(InvalidRequest):
    """A body with Content-Encoding {encoding!r} is not read; send it without one."""

    code = "unsupported_encoding"
