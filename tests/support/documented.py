"""The errors that /openapi.json documents, for a check of each response of a test."""

import json
import re
from functools import cache

from moorage.api.openapi.document import describe
from moorage.api.routes import OPERATIONS
from tests.support.server import Response

#: Errors of the server as a whole, which no route documents.
_OF_THE_SERVER = {"invalid_path", "not_found", "method_not_allowed", "invalid_min_revision"}


@cache
def _routes() -> list[tuple[re.Pattern[str], dict[str, dict[str, str]]]]:
    """Return a pattern for each path, with its methods and the codes of each status; those without names come first."""
    paths = json.loads(describe(OPERATIONS).openapi_json)["paths"]
    found = []
    for path in sorted(paths, key=lambda path: path.count("{")):
        methods = {
            method: {status: response["description"] for status, response in operation["responses"].items()}
            for method, operation in paths[path].items()
        }
        found.append((re.compile(re.sub(r"{\w+}", "[^/]+", path)), methods))
    return found


def check_documented(method: str, path: str, response: Response) -> None:
    """Check that the route documents the status and, of an error, the code."""
    path = path.partition("?")[0]
    methods = next((methods for pattern, methods in _routes() if pattern.fullmatch(path)), {})
    documented = methods.get(method.lower())
    code = response.json["error"]["code"] if response.status >= 400 else ""
    if documented is None or code in _OF_THE_SERVER:
        return
    assert str(response.status) in documented, (method, path, response.status, code)
    assert code in documented[str(response.status)].split(", ") or not code, (method, path, response.status, code)
