"""The answer to a run of the try page: one call, and the response of each model type as texts, tables and media."""

import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Message

from moorage.api.memory_budget import Lease
from moorage.api.tasks.tryouts import KINDS
from moorage.console.media import MAX_MEDIA, TOO_LARGE, Media, audio, picture
from moorage.console.page_request import PageRequest
from moorage.console.tryout_tables import Table, categories, ranks, vectors
from moorage.core.errors.base import MoorageError

#: The answer where no integration can call the model.
MOCK: Final = "This is a mock answer: no provider is connected, so no model was called."

#: The bytes of a response in JSON: base64 takes four thirds of its content.
_MAX_RESPONSE: Final = MAX_MEDIA * 3 // 2

#: An answer is in memory as its bytes, as base64, and in the page.
_COPIES: Final = 4


class Answer(msgspec.Struct, frozen=True):
    """The response to a run: texts, tool calls, tables and media, or what failed."""

    texts: list[str] = []
    tool_calls: str = ""
    facts: list[str] = []
    failure: str = ""
    tables: list[Table] = []
    media: list[Media] = []


async def answer(page: PageRequest, name: str, body: Mapping[str, Any], kind: str, *, is_mock: bool) -> Answer:
    """Call the model of a version, and return its answer, or why there is none; `kind` is the type of the model."""
    if is_mock and kind in KINDS:
        return Answer()
    sent = {**body, "mock_response": MOCK} if is_mock else body
    started = time.perf_counter()
    try:
        response = await page.respond(
            "TryVersion", sent, query=page_environment(page), key_or_id=page.path("key_or_id"), version_or_id=name
        )
        content = await _content(page, response)
    except MoorageError as error:
        return Answer(failure=page.failure(error).text)
    seconds, tried = f"{time.perf_counter() - started:.1f} s", _tried(response.headers)
    if content is None:
        return Answer(facts=[seconds, *tried], failure=f"The answer is not shown: {TOO_LARGE}")
    if response.status_code >= 400:
        return Answer(facts=tried, failure=_words(msgspec.json.decode(content.body)["error"]))
    if not content.is_complete:
        return Answer(facts=[seconds, *tried], failure="The connection ended before the answer was complete.")
    is_json = response.media_type == "application/json"
    found = await page.compute(partial(_read, content.body, kind, sent, is_json=is_json))
    tokens, *others = found.facts
    facts = [] if is_mock else [*filter(None, [tokens]), seconds, *others, *tried]
    return msgspec.structs.replace(found, facts=facts)


class _Content(msgspec.Struct, frozen=True):
    """The body of a response; it is not complete if the connection to the provider ended before."""

    body: bytes
    is_complete: bool


async def _content(page: PageRequest, response: Response) -> _Content | None:
    """Return the content of a response, as far as it fits into a page; None if it does not.

    Raises:
        ApiKeyQueueFull, WriteQueueFull: other requests hold too much memory.
    """
    lease = Lease(page.services.call_memory, page.key.id)
    page.hold(lease)
    maximum = MAX_MEDIA if response.media_type != "application/json" else _MAX_RESPONSE
    pieces, size, is_complete = list[bytes](), 0, False
    problem: MoorageError | None = None

    async def send(message: Message) -> None:
        nonlocal size, is_complete, problem
        if message["type"] != "http.response.body":
            return
        size += len(message["body"])
        try:
            lease.take(_COPIES * len(message["body"]))
        except MoorageError as error:
            problem = error
        if problem is not None or size > maximum:
            raise ClientDisconnect  # the response is closed, and so is that of the provider
        pieces.append(message["body"])
        is_complete = not message.get("more_body", False)

    try:
        await response(page.request.scope, page.request.receive, send)
    except ClientDisconnect:
        if problem is not None:
            raise problem from None
        if size <= maximum:  # the browser has left
            raise
        return None
    return _Content(b"".join(pieces), is_complete)


def page_environment(page: PageRequest) -> dict[str, str]:
    """Return the environment of the page as a query parameter, which calls need not have."""
    return {"environment": page.parameter("environment")}


def _read(content: bytes, kind: str, sent: Mapping[str, Any], *, is_json: bool) -> Answer:
    """Return the answer in a response; its first fact is about tokens, and can be empty."""
    if kind == "tts":
        return Answer(facts=["", f"{len(content):,} bytes"], media=[audio(content)])
    if not is_json:  # a transcription as subtitles, or as plain text
        return Answer([content.decode(errors="replace")], facts=[""])
    response = msgspec.json.decode(content)
    found = _READERS.get(kind, _chat)(response, sent)
    return msgspec.structs.replace(found, facts=[_tokens(response.get("usage") or {}), *found.facts])


def _chat(response: Mapping[str, Any], _: Mapping[str, Any]) -> Answer:
    choices = response["choices"]
    calls = [call for choice in choices for call in choice["message"].get("tool_calls", [])]
    reasons = dict.fromkeys(choice.get("finish_reason", "") for choice in choices)
    return Answer(
        [text for choice in choices if (text := choice["message"].get("content"))],
        json.dumps(calls, ensure_ascii=False, indent=2) if calls else "",
        [*filter(None, reasons)],
    )


def _images(response: Mapping[str, Any], _: Mapping[str, Any]) -> Answer:
    media, texts, left = list[Media](), list[str](), MAX_MEDIA
    for item in response["data"]:
        if "url" in item:  # the page loads nothing from other hosts
            texts.append(f"The provider returned an address: {item['url'][:2_000]}")
        else:
            found, size = picture(item.get("b64_json", ""), left)
            left -= size
            media.append(found)
        if item.get("revised_prompt"):
            texts.append(item["revised_prompt"])
    return Answer(texts, media=media)


def _transcript(response: Mapping[str, Any], _: Mapping[str, Any]) -> Answer:
    return Answer([response["text"]])


def _embeddings(response: Mapping[str, Any], sent: Mapping[str, Any]) -> Answer:
    return Answer(tables=vectors([item["embedding"] for item in response["data"]], sent.get("input", [])))


def _moderation(response: Mapping[str, Any], _: Mapping[str, Any]) -> Answer:
    return Answer(tables=[categories(each) for each in response["results"]])


def _ranks(response: Mapping[str, Any], sent: Mapping[str, Any]) -> Answer:
    return Answer(tables=[ranks(response["results"], sent["documents"])])


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Answer]]] = {
    "image": _images, "stt": _transcript, "embedding": _embeddings, "moderation": _moderation, "rerank": _ranks,
}  # fmt: skip


def _words(error: Mapping[str, str]) -> str:
    """Return the message of an error without its hint, which is for programs and the command line."""
    return error["message"].removesuffix(error.get("hint", "")).strip()


def _tokens(usage: Mapping[str, Any]) -> str:
    sent = usage.get("prompt_tokens", usage.get("input_tokens"))
    received = usage.get("completion_tokens", usage.get("output_tokens"))
    if not sent and not received:
        return "no usage reported"
    return f"{sent:,} tokens" if received is None else f"{sent:,} + {received:,} tokens"


def _tried(headers: Mapping[str, str]) -> list[str]:
    attempts = headers.get("X-Moorage-Attempts", "1")
    dropped = headers.get("X-Moorage-Dropped")
    found = [f"answered by {headers['X-Moorage-Model']}"] if "X-Moorage-Model" in headers else []
    found += [f"{attempts} attempts"] if attempts not in ("0", "1") else []
    return [*found, f"not sent: {dropped}"] if dropped else found
