"""Response cache: complete responses of models, by everything that was sent for them."""

import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from moorage.core.bounded_cache import ENTRY_BYTES, BoundedCache
from moorage.gateway.call import Call
from moorage.gateway.connection import Connection, prepare
from moorage.providers.completion import Choice, Completion
from moorage.providers.native_responses import has_only_texts

#: The model types whose responses are cached.
TYPES: Final = frozenset({"chat", "completion", "vision"})

#: A larger response is not cached (bytes). So reading one never holds up the event loop.
MAX_RESPONSE: Final = 128 * 1024

#: The bytes of a key and of an entry, without its response.
_OWN_BYTES: Final = 200

#: A response as it is stored. Decoding raises `ValueError` for other bytes.
encode_completion = msgspec.msgpack.Encoder().encode
decode_completion = msgspec.msgpack.Decoder(Completion).decode


def response_key(call: Call, connection: Connection, version_id: str) -> bytes:
    """Return the key of a call: a hash of its project, its version, its integration, and all that is sent.

    A stream and a response that is no stream have the same key. No part of the request is selected: a part that is
    forgotten would return the response to another request.

    Raises:
        UnsupportedModelType, NotSupportedByProvider
    """
    prepared = prepare(call.config, connection, is_stream=False, native=call.native)
    secrets = (connection.credentials, connection.headers, connection.options, prepared.request.headers)
    parts = (
        call.project_id.encode(), version_id.encode(), connection.id.encode(), prepared.url.encode(),
        *(msgspec.json.encode(sorted(values.items())) for values in secrets), prepared.body,
    )  # fmt: skip
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"%d:" % len(part))  # so that no two lists of parts have the same bytes
        digest.update(part)
    return digest.digest()


class ResponseCache:
    """The responses of a process, in two generations: when the new one is full, it replaces the old one.

    So a response that is requested often stays, and the oldest ones are evicted.
    """

    def __init__(self, maximum: int, now: Callable[[], float] = time.monotonic) -> None:
        """Hold at most `maximum` bytes; `now` returns seconds."""
        self._now = now
        self._new: BoundedCache[bytes, tuple[float, bytes]] = BoundedCache(maximum // 2)
        self._old: BoundedCache[bytes, tuple[float, bytes]] = BoundedCache(maximum // 2)

    @property
    def held(self) -> int:
        """The number of bytes in the cache."""
        return self._new.held + self._old.held

    def find(self, key: bytes, seconds: float) -> tuple[Completion, float] | None:
        """Return a response that was stored in the last `seconds`, and its age in seconds."""
        entry = self._new.get(key)
        if entry is None and (entry := self._old.get(key)) is not None:
            self._old.remove(key)
            self._set(key, entry)
        if entry is None:
            return None
        age = self._now() - entry[0]
        return (decode_completion(entry[1]), age) if age < seconds else None

    def store(self, key: bytes, completion: Completion) -> bool:
        """Store a response, if it is one that may be cached; return whether it is."""
        if not is_cacheable(completion):
            return False
        encoded = encode_completion(completion)
        if len(encoded) <= MAX_RESPONSE:
            self._old.remove(key)
            self._set(key, (self._now(), encoded))
        return len(encoded) <= MAX_RESPONSE

    def put(self, key: bytes, encoded: bytes, age: float) -> None:
        """Store an encoded response from elsewhere, with its age in seconds."""
        self._old.remove(key)
        self._set(key, (self._now() - age, encoded))

    def _set(self, key: bytes, entry: tuple[float, bytes]) -> None:
        size = _OWN_BYTES + len(entry[1])
        self._new.remove(key)
        if self._new.held + size + ENTRY_BYTES > self._new.maximum:
            self._old, self._new = self._new, self._old
            self._new.clear()
        self._new.set(key, entry, size)


def is_cacheable(completion: Completion) -> bool:
    """Return whether a response is complete: each choice ended by itself, and no tool was called."""
    choices = completion.choices
    if completion.output is not None and not has_only_texts(completion.output):
        return False
    return bool(choices) and all(choice.finish_reason == "stop" and not choice.tool_calls for choice in choices)


class StreamCollector:
    """The events of a stream, joined to one response; None if the response may not be cached."""

    def __init__(self) -> None:
        self._choices: dict[int, dict[str, list[str]]] = {}
        self._reasons: dict[int, str] = {}
        self._whole = Completion()
        self._native: Completion | None = None  # a complete response of the Responses API
        self._size = 0
        self._is_given_up = False

    def add(self, completions: Sequence[Completion]) -> None:
        """Add events."""
        if self._is_given_up:
            return
        whole = self._whole
        for completion in completions:
            if completion.output is not None:
                self._native = completion
                continue
            whole.usage = completion.usage or whole.usage
            whole.id, whole.model = completion.id or whole.id, completion.model or whole.model
            whole.system_fingerprint = completion.system_fingerprint or whole.system_fingerprint
            for choice in completion.choices:
                self._add(choice)
        if self._size > MAX_RESPONSE:
            self._give_up()

    def completion(self) -> Completion | None:
        """Return the response."""
        if self._is_given_up or self._native is not None:
            return self._native
        self._whole.choices = [
            msgspec.convert(
                {name: "".join(parts) for name, parts in texts.items()}
                | {"index": index, "finish_reason": self._reasons.get(index)},
                Choice,
            )
            for index, texts in sorted(self._choices.items())
        ]
        return self._whole

    def _add(self, choice: Choice) -> None:
        has_more = choice.logprobs is not None or choice.annotations is not None or choice.audio is not None
        if choice.tool_calls or has_more:
            self._give_up()
            return
        if choice.index not in self._choices:
            self._size += _OWN_BYTES
        texts = self._choices.setdefault(choice.index, {})
        for name in ("content", "reasoning", "reasoning_signature", "redacted_reasoning", "refusal"):
            text: str | None = getattr(choice, name)
            if text is not None:
                parts = texts.setdefault(name, [])
                if text:  # a stream of empty texts must not grow without an end
                    parts.append(text)
                    self._size += len(text)
        if choice.finish_reason is not None:
            self._reasons[choice.index] = choice.finish_reason

    def _give_up(self) -> None:
        self._is_given_up = True
        self._choices.clear()
