"""The context of one request: what it asks for, and its write."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar, cast

import msgspec
from starlette.requests import Request

from moorage.api.idempotency import run_idempotent
from moorage.api.memory_budget import WRITE_BYTES
from moorage.api.request_reader import RequestReader
from moorage.api.route_rules import RouteRules
from moorage.api.services import Services
from moorage.api.write_options import change_reason, idempotency_key, request_sha256, write_options
from moorage.core.access import ApiKey, Scope
from moorage.core.compatibility.errors import BreakingChange
from moorage.core.deployments.history import Actor
from moorage.registry.authorization import authorize
from moorage.registry.calculations import Calculations, NotCalculated
from moorage.registry.gate import Gate
from moorage.registry.proposals import propose_changes
from moorage.registry.results import ProposalResult
from moorage.registry.write_context import WriteContext
from moorage.rendering.variables import VariablesNotCached
from moorage.store.transaction import Transaction

P = ParamSpec("P")
T = TypeVar("T")


class Proposed(Exception):
    """The write is a proposal, because its environment requires approvals; the response is a 202."""

    def __init__(self, result: ProposalResult) -> None:
        super().__init__(result.proposal.id)
        self.result = result


class RequestContext(RequestReader):
    """A request, which can write."""

    __slots__ = ("has_written", "is_replayed")

    def __init__(self, request: Request, services: Services, caller: ApiKey | None, rules: RouteRules) -> None:
        super().__init__(request, services, caller, rules)
        self.has_written = False  # whether `write` returned a result
        self.is_replayed = False  # whether that result was stored under the idempotency key

    async def write(
        self, operation: Callable[Concatenate[Transaction, WriteContext, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a registry function in a transaction and return its result; then every read shows the write.

        A POST with an `Idempotency-Key` runs once: a second request with the key gets the stored result. Each attempt
        checks the API key in its transaction, before anything else. A dry run does all of it, and stores nothing.

        Raises:
            InvalidIdempotencyKey, InvalidFlag, InvalidRequest
            InvalidApiKey, ExpiredApiKey, InsufficientScope: the API key may not make the write any more.
            IdempotencyConflict: the key was used for another request.
            IdempotencyQuotaExceeded, ApiKeyQueueFull, WriteQueueFull
            StorageFull, StorageUnavailable: nothing is acknowledged.
            Anything that `operation` raises: it is rolled back.
        """
        context, is_dry_run = self._write_context(), self.flag("dry_run")
        key = None if is_dry_run else idempotency_key(self.request)
        chosen = None if self.choice is None else self.choice.environment.pointer_id
        environment_id = chosen or self.key.environment_id or ""
        digest = request_sha256(self.request, self._body or b"", environment_id) if key is not None else ""

        gate = Gate()

        def run(tx: Transaction) -> tuple[T | ProposalResult, bool]:
            nonlocal gate
            gate = Gate()
            attempt = msgspec.structs.replace(context, gate=gate)
            authorize(tx, attempt)

            def gated(tx: Transaction) -> T | ProposalResult:
                result = operation(tx, attempt, *args, **kwargs)
                result_or_proposal = propose_changes(tx, attempt) or result
                if is_dry_run:
                    tx.discard()
                return result_or_proposal

            if key is None:
                return gated(tx), False
            return run_idempotent(tx, attempt, key, digest, gated)

        result, self.is_replayed = await self._queue(run)
        self.has_written = True
        if gate.is_emergency and not self.is_replayed and not is_dry_run:
            self.services.metrics.emergency_change()
        if isinstance(result, ProposalResult) and not self._rules.decides:
            raise Proposed(result)
        return cast("T", result)

    async def _queue(self, run: Callable[[Transaction], T]) -> T:
        """Run a write; repeat it with what it needs that must not be calculated or loaded in a write."""
        self.lease.take(WRITE_BYTES)
        is_flushed = is_large = False
        while True:
            try:
                self.lease.share()
                queue, release = self.services.write_queue, self.lease.release
                return await queue.write(run, release, is_large=is_large)
            except NotCalculated as missing:
                for calculation in missing.runs:
                    await self.compute(calculation)
                is_large = True
            except VariablesNotCached as missing:
                # Only a jinja process can list the variables, and no write waits for a process (decision 0019).
                await self.services.template_variables.load(missing.templates)
            except BreakingChange:
                if is_flushed:
                    raise
                await self.services.consumers.flush()  # the error lists the consumers of the last seconds, too
                is_flushed = True

    def _write_context(self) -> WriteContext:
        key, request = self.key, self.request
        actor = Actor(key.id, key.name, request.scope["moorage.request_id"], change_reason(request))
        rules, options = self._rules, write_options(self.request)
        calculations = Calculations(len(self._body or b""), is_batch=rules.is_batch)
        extra = self._extra_scopes | ({Scope.EMERGENCY} if options.emergency else frozenset())
        environment = None if self.choice is None else self.choice.environment
        context = WriteContext(
            key.project_id, actor, options, self.services.template_variables,
            (rules.scopes or frozenset()) | extra, key.token_sha256, calculations, environment,
            rules.unprotected_scopes | extra if rules.environment == "move" else None,
        )  # fmt: skip
        return context.with_reason(self._reason)
