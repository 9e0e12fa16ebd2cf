"""The request for a configuration, and the resolved configuration."""

import hashlib
from collections.abc import Iterable
from itertools import islice
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.deployments.prompt_config import ModelType
from moorage.core.errors.base import Problem
from moorage.core.errors.requests import InvalidBody
from moorage.core.resolution.knowledge_filter import check_knowledge_filter
from moorage.core.resolution.messages import check_messages
from moorage.core.routing.context import Context, read_context
from moorage.core.validation import strict_json
from moorage.core.validation.body import read_body
from moorage.core.validation.json_path import JsonPath
from moorage.core.validation.validate import Report, similar_field

Object = dict[str, Any]

#: The default of the maximum size of a request, in bytes: calls carry pictures.
MAX_CALL_BODY = 20 * 1024 * 1024


class Identity(msgspec.Struct, frozen=True):
    """The end user of the request."""

    id: str
    display_name: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    metadata: list[Object] | UnsetType = UNSET
    logo_url: str | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET


class DocumentMetadata(msgspec.Struct, frozen=True):
    """The source of a document."""

    file_name: str | UnsetType = UNSET
    file_type: str | UnsetType = UNSET
    page_number: float | UnsetType = UNSET


class Document(msgspec.Struct, frozen=True):
    """A text that the application retrieved."""

    text: str
    metadata: DocumentMetadata | UnsetType = UNSET


class InvokeOptions(msgspec.Struct, frozen=True):
    """Options for the response of an invocation."""

    include_retrievals: bool = False
    include_usage: bool = False
    mock_response: str | UnsetType = UNSET


class Thread(msgspec.Struct, frozen=True):
    """The thread of the request."""

    id: str
    tags: list[str] | UnsetType = UNSET


class GetConfigRequest(msgspec.Struct, frozen=True):
    """The body of `get_config` and of an invocation.

    Unknown fields are ignored, because the SDKs send some. Fields for invocations are validated, without any effect.
    """

    key: Annotated[str, Meta(min_length=1, description="The deployment's key, or its id.")]
    inputs: Annotated[Object, Meta(description="The values of variables.")] = {}
    context: Annotated[Object, Meta(description="The attributes that routing uses.")] = {}
    prefix_messages: Annotated[list[Object], Meta(description="Inserted after the system messages, unchanged.")] = []
    messages: Annotated[list[Object], Meta(description="Appended to all other messages, unchanged.")] = []
    extra_params: Annotated[Object, Meta(description="Replaces the parameters of the same name.")] = {}
    stream: bool = False
    identity: Identity | UnsetType | None = UNSET
    file_ids: list[str] | UnsetType | None = UNSET
    metadata: Object | UnsetType | None = UNSET
    documents: list[Document] | UnsetType | None = UNSET
    invoke_options: InvokeOptions | UnsetType | None = UNSET
    thread: Thread | UnsetType | None = UNSET
    knowledge_filter: Object | UnsetType | None = UNSET

    def attributes(self) -> Context:
        """Return the validated context.

        Raises:
            InvalidBody: with all problems of the context, the messages and the filter.
        """
        report = Report()
        context = read_context(self.context, report)
        if self.prefix_messages:
            check_messages(self.prefix_messages, report, "prefix_messages")
        if self.messages:
            check_messages(self.messages, report, "messages")
        if self.knowledge_filter:
            check_knowledge_filter(self.knowledge_filter, report)
        if report.problems:
            raise InvalidBody.of(report.problems)
        return context


class ResolvedConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The request to send to the provider. The same request to the same version has the same `id`."""

    id: str
    provider: str
    model: str
    type: ModelType
    version: str
    messages: list[Object]
    parameters: Object
    tools: list[Object] | UnsetType = UNSET
    missing_inputs: Annotated[list[str], Meta(description="Variables with neither input nor default.")] | UnsetType = (
        UNSET
    )


_encode = msgspec.json.Encoder().encode


_FIELDS = tuple(field.encode_name for field in msgspec.structs.fields(GetConfigRequest))
_KNOWN = frozenset(_FIELDS)

#: How many unknown fields are compared with the known ones.
_MAX_UNKNOWN = 20


def read_request(body: bytes) -> tuple[GetConfigRequest, list[Problem]]:
    """Decode a body, and return it with warnings about unknown fields that are nearly known ones.

    Raises:
        InvalidJson, InvalidBody: with all problems.
    """
    value = strict_json.parse(body)
    try:
        request = msgspec.convert(value, GetConfigRequest)
    except ValueError:  # slower, but it reports all problems, and normalizes
        request = read_body(value, GetConfigRequest)[0]
    return request, [] if _KNOWN.issuperset(value) else _misspelled(value)


def _misspelled(names: Iterable[str]) -> list[Problem]:
    report = Report()
    for name in islice((name for name in names if name not in _KNOWN), _MAX_UNKNOWN):
        if hint := similar_field(name, _FIELDS, report):
            report.problem(JsonPath() / name, f"is an unknown field, and has no effect{hint}")
    return report.problems


def encode(configuration: ResolvedConfig) -> bytes:
    """Return the JSON of a configuration without an id.

    Raises:
        InvalidJson: the nesting of a message is too deep.
    """
    try:
        return _encode(configuration)
    except RecursionError:
        raise strict_json.too_deep() from None


def with_id(encoded: bytes) -> bytes:
    """Return the JSON with an id that is a hash of the rest: 26 digits of a ULID, as clients expect."""
    digits = hashlib.sha256(encoded).hexdigest()[:26].upper().encode()
    start = b'{"id":"'
    return b"".join((start, digits, memoryview(encoded)[len(start) :]))  # without a copy of the rest
