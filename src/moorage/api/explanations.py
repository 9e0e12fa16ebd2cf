"""`/v2/deployments/{keyOrID}/explain` and `/what-if`: why a context gets its variant, and what would change that."""

import asyncio
from collections.abc import Callable

import msgspec
from starlette.responses import Response

from moorage.api.answer import of_revision
from moorage.api.call import Call
from moorage.core.explaining import Explained, WhatIf
from moorage.core.explaining import explain as explain_context
from moorage.core.explaining import what_if as compare_tables
from moorage.core.plan import Plan


async def explain(call: Call) -> Response:
    """Which variant a context gets, and what each row of the routing table says to it."""
    return await _answer(call, explain_context)


async def what_if(call: Call) -> Response:
    """Which of up to 1,000 contexts would get another variant from another routing table."""
    return await _answer(call, compare_tables)


async def _answer(call: Call, ask: Callable[[Plan, bytes], Explained | WhatIf]) -> Response:
    call.expect_parameters()
    body = await call.body()
    plan = call.services.gateway.plan(call.project_id, call.request.path_params["key_or_id"])
    revision = call.services.catalog.revision
    # Beside the event loop: a thousand contexts may take a while.
    found = await asyncio.get_running_loop().run_in_executor(call.services.reader, ask, plan, body)
    return of_revision(call, msgspec.json.encode(found), rev=revision)
