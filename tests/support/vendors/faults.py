"""What goes wrong at vendors: errors, malformed responses, and streams that break."""

from collections.abc import Callable, Sequence

import msgspec

from tests.support.vendors.server import Fault, Received, Reply, Vendor


def status(code: int, message: str = "Something went wrong.", **headers: str) -> Fault:
    """Respond with an error in the vendor's own form."""

    def fault(vendor: Vendor, request: Received) -> Reply:
        reply = vendor.failure(code, message)
        return msgspec.structs.replace(reply, headers={**reply.headers, **headers})

    return fault


def body(content: bytes, media_type: str = "application/json", code: int = 200, encoding: str = "identity") -> Fault:
    """Respond with a body that is not the vendor's."""
    headers = {"Content-Type": media_type, "Content-Encoding": encoding}
    return lambda vendor, request: Reply(code, headers, [content])


def truncated(vendor: Vendor, request: Received) -> Reply:
    """Close the connection in the middle of the response."""
    reply = vendor.respond(request)
    if reply.is_stream:
        return _changed(reply, _half(reply), ends="early")
    return _changed(reply, [reply.parts[0][: len(reply.parts[0]) // 2]], ends="early")


def ends_early(vendor: Vendor, request: Received) -> Reply:
    """End the response well, in the middle of what the model says."""
    reply = vendor.respond(request)
    return _changed(reply, _half(reply) if reply.is_stream else [reply.parts[0][:-2]])


def error_in_stream(vendor: Vendor, request: Received) -> Reply:
    """Send an error in the middle of a stream."""
    reply = vendor.respond(request)
    return _changed(reply, [*_half(reply), vendor.error_event("The model crashed.")])


def garbage_in_stream(vendor: Vendor, request: Received) -> Reply:
    """Send malformed bytes in the middle of a stream, as an event and as a message of Amazon."""
    reply = vendor.respond(request)
    garbage = b"data: {{{\xff\n\n" + bytes(range(256)) + b"\n\n"
    return _changed(reply, [*_half(reply), garbage])


def silent(vendor: Vendor, request: Received) -> Reply:
    """Send half of the response, and nothing more."""
    reply = vendor.respond(request)
    return _changed(reply, _half(reply), ends="never")


def closes(vendor: Vendor, request: Received) -> Reply:
    """Close the connection without a response."""
    return Reply(None)


def no_response(vendor: Vendor, request: Received) -> Reply:
    """Send nothing, and leave the connection open."""
    return Reply(None, ends="never")


def splits(size: int) -> Fault:
    """Send the stream in pieces of a size, which split events, lines and characters."""

    def fault(vendor: Vendor, request: Received) -> Reply:
        reply = vendor.respond(request)
        whole = b"".join(reply.parts)
        return _changed(reply, [whole[start : start + size] for start in range(0, len(whole), size)])

    return fault


def rewritten(rewrite: Callable[[bytes], bytes]) -> Fault:
    """Change each part of the response."""

    def fault(vendor: Vendor, request: Received) -> Reply:
        reply = vendor.respond(request)
        return _changed(reply, [rewrite(part) for part in reply.parts])

    return fault


def _half(reply: Reply) -> Sequence[bytes]:
    return reply.parts[: max(2, len(reply.parts) // 2)]


def _changed(reply: Reply, parts: Sequence[bytes], ends: str = "well") -> Reply:
    return msgspec.structs.replace(reply, parts=parts, ends=ends)
