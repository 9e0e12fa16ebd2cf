"""The shape of `POST /v1/completions`: that of OpenAI."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from moorage.api.calls.openai_chat import ChatUsage
from moorage.api.calls.shape import DONE, CallIds
from moorage.core.errors.base import MoorageError
from moorage.providers.completion import Completion, Usage


class TextChoice(msgspec.Struct, frozen=True):
    """One of the texts of a model, or a part of it."""

    index: int
    text: str
    logprobs: Any
    finish_reason: str | None


class TextResponse(msgspec.Struct, frozen=True, omit_defaults=True):
    """The response to `POST /v1/completions`, and an event of its stream."""

    id: str
    object: str
    created: int
    model: str
    choices: list[TextChoice]
    usage: Any = UNSET


class OpenAiTextShape:
    """The response of one call; see `Shape`."""

    def __init__(self, ids: CallIds, model: str, *, with_usage: bool, is_router: bool) -> None:
        """Clients of the router of orq.ai reject a null as the finish reason, in each event (`is_router`)."""
        self.model = model
        self._no_reason = "stop" if is_router else None
        self._id = f"cmpl-{ids.id}"
        self._created = ids.at_us // 1_000_000
        self._with_usage = with_usage
        self._usage: Usage | None = None
        self._reasons: dict[int, str] = {}

    def response(self, completion: Completion) -> bytes:
        """Return the body of a response that is no stream."""
        choices = [
            TextChoice(
                choice.index, choice.content or choice.refusal or "", choice.logprobs, choice.finish_reason or "stop"
            )
            for choice in completion.choices
        ]
        return self._encoded(choices, ChatUsage.of(completion.usage), completion.model)

    def chunks(self, completions: Sequence[Completion]) -> bytes:
        """Return the events for what the model wrote."""
        pieces = list[bytes]()
        for completion in completions:
            self._usage = completion.usage or self._usage
            for choice in completion.choices:
                self._reasons.setdefault(choice.index, "stop")
                if choice.finish_reason is not None:
                    self._reasons[choice.index] = choice.finish_reason
            choices = [
                TextChoice(choice.index, choice.content, choice.logprobs, self._no_reason)
                for choice in completion.choices
                if choice.content
            ]
            if choices:
                pieces += (b"data: ", self._encoded(choices, UNSET, completion.model), b"\n\n")
        return b"".join(pieces)

    def end(self) -> bytes:
        """Return the last events: the finish reasons, the usage, and the end."""
        last = [TextChoice(index, "", None, reason) for index, reason in sorted(self._reasons.items() or [(0, "stop")])]
        pieces = [b"data: ", self._encoded(last, UNSET, None), b"\n\n"]
        if self._with_usage:
            pieces += (b"data: ", self._encoded([], ChatUsage.of(self._usage), None), b"\n\n")
        return b"".join((*pieces, DONE))

    def failure(self, error: MoorageError, body: bytes) -> bytes:
        """Return the event for an error: clients raise it with its message and code."""
        return b"data: %b\n\n" % body

    def _encoded(self, choices: list[TextChoice], usage: Any, model: str | None) -> bytes:
        self.model = model or self.model
        return msgspec.json.encode(TextResponse(self._id, "text_completion", self._created, self.model, choices, usage))
