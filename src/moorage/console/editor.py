"""The editor: `/console/deployments/KEY/edit` and `/console/new`. A save is a new draft, which overwrites nobody."""

from typing import Any, Final
from urllib.parse import unquote

import msgspec
from starlette.responses import Response

from moorage.console.editor_form import EditorForm
from moorage.console.editor_page import Editor, refused, render
from moorage.console.form_body import CONTENT, content_of, content_of_version, fields_of
from moorage.console.page_request import PageRequest, Result
from moorage.core.access import Scope
from moorage.core.errors.base import MoorageError, VersionDeleted

#: The parts that a body must have: the API takes omitted ones from the live version.
_EMPTY: Final[dict[str, Any]] = {"variables": [], "fallbacks": [], "variants": [], "routing": []}

_BLANK: Final = {
    "prompt_config": {
        "provider": "openai", "model": "", "model_type": "chat",
        "messages": [{"role": "system", "content": ""}, {"role": "user", "content": ""}], "tools": [],
    },
    "variables": [],
}  # fmt: skip


async def show(page: PageRequest) -> Response:
    """Show the editor with a version: the named one, else the live one, else the newest."""
    if missing := _missing_scope(page, is_new=False):
        return missing
    key, live = await _seen(page)
    name = page.parameter("from") or ("live" if live else await _newest(page, key))
    base = await page.call("GetVersion", key_or_id=key, version_or_id=name)
    form = EditorForm.of_content(
        content_of_version(base), is_json=page.parameter("as") == "json", live=live, version_bump="minor"
    )
    return await render(page, Editor(form, key=key, base_name=base["version"], live=live))


async def save(page: PageRequest) -> Response:
    """Save a draft, or change the shape of the form. Without the scope, the form comes back with all that was typed."""
    sent, key = await page.form(), page.path("key_or_id")
    editor = Editor(EditorForm.of_form(sent), key=key, base_name=page.parameter("from"), is_changed=True)
    try:
        page.key.check_scopes(frozenset({Scope.WRITE}))
        editor.key, editor.live = await _seen(page)
        if "move" in sent:
            editor.form = editor.form.moved(sent.get("move"), sent.get("parameter"))
            return await render(page, editor)
        base, content = await _base(page, editor), editor.form.content()
        if base is not None and _is_same(content, content_of_version(base)):
            return await _unchanged(page, editor, is_review=sent.get("do") == "review")
        saved = await page.send(
            "SaveVersion", await _body(page, editor, content), headers={"Idempotency-Key": sent.get("once")},
            key_or_id=key,
        )  # fmt: skip
    except MoorageError as error:
        return await refused(page, editor, error)
    return await _saved(page, editor, saved, is_review=sent.get("do") == "review")


async def show_new(page: PageRequest) -> Response:
    """Show the editor for a new deployment, or for a copy of the live version of another one."""
    if missing := _missing_scope(page, is_new=True):
        return missing
    source, content, description = page.parameter("from"), dict[str, Any](_BLANK), ""
    if source:
        version = await page.call("GetVersion", key_or_id=source, version_or_id="live")
        description = (await page.call("GetDeployment", key_or_id=source))["description"]
        content = content_of_version(version)
    form = EditorForm.of_content(
        content,
        is_json=page.parameter("as") == "json",
        key="",
        description=description.replace("\r\n", "\n").replace("\r", "\n"),
    )
    return await render(page, Editor(form, source=source))


async def create(page: PageRequest) -> Response:
    """Create a deployment whose first version is a draft, or change the shape of the form."""
    sent = await page.form()
    editor = Editor(EditorForm.of_form(sent), source=page.parameter("from"), is_changed=True)
    key = sent.get("key").strip()
    try:
        if "move" in sent:
            editor.form = editor.form.moved(sent.get("move"), sent.get("parameter"))
            return await render(page, editor)
        body = editor.form.content() | {"description": sent.get("description"), "notes": sent.get("notes")}
        saved = await page.send(
            "PutDeployment", body, query={"draft": "true"}, headers={"If-None-Match": "*"}, key_or_id=key
        )
    except MoorageError as error:
        return await refused(page, editor, error)
    editor.key = key
    return await _saved(page, editor, saved, is_review=sent.get("do") == "review")


