"""`/v2/summaries`: the owner, the newest draft and the last use of some deployments."""

import msgspec
from starlette.responses import Response

from moorage.api.request import RequestContext
from moorage.core.deployments.summary import MAX_SUMMARIES, SummaryList
from moorage.core.errors.requests import InvalidRequest, MissingParameter
from moorage.store.reader import Reader

_encode = msgspec.json.Encoder().encode


async def list_some(ctx: RequestContext) -> Response:
    """List the owner, the newest draft and the last use of up to 25 deployments, by their ids, in an environment.

    Deployments that do not exist are omitted.
    """
    ctx.allow_query_params("ids")
    text = ctx.request.query_params.get("ids")
    if not text:
        raise MissingParameter(param="ids", name="ids", meaning="the ids of deployments, with commas")
    ids = list(dict.fromkeys(text.split(",")))
    if len(ids) > MAX_SUMMARIES:
        raise InvalidRequest(param="ids", reason=f"ids has {len(ids):,} ids; at most {MAX_SUMMARIES}")

    def summaries(reader: Reader) -> SummaryList:
        return SummaryList("list", reader.summaries(ctx.project_id, ids, ctx.environment.pointer_id or ""))

    found, _ = await ctx.read(summaries)
    # No ETag: uses are recorded without a revision.
    return Response(_encode(found), headers={"Cache-Control": "no-store"}, media_type="application/json")
