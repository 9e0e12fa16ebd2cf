"""`/console/deployments/KEY/use`: programs that call the deployment, to copy."""

import re
from functools import partial
from typing import Any

import msgspec
from starlette.responses import Response

from moorage.console.call_values import content_of, context_of_rule, needed_inputs, uses_jinja
from moorage.console.page_request import PageRequest
from moorage.console.session import came_by_https
from moorage.console.snippets import Call, snippets
from moorage.console.version_view import rules
from moorage.core.routing.rules import DEFAULT_VARIANT, RoutingRule


async def show(page: PageRequest) -> Response:
    """Show the snippets, with the context of the rule that the query names."""
    page.section, key = "deployments", page.path("key_or_id")
    item = await page.call("GetDeployment", key_or_id=key)
    version = await page.call("GetVersion", key_or_id=key, version_or_id="live")
    return await page.compute(partial(_render, page, item, version))  # it reads the texts of all messages


def _render(page: PageRequest, item: Any, version: Any) -> Response:
    routing = msgspec.convert(version.get("routing") or [], list[RoutingRule])
    number = _number(page.parameter("rule"), len(routing))
    variant = routing[number - 1].variant if number else DEFAULT_VARIANT
    context = context_of_rule(item["key"], routing, number)
    call = Call(
        address(page), item["key"], page.environment, needed_inputs(version, variant), context or {},
        content_of(version, variant)["prompt_config"]["model_type"], uses_jinja(version),
    )  # fmt: skip
    return page.render(
        "use_it.html", item=item, tab="use", draft=None, snippets=snippets(call), call=call, number=number,
        variant=variant, rules=rules(version), has_context=context is not None, key_hint=_hint(page),
    )  # fmt: skip


def _number(text: str, count: int) -> int:
    """Return the number of a rule; 0, the default, for anything else."""
    return int(text) if re.fullmatch(r"[0-9]{1,3}", text, re.ASCII) and int(text) <= count else 0


def _hint(page: PageRequest) -> str:
    """Return the command that makes an API key for an application."""
    chosen = "" if page.environment == "production" else f" --environment {page.environment}"
    return f"moorage keys create my-application{chosen} --scope deployments:invoke"


def address(page: PageRequest) -> str:
    """Return the address of the server, as the browser sees it.

    A proxy can end TLS, so the name of the cookie decides: the browser sends the secure one by https alone.
    """
    scheme = "https" if came_by_https(page.request) else page.request.url.scheme
    return f"{scheme}://{page.request.headers['host']}{page.prefix}"
