"""What describes the API: /openapi.json for programs, /docs for people. Finished bytes, made when a process starts."""

import msgspec


class Documents(msgspec.Struct, frozen=True):
    """The two, as they are sent."""

    openapi_json: bytes
    docs_html: bytes
