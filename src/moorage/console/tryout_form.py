"""What the try page was asked for: versions, inputs, a context and a message. The address and the form have the same
fields, so the address of a page leads to it again.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from moorage.api.tasks.tryouts import KINDS
from moorage.console.form import UploadedFile
from moorage.core.errors.requests import InvalidRequest

#: The fields that name the version and the model of each column; the first column is always there.
COLUMNS: Final = (("version", "model"), ("against", "against_model"), ("also", "also_model"))

#: So many texts are compared, one a line.
MAX_TEXTS: Final = 20

_IN_PLACE: Final = "In place of the variable input, or after the messages of the version."


class TextField(NamedTuple):
    """The label of the field with the text for a model, and its hint."""

    label: str
    hint: str


#: The field for each model type; all chats have one.
FORMS: Final[Mapping[str, TextField]] = {
    "chat": TextField("Message of the user", "Appended to the messages of the version, as an application can."),
    "image": TextField("Prompt", _IN_PLACE),
    "tts": TextField("Text to speak", _IN_PLACE),
    "stt": TextField("Prompt", "Optional: names and words that the audio has."),
    "embedding": TextField("Texts", f"One a line, at most {MAX_TEXTS}. With several, the answer compares them."),
    "rerank": TextField("Query", _IN_PLACE),
    "moderation": TextField("Text to check", _IN_PLACE),
}

#: The first part of the name of a field that has the value of one input.
_INPUT: Final = "input."


class Asked(msgspec.Struct, frozen=True):
    """The fields. `columns` has the version and the model of each column; nothing for the default."""

    columns: list[tuple[str, str]]
    chosen: list[tuple[str, str]]
    fields: dict[str, str]
    inputs: str = ""
    context: str = ""
    message: str = ""
    documents: str = ""
    audio: UploadedFile | None = None

    def body(self, model: str = "", kind: str = "chat") -> dict[str, Any]:
        """Return the body of `RenderVersion` for one column; `kind` is the type of its model.

        Raises:
            InvalidRequest: the inputs or the context are malformed, or there are too many texts.
        """
        inputs = read_inputs(self.inputs) | {name: value for name, value in self.fields.items() if value}
        body: dict[str, Any] = {"inputs": inputs, "context": read_context(self.context)}
        if self.message:
            body["messages"] = [{"role": "user", "content": self.message}]
        if model:
            body["model"] = model
        return with_kind(body, kind)

    def call(self, model: str, kind: str) -> dict[str, Any]:
        """Return the body of `TryVersion` for one column.

        Raises:
            InvalidRequest
        """
        body = self.body(model, kind)
        if kind == "rerank":
            body["documents"] = _lines(self.documents)
        if kind == "stt" and self.audio is not None:
            body["audio"] = self.audio.as_json()
        return body

    def query(self) -> dict[str, str]:
        """Return the fields that are not empty, for an address."""
        named = {f"{_INPUT}{name}": value for name, value in self.fields.items()}
        columns = {
            name: value for names, values in zip(COLUMNS, self.chosen, strict=True)
            for name, value in zip(names, values, strict=True)
        }  # fmt: skip
        others = {
            "inputs": self.inputs, "context": self.context, "message": self.message, "documents": self.documents,
        }  # fmt: skip
        return {name: value for name, value in (columns | named | others).items() if value}


def asked(pairs: Iterable[tuple[str, str]], audio: UploadedFile | None = None) -> Asked:
    """Return what the fields of an address or of a form ask for, with the file of the form."""
    found = dict(pairs)
    chosen = [(found.get(version, "").strip(), found.get(model, "").strip()) for version, model in COLUMNS]
    first, *others = chosen
    columns = [first, *((version or first[0], model) for version, model in others if version or model)]
    fields = {name.removeprefix(_INPUT): value for name, value in found.items() if name.startswith(_INPUT)}
    inputs, context, message, documents = (
        found.get(name, "") for name in ("inputs", "context", "message", "documents")
    )
    return Asked(columns, chosen, fields, inputs, context, message, documents, audio)


def with_kind(body: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return a body of a chat as one for a model of a type: its message is the text, or has several as lines.

    The answer is in a form that a page can show.

    Raises:
        InvalidRequest: there are too many texts.
    """
    if kind not in KINDS:
        return body
    found = {name: value for name, value in body.items() if name != "messages"}
    text = message_of({"messages": body.get("messages", [])})
    if text is None:
        raise InvalidRequest(param="messages", reason="the messages of the case are not for a model of this type")
    texts = _lines(text) if kind == "embedding" else [text]
    if len(texts) > MAX_TEXTS:
        raise InvalidRequest(param="input", reason=f"a try-out compares at most {MAX_TEXTS} texts, not {len(texts):,}")
    if text:
        found["input"] = texts if kind == "embedding" else text
    shown = {"image": {"format": "b64_json"}, "embedding": {"encoding_format": "float"}}
    return {**found, "extra_params": shown[kind]} if kind in shown else found


def _lines(text: str) -> list[str]:
    """Return the lines that are not blank."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def with_case(request: Asked, case: Mapping[str, Any]) -> Asked:
    """Return a request with the inputs, the context and the message of a stored case."""
    inputs = case["inputs"]
    texts = {name: value for name, value in inputs.items() if isinstance(value, str) and value}
    others = {name: value for name, value in inputs.items() if name not in texts}
    return msgspec.structs.replace(
        request, fields=texts, inputs=json.dumps(others, ensure_ascii=False, indent=2) if others else "",
        context=context_lines(case["context"]), message=message_of(case) or "",
    )  # fmt: skip


def message_of(case: Mapping[str, Any]) -> str | None:
    """Return the message of a case; None if it has other messages than one text of the user."""
    messages = case["messages"]
    if not messages:
        return ""
    content = messages[0].get("content")
    is_text = len(messages) == 1 and messages[0]["role"] == "user" and isinstance(content, str)
    return content if is_text else None


def read_inputs(text: str) -> dict[str, Any]:
    """Return the inputs of a JSON object; without a text, none.

    Raises:
        InvalidRequest
    """
    return _json_object(text, "inputs") if text.strip() else {}


def read_context(text: str) -> dict[str, Any]:
    """Return a context: a JSON object, or lines such as `country=NL`, whose values can be JSON.

    Raises:
        InvalidRequest
    """
    if text.lstrip().startswith("{"):
        return _json_object(text, "context")
    context = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = line.partition("=")
        if not line.strip():
            continue
        if not equals or not name.strip():
            raise InvalidRequest(
                param="context", reason=f"line {number} of the context must be like country=NL; it is {line[:100]!r}"
            )
        context[name.strip()] = _value(value.strip())
    return context


def context_lines(context: Mapping[str, Any]) -> str:
    """Return a context as the lines of `read_context`."""
    return "\n".join(f"{name}={_line(value)}" for name, value in context.items())


def _line(value: Any) -> str:
    is_plain = isinstance(value, str) and _value(value) == value and "\n" not in value and value == value.strip()
    return value if is_plain else json.dumps(value, ensure_ascii=False)


def _value(text: str) -> Any:
    """Return a number, a boolean, a list or a quoted text; any other text as it is."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if value is None or isinstance(value, dict) else value


def _json_object(text: str, name: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(param=name, reason=f"the {name} are no valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidRequest(param=name, reason=f"the {name} must be a JSON object")
    return value
