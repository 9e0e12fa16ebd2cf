"""`/v2/promotions` and `/v2/proposals`: moves of live versions between environments, and their approval."""

from functools import partial
from typing import get_args

import msgspec
from starlette.responses import Response

from moorage import clock
from moorage.api.endpoints.environments import find_visible, visible_environments
from moorage.api.environment import HEADER
from moorage.api.request import RequestContext
from moorage.api.responses import json_response, proposal_response
from moorage.core.deployments.page import PageQuery
from moorage.core.deployments.promotion import PostPromotion, PostProposal
from moorage.core.deployments.proposal import ProposalDetail, ProposalPage, ProposalReason, ProposalStatus
from moorage.core.errors.environments import ProposalNotFound
from moorage.core.errors.requests import InvalidRequest
from moorage.registry.approval_rules import describe
from moorage.registry.promotions import promote, propose
from moorage.registry.proposals import approve, reject, withdraw
from moorage.store.reader import Reader

_encode = msgspec.json.Encoder().encode
_STATUSES = get_args(ProposalStatus)


async def post_promotion(ctx: RequestContext) -> Response:
    """Make the live versions of one environment live in another: the same versions, all or none, at one revision."""
    ctx.allow_query_params("dry_run", "take_ownership", "emergency")
    is_dry_run = ctx.flag("dry_run")
    body, _ = await ctx.parse(PostPromotion)
    result = await ctx.write(promote, body, is_dry_run=is_dry_run)
    response = json_response(ctx, _encode(result.promotion))
    response.headers[HEADER] = result.environment
    return response


async def list_proposals(ctx: RequestContext) -> Response:
    """List the proposals of the project, newest first, a page at a time."""
    parameters = ctx.request.query_params
    query = PageQuery.read(parameters.multi_items(), ("environment", "status", "mine"))
    status = parameters.get("status", "")
    if status and status not in _STATUSES:
        reason = f"status must be one of {', '.join(_STATUSES)}; got {status[:200]!r}"
        raise InvalidRequest(param="status", reason=reason)
    name, bound = parameters.get("environment"), ctx.key.environment_id
    environment_id = visible_environments(ctx)[0].id if bound is not None else ""
    if name:
        environment_id = find_visible(ctx, name).id
    created_by = ctx.key.id if ctx.flag("mine") else ""

    def page(reader: Reader) -> bytes:
        found, has_more = reader.proposals(
            ctx.project_id, query, environment_id=environment_id, status=status, created_by=created_by
        )
        now_us = clock.now_us()
        return _encode(ProposalPage("list", [describe(reader, each, ctx.key, now_us) for each in found], has_more))

    body, _ = await ctx.read(page)
    return _response(body)


async def get_proposal(ctx: RequestContext) -> Response:
    """Get a proposal, and whether your API key can approve it."""
    ctx.allow_query_params()
    detail, _ = await ctx.read(partial(_detail, ctx))
    return _response(_encode(detail))


async def post_proposal(ctx: RequestContext) -> Response:
    """Propose that stored versions become live together in an environment that requires approvals."""
    ctx.allow_query_params("take_ownership")
    body, _ = await ctx.parse(PostProposal)
    await ctx.write(propose, body)
    raise AssertionError  # the write is a proposal


async def approve_proposal(ctx: RequestContext) -> Response:
    """Approve a proposal; the last approval that its environment requires publishes it."""
    ctx.allow_query_params()
    body = await _reason(ctx)
    return proposal_response(ctx, await ctx.write(approve, ctx.path("proposal_id"), body))


async def reject_proposal(ctx: RequestContext) -> Response:
    """Reject a proposal, for good."""
    ctx.allow_query_params()
    body = await _reason(ctx)
    return proposal_response(ctx, await ctx.write(reject, ctx.path("proposal_id"), body))


async def withdraw_proposal(ctx: RequestContext) -> Response:
    """Withdraw a proposal of your own API key; one with `environments:admin` may withdraw any."""
    ctx.allow_query_params()
    body = await _reason(ctx)
    return proposal_response(ctx, await ctx.write(withdraw, ctx.path("proposal_id"), body))


def _detail(ctx: RequestContext, reader: Reader) -> ProposalDetail:
    proposal_id = ctx.path("proposal_id")
    proposal = reader.find_proposal(ctx.project_id, proposal_id)
    if proposal is None:
        raise ProposalNotFound(param="proposal_id", id=proposal_id[:200])
    if ctx.key.environment_id is not None:
        find_visible(ctx, proposal.environment_id)
    return describe(reader, proposal, ctx.key, clock.now_us())


async def _reason(ctx: RequestContext) -> ProposalReason:
    """Return the optional body."""
    if not (await ctx.body()).strip():
        return ProposalReason()
    return (await ctx.parse(ProposalReason))[0]


def _response(body: bytes) -> Response:
    # No ETag: the time and the API key of the request decide, too.
    return Response(body, headers={"Cache-Control": "no-store"}, media_type="application/json")
