"""`moorage deployments invoke`."""

import json
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from moorage.cli import http
from moorage.cli.deployments import invoke
from tests.support.hostile import HostileServer, Request, response
from tests.support.moorage_responses import CALL
from tests.support.program import moorage
from tests.support.server import PROGRAM, Project, a_body, clean_environment
from tests.support.threads import HANG_SECONDS

Result = subprocess.CompletedProcess[str]

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Moorage-Attempts: 1\r\nX-Request-Id: r7\r\n"
DONE = b"data: [DONE]\n\n"


def an_event(message: Mapping[str, Any], *, index: int = 0, **fields: Any) -> bytes:
    """Return an event of a stream."""
    choice = {"message": {"type": "content", "role": "assistant", **message}, "index": index}
    reason = {"finish_reason": fields.pop("finish_reason")} if "finish_reason" in fields else {}
    body = {**CALL, "choices": [choice | reason], **fields}
    if "usage" not in fields:
        del body["usage"]
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def a_call(index: int, name: str, arguments: str) -> dict[str, Any]:
    return {"index": index, "type": "function", "function": {"name": name, "arguments": arguments}}


LAST = an_event({"content": ""}, finish_reason="stop", usage={"prompt_tokens": 9, "completion_tokens": 12})


def a_stream(*events: bytes, head: bytes = b"") -> bytes:
    """Return the response with these events."""
    return STREAM + head + b"\r\n" + b"".join(events)


def run(
    folder: Path, answer: bytes | Callable[[Request], bytes | Iterable[bytes]], *arguments: str, stdin: bytes = b""
) -> tuple[Result, HostileServer]:
    """Call the deployment `a` of a server that sends this answer."""
    with HostileServer(answer if callable(answer) else lambda request: answer) as server:
        settings = {"MOORAGE_URL": server.url, "MOORAGE_API_KEY": "mrg_any"}
        result = moorage("deployments", "invoke", "a", *arguments, folder=folder, settings=settings, stdin=stdin)
    return result, server


def without_times(text: str) -> str:
    """Return lines without the parts that have a time."""
    return re.sub(r", \d+ ms( \(first after \d+ ms\))?", "", text)


# On a real server


@pytest.fixture
def bot(project: Project) -> Project:
    """Return a project with a deployment that has an input, and a variant for customers with the plan `pro`."""
    config = a_body(messages=[{"role": "system", "content": "Help {{name}}."}])["prompt_config"]
    variant = {"name": "pro", "prompt_config": {**config, "model": "openai/my-gpt-mini"}}
    routing = [{"variant": "pro", "when": {"plan": {"eq": "pro"}}}]
    assert project.put("bot", {"prompt_config": config, "variants": [variant], "routing": routing}).status == 201
    return project


@pytest.mark.parametrize("option", ["--stream", "--no-stream"])
def test_the_text_is_on_standard_output_and_the_summary_on_standard_error(
    bot: Project, folder: Path, option: str
) -> None:
    arguments = ("--input", "name=Ada", "--context", "plan=pro", "--mock", "Hello Ada,\nhow are you?", option)

    result = moorage("deployments", "invoke", "bot", *arguments, folder=folder, project=bot)

    assert (result.returncode, result.stdout) == (0, "Hello Ada,\nhow are you?\n")
    assert result.stderr == "openai my-gpt-mini, mock response\n"


def test_json_is_the_response_of_the_api_and_streamed_json_has_one_object_per_line(bot: Project, folder: Path) -> None:
    arguments = ("deployments", "invoke", "bot", "--input", "name=Ada", "--mock", "Hello Ada", "-o", "json")
    own = {"id", "created", "finalized", "telemetry"}

    whole = moorage(*arguments, folder=folder, project=bot)
    streamed = moorage(*arguments, "--stream", folder=folder, project=bot)

    request = {
        "key": "bot", "inputs": {"name": "Ada"},
        "invoke_options": {"mock_response": "Hello Ada", "include_usage": True},
    }  # fmt: skip
    expected = bot.request("POST", "/v2/deployments/invoke", json.dumps(request).encode()).json
    printed = json.loads(whole.stdout)
    assert printed.keys() == expected.keys()
    assert {name: printed[name] for name in printed.keys() - own} == {
        name: expected[name] for name in expected.keys() - own
    }
    events = [json.loads(line) for line in streamed.stdout.splitlines()]
    assert "".join(event["choices"][0]["message"]["content"] for event in events) == "Hello Ada"
    assert [event["is_final"] for event in events] == [False, False, True]


def test_an_error_of_the_api_is_shown_as_for_all_commands(bot: Project, folder: Path) -> None:
    missing = moorage("deployments", "invoke", "nowhere", folder=folder, project=bot)
    invalid = moorage("deployments", "invoke", "bot", "--context", "a:=[[1]]", folder=folder, project=bot)

    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr == (
        "Error: Deployment 'nowhere' not found in this project.\nTo list all deployments: moorage deployments list\n"
    )
    assert invalid.returncode == 1
    assert "context.a" in invalid.stderr


