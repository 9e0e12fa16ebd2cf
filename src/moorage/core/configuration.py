"""Configuration: what an application sends to a model, for a deployment, a context and inputs (contract §2.3)."""

import hashlib
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from moorage.core.conform import Report
from moorage.core.context import Context, read_context
from moorage.core.errors import InvalidBody, InvalidJson, Problem
from moorage.core.prompt_config import ModelType

Object = dict[str, Any]


class Identity(msgspec.Struct, frozen=True):
    """Who the call is made for."""

    id: str
    display_name: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    metadata: list[Object] | UnsetType = UNSET
    logo_url: str | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET


class DocumentMetadata(msgspec.Struct, frozen=True):
    """Where a piece of text is from."""

    file_name: str | UnsetType = UNSET
    file_type: str | UnsetType = UNSET
    page_number: float | UnsetType = UNSET


class Document(msgspec.Struct, frozen=True):
    """A piece of text that the application found itself."""

    text: str
    metadata: DocumentMetadata | UnsetType = UNSET


class InvokeOptions(msgspec.Struct, frozen=True):
    """What an invocation answers."""

    include_retrievals: bool = False
    include_usage: bool = False
    mock_response: str | UnsetType = UNSET


class Thread(msgspec.Struct, frozen=True):
    """What the call belongs to."""

    id: str
    tags: list[str] | UnsetType = UNSET


class ConfigurationRequest(msgspec.Struct, frozen=True):
    """The body of `get_config` (contract §2.2), which is that of an invocation. Unknown fields are ignored, as
    the SDKs send some; what only an invocation uses is checked and has no effect here."""

    key: Annotated[str, Meta(min_length=1, description="The deployment's key, or its id.")]
    inputs: Annotated[Object, Meta(description="The values of variables.")] = {}
    context: Annotated[Object, Meta(description="The attributes that routing chooses by.")] = {}
    prefix_messages: Annotated[list[Object], Meta(description="Put behind the system messages, as they are.")] = []
    messages: Annotated[list[Object], Meta(description="Put behind all other messages, as they are.")] = []
    extra_params: Annotated[Object, Meta(description="In the place of the parameters of the same name.")] = {}
    stream: bool = False
    identity: Identity | UnsetType | None = UNSET
    file_ids: list[str] | UnsetType | None = UNSET
    metadata: Object | UnsetType | None = UNSET
    documents: list[Document] | UnsetType | None = UNSET
    invoke_options: InvokeOptions | UnsetType | None = UNSET
    thread: Thread | UnsetType | None = UNSET
    knowledge_filter: Object | UnsetType | None = UNSET

    def attributes(self) -> Context:
        """The context, checked.

        Raises:
            InvalidBody: with every problem of it and of the messages.
        """
        report = Report()
        context = read_context(self.context, report)
        _check_messages(self.prefix_messages, report, "prefix_messages")
        _check_messages(self.messages, report, "messages")
        if report.problems:
            raise InvalidBody.of(report.problems)
        return context


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """What to send to the provider. The same request to the same version has the same `id`."""

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
_decode_request = msgspec.json.Decoder(ConfigurationRequest).decode


def read_request(body: bytes) -> ConfigurationRequest:
    """A body as a request.

    Raises:
        InvalidBody
    """
    try:
        return _decode_request(body)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        path = path.rstrip("`").removeprefix(".")
        raise InvalidBody.of([Problem(path, message[:1].lower() + message[1:])]) from None
    except msgspec.DecodeError as error:
        raise InvalidJson(reason=str(error)) from None


def sealed(configuration: Configuration) -> bytes:
    """Its JSON, with an id that follows from all the rest, of 26 digits that a ULID may have, as clients expect
    (contract §2.3)."""
    encoded = _encode(configuration)
    digits = hashlib.sha256(encoded).hexdigest()[:26].upper()
    return b'{"id":"' + digits.encode() + encoded[len(b'{"id":"') :]


#: The roles and parts that a caller's message may have (contract §2.2), and what each part must carry.
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})
_PARTS = {
    "text": "text", "image_url": "image_url", "input_audio": "input_audio", "file": "file", "refusal": "refusal",
    "reasoning": None, "redacted_reasoning": None,
}  # fmt: skip


def _check_messages(messages: list[Object], report: Report, path: str) -> None:
    for index, message in enumerate(messages):
        here = f"{path}[{index}]"
        role, content = message.get("role"), message.get("content")
        if role not in _ROLES:
            report.problem(f"{here}.role", f"must be one of {', '.join(sorted(_ROLES))}")
        if isinstance(content, list):
            for number, part in enumerate(content):
                kind = part.get("type") if isinstance(part, dict) else None
                if kind not in _PARTS:
                    report.problem(f"{here}.content[{number}].type", f"must be one of {', '.join(_PARTS)}")
                elif (needed := _PARTS[kind]) is not None and needed not in part:
                    report.problem(f"{here}.content[{number}].{needed}", "is required")
        elif not isinstance(content, str) and not (content is None and role == "assistant"):
            report.problem(f"{here}.content", "must be a string or an array of parts")
        if role == "tool" and "tool_call_id" not in message:
            report.problem(f"{here}.tool_call_id", "is required")
