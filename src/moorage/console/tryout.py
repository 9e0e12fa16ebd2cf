"""`/console/deployments/KEY/try`: up to three versions or models with the same inputs, before one is published."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec
from starlette.responses import JSONResponse, Response

from moorage.api.tasks.read import INPUT
from moorage.api.tasks.tryouts import KINDS
from moorage.console import version_view
from moorage.console.form import Form
from moorage.console.page_request import PageRequest
from moorage.console.problems import ErrorPage
from moorage.console.tryout_answer import MOCK, Answer, answer, page_environment
from moorage.console.tryout_form import COLUMNS, FORMS, Asked, asked, message_of, with_case
from moorage.console.version_view import Segment, ShownMessage
from moorage.console.versions import waiting
from moorage.core.access import Scope
from moorage.core.errors.base import MoorageError

#: So many versions are offered.
_OFFERED: Final = "50"

#: So many inputs have a field of their own.
_MAX_FIELDS: Final = 100

#: The types whose cases do not run together: they have files or documents beside their texts, or large answers.
WITHOUT_COMMON_RUN: Final = frozenset({"image", "tts", "stt", "rerank"})

_SCOPES: Final = {Scope.READ, Scope.INVOKE}


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

    @property
    def kind(self) -> str:
        """The type of the model."""
        config = self.version["prompt_config"] if self.rendered is None else self.rendered["config"]
        found: str = config["model_type" if self.rendered is None else "type"]
        return found

    @property
    def is_task(self) -> bool:
        """Whether the model is not for chats: its answer is no stream."""
        return self.kind in KINDS


async def show(page: PageRequest) -> Response:
    """Show the messages as they would be sent; `case` names a stored case, whose inputs are used."""
    return await show_asked(page, asked(page.request.query_params.multi_items()), case_name=page.parameter("case"))


async def run(page: PageRequest) -> Response:
    """Call the models, and show their answers when all of them are there; with `render`, show only the messages."""
    form = await page.form()
    return await show_asked(page, _asked(form), runs="render" not in form)


async def stream(page: PageRequest) -> Response:
    """Stream the answer of one column, for the script of the page; with `whole`, return it in a page of its own."""
    form = await page.form()
    request = _asked(form)
    number = form.get("column")
    name, model = request.columns[int(number) if number in {"1", "2"} and int(number) < len(request.columns) else 0]
    if "whole" in form:
        column = await _column(page, request, name, model, runs=True, is_shown=True)
        return await page.compute(partial(_render, page, "try_column.html", column=column))
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


def _asked(form: Form) -> Asked:
    return asked(form.fields, next(form.files("audio"), None))


def _render(page: PageRequest, template: str, *, status: int = 200, **values: Any) -> Response:
    """Return a page that can have pictures and audio."""
    page.has_media = True
    can_connect = Scope.INTEGRATIONS_ADMIN in page.key.scopes
    return page.render(template, status=status, can_connect=can_connect, **values)


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
    kinds = {column.kind for column in columns}
    values = {
        "item": item, "versions": offered, "draft": draft, "asked": request, "columns": columns, "error": wrong,
        "names": COLUMNS, "fields": _fields(columns, request), "tab": "try", "lacks": _SCOPES - page.key.scopes,
        "maximum": version_view.MAX_SHOWN, "can_save": Scope.WRITE in page.key.scopes, "is_readable": is_readable,
        "cases": cases, "case_name": case_name, "form": FORMS.get(columns[0].kind, FORMS["chat"]),
        "kinds": kinds, "has_cases": not kinds & {"stt", "rerank"}, "runs_cases": not kinds & WITHOUT_COMMON_RUN,
        "can_publish": Scope.PUBLISH in page.key.scopes,
        "is_partial": chosen is not None and message_of(chosen) is None,
    }  # fmt: skip
    return await page.compute(
        partial(_render, page, "try.html", status=wrong.status if wrong else 200, short=version_view.short, **values)
    )


async def _column(page: PageRequest, request: Asked, name: str, model: str, *, runs: bool, is_shown: bool) -> Column:
    key, name_of = page.path("key_or_id"), name or "live"
    version = await page.call("GetVersion", key_or_id=key, version_or_id=name_of)
    if not is_shown:
        return Column(name_of, model, version, None, [])
    kind = version["prompt_config"]["model_type"]
    try:
        body = request.body(model, kind)
        rendered = await page.send(
            "RenderVersion", body, query=page_environment(page), key_or_id=key, version_or_id=name_of
        )  # fmt: skip
        kind = rendered.value["config"]["type"]  # that of the variant
        called = await page.compute(partial(request.call, model, kind)) if runs else {}
    except MoorageError as error:
        return Column(name_of, model, version, None, [], page.failure(error))
    is_mock = not rendered.value["connected"]
    written = await answer(page, name_of, called, kind, is_mock=is_mock) if runs else None
    shown = await page.compute(partial(_messages, rendered.value))
    return Column(name_of, model, version, rendered.value, shown, answer=written)


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


def _fields(columns: Sequence[Column], request: Asked) -> list[InputField]:
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
    if columns[0].is_task and not request.fields.get(INPUT):  # the text of the form has its place
        found.pop(INPUT, None)
    for name, value in request.fields.items():
        if value or name != INPUT:
            found.setdefault(name, ("", False))
    return [
        InputField(name, default, is_needed, request.fields.get(name, ""))
        for name, (default, is_needed) in [*found.items()][:_MAX_FIELDS]
    ]  # fmt: skip


def _variables(version: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from version["variables"]
    for variant in version.get("variants", []):
        yield from variant.get("variables", [])
