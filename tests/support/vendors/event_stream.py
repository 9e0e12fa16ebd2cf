"""Messages of AWS event streams: a length, headers, a body, and two checksums."""

import struct
import zlib
from collections.abc import Mapping

_TEXT = 7


def encode_message(headers: Mapping[str, str], body: bytes) -> bytes:
    """Return an encoded message."""
    encoded = b"".join(
        struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", _TEXT, len(value)) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 12 + len(encoded) + len(body) + 4, len(encoded))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + encoded + body
    return message + struct.pack(">I", zlib.crc32(message))