# The request


def test_the_options_are_the_fields_of_the_request(folder: Path) -> None:
    _, server = run(
        folder, a_stream(LAST, DONE), "--input", "name=Ada", "--input", "items:=[1, 2]", "--context", "plan=pro",
        "--message", "Hello", "--message", "-", "--extra-param", "temperature:=0.5", stdin="Grüße\n".encode(),
    )  # fmt: skip

    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v2/deployments/stream")
    assert json.loads(request.body) == {
        "key": "a", "inputs": {"name": "Ada", "items": [1, 2]}, "context": {"plan": "pro"},
        "messages": [{"role": "user", "content": "Hello"}, {"role": "user", "content": "Grüße\n"}],
        "extra_params": {"temperature": 0.5}, "invoke_options": {"include_usage": True},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ((), "stream"),
        (("--no-stream",), "invoke"),
        (("-o", "json"), "invoke"),
        (("-o", "json", "--stream"), "stream"),
    ],
)
def test_text_is_streamed_and_json_is_not_by_default(folder: Path, arguments: tuple[str, ...], path: str) -> None:
    def respond(request: Request) -> bytes:
        return a_stream(LAST, DONE) if request.path.endswith("stream") else response(CALL)

    result, server = run(folder, respond, *arguments)

    assert result.returncode == 0, result.stderr
    assert server.requests[0].path == f"/v2/deployments/{path}"


@pytest.mark.parametrize(
    ("stdin", "message"), [(b"\xff", "Standard input is not UTF-8 (byte 0)"), (b"x" * 5, "more than 4 bytes")]
)
def test_a_message_that_cannot_be_sent_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, stdin: bytes, message: str
) -> None:
    monkeypatch.setattr(invoke, "MAX_CALL_BODY", 4)

    result, server = run(folder, b"", "--message", "-", stdin=stdin)

    assert result.returncode == 1
    assert message in result.stderr
    assert server.requests == []


# The response


def test_reasoning_is_on_standard_error_and_calls_of_tools_are_complete(folder: Path) -> None:
    events = [
        an_event({"content": "", "reasoning": "The weather"}),
        an_event({"content": "", "reasoning": " in Paris?"}),
        an_event({"content": "Let me "}),
        an_event({"content": "look."}),
        an_event({"type": "tool_calls", "tool_calls": [a_call(0, "weather", ""), a_call(1, "time", "{}")]}),
        an_event({"type": "tool_calls", "tool_calls": [a_call(0, "", '{"city":')]}),
        an_event({"type": "tool_calls", "tool_calls": [a_call(0, "", ' "Paris"}')]}),
        an_event({"content": ""}, finish_reason="tool_calls"),
    ]

    result, _ = run(folder, a_stream(*events, DONE))

    assert result.stdout == 'Let me look.\nweather({"city": "Paris"})\ntime({})\n'
    assert without_times(result.stderr) == "The weather in Paris?\nopenai my-gpt, 1 attempt\n"


def test_the_summary_has_tokens_attempts_warnings_and_an_unusual_finish_reason(folder: Path) -> None:
    head = (
        b"X-Moorage-Attempts: 2\r\nX-Moorage-Dropped: topK, seed\r\nX-Moorage-Warnings: input: is an unknown field\r\n"
        b"X-Moorage-Attempt-Log: openai provider_overloaded 12ms retry; openai ok 40ms\r\n"
    )
    other = an_event({"content": "Hello"}, index=1)
    last = an_event({"content": ""}, finish_reason="length", usage={"prompt_tokens": 9, "completion_tokens": 12})

    result, _ = run(folder, STREAM.replace(b"X-Moorage-Attempts: 1\r\n", head) + b"\r\n" + other + last + DONE)

    assert without_times(result.stderr).splitlines() == [
        "warning: input: is an unknown field",
        "warning: not sent, because the provider or the model does not take it: topK, seed",
        "The first of 2 responses is shown. `-o json` prints all.",
        "attempts: openai provider_overloaded 12ms retry; openai ok 40ms",
        "openai my-gpt, 9 + 12 tokens, 2 attempts, finish reason length",
    ]


def test_headers_that_were_sent_before_the_model_responded_do_not_count_its_attempts(folder: Path) -> None:
    waited, _ = run(folder, a_stream(b": ping\n\n", LAST, DONE))
    control, _ = run(folder, a_stream(LAST, b": ping\n\n", DONE))

    assert without_times(waited.stderr) == "openai my-gpt, 9 + 12 tokens\n"
    assert without_times(control.stderr) == "openai my-gpt, 9 + 12 tokens, 1 attempt\n"


