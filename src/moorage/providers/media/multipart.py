"""Requests with a file, as `multipart/form-data` (RFC 7578), which are sent without holding the file in memory."""

import secrets
from collections.abc import Iterable, Iterator

from moorage.providers.media.tasks import File


class Multipart:
    """The body of a form with fields and one file."""

    def __init__(self, fields: Iterable[tuple[str, str]], file_field: str, file: File) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'
            for name, value in fields
        ]
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(file_field)}";'
            f' filename="{_quoted(file.name)}"\r\nContent-Type: {file.media_type}\r\n\r\n'
        )
        self._before = ("".join(parts) + head).encode()
        self._after = f"\r\n--{boundary}--\r\n".encode()
        self._file = file

    def __len__(self) -> int:
        return len(self._before) + self._file.size + len(self._after)

    def pieces(self) -> Iterator[bytes]:
        """Return the body from its start, in pieces."""
        yield self._before
        yield from self._file.pieces()
        yield self._after


def _quoted(text: str) -> str:
    """Return a name for a header: browsers escape quotes and ends of lines like this."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
