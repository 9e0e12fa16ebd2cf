"""Errors of a request: its parameters, headers, or body.

InvalidRequest
├── InvalidLimit, InvalidCursor, ConflictingCursors, InvalidFlag, InvalidSince
├── InvalidFilter             FilterTooLong, FilterNotATime
├── UnknownParameter, RepeatedParameter, MissingParameter, InvalidIdempotencyKey, InvalidMinRevision
├── ComparisonTooLarge, ContextTooLarge
├── InvalidHost, RepeatedHeader
└── InvalidJson, InvalidBody, InvalidKey, BodyTooLarge, BodyTooSlow, MalformedBody, UnsupportedEncoding
"""

from collections.abc import Sequence

from moorage.core.errors.base import MoorageError, Problem


class InvalidRequest(MoorageError):
    """Invalid request: {reason}."""

    code = "invalid_request"


class InvalidLimit(InvalidRequest):
    """limit must be a whole number from 1 to {maximum}; got {value!r}."""

    code = "invalid_limit"


class InvalidCursor(InvalidRequest):
    """{param} must be the id of an item of this list; got {value!r}."""

    code = "invalid_cursor"


class InvalidFilter(InvalidRequest):
    """{param} must be one of {choices}; got {value!r}.{suggestion}"""

    code = "invalid_filter"


class FilterTooLong(InvalidFilter):
    """{param} must be at most {maximum} characters long."""


class FilterNotATime(InvalidFilter):
    """{param} must be a date or a time in ISO 8601, such as 2026-03-01 or 2026-03-01T09:30:00Z; got {value!r}."""

    hint = "In a URL, encode + as %2B."


class ConflictingCursors(InvalidRequest):
    """starting_after and ending_before were both sent."""

    code = "conflicting_cursors"
    hint = "Send starting_after for older deployments, or ending_before for newer ones."


class UnknownParameter(InvalidRequest):
    """Unknown query parameter {name!r}; this route has: {allowed}."""

    code = "unknown_parameter"


class MissingParameter(InvalidRequest):
    """The query parameter {name!r} is required: {meaning}."""

    code = "missing_parameter"


class RepeatedParameter(InvalidRequest):
    """The query parameter {name!r} was sent more than once (its aliases count as the same)."""

    code = "repeated_parameter"
    hint = "Send it once."


class InvalidHost(InvalidRequest):
    """A request must have one Host header with a host and an optional port; got {value}."""

    code = "invalid_host"


class RepeatedHeader(InvalidRequest):
    """The header {name} was sent more than once."""

    code = "repeated_header"
    hint = "Send it once."


class InvalidIdempotencyKey(InvalidRequest):
    """Idempotency-Key must be 1 to 255 visible ASCII characters."""

    code = "invalid_idempotency_key"


class InvalidMinRevision(InvalidRequest):
    """X-Moorage-Min-Revision must be a whole number from X-Moorage-Revision; got {value!r}."""

    code = "invalid_min_revision"


class InvalidSince(InvalidRequest):
    """{param} must be a revision, or the id of an event of this stream; got {value!r}."""

    code = "invalid_since"


class InvalidFlag(InvalidRequest):
    """{param} must be true or false; got {value!r}."""

    code = "invalid_flag"


class InvalidJson(InvalidRequest):
    """Invalid JSON: {reason}."""

    code = "invalid_json"


class InvalidBody(InvalidRequest):
    """{summary}"""

    code = "invalid_request_body"

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> "InvalidBody":
        """Return the error for a body with these problems."""
        first, more = problems[0], len(problems) - 1
        summary = f"{first.path or 'The body'}: {first.message}"
        return cls(
            param=first.path or None,
            problems=tuple(problems),
            summary=summary + (f" (and {more} more)" if more else ""),
        )


class InvalidKey(InvalidRequest):
    """Invalid key {value!r}: {rule}."""

    code = "invalid_key"


class BodyTooLarge(InvalidRequest):
    """The body is larger than {maximum} bytes."""

    code = "body_too_large"


class BodyTooSlow(InvalidRequest):
    """The body did not arrive within {seconds} seconds."""

    code = "request_timeout"


class MalformedBody(InvalidRequest):
    """The body cannot be read: its chunks are malformed, or it ended early."""

    code = "malformed_body"


class UnsupportedEncoding(InvalidRequest):
    """Content-Encoding {encoding!r} is not supported."""

    code = "unsupported_encoding"
    hint = "Send the body uncompressed."


class ComparisonTooLarge(InvalidRequest):
    """The new version needs more than {maximum} comparisons with the live version to find breaking changes."""

    code = "comparison_too_large"
    hint = "Publish fewer changes at once, or pass allow_breaking=true to publish it without this check."


class ContextTooLarge(InvalidRequest):
    """The context is too large for a table of {conditions} conditions: more than {maximum} comparisons are needed."""

    code = "context_too_large"
    hint = "Send shorter texts and lists in the context, or use fewer conditions."
