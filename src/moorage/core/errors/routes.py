"""Errors of URLs that the server does not have."""

from moorage.core.errors.base import NotFound


class RouteNotFound(NotFound):
    """There is no route {path}."""

    code = "not_found"
    hint = "See /docs for all routes."

    @classmethod
    def of(cls, path: str) -> "RouteNotFound":
        """Return the error for a path; with a hint if it may have a key with a slash."""
        has_slash = path.count("/") > 3 or "%2f" in path.lower()
        kind = SlashInKey if path.startswith("/v2/deployments/") and has_slash else cls
        return kind(path=path[:200])


class SlashInKey(RouteNotFound):
    """There is no route {path}."""

    hint = "A key has no slash; use a dot instead, as in `folder.faq`. See /docs for all routes."


class MethodNotAllowed(NotFound):
    """{path} does not support {method}; it supports {allowed}."""

    code = "method_not_allowed"
