"""`/console/deployments/KEY/try/cases`: named inputs, stored with a deployment, and a run of all of them."""

import json
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import msgspec
from starlette.responses import Response

from moorage.console.page_request import PageRequest
from moorage.console.tryout import WITHOUT_COMMON_RUN, show_asked
from moorage.console.tryout_answer import Answer, answer, page_environment
from moorage.console.tryout_form import Asked, asked, with_kind
from moorage.console.versions import waiting
from moorage.core.access import Scope
from moorage.core.errors.base import MoorageError

#: So many cases run at once, one after the other, and no case starts after so many seconds.
_MAX_RUN: Final = 20
_MAX_SECONDS: Final = 120.0


class CaseResult(msgspec.Struct, frozen=True):
    """A case, and the answers of both versions."""

    name: str
    context: str
    answers: list[Answer]


async def save(page: PageRequest) -> Response:
    """Store the inputs of the form as a case, or replace the one with its name."""
    form = await page.form()
    request, name = asked(form.fields), form.get("case_name").strip()
    try:
        body = request.body()
        content = {field: body[field] for field in ("inputs", "context", "messages") if field in body}
        await page.send("PutCase", content, key_or_id=page.path("key_or_id"), case_name=name)
    except MoorageError as error:
        return await show_asked(page, request, error=page.failure(error), case_name=name)
    return _done(page, request, "case_saved", name)


async def delete(page: PageRequest) -> Response:
    """Delete a case."""
    form = await page.form()
    request, name = asked(form.fields), form.get("delete")
    try:
        await page.send("DeleteCase", key_or_id=page.path("key_or_id"), case_name=name)
    except MoorageError as error:
        return await show_asked(page, request, error=page.failure(error))
    return _done(page, request, "case_deleted")


def _done(page: PageRequest, request: Asked, notice: str, case: str = "") -> Response:
    chosen = {name: value for name, value in request.query().items() if name in ("version", "against", "also")}
    return page.done(f"/console/deployments/{page.path('key_or_id')}/try", notice, **chosen, case=case)


async def run_all(page: PageRequest) -> Response:
    """Run all cases with one version and the live one, one after the other."""
    page.section, key = "deployments", page.path("key_or_id")
    request = asked((await page.form()).fields)
    item = await page.call("GetDeployment", key_or_id=key)
    offered = (await page.call("DeploymentVersions", {"limit": "1"}, key_or_id=key))["data"]
    cases = (await page.call("Cases", key_or_id=key))["data"]
    name = request.columns[0][0] or "live"
    against = request.columns[1][0] if len(request.columns) > 1 else "live"
    versions = [await page.call("GetVersion", key_or_id=key, version_or_id=each) for each in (name, against)]
    versions = [*{version["version"]: version for version in versions}.values()]
    numbers = [version["version"] for version in versions]
    deadline, found = time.monotonic() + _MAX_SECONDS, list[CaseResult]()
    for case in cases[:_MAX_RUN]:
        if time.monotonic() > deadline:
            break
        body = {field: case[field] for field in ("inputs", "context", "messages")}
        answers = [await _run(page, version, body) for version in versions]
        found.append(CaseResult(case["name"], json.dumps(case["context"], ensure_ascii=False), answers))
    return await page.compute(
        partial(
            page.render, "try_cases.html", item=item, tab="try", draft=waiting(offered), results=found,
            numbers=numbers, omitted=len(cases) - len(found), tried=versions[0],
            can_publish=Scope.PUBLISH in page.key.scopes,
        )
    )  # fmt: skip


async def _run(page: PageRequest, version: Mapping[str, Any], case: Mapping[str, Any]) -> Answer:
    number, kind = version["version"], version["prompt_config"]["model_type"]
    if kind in WITHOUT_COMMON_RUN:
        return Answer(failure="Cases have texts only. Open the case to run it with this version.")
    try:
        body = with_kind({**case}, kind)
        rendered = await page.send(
            "RenderVersion", body, query=page_environment(page), key_or_id=page.path("key_or_id"), version_or_id=number
        )
    except MoorageError as error:
        return Answer(failure=page.failure(error).text)
    return await answer(page, number, body, kind, is_mock=not rendered.value["connected"])
