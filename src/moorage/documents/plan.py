"""The plan of an apply: the difference between files and a server."""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from moorage import clock
from moorage.core.compatibility.breaking import breaking_changes
from moorage.core.compatibility.contract import find_variables_without_jinja
from moorage.core.deployments.content import Content
from moorage.core.deployments.deployment import PutDeployment
from moorage.core.deployments.diff import Change, diff_paths, unified
from moorage.core.deployments.ids import check_key
from moorage.core.deployments.manifest import Manifest, fields_of
from moorage.core.deployments.ownership import WriteOptions, may_change
from moorage.core.deployments.update import updated_content
from moorage.core.environments import PRODUCTION
from moorage.core.errors.base import Problem
from moorage.core.errors.requests import ComparisonTooLarge, InvalidBody, InvalidKey
from moorage.core.lint.content import lint
from moorage.core.validation.body import read_body
from moorage.core.validation.strict_json import MAX_BODY
from moorage.documents.document import Document
from moorage.documents.file_names import name_in_project

Action = Literal["create", "update", "unchanged", "delete", "reject", "invalid"]


#: The fields of a deployment in a file, in the order of an export.
MANIFEST_FIELDS = (
    "description", "aliases", "variables", "prompt_config", "settings", "fallbacks", "retry_count", "variants",
    "routing",
)  # fmt: skip


class Step(msgspec.Struct, frozen=True):
    """The action for one deployment. `before` is the content on the server, `after` that of the file, as JSON values;
    `why` and the `problems` of the document explain an action that fails or needs attention. `content` is that of a
    valid document.
    """

    action: Action
    key: str
    source: str
    before: Any = UNSET
    after: Any = UNSET
    why: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    content: Content | None = None
    document: Document | None = None

    def changes(self) -> list[Change]:
        """Return the paths that differ."""
        return list(diff_paths(self.before, self.after))

    def warnings(self) -> list[Problem]:
        """Return the warnings about the content, which do not stop the action; without those about jinja variables."""
        if self.content is None:
            return []
        return lint(self.content.encode(), find_variables_without_jinja, clock.today())

    def text(self) -> str:
        """Return a unified diff for people, without the two lines of names."""
        return unified(self.before, self.after, "server", self.source).partition("\n+++ ")[2].partition("\n")[2]


def make_plan(
    documents: Iterable[Document], manifests: dict[str, Manifest], paths: Iterable[str], environment: str = PRODUCTION
) -> list[Step]:
    """Return what `moorage apply --prune` does to give an environment the content of the documents from `paths`.

    Only in production, it changes the descriptions and aliases of existing deployments: all environments share them.
    """
    documents = list(documents)
    steps: list[Step] = []
    planned: dict[str, _State] = {}  # by earlier documents: a key that occurs twice is applied twice
    for document in documents:
        if document.is_skipped:
            continue
        current = manifests.get(document.key)
        before = planned.get(document.key, None if current is None else _state(current))
        step, after = _step(document, current, before, can_describe=environment == PRODUCTION)
        steps.append(step)
        if after is not None:
            planned[document.key] = after
    return steps + [
        Step("delete", manifest.key, str(manifest.file), before=content(manifest))
        for manifest in prunable(documents, manifests, paths)
    ]


def prunable(documents: Iterable[Document], manifests: dict[str, Manifest], paths: Iterable[str]) -> list[Manifest]:
    """Return the deployments that are managed by files under `paths` and are in no document, oldest first.

    Deployments that are managed by other files are not pruned, and neither are those of files without a deployment: a
    file that is empty by mistake deletes nothing.
    """
    documents = list(documents)
    keys, roots = {document.key for document in documents}, [name_in_project(path) for path in paths if path != "-"]
    unread = {document.file for document in documents if document.problem}
    return [
        manifest
        for manifest in reversed(manifests.values())
        if manifest.owner == "files"
        and manifest.key not in keys
        and manifest.file not in unread
        and is_under(manifest.file or "", roots)
    ]


def is_under(file: str, roots: Iterable[str]) -> bool:
    """Return whether a file is one of the roots, or in one of them."""
    return any(PurePosixPath(file).is_relative_to(root) for root in roots)


