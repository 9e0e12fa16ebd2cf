"""The queue of fal: a request is submitted, and asked for until it is complete."""

import re
from typing import Final, TypeVar

import msgspec

from moorage.core.resolution.config import Object
from moorage.providers.media.reading import parse, post
from moorage.providers.media.steps import Part, Pause, Request, Send

T = TypeVar("T")

#: The names of apps, such as fal-ai/flux/dev. Other characters would lead to another path.
_APP: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*){1,5}")

#: The pauses between two questions (seconds).
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 3.0


class _Submitted(msgspec.Struct):
    status_url: str
    response_url: str
    cancel_url: str | None = None


class _Status(msgspec.Struct):
    status: str
    queue_position: int | None = None


def result_of(request: Request, body: Object, kind: type[T]) -> Part[T]:
    """Return the result of a request. One that nobody waits for any more is cancelled.

    Raises:
        NotSupportedByProvider, MalformedResponse, ProviderFailed
    """
    if not _APP.fullmatch(request.model):
        raise request.reject("model", f"{request.model!r:.100} is not the name of an app, such as fal-ai/flux/dev")
    submitted = parse((yield post(f"/{request.model}", body)), _Submitted)
    cancel = Send(url=submitted.cancel_url, method="PUT") if submitted.cancel_url else None
    pause = _FIRST_PAUSE
    while True:
        status = parse((yield Send(url=submitted.status_url, method="GET", cancel=cancel)), _Status)
        if status.status == "COMPLETED":
            break
        position = status.queue_position
        note = "in progress" if position is None else f"position {position} in the queue"
        yield Pause(pause, note, cancel)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    return parse((yield Send(url=submitted.response_url, method="GET")), kind)
