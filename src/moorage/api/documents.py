"""What describes the API: /openapi.json for programs, /docs for people. Made once, when the process starts."""

from typing import TYPE_CHECKING

import msgspec

from moorage.api.docs_page import docs_page
from moorage.api.openapi import openapi

if TYPE_CHECKING:
    from moorage.api.routes import Operation


class Documents(msgspec.Struct, frozen=True):
    """The finished bytes."""

    openapi_json: bytes
    docs_html: bytes

    @classmethod
    def of(cls, operations: "tuple[Operation, ...]") -> "Documents":
        """Describe a route table."""
        document = openapi(operations)
        return cls(msgspec.json.encode(document), docs_page(document).encode())