def test_a_failed_call_lists_its_attempts_and_what_to_do(folder: Path) -> None:
    attempt = {
        "provider": "openai", "model": "m", "integration": "i", "outcome": "provider_overloaded", "status": 503,
        "milliseconds": 12.4,
    }  # fmt: skip
    error = {
        "code": "provider_overloaded", "message": "OpenAI is overloaded: busy. Do this.", "hint": "Do this.",
        "attempts": [
            {**attempt, "reason": "busy", "next": "retry"},
            {"provider": "groq", "model": "n", "integration": "i", "outcome": "skipped"},
        ],
    }  # fmt: skip

    result, _ = run(folder, response({"error": error}, 503))

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "Error: OpenAI is overloaded: busy.",
        "  openai m: provider_overloaded, status 503 after 12 ms: busy; then retry",
        "  groq n: skipped after 0 ms",
        "Retry later. A fallback to a provider that works takes over.",
    ]


# Streams that break, and time


@pytest.mark.parametrize(
    ("head", "rest", "reason"),
    [
        (b"", b"", "it ended"),
        (b"Content-Length: 10000\r\n", b"", "the connection ended within it"),
        (b"", b"data: " + b"x" * 70_000, "an event has more than"),
        (b"", b": \n\n" * 30_000, "it has more than 100000 bytes"),
    ],
)
def test_a_stream_that_breaks_is_an_error_after_what_arrived(
    folder: Path, monkeypatch: pytest.MonkeyPatch, head: bytes, rest: bytes, reason: str
) -> None:
    monkeypatch.setattr("moorage.providers.sse.MAX_EVENT", 65_536)
    monkeypatch.setattr(invoke, "MAX_STREAM", 100_000)

    result, _ = run(folder, a_stream(an_event({"content": "Hello"}), rest, head=head))

    assert (result.returncode, result.stdout) == (1, "Hello\n")
    assert result.stderr.count("\n") == 1
    assert reason in result.stderr
    assert "request id r7" in result.stderr


def test_a_stream_that_pauses_for_too_long_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "RESPONSE_SECONDS", 0.3)
    with HostileServer(lambda request: b"") as server:

        def silent(request: Request) -> Iterator[bytes]:
            yield a_stream(an_event({"content": "Hello"}))
            server.stopping.wait(HANG_SECONDS)

        server.respond = silent
        settings = {"MOORAGE_URL": server.url, "MOORAGE_API_KEY": "mrg_any"}
        result = moorage("deployments", "invoke", "a", folder=folder, settings=settings)

    assert result.returncode == 1
    assert result.stdout in ("Hello\n", "")  # on a busy machine, the start can take as long
    assert "it paused for 0.3 seconds" in result.stderr


def test_a_call_has_more_time_than_other_requests(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "RESPONSE_SECONDS", 1e-9)

    call, server = run(folder, response(CALL), "--no-stream")
    other = moorage("deployments", "get-config", "a", folder=folder, settings={
        "MOORAGE_URL": server.url, "MOORAGE_API_KEY": "mrg_any",
    })  # fmt: skip

    assert (call.returncode, call.stdout) == (0, "Hi\nf({})\n")
    assert other.returncode == 1
    assert http.CALL_SECONDS >= 600


class Caller:
    """A call in its own process, of a server that sends an event, and then waits."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.has_request, self.goes_on, self.has_lost_client = (threading.Event() for _ in range(3))
        self.server = HostileServer(self._respond)
        self._folder, self._arguments = folder, arguments

    def _respond(self, request: Request) -> Iterator[bytes]:
        self.has_request.set()
        try:
            yield a_stream(an_event({"content": "Hello"}))
            while not self.goes_on.wait(0.02):
                yield b": ping\n\n"
            yield an_event({"content": " Ada"}) + LAST + DONE
        finally:
            if not self.goes_on.is_set():
                self.has_lost_client.set()

    def __enter__(self) -> "subprocess.Popen[bytes]":
        self.server.__enter__()
        self._process = subprocess.Popen(
            [*PROGRAM, "deployments", "invoke", "a", *self._arguments],
            cwd=self._folder, env=clean_environment(MOORAGE_URL=self.server.url, MOORAGE_API_KEY="mrg_any"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        return self._process

    def __exit__(self, *error: Any) -> None:
        self._process.kill()
        self._process.communicate()
        self.server.__exit__(*error)


def test_a_pipe_gets_each_piece_as_it_arrives(folder: Path) -> None:
    caller = Caller(folder)
    with caller as process:
        assert process.stdout is not None
        first = process.stdout.read(5)
        caller.goes_on.set()
        rest, errors = process.communicate(timeout=HANG_SECONDS)

    assert (first, rest, process.returncode) == (b"Hello", b" Ada\n", 0), errors


@pytest.mark.parametrize(("option", "output"), [("--stream", b"Hello\n"), ("--no-stream", b"")])
def test_ctrl_c_closes_the_connection_without_a_traceback(folder: Path, option: str, output: bytes) -> None:
    caller = Caller(folder, option)
    with caller as process:
        assert process.stdout is not None
        start = process.stdout.read(5) if output else b""
        assert caller.has_request.wait(HANG_SECONDS)
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=HANG_SECONDS)

        assert caller.has_lost_client.wait(HANG_SECONDS)
    assert (process.returncode, start + rest, errors) == (130, output, b"")
