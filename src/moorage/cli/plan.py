"""Plan: what files say against what a server has."""

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from moorage.cli.client import Client
from moorage.cli.documents import Document, name_in_project
from moorage.core.body import read_body
from moorage.core.deployment import PutDeployment
from moorage.core.difference import Change, changes, unified
from moorage.core.ids import check_key
from moorage.core.manifest import Manifest
from moorage.core.ownership import Terms, may_change
from moorage.core.request_errors import InvalidBody, InvalidKey
from moorage.core.strict_json import MAX_BODY
from moorage.registry.bodies import content_of
from moorage.registry.contracts import breaking_changes

Action = Literal["create", "update", "unchanged", "delete", "refuse", "invalid"]


#: What a file says of a deployment, in the order in which it is exported.
SAID = (
    "description", "variables", "prompt_config", "settings", "fallbacks", "retry_count", "variants", "routing"
)  # fmt: skip


class Step(msgspec.Struct, frozen=True):
    """What has to be done for one deployment: `before` is what the server has, `after` what the file says, as JSON
    values; `why` explains an action that is not done, or should be thought about."""

    action: Action
    key: str
    source: str
    before: Any = UNSET
    after: Any = UNSET
    why: tuple[str, ...] = ()

    def changes(self) -> list[Change]:
        """The paths that differ."""
        return list(changes(self.before, self.after))

    def text(self) -> str:
        """The same as a unified diff, for people, without the two lines of names."""
        return unified(self.before, self.after, "server", self.source).partition("\n+++ ")[2].partition("\n")[2]


def read_manifests(client: Client) -> dict[str, Manifest]:
    """Everything that the server has, by key."""
    return {item["key"]: msgspec.convert(item, Manifest) for item in client.pages("/v2/manifests")}


def make_plan(documents: Iterable[Document], manifests: dict[str, Manifest], paths: Iterable[str]) -> list[Step]:
    """What `moorage apply --prune` has to do so that the server has what the documents from `paths` say."""
    documents = list(documents)
    steps: list[Step] = []
    said: dict[str, Any] = {}  # by the documents before: a key that stands twice is applied twice
    for document in documents:
        there = manifests.get(document.key)
        steps.append(_step(document, there, said.get(document.key, UNSET if there is None else content(there))))
        if steps[-1].action in ("create", "update"):
            said[document.key] = steps[-1].after
    return steps + [
        Step("delete", manifest.key, str(manifest.file), before=content(manifest))
        for manifest in prunable(documents, manifests, paths)
    ]


def prunable(documents: Iterable[Document], manifests: dict[str, Manifest], paths: Iterable[str]) -> list[Manifest]:
    """What is kept in a file under one of `paths`, and is in none of the documents any more, oldest first.

    What is kept in files elsewhere is another folder's matter.
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
    """Whether a file is one of the roots, or in one of them."""
    return any(PurePosixPath(file).is_relative_to(root) for root in roots)


def content(manifest: Manifest) -> dict[str, Any]:
    """What files say of a deployment, as JSON values."""
    built: dict[str, Any] = msgspec.to_builtins(manifest)
    return {name: built[name] for name in SAID if name in built}


def _step(document: Document, present: Manifest | None, before: Any) -> Step:
    try:
        wanted = _read(document)
    except _InvalidError as error:
        return Step("invalid", document.key or "-", document.source, why=error.lines)
    said = {name: getattr(wanted, name) for name in SAID}
    after = {name: msgspec.to_builtins(value) for name, value in said.items() if value is not UNSET}
    if before is UNSET:
        return Step("create", document.key, document.source, after=after)
    after = before | after
    action: Action = "update" if list(changes(before, after)) else "unchanged"
    if action == "unchanged":
        return Step(action, document.key, document.source, before, after)
    why = _refusal(document, present) or _breaks(before, after) if present else ()
    keeper = _keeper(document, present) if present else ()
    return Step("refuse" if why else action, document.key, document.source, before, after, why or keeper)


def _refusal(document: Document, present: Manifest) -> tuple[str, ...]:
    """Why the server refuses to change it, if it does."""
    if may_change(present.owner, present.file, Terms(file=document.file)):
        return ()
    if document.file is None:
        return (f"it is kept in the file {present.file}; `moorage apply --take-ownership` takes it over",)
    return (f"it was taken over from {present.file} by the API; `moorage apply --take-ownership` takes it back",)


def _breaks(before: Any, after: Any) -> tuple[str, ...]:
    """What programs would notice, as far as that can be told here."""
    live, new = (content_of(read_body(each, PutDeployment)[0]) for each in (before, after))
    lines = tuple(f"breaking: {change.message}" for change in breaking_changes(live, new))
    return (*lines, "`moorage apply --allow-breaking` publishes it all the same") if lines else ()


def _keeper(document: Document, present: Manifest) -> tuple[str, ...]:
    """Who keeps it until now, if that is somebody else."""
    if document.file is None or (present.owner == "files" and present.file == document.file):
        return ()
    return (
        f"it is kept in {present.file} until now"
        if present.owner == "files"
        else "it is kept through the API until now",
    )


class _InvalidError(Exception):
    def __init__(self, lines: tuple[str, ...]) -> None:
        self.lines = lines


def _read(document: Document) -> PutDeployment:
    if document.problem:
        raise _InvalidError((document.problem,))
    try:
        check_key(document.key)
        if len(msgspec.json.encode(document.body)) > MAX_BODY:
            raise _InvalidError((f"it is larger than {MAX_BODY} bytes",))
        wanted, _ = read_body(document.body, PutDeployment)
        content_of(wanted)
        return wanted
    except InvalidBody as error:
        raise _InvalidError(tuple(f"{each.path} {each.message}".strip() for each in error.problems)) from None
    except InvalidKey as error:
        raise _InvalidError((str(error),)) from None
