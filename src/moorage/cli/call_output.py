"""The output of a call: the text of the model on standard output, and all that is about the call on standard error."""

import time
from collections.abc import Mapping

from moorage.cli.call_responses import CallMessage, CallReply, CallUsage, ToolCallPart
from moorage.cli.output import echo, one_line, pluralize
from moorage.cli.problems import print_context_warning, print_warning_header

#: Finish reasons that need no mention.
_USUAL = frozenset({"", "stop", "tool_calls"})

_LENGTH = 1_000


class TextPrinter:
    """Prints the first of the responses as it arrives. The calls of tools follow when they are complete.

    The reasoning is printed on standard error, so that standard output has nothing but the response.
    """

    def __init__(self) -> None:
        self._is_in_line = self._is_in_reasoning = False
        self._calls: dict[int, list[str]] = {}

    def add(self, reply: CallReply) -> None:
        """Print a response, or an event of a stream."""
        for choice in reply.choices:
            if choice.index == 0:
                self._add(choice.message)

    def end(self) -> None:
        """Print what is complete now, and end the line."""
        self.end_line()
        for name, *arguments in self._calls.values():
            echo(f"{name}({''.join(arguments)})")
        self._calls.clear()

    def end_line(self) -> None:
        """End the line of both streams."""
        if self._is_in_reasoning:
            echo("", err=True)
        if self._is_in_line:
            echo("")
        self._is_in_line = self._is_in_reasoning = False

    def _add(self, message: CallMessage) -> None:
        if message.reasoning:
            self._is_in_reasoning = True
            echo(message.reasoning, err=True, nl=False, dim=True)
        if message.content:
            if self._is_in_reasoning:
                echo("", err=True)
                self._is_in_reasoning = False
            self._is_in_line = not message.content.endswith("\n")  # first, because Ctrl-C can follow the output
            echo(message.content, nl=False)
        for call in message.tool_calls:
            self._add_call(call)

    def _add_call(self, call: ToolCallPart) -> None:
        parts = self._calls.setdefault(call.index, [""])
        parts[0] = parts[0] or call.function.name
        parts.append(call.function.arguments)


class CallSummary:
    """What is known about a call, for the lines after its response."""

    def __init__(self, *, is_mock: bool) -> None:
        """Start the clock."""
        self._is_mock = is_mock
        self._started = time.monotonic()
        self._first: float | None = None
        self._attempts = ""
        self._model = ""
        self._usage: CallUsage | None = None
        self._finish_reason = ""
        self._choices: set[int] = set()

    def add(self, reply: CallReply, *, is_event: bool) -> None:
        """Add a response, or an event of a stream."""
        if is_event and self._first is None:
            self._first = time.monotonic()
        self._model = f"{one_line(reply.provider)} {one_line(reply.model, 200)}"
        self._usage = reply.usage or self._usage
        for choice in reply.choices:
            self._choices.add(choice.index)
            if choice.index == 0:
                self._finish_reason = choice.finish_reason or self._finish_reason

    def show(self, headers: Mapping[str, str], *, has_waited: bool = False) -> None:
        """Print the warnings, and the summary as the last line.

        `has_waited` says that the headers were sent before the model responded, so that they do not have all attempts.
        """
        print_warning_header(headers.get("x-moorage-warnings"))
        print_context_warning(headers.get("x-moorage-warning"))
        if dropped := headers.get("x-moorage-dropped"):
            line = f"not sent, because the provider or the model does not take it: {one_line(dropped, _LENGTH)}"
            echo(f"warning: {line}", err=True, fg="yellow")
        if len(self._choices) > 1:
            echo(f"The first of {len(self._choices)} responses is shown. `-o json` prints all.", err=True)
        if log := headers.get("x-moorage-attempt-log"):
            echo(f"attempts: {one_line(log, _LENGTH)}", err=True)
        attempts = "" if has_waited else headers.get("x-moorage-attempts", "")
        echo(", ".join([self._model, *self._facts(attempts)]), err=True, dim=True)

    def _facts(self, attempts: str) -> list[str]:
        if self._is_mock:
            return ["mock response"]
        now = time.monotonic()
        milliseconds = f"{(now - self._started) * 1e3:.0f} ms"
        if self._first is not None:
            milliseconds += f" (first after {(self._first - self._started) * 1e3:.0f} ms)"
        usage, reason = self._usage, self._finish_reason
        facts = [f"{usage.prompt_tokens} + {usage.completion_tokens} tokens"] if usage else []
        facts.append(milliseconds)
        if attempts.isascii() and attempts.isdigit() and len(attempts) < 6:
            facts.append(pluralize(int(attempts), "attempt"))
        return facts if reason in _USUAL else [*facts, f"finish reason {one_line(reason)}"]
