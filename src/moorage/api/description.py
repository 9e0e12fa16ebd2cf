"""Describe a route table, for programs and for people."""

import msgspec

from moorage.api.docs_page import docs_page
from moorage.api.documents import Documents
from moorage.api.openapi import openapi
from moorage.api.operation import Operation


def describe(operations: tuple[Operation, ...]) -> Documents:
    """The documents of a route table."""
    document = openapi(operations)
    return Documents(msgspec.json.encode(document), docs_page(document).encode())
