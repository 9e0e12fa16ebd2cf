"""Call: what to send, to whom, and what became of it."""

from collections.abc import Callable, Sequence

import msgspec

from moorage.core.deployments.provider_parameters import CONTRACT, PROVIDER_PARAMETERS
from moorage.core.deployments.variant import Fallback
from moorage.core.resolution.config import Object, ResolvedConfig
from moorage.gateway.errors import Attempt
from moorage.providers.completion import Usage
from moorage.providers.media.tasks import Task
from moorage.providers.native_request import NativeRequest


class Target(msgspec.Struct, frozen=True):
    """A model to try: its configuration, and the name or id of an integration, if one is set.

    `native` is the request of a caller of the Responses API in that form.
    """

    config: ResolvedConfig
    integration: str | None
    native: NativeRequest | None = None


class Call(msgspec.Struct, frozen=True):
    """A call of a resolved configuration.

    The request of one that is not small is made in a thread. `seconds` is the time that the caller waits at most, if it
    says so. `check` raises a MoorageError if the caller may not call any more. A call without a `task` is one of a
    model for chats or texts, whose messages are in the configuration; `native` is as in `Target`.
    """

    project_id: str
    config: ResolvedConfig
    integration: str | None = None
    fallbacks: Sequence[Fallback] = ()
    retry_count: int = 0
    extra_params: Object = {}
    is_stream: bool = False
    is_small: bool = True
    seconds: float | None = None
    check: Callable[[], object] = object
    task: Task | None = None
    native: NativeRequest | None = None

    def target(self, index: int) -> Target:
        """Return the model to try: the configured one, then the fallbacks.

        A parameter of the request also replaces that of a fallback, unless it is another provider's own.
        """
        if index == 0:
            return Target(self.config, self.integration, self.native)
        fallback = self.fallbacks[index - 1]
        is_same = fallback.provider == self.config.provider
        extra = {
            name: value
            for name, value in self.extra_params.items()
            if value is not None and (is_same or name in CONTRACT or name in PROVIDER_PARAMETERS)
        }
        parameters: Object = msgspec.to_builtins(fallback.model_parameters)
        config = msgspec.structs.replace(
            self.config, provider=fallback.provider, model=fallback.model, type=fallback.model_type,
            parameters={**parameters, **extra},
        )  # fmt: skip
        native = self.native if self.native is None or is_same else self.native.for_another_provider()
        return Target(config, getattr(fallback, "integration_id", None) or None, native)


class Progress:
    """What a call has done so far. The handler, the response headers and the log read it.

    `note` says what the call waits for, if the provider has said that it is not ready.
    """

    __slots__ = (
        "attempts",
        "first_at",
        "integration",
        "note",
        "omitted",
        "response_bytes",
        "started",
        "target",
        "usage",
        "waited_seconds",
    )

    def __init__(self, started: float) -> None:
        """`started` is the time of the request (`time.perf_counter`)."""
        self.started = started
        self.attempts: list[Attempt] = []
        self.target: Target | None = None
        self.integration: str | None = None
        self.note = ""
        self.omitted: dict[str, str] = {}
        self.usage: Usage | None = None
        self.first_at: float | None = None
        self.waited_seconds = 0.0
        self.response_bytes = 0
