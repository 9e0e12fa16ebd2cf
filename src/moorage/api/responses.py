"""JSON responses with their ETag and revision."""

import hashlib
from collections.abc import Sequence
from urllib.parse import quote

import msgspec
from starlette.responses import Response

from moorage.api.request import RequestContext
from moorage.core.deployments.version import Version
from moorage.core.errors.base import Problem
from moorage.registry.results import DeploymentResult, ProposalResult, VersionResult

RawHeaders = list[tuple[bytes, bytes]]

#: How many characters a header that lists paths has at most.
_MAX_LIST = 4_000

#: The printable ASCII characters, except `%` and `,`.
_READABLE = "".join(map(chr, range(0x20, 0x7F))).translate({ord("%"): None, ord(","): None})


def json_response(
    ctx: RequestContext, body: bytes, status: int = 200, *, etag: str | None = None, rev: int | None = None
) -> Response:
    """Return JSON with its ETag (by default of the bytes) and its revision (by default the catalog's).

    Only what follows from the revision alone may have an ETag: such responses are cached until the next write.
    """
    headers = {
        "ETag": etag or f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        "Cache-Control": "private, no-cache",
        "X-Moorage-Revision": str(ctx.services.catalog.revision if rev is None else rev),
    }
    if ctx.is_replayed:
        headers["X-Moorage-Replayed"] = "true"
    return Response(body, status, headers, media_type="application/json")


def deployment_response(
    ctx: RequestContext,
    result: DeploymentResult,
    status: int = 200,
    normalized: Sequence[str] = (),
    *,
    is_dry_run: bool = False,
) -> Response:
    """Return a deployment after a write; `normalized` lists the paths of the body that were normalized.

    The JSON of a dry run also has `warnings`; other writes return the deployment as a read does.
    """
    deployment = result.deployment
    ctx.follows = deployment.is_following
    item = deployment.item()
    if is_dry_run:
        item = b'%b,"warnings":%b}' % (item[:-1], msgspec.json.encode(result.warnings))
    response = json_response(ctx, item, status, etag=deployment.etag)
    _set_lists(response, normalized, result)
    if result.result != "restored":
        response.headers["X-Moorage-Result"] = result.result
    if result.previous_version is not None:
        response.headers["X-Moorage-Previous-Version"] = str(result.previous_version)
    if result.previous_owner is not None:
        response.headers["X-Moorage-Owner"] = deployment.owner
        response.headers["X-Moorage-Previous-Owner"] = quote(result.previous_owner)
    return response


async def version_response(
    ctx: RequestContext, result: VersionResult, status: int = 200, normalized: Sequence[str] = ()
) -> Response:
    """Return a version after a write, with the ETag of its deployment: the next write can be conditional on it."""
    version, ctx.follows = result.version, result.follows
    body = _version_json(version) if version.content.is_small else await ctx.compute(_version_json, version)
    response = json_response(ctx, body, status, etag=result.etag)
    _set_lists(response, normalized, result)
    return response


def proposal_response(ctx: RequestContext, result: ProposalResult, status: int = 200) -> Response:
    """Return a proposal after a write; 202 if the write asked for something else, and waits for approval.

    One that a dry run made is not stored, so it has no address; its id is empty.
    """
    is_stored = not (result.is_new and ctx.flag("dry_run"))
    if not is_stored:
        result = msgspec.structs.replace(result, proposal=msgspec.structs.replace(result.proposal, id=""))
    response = json_response(ctx, msgspec.json.encode(result.proposal), status)
    response.headers["Cache-Control"] = "no-store"  # what the API key may do is a part of it
    if status == 202 and is_stored:
        root_path = ctx.request.scope["moorage.root_path"]
        response.headers["Location"] = f"{root_path}/v2/proposals/{result.proposal.id}"
    if status == 202:
        response.headers["X-Moorage-Result"] = "proposed"
    return response


def _version_json(version: Version) -> bytes:
    return msgspec.json.encode(version.item())


def etag_matches(if_none_match: bytes, etag: bytes) -> bool:
    """Return whether an If-None-Match header has an ETag."""
    return if_none_match == etag or any(
        candidate.strip().removeprefix(b"W/") in (etag, b"*") for candidate in if_none_match.split(b",")
    )


def _set_lists(response: Response, normalized: Sequence[str], result: DeploymentResult | VersionResult) -> None:
    if normalized:
        response.headers["X-Moorage-Normalized"] = join_list(normalized)
    if result.breaking:
        response.headers["X-Moorage-Breaking"] = join_list([quote(path, safe='."[]') for path in result.breaking])
    if result.warnings:
        response.headers["X-Moorage-Warnings"] = warnings_header(result.warnings)


def warnings_header(warnings: Sequence[Problem]) -> str:
    """Return warnings as `path: message`, separated by commas; other commas, `%` and non-ASCII are percent-encoded."""
    return join_list([quote(f"{each.path}: {each.message}", safe=_READABLE) for each in warnings])


def join_list(paths: Sequence[str]) -> str:
    """Return as many paths as fit; dots at the end stand for more."""
    joined = ", ".join(paths)
    return joined if len(joined) <= _MAX_LIST else ", ".join([*joined[:_MAX_LIST].split(", ")[:-1], "..."])
