"""`moorage deployments invoke`: call a deployment, and print the response of its model as it arrives."""

import sys
from collections.abc import Iterator
from typing import Any

import click

from moorage.cli.call_output import CallSummary, TextPrinter
from moorage.cli.call_responses import CallReply
from moorage.cli.client import Client
from moorage.cli.environment_options import environment_option
from moorage.cli.errors import ServerError, decode, raise_not_moorage
from moorage.cli.http import Exchange, HttpResponse, NoResponse
from moorage.cli.options import context_option, input_option, key_argument, pairs_option, setting
from moorage.cli.output import print_data, print_json_line
from moorage.core.deployments.ids import check_key_or_id
from moorage.core.escaping import visible_line
from moorage.core.resolution.config import MAX_CALL_BODY
from moorage.providers.errors import MalformedResponse
from moorage.providers.sse import SseSplitter

#: The exit code of programs that Ctrl-C ends.
_INTERRUPTED = 130

#: The most bytes of a stream; a server ends longer ones.
MAX_STREAM = 256 * 1024 * 1024

_STREAM_HELP = "Print the response as it arrives.  [default: --stream, and --no-stream with -o json]"


@click.command()
@key_argument
@input_option
@context_option
@click.option(
    "--message",
    "messages",
    multiple=True,
    metavar="TEXT",
    help="A message of the user, after those of the deployment; - reads it from standard input. May be repeated.",
)
@pairs_option("extra-param", "A parameter of the model, instead of that of the deployment")
@click.option("--mock", metavar="TEXT", help="Return TEXT as the response, without a call of the model.")
@click.option("--stream/--no-stream", "is_stream", default=None, help=_STREAM_HELP)
@environment_option
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@setting("url")
@click.pass_context
def invoke(  # noqa: PLR0913 -- the options of the command
    ctx: click.Context,
    *,
    key_or_id: str,
    input: dict[str, Any],  # noqa: A002 -- the option's name
    context: dict[str, Any],
    messages: tuple[str, ...],
    extra_param: dict[str, Any],
    mock: str | None,
    is_stream: bool | None,
    environment: str | None,
    output: str,
    url: str,
) -> None:
    """Call the model, and print its response.

    Standard output has the response. Reasoning, warnings, and a line with the provider, the model, tokens, times and
    attempts are on standard error. With `-o json`, --stream prints one object per line.
    """
    body = {
        "key": check_key_or_id(key_or_id),
        "inputs": input,
        "context": context,
        "messages": [{"role": "user", "content": _text(message)} for message in messages],
        "extra_params": extra_param,
        "invoke_options": {"include_usage": True} | ({} if mock is None else {"mock_response": mock}),
    }
    client = Client.from_environment(url)
    summary = CallSummary(is_mock=mock is not None)
    must_stream = output == "text" if is_stream is None else is_stream
    try:
        if must_stream:
            _stream(client, body, summary, environment, is_json=output == "json")
        else:
            _invoke(client, body, summary, environment, is_json=output == "json")
    except KeyboardInterrupt:
        ctx.exit(_INTERRUPTED)  # the end of the program closes the connection, which ends the call


def _text(message: str) -> str:
    """Return the text of a message."""
    if message != "-":
        return message
    content = sys.stdin.buffer.read(MAX_CALL_BODY + 1)
    if len(content) > MAX_CALL_BODY:
        raise click.ClickException(f"Standard input has more than {MAX_CALL_BODY} bytes.")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise click.ClickException(f"Standard input is not UTF-8 (byte {error.start}). Convert it.") from error


def _invoke(client: Client, body: Any, summary: CallSummary, environment: str | None, *, is_json: bool) -> None:
    reply = client.call("/v2/deployments/invoke", CallReply, body, environment=environment)
    summary.add(reply.value, is_event=False)
    if is_json:
        print_data(reply.plain(), "json")
    else:
        printer = TextPrinter()
        printer.add(reply.value)
        printer.end()
    summary.show(reply.response.headers)


def _stream(client: Client, body: Any, summary: CallSummary, environment: str | None, *, is_json: bool) -> None:
    printer = TextPrinter()
    with client.stream("/v2/deployments/stream", body, environment=environment) as exchange:
        if not exchange.headers.get("content-type", "").startswith("text/event-stream"):
            raise_not_moorage(client.url, exchange.status, "the response is no stream of events")
        events = _Events(client.url, exchange)
        try:
            for event in events:
                reply = decode(client.url, event, CallReply)
                summary.add(reply, is_event=True)
                if is_json:
                    print_json_line(decode(client.url, event, Any))
                else:
                    printer.add(reply)
        except BaseException:  # raised again: the next line on the terminal is that of the error
            printer.end_line()
            raise
        printer.end()
        summary.show(exchange.headers, has_waited=events.has_waited)


class _Events:
    """The events of a stream as responses. It ends with `[DONE]`; any other end is an error.

    `has_waited` says that the first thing to arrive was a comment, which the server sends while it waits.
    """

    def __init__(self, url: str, exchange: Exchange) -> None:
        self._url, self._exchange = url, exchange
        self.has_waited = False

    def __iter__(self) -> Iterator[HttpResponse]:
        """Yield the events.

        Raises:
            ServerError
        """
        exchange, splitter, size = self._exchange, SseSplitter(), 0
        reason = "it ended"
        try:
            for piece in exchange.pieces():
                self.has_waited = self.has_waited or (size == 0 and piece[:1] == b":")
                size += len(piece)
                if size > MAX_STREAM:
                    raise MalformedResponse(f"it has more than {MAX_STREAM} bytes")
                for event in splitter.feed(piece):
                    if event.data == b"[DONE]":
                        return
                    yield HttpResponse(exchange.status, exchange.headers, event.data)
        except (NoResponse, MalformedResponse) as error:
            reason = str(error)
        request_id = visible_line(exchange.headers.get("x-request-id", ""), 200)
        raise ServerError(
            f"The stream of {self._url} is not complete: {reason}.",
            f"The log of the server has the reason, in the line with the request id {request_id}.",
        )
