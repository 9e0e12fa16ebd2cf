"""The page of the editor: the form, what is wrong with it, and where."""

from functools import partial
from typing import Final

import msgspec
from starlette.responses import Response

from moorage.console.editor_form import EditorForm
from moorage.console.editor_view import EditorView, view_of
from moorage.console.page_request import PageRequest
from moorage.console.problems import ErrorPage
from moorage.core.errors.base import MoorageError

_ROLES: Final = ("system", "user", "assistant", "tool")

#: The fields outside the content.
_OWN: Final = frozenset({"key", "description", "notes", "version_bump"})


class Editor(msgspec.Struct):
    """The page of the editor: the form, and what is said about it.

    `key` is empty on the page for a new deployment; `base` is the version from which the form was made, and `live` the
    live one, None without one.
    """

    form: EditorForm
    key: str = ""
    base_name: str = ""
    live: str = ""
    source: str = ""
    error: ErrorPage | None = None
    is_changed: bool = False
    message: str = ""
    warnings: list[tuple[str, str]] = []


async def refused(page: PageRequest, editor: Editor, error: MoorageError) -> Response:
    """Return the form with everything that was typed, and what is wrong."""
    shown = page.failure(error)
    problems, param = shown.problems, shown.detail.get("param")
    if param == "If-None-Match":
        problems = [{"path": "key", "message": "A deployment with this key exists already. Choose another key."}]
    elif not problems and param == "key" and not editor.key:
        problems = [{"path": "key", "message": shown.text}]
    if problems:
        count = f"{len(problems)} things are" if len(problems) > 1 else "1 thing is"
        shown = shown._replace(heading=f"{count} not right yet. Nothing was saved.", text="")
    editor.error = shown._replace(detail={**shown.detail, "problems": problems})
    return await render(page, editor)


async def render(page: PageRequest, editor: Editor) -> Response:
    """Return the page."""
    return await page.compute(partial(_rendered, page, editor))  # a version can have thousands of messages


def _rendered(page: PageRequest, editor: Editor) -> Response:
    page.section, error, form = "deployments", editor.error, editor.form
    view, at_fields, found = view_of(form.fields), dict[str, list[str]](), list[dict[str, str]]()
    for problem in error.problems if error else ():
        place = _place(editor, view, problem["path"])
        below = problem["path"].removeprefix(place).lstrip(".") if place != "document" else ""
        at_fields.setdefault(place, []).append(f"{below}: {problem['message']}" if below else problem["message"])
        found.append({**problem, "field": place})
    if error and found:
        error = error._replace(detail={**error.detail, "problems": found})
        view = view_of(form.fields, at_fields)
    path = f"/console/deployments/{editor.key}/edit" if editor.key else "/console/new"
    response = page.render(
        "editor.html", status=error.status if error else 200, editor=editor, error=error, view=view, roles=_ROLES,
        problems=at_fields, action=page.address(path, **{"from": editor.base_name or editor.source}),
        warnings=[(_place(editor, view, where), where, text) for where, text in editor.warnings],
        missing_scope="" if page.has(page.move_scope) else page.move_scope,
    )  # fmt: skip
    response.headers.update(error.headers if error else {})
    return response


def _place(editor: Editor, view: EditorView, path: str) -> str:
    """Return the path of the field of a problem, or of the nearest one above; a document is one field."""
    if path in _OWN:
        return path
    return view.nearest(path) if editor.form.document is None else "document"
