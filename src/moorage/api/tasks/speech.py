"""`POST /v1/audio/speech`: the audio is passed on while it arrives."""

import time
from typing import Any, Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from moorage.api.calls.running import CLIENT_CLOSED_REQUEST, RunningCall
from moorage.api.calls.stream import CHECK_SECONDS
from moorage.api.calls.watch import Watch
from moorage.core.errors.base import MoorageError
from moorage.gateway.errors import ProviderError
from moorage.gateway.http.errors import TransportError
from moorage.providers.media.results import Speech

#: The most bytes of one response: a day of speech.
MAX_AUDIO: Final = 1024 * 1024 * 1024


class SpeechResponse(Response):
    """Audio from a provider. After its first byte, a failure is the end of the connection without the end of the body.

    So no client takes audio that was cut off for complete audio.
    """

    def __init__(self, running: RunningCall, speech: Speech) -> None:
        super().__init__(media_type=speech.media_type)
        del self.headers["content-length"]
        self._running = running
        self._reply: Any = speech.reply

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the audio as it arrives."""
        running, size, checked = self._running, 0, time.monotonic()
        status, error = 200, None
        try:
            with Watch(running.ctx.request.receive), self._reply:
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                async for piece in self._reply.pieces():
                    size += len(piece)
                    if size > MAX_AUDIO:
                        raise ProviderError(name="", provider_id="", integration="", reason="its audio has no end")
                    if time.monotonic() - checked > CHECK_SECONDS:
                        checked = time.monotonic()
                        running.ctx.check_caller_now()
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except ClientDisconnect:
            status = CLIENT_CLOSED_REQUEST
            raise
        except MoorageError as failed:
            error = failed
        except TransportError as failed:
            error = ProviderError(name="", provider_id="", integration="", reason=str(failed))
        finally:
            running.progress.response_bytes = size
            if error is not None:
                scope["moorage.error"] = error.code
            running.record(status, error)
