"""The proxies in front of the server: they publish it under a path, and know the addresses of clients."""

import re
from typing import Final
from urllib.parse import unquote

import msgspec
from starlette.types import Scope

from moorage.api.responses import RawHeaders
from moorage.core.errors.routes import RouteNotFound
from moorage.core.root_path import without_root_path
from moorage.core.trusted_proxies import NO_PROXIES, TrustedProxies

#: The start of an IPv4 address on a socket that listens on IPv6, too.
_MAPPED: Final = "::ffff:"


class Proxies(msgspec.Struct, frozen=True):
    """The prefix of all paths, and the proxies whose headers name clients."""

    root_path: str = ""
    trusted: TrustedProxies = NO_PROXIES

    def client(self, scope: Scope) -> str:
        """Return the address of the client; several headers of one name are one list."""
        connection: tuple[str, int] | None = scope.get("client")
        peer = connection[0].removeprefix(_MAPPED) if connection else ""
        if not self.trusted.networks:
            return peer
        headers: RawHeaders = scope["headers"]
        return self.trusted.client(peer, _list(headers, b"x-forwarded-for"), _list(headers, b"forwarded"))

    def normalize_path(self, scope: Scope) -> RouteNotFound | None:
        """Remove the root path from the path; return the error of a path with an encoded slash."""
        raw_path: bytes = scope.get("raw_path") or b""
        has_slash = b"%2" in raw_path and b"%2f" in raw_path.lower()
        if has_slash:
            # The server decodes a path before it is routed, so the slash would separate segments and lead to another
            # route. No key, id or version has a slash.
            scope["path"] = _path_of_segments(raw_path)
        if self.root_path:
            scope["path"] = without_root_path(scope["path"], self.root_path)
        return RouteNotFound.of(scope["path"]) if has_slash else None


def _list(headers: RawHeaders, name: bytes) -> bytes | None:
    values = [value for header, value in headers if header == name]
    return b",".join(values) if values else None


def _path_of_segments(raw_path: bytes) -> str:
    """Return the decoded path with `%2F` for an encoded slash."""
    return unquote(re.sub(b"%2f", b"%252F", raw_path, flags=re.IGNORECASE).decode("latin-1"))
