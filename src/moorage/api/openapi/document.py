"""The description of a route table: for programs, and as a page for people."""

import msgspec

from moorage.api.openapi.docs_page import docs_page
from moorage.api.openapi.schema import openapi
from moorage.api.operation import Operation
from moorage.api.services import ApiDescription


def describe(operations: tuple[Operation, ...], root_path: str = "") -> ApiDescription:
    """Return the description of a route table, encoded once at the start of a process."""
    document = openapi(operations, root_path)
    return ApiDescription(msgspec.json.encode(document), docs_page(document).encode())
