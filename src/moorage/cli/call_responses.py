"""The parts of the responses to calls that the command line uses."""

import msgspec


class CalledFunction(msgspec.Struct, frozen=True):
    """A function that the model calls. In a stream, each event has a part of the arguments, and the first the name."""

    name: str = ""
    arguments: str = ""


class ToolCallPart(msgspec.Struct, frozen=True):
    """A call of a tool, or a part of it."""

    function: CalledFunction
    index: int = 0


class CallMessage(msgspec.Struct, frozen=True):
    """A message of the model, or a part of it."""

    content: str | None = None
    reasoning: str = ""
    tool_calls: list[ToolCallPart] = []


class CallChoice(msgspec.Struct, frozen=True):
    """One of the responses of the model."""

    message: CallMessage
    index: int = 0
    finish_reason: str = ""


class CallUsage(msgspec.Struct, frozen=True):
    """Numbers of tokens."""

    prompt_tokens: int
    completion_tokens: int


class CallReply(msgspec.Struct, frozen=True):
    """The response to a call, or an event of its stream."""

    provider: str
    model: str
    choices: list[CallChoice]
    usage: CallUsage | None = None