def content(manifest: Manifest) -> dict[str, Any]:
    """Return the fields that a file has of a deployment, as JSON values."""
    return _state(manifest).fields()


class _State(msgspec.Struct, frozen=True):
    """What a file has of a deployment."""

    description: str
    aliases: Sequence[str]
    content: Content

    def fields(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        fields = {
            "description": self.description, "aliases": [*self.aliases] or UNSET, **fields_of(self.content),
        }  # fmt: skip
        return {name: msgspec.to_builtins(fields[name]) for name in MANIFEST_FIELDS if fields[name] is not UNSET}


def _state(manifest: Manifest) -> _State:
    return _State(manifest.description, manifest.aliases or [], manifest.content())


def _step(
    document: Document, current: Manifest | None, before: _State | None, *, can_describe: bool
) -> tuple[Step, _State | None]:
    """Return the step for a document, and the state that it leads to unless it fails or changes nothing."""
    try:
        after = _read(document, before)
    except _InvalidError as error:
        key = document.key or "-"
        return Step("invalid", key, document.source, why=error.lines, problems=error.problems, document=document), None
    if before is not None and not can_describe:
        after = msgspec.structs.replace(after, description=before.description, aliases=before.aliases)
    step = Step(
        "create", document.key, document.source, after=after.fields(), document=document,
        content=after.content,
    )  # fmt: skip
    if before is None:
        return step, after
    step = msgspec.structs.replace(step, action="unchanged", before=before.fields())
    if not any(step.changes()):
        return step, None
    why = _rejection(document, current) or _breaking(before.content, after.content) if current else ()
    owner = _current_owner(document, current) if current else ()
    step = msgspec.structs.replace(step, action="reject" if why else "update", why=why or owner)
    return step, None if why else after


def _rejection(document: Document, current: Manifest) -> tuple[str, ...]:
    """Return why the server would reject the change, if it would."""
    if may_change(current.owner, current.file, WriteOptions(file=document.file)):
        return ()
    if document.file is None:
        return (f"managed by the file {current.file}; `moorage apply --take-ownership` takes it over",)
    return (f"managed through the API instead of {current.file}; `moorage apply --take-ownership` reverses that",)


def _breaking(before: Content, after: Content) -> tuple[str, ...]:
    """Return the breaking changes, without those that only a jinja process can find."""
    try:
        lines = tuple(f"breaking: {change.message}" for change in breaking_changes(before.encode(), after.encode()))
    except ComparisonTooLarge as error:
        lines = (f"breaking: {error.message}",)
    return (*lines, "`moorage apply --allow-breaking` publishes it anyway") if lines else ()


def _current_owner(document: Document, current: Manifest) -> tuple[str, ...]:
    """Return who manages it now, if that changes."""
    if document.file is None or (current.owner == "files" and current.file == document.file):
        return ()
    return (
        f"currently managed by {current.file}" if current.owner == "files" else "currently managed through the API",
    )


class _InvalidError(Exception):
    def __init__(self, *lines: str, problems: tuple[Problem, ...] = ()) -> None:
        self.lines = lines
        self.problems = problems


def _read(document: Document, before: _State | None) -> _State:
    if document.problem:
        raise _InvalidError(document.problem_with_place())
    try:
        check_key(document.key)
        if len(msgspec.json.encode(document.body)) > MAX_BODY:
            raise _InvalidError(f"larger than {MAX_BODY} bytes")
        body, _ = read_body(document.body, PutDeployment)
        if before is None:
            return _State(body.description or "", body.aliases or [], updated_content(body))
        live = before.content
        updated = updated_content(body, live.variables, live.runtime_config)
        description = before.description if body.description is UNSET else body.description
        return _State(description, before.aliases if body.aliases is UNSET else body.aliases, updated)
    except InvalidBody as error:
        lines = (f"{each.path or 'the body'}: {each.message}" for each in error.problems)
        raise _InvalidError(*lines, problems=error.problems) from None
    except InvalidKey as error:
        raise _InvalidError(str(error)) from None