def _missing_scope(page: PageRequest, *, is_new: bool) -> Response | None:
    """Return the page that says which scope is missing, if one is."""
    needed = dict.fromkeys((Scope.WRITE, page.move_scope) if is_new else (Scope.WRITE,))
    missing = [scope for scope in needed if scope not in page.key.scopes]
    if not missing:
        return None
    what = "create deployments" if is_new else "save drafts"
    scopes = f"the scope{'s' if len(missing) > 1 else ''} {' and '.join(missing)}"
    return page.message(403, f"Your API key cannot {what}", f"That needs {scopes}.")


async def _seen(page: PageRequest) -> tuple[str, str]:
    """Return the key of the deployment, and the number of its live version; nothing without one."""
    key = page.path("key_or_id")
    try:
        item = await page.call("GetDeployment", key_or_id=key)
    except MoorageError as error:
        if error.code != "deployment_not_in_environment":
            raise
        return key, ""
    return str(item["key"]), str(item["version"])


async def _newest(page: PageRequest, key: str) -> str:
    versions = await page.call("DeploymentVersions", {"limit": "1"}, key_or_id=key)
    return str(versions["data"][0]["version"]) if versions["data"] else "live"


async def _base(page: PageRequest, editor: Editor) -> dict[str, Any] | None:
    """Return the version from which the form was made; None if it was deleted since."""
    try:
        found: dict[str, Any] = await page.call(
            "GetVersion", key_or_id=editor.key, version_or_id=editor.base_name or "live"
        )
    except VersionDeleted:
        return None
    return found


def _is_same(content: dict[str, Any], base: dict[str, Any]) -> bool:
    """Return whether a content is that of the base, with the order of the keys in free JSON."""
    if not content.keys() <= {*CONTENT}:
        return False
    sent, before = (msgspec.json.encode(content_of(fields_of(_EMPTY | each))) for each in (content, base))
    return sent == before


async def _body(page: PageRequest, editor: Editor, content: dict[str, Any]) -> dict[str, Any]:
    """Return the body of the new version, with empty parts for those that the live version has and the form not."""
    body = _EMPTY | content
    if editor.live and ("settings" not in body or "retry_count" not in body):
        live = await page.call("GetVersion", key_or_id=editor.key, version_or_id="live")
        empty = {"settings": {}, "retry_count": 0}
        body |= {name: value for name, value in empty.items() if name in live and name not in body}
    notes = {name: editor.form.others[name] for name in ("notes", "version_bump") if editor.form.others.get(name)}
    return body | notes | {"status": "draft"}


async def _unchanged(page: PageRequest, editor: Editor, *, is_review: bool) -> Response:
    """Return the form again; a draft that is the base can be published as it is."""
    if is_review and editor.base_name != editor.live:
        return page.redirect(page.query(_publish(editor), environment=page.parameter("environment")))
    editor.message, editor.is_changed = f"Nothing differs from {editor.base_name}. Nothing was saved.", False
    return await render(page, editor)


async def _saved(page: PageRequest, editor: Editor, saved: Result, *, is_review: bool) -> Response:
    """Return the way to the draft, or the editor of the draft with the warnings about it; a review shows them, too."""
    number, before = str(saved.value["version"]), editor.form.others.get("live", "")
    behind = {"live": editor.live} if before and editor.live != before else {}
    warnings = _warnings(saved)
    if warnings and not is_review:
        editor.message = f"Draft {number} is saved. {len(warnings)} warning{'s' if len(warnings) > 1 else ''} about it:"
        editor.warnings, editor.is_changed, editor.base_name = warnings, False, number
        editor.form.others = {"version_bump": "minor", "live": editor.live}
        return await render(page, editor)
    editor.base_name = number
    path = _publish(editor) if is_review else f"/console/deployments/{editor.key}/edit"
    values = {"version": number, **behind} | ({} if is_review else {"from": number})
    return page.done(path, "draft_saved_behind" if behind else "draft_saved", **values)


def _publish(editor: Editor) -> str:
    return f"/console/deployments/{editor.key}/publish/{editor.base_name}"


def _warnings(saved: Result) -> list[tuple[str, str]]:
    """Return the paths and the texts of the warnings about a version."""
    header = saved.headers.get("x-moorage-warnings", "")
    found = [unquote(each).partition(": ") for each in header.split(", ") if each]
    return [(path, text or path) for path, _, text in found]
