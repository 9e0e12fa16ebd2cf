"""Errors of URLs that the server does not have."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from moorage.core.errors.base import NotFound

_BASE_URL: Final = "For clients of OpenAI, the base URL ends with /v1, as in http://127.0.0.1:8700/v1."

_MEDIA: Final = "For images and audio, there are images/generations, audio/speech and audio/transcriptions."

_STORED: Final = "The server stores neither responses nor conversations; send the earlier items in `input`."

_ANTHROPIC: Final = "The API of Anthropic is not available; POST /v1/chat/completions is."

#: The prefixes of OpenAI's routes.
_OPENAI: Final = ("/v1", "/v2/router", "/v3/router")


def _each(*ends: str) -> tuple[str, ...]:
    return tuple(f"{prefix}{end}" for prefix in _OPENAI for end in ends)


#: The start of paths that other servers have, and what this server has instead.
_ELSEWHERE: Final = (
    (("/models", "/chat/", "/completions", "/responses", "/embeddings", "/moderations", "/rerank"), _BASE_URL),
    (_each("/v1/", "/v2/", "/v3/"), "The base URL of the client has a version twice. It ends with /v1."),
    (("/messages", *_each("/messages", "/complete/")), _ANTHROPIC),
    (_each("/models/"), "A model is the key of a deployment, which has no slash; GET /v1/models lists them."),
    (_each("/images/", "/audio/", "/ocr"), _MEDIA),
    (_each("/responses/", "/conversations"), _STORED),
)  # fmt: skip

#: The longest path that is compared with those of the routes.
_MAX_COMPARED: Final = 200


class RouteNotFound(NotFound):
    """There is no route {path}."""

    code = "not_found"
    hint = "{similar}See /docs for all routes."

    @classmethod
    def of(cls, path: str, routes: Iterable[str] = ()) -> "RouteNotFound":
        """Return the error for a path, which names a similar route.

        A path with a further slash may have a key with a slash.
        """
        has_slash = path.count("/") > 3 or "%2f" in path.lower()
        kind = SlashInKey if path.startswith("/v2/deployments/") and has_slash else cls
        return kind(path=path[:200], similar=_similar(path, routes))


class SlashInKey(RouteNotFound):
    """There is no route {path}."""

    hint = "{similar}A key has no slash; use a dot instead, as in `folder.faq`. See /docs for all routes."


class MethodNotAllowed(NotFound):
    """{path} does not support {method}; it supports {allowed}."""

    code = "method_not_allowed"


def _similar(path: str, routes: Iterable[str]) -> str:
    """Return a sentence about a similar route, or nothing."""
    for starts, hint in _ELSEWHERE:
        if path.startswith(starts):
            return f"{hint} "
    if len(path) > _MAX_COMPARED:
        return ""
    plain = path.rstrip("/") or "/"
    filled = {_filled(route, plain): route for route in routes}
    found = get_close_matches(plain, filled, n=1, cutoff=0.7)
    return f"Did you mean {filled[found[0]]}? " if found else ""


def _filled(route: str, path: str) -> str:
    """Return a route with the segments of a path in place of its parameters."""
    names, values = route.split("/"), path.split("/")
    if len(names) != len(values):
        return route
    return "/".join(value if name.startswith("{") else name for name, value in zip(names, values, strict=True))
