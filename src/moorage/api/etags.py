"""ETags, as a request names them."""


def matches(if_none_match: bytes, etag: bytes) -> bool:
    """Whether an If-None-Match names an ETag."""
    return if_none_match == etag or any(
        candidate.strip().removeprefix(b"W/") in (etag, b"*") for candidate in if_none_match.split(b",")
    )
