"""`/console/deployments/KEY/try`: up to three versions or models with the same inputs, before one is published."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import msgspec
from starlette.responses import JSONResponse, Response

from moorage.console import version_view
from moorage.console.page_request import PageRequest
from moorage.console.problems import ErrorPage
from moorage.console.tryout_form import COLUMNS, Asked, asked, message_of, with_case
from moorage.console.version_view import Segment, ShownMessage
from moorage.console.versions import waiting
from moorage.core.access import Scope
from moorage.core.errors.base import MoorageError

#: So many versions are offered.
_OFFERED: Final = "50"

#: So many inputs have a field of their own.
_MAX_FIELDS: Final = 100

#: The answer where no integration can call the model.
MOCK: Final = "This is a mock answer: no provider is connected, so no model was called."

_SCOPES: Final = {Scope.READ, Scope.INVOKE}


class Answer(msgspec.Struct, frozen=True):
    """The response to a run: texts and tool calls, or what failed."""

    texts: list[str]
    tool_calls: str
    facts: list[str]
    failure: str = ""


class InputField(msgspec.Struct, frozen=True):
    """The field of an input; it is needed if a version has no default for it."""

    name: str
    default: str
    is_needed: bool
    value: str


class Column(msgspec.Struct, frozen=True):
    """One version with the inputs: `rendered` is the response of `RenderVersion`, None if there is an `error`."""

    name: str
    model: str
    version: Any
    rendered: Any
    messages: list[ShownMessage]
    error: ErrorPage | None = None
    answer: Answer | None = None


async def show(page: PageRequest) -> Response:
    """Show the messages as they would be sent; `case` names a stored case, whose inputs are used."""
    return await show_asked(page, asked(page.request.query_params.multi_items()), case_name=page.parameter("case"))


async def run(page: PageRequest) -> Response:
    """Call the models, and show their answers when all of them are there; with `render`, show only the messages."""
    form = await page.form()
    return await show_asked(page, asked(form.fields), runs="render" not in form)


async def stream(page: PageRequest) -> Response:
    """Stream the answer of one column, for the script of the page."""
    form = await page.form()
    request = asked(form.fields)
    number = form.get("column")
    name, model = request.columns[int(number) if number in {"1", "2"} and int(number) < len(request.columns) else 0]
    try:
        body = request.body(model) | {"stream": True}
        if "mock" in form:
            body["mock_response"] = MOCK
        return await page.respond(
            "TryVersion",
            body,
            query=page_environment(page),
            key_or_id=page.path("key_or_id"),
            version_or_id=name or "live",
        )
    except MoorageError as error:
        failure = page.failure(error)
        return JSONResponse({"message": failure.text, "error": failure.detail}, failure.status)


async def show_asked(
    page: PageRequest, request: Asked, *, runs: bool = False, error: ErrorPage | None = None, case_name: str = ""
) -> Response:
    """Return the page with everything that was asked for; `error` is that of another form of the page."""
    page.section, key = "deployments", page.path("key_or_id")
    item = await page.call("GetDeployment", key_or_id=key)
    offered = (await page.call("DeploymentVersions", {"limit": _OFFERED}, key_or_id=key))["data"]
    draft = waiting(offered)
    if not request.columns[0][0]:  # the newest draft is what somebody wants to try
        name = offered[0]["version"] if draft else "live"
        request = msgspec.structs.replace(request, columns=[(each or name, m) for each, m in request.columns])
    cases = (await page.call("Cases", key_or_id=key))["data"]
    chosen = None
    if error is None:
        chosen = next((case for case in cases if case["name"] == case_name), None)
    if chosen is not None:
        request = with_case(request, chosen)
    wrong = error
    is_readable = True
    try:
        request.body()
    except MoorageError as unreadable:
        wrong, runs, is_readable = page.failure(unreadable), False, False
    columns = [await _column(page, request, *column, runs=runs, is_shown=is_readable) for column in request.columns]
    values = {
        "item": item, "versions": offered, "draft": draft, "asked": request, "columns": columns, "error": wrong,
        "names": COLUMNS, "fields": _fields(columns, request), "tab": "try", "lacks": _SCOPES - page.key.scopes,
        "maximum": version_view.MAX_SHOWN, "can_save": Scope.WRITE in page.key.scopes, "is_readable": is_readable,
        "can_connect": Scope.INTEGRATIONS_ADMIN in page.key.scopes, "cases": cases, "case_name": case_name,
        "can_publish": Scope.PUBLISH in page.key.scopes,
        "is_partial": chosen is not None and message_of(chosen) is None,
    }  # fmt: skip
    return await page.compute(
        partial(page.render, "try.html", status=wrong.status if wrong else 200, short=version_view.short, **values)
    )


async def _column(page: PageRequest, request: Asked, name: str, model: str, *, runs: bool, is_shown: bool) -> Column:
    key, name_of = page.path("key_or_id"), name or "live"
    version = await page.call("GetVersion", key_or_id=key, version_or_id=name_of)
    if not is_shown:
        return Column(name_of, model, version, None, [])
    body = request.body(model)
    try:
        rendered = await page.send(
            "RenderVersion", body, query=page_environment(page), key_or_id=key, version_or_id=name_of
        )  # fmt: skip
    except MoorageError as error:
        return Column(name_of, model, version, None, [], page.failure(error))
    written = await answer(page, name_of, body, is_mock=not rendered.value["connected"]) if runs else None
    shown = await page.compute(partial(_messages, rendered.value))
    return Column(name_of, model, version, rendered.value, shown, answer=written)


def page_environment(page: PageRequest) -> dict[str, str]:
    """Return the environment of the page as a query parameter, which calls need not have."""
    return {"environment": page.parameter("environment")}


async def answer(page: PageRequest, name: str, body: Mapping[str, Any], *, is_mock: bool) -> Answer:
    """Call the model of a version, and return its answer, or why there is none."""
    sent = {**body, "mock_response": MOCK} if is_mock else body
    started = time.perf_counter()
    try:
        result = await page.send(
            "TryVersion", sent, query=page_environment(page), key_or_id=page.path("key_or_id"), version_or_id=name
        )
    except MoorageError as error:
        return Answer([], "", [], page.failure(error).text)
    seconds = time.perf_counter() - started
    if result.status >= 400:
        return Answer([], "", _tried(result.headers), _words(result.value["error"]))
    choices = result.value["choices"]
    calls = [call for choice in choices for call in choice["message"].get("tool_calls", [])]
    return Answer(
        [text for choice in choices if (text := choice["message"].get("content"))],
        json.dumps(calls, ensure_ascii=False, indent=2) if calls else "",
        [] if is_mock else [*_facts(result.value, seconds), *_tried(result.headers)],
    )


def _words(error: Mapping[str, str]) -> str:
    """Return the message of an error without its hint, which is for programs and the command line."""
    return error["message"].removesuffix(error.get("hint", "")).strip()


def _facts(response: Mapping[str, Any], seconds: float) -> list[str]:
    """Return tokens, time and finish reasons, as a line has them."""
    usage = response.get("usage")
    tokens = f"{usage['prompt_tokens']:,} + {usage['completion_tokens']:,} tokens" if usage else "no usage reported"
    reasons = dict.fromkeys(choice.get("finish_reason", "") for choice in response["choices"])
    return [tokens, f"{seconds:.1f} s", *filter(None, reasons)]


def _tried(headers: Mapping[str, str]) -> list[str]:
    attempts = headers.get("X-Moorage-Attempts", "1")
    dropped = headers.get("X-Moorage-Dropped")
    found = [f"answered by {headers['X-Moorage-Model']}"] if "X-Moorage-Model" in headers else []
    found += [f"{attempts} attempts"] if attempts not in ("0", "1") else []
    return [*found, f"not sent: {dropped}"] if dropped else found


def _messages(rendered: Mapping[str, Any]) -> list[ShownMessage]:
    """Return the messages; names that are still in them, because they have no input, are marked."""
    config = rendered["config"]
    missing: list[str] = config.get("missing_inputs", []) if rendered["rejected"] else []
    shown = version_view.messages(
        {"prompt_config": config, "variables": [{"key": name} for name in missing]}
    )  # fmt: skip
    return [msgspec.structs.replace(each, parts=[_plain(part) for part in each.parts]) for each in shown]


def _plain(part: list[Segment]) -> list[Segment]:
    """Return a part without marks on what is no missing input: braces in the value of an input are just text."""
    return [each if each.kind == "needed" else Segment(each.text) for each in part]


def _fields(columns: Iterable[Column], request: Asked) -> list[InputField]:
    """Return the fields of the inputs: of declared variables, of names that are missing, and those that were filled."""
    found: dict[str, tuple[str, bool]] = {}
    for column in columns:
        for variable in _variables(column.version):
            name, value = variable["key"], variable.get("value")
            default, is_needed = found.get(name, ("", False))
            is_empty = value in (None, "")
            found[name] = default or ("" if is_empty else version_view.short(value)), is_needed or is_empty
        for name in column.rendered["config"].get("missing_inputs", []) if column.rendered else []:
            found.setdefault(name, ("", True))
    for name in request.fields:
        found.setdefault(name, ("", False))
    return [
        InputField(name, default, is_needed, request.fields.get(name, ""))
        for name, (default, is_needed) in [*found.items()][:_MAX_FIELDS]
    ]  # fmt: skip


def _variables(version: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from version["variables"]
    for variant in version.get("variants", []):
        yield from variant.get("variables", [])
