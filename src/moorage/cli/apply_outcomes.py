"""The results of `moorage apply`: one for each document."""

from collections import Counter
from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Any
from urllib.parse import unquote

import msgspec

from moorage.cli.client import Client, deployment_path
from moorage.cli.environment_options import environment_of, in_environment
from moorage.cli.errors import ApiError, ServerError
from moorage.cli.manifests import Manifests
from moorage.cli.output import echo, one_line, pluralize, print_paragraph, print_table, print_text
from moorage.cli.problems import print_problems, print_unreadable, read_warnings
from moorage.cli.proposed import Proposed, proposed_lines
from moorage.cli.responses import Page, SavedVersion, VersionItem
from moorage.cli.table import new_table
from moorage.cli.target import Target
from moorage.core.deployments.diff import diff_paths
from moorage.core.deployments.ids import check_key
from moorage.core.deployments.ownership import Owner
from moorage.core.environments import PRODUCTION
from moorage.core.errors.base import Problem
from moorage.core.errors.requests import InvalidKey
from moorage.documents.document import Document
from moorage.documents.plan import Step, make_plan

RESULTS = ("created", "updated", "unchanged", "failed")
DRAFT_RESULTS = ("drafted", "unchanged", "failed")
PROPOSED_RESULTS = ("proposed", "unchanged", "failed")

#: What all environments share of a deployment, and no version has.
_SHARED = frozenset({"description", "aliases"})

_COLORS = {"created": "green", "updated": "yellow", "drafted": "yellow", "proposed": "yellow", "failed": "red"}


class Outcome(msgspec.Struct, frozen=True):
    """The result for one document.

    `change` is the new version, with the previous one if there is one, `place` the environment in which it is live, and
    `next_step` a command to copy. `problems` are those of a failed document, and `lines` are other lines to show.
    `previous_owner` is set if the owner changed.
    """

    document: Document
    result: str
    change: str = ""
    place: str = ""
    next_step: str = ""
    lines: Sequence[str] = ()
    problems: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()
    previous_owner: str | None = None


def put(client: Client, document: Document, query: dict[str, Any], reason: str) -> Outcome:
    """Put a document.

    Raises:
        ServerError: further documents would have the same result.
    """
    if document.problem:
        return Outcome(document, "failed")
    try:
        reply = client.put(check_key(document.key), document.body, reason, file=document.file, **query)
        result = reply.header("X-Moorage-Result", RESULTS)
    except InvalidKey as error:
        return Outcome(document, "failed", lines=[str(error)])
    except Proposed as proposed:
        return Outcome(document, "proposed", lines=proposed_lines(proposed.proposal))
    except ServerError:
        raise
    except ApiError as error:
        return _failed(document, error)
    lines = []
    if breaking := reply.find_header("X-Moorage-Breaking"):
        lines.append(f"breaking: {unquote(breaking)}")
    if normalized := reply.find_header("X-Moorage-Normalized"):
        lines.append(f"normalized: {normalized}")
    previous_owner = reply.find_header("X-Moorage-Previous-Owner")
    if previous_owner is not None and result == "updated":
        owner = "through the API" if previous_owner == "api" else f"by {unquote(previous_owner)}"
        lines.append(f"previously managed {owner}: moorage deployments history {document.key}")
    before, now = reply.find_header("X-Moorage-Previous-Version"), reply.value.version
    place, owner = environment_of(reply), " --take-ownership" if document.file else ""
    undo = f"undo: moorage deployments undo {document.key}{in_environment(place)}{owner}"
    return Outcome(
        document, result, f"{before} → {now}" if before else now, place, undo if before else "", lines,
        warnings=read_warnings(reply.find_header("X-Moorage-Warnings")), previous_owner=previous_owner,
    )  # fmt: skip


def store(
    client: Client, document: Document, target: Target, manifests: Manifests, reason: str, *, is_dry_run: bool
) -> Outcome:
    """Store a document as a version that is to be proposed, unless it is live already.

    Raises:
        ServerError: further documents would have the same result.
    """
    if document.problem:
        return Outcome(document, "failed")
    # Elsewhere than in production, a deployment that follows has no owner.
    file = document.file if target.is_production else None
    query = {"draft": True, "environment": target.option, "file": file, "dry_run": is_dry_run or None}
    try:
        stored = _find_stored(client, document, target, manifests)
        if stored is not None:
            return Outcome(document, "proposed", stored, target.name)
        reply = client.put(check_key(document.key), document.body, reason, **query)
        result = reply.header("X-Moorage-Result", ("created", "drafted", "unchanged"))
    except InvalidKey as error:
        return Outcome(document, "failed", lines=[str(error)])
    except ServerError:
        raise
    except ApiError as error:
        return _failed(document, error)
    warnings = read_warnings(reply.find_header("X-Moorage-Warnings"))
    if result == "unchanged" and document.key in manifests.by_key:
        return Outcome(document, "unchanged", warnings=warnings)
    return Outcome(document, "proposed", reply.value.version, target.name, warnings=warnings)


def save_draft(
    client: Client, document: Document, manifests: Manifests, reason: str, option: str | None, *, is_dry_run: bool
) -> Outcome:
    """Save a document as a draft, unless the live version or the newest draft has its content.

    Raises:
        ServerError: further documents would have the same result.
    """
    (step,) = make_plan([document], manifests.by_key, (), manifests.environment)
    if step.action == "invalid":
        lines = [] if step.problems or document.problem else step.why
        return Outcome(document, "failed", lines=lines, problems=step.problems)
    if step.action == "create":
        where = "" if manifests.environment == PRODUCTION else f" in {manifests.environment}"
        line = f"there is no such deployment{where}; the first `moorage apply` publishes it, without --draft"
        return Outcome(document, "failed", lines=[line])
    if step.action == "unchanged":
        return Outcome(document, "unchanged", warnings=step.warnings())
    if is_dry_run:
        return Outcome(document, "drafted", warnings=step.warnings())
    try:
        return _save_draft(client, step, reason, manifests.by_key[document.key].owner, option)
    except ServerError:
        raise
    except ApiError as error:
        return _failed(document, error)


def _save_draft(client: Client, step: Step, reason: str, owner: Owner, environment: str | None) -> Outcome:
    document = step.document
    assert document is not None  # noqa: S101 -- it is the step of a document
    newest = _find_newest(client, step, environment)
    if newest is not None:
        return Outcome(document, "unchanged", lines=[f"{newest.status} {newest.version} has this content"])
    body = {name: value for name, value in document.body.items() if name not in _SHARED}
    body |= {"status": "draft", "reason": reason}
    path, query = f"{deployment_path(document.key)}/versions", {"environment": environment}
    saved = client.send("POST", path, SavedVersion, body, query)
    version, file = saved.value.version, document.origin.file if document.origin else "FILE"
    by_api, by_file = f"moorage deployments publish {document.key} {version}", f"moorage apply {quote(file)}"
    publish = f"publish: {by_file if owner == 'files' else by_api}{in_environment(environment)}"
    return Outcome(
        document, "drafted", version, next_step=publish,
        warnings=read_warnings(saved.find_header("X-Moorage-Warnings")),
    )  # fmt: skip


def _find_stored(client: Client, document: Document, target: Target, manifests: Manifests) -> str | None:
    """Return the newest version if it is this document, with notes or a major number: a put would store it again."""
    notes = document.body.get("notes", "")
    if not notes and document.body.get("version_bump") != "major":
        return None
    (step,) = make_plan([document], manifests.by_key, (), manifests.environment)
    if step.action not in ("update", "reject"):
        return None
    newest = _find_newest(client, step, target.option)
    return newest.version if newest is not None and newest.notes == notes else None


def _find_newest(client: Client, step: Step, environment: str | None) -> VersionItem | None:
    """Return the newest version of a deployment, if it was never live and has the content of a file."""
    path, query = f"{deployment_path(step.key)}/versions", {"limit": 1, "environment": environment}
    for newest in client.get(path, Page[VersionItem], **query).value.data[:1]:
        is_new = newest.status in ("draft", "pending")
        if is_new and not any(diff_paths(newest.fields(), _versioned(step.after))):
            return newest
    return None


def _versioned(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a file that are versioned, without empty ones."""
    return {name: value for name, value in fields.items() if name not in _SHARED and value != []}


def _failed(document: Document, error: ApiError) -> Outcome:
    lines = [*([] if error.details else error.problems), *([error.hint] if error.hint else [])]
    return Outcome(document, "failed", lines=lines, problems=error.details)


def show(outcomes: Sequence[Outcome], results: Sequence[str], *, is_dry_run: bool) -> None:
    """Print what was done, and how many documents have each result."""
    for outcome in outcomes:
        _show(outcome, is_dry_run=is_dry_run)
    counts = Counter(outcome.result for outcome in outcomes)
    shown = [*results, *(result for result in counts if result not in results)]
    totals = new_table(*shown)
    totals.add_row(*(str(counts[result]) for result in shown))
    print_table(totals)
    adopted = sum(outcome.previous_owner is not None and outcome.result == "unchanged" for outcome in outcomes)
    if adopted:
        print_text(f"Now managed by these files: {pluralize(adopted, 'unchanged deployment')}.")


def _show(outcome: Outcome, *, is_dry_run: bool) -> None:
    document, result = outcome.document, outcome.result
    if result == "unchanged" and not outcome.lines and not outcome.warnings:
        return
    change = f": {one_line(outcome.change)}" if outcome.change and result != "unchanged" else ""
    change += f" in {outcome.place}" if change and outcome.place else ""
    next_step = f", {outcome.next_step}" if outcome.next_step and result != "unchanged" and not is_dry_run else ""
    name = one_line(document.key or document.source, 1_000)
    echo(f"{result} {name}{change}{next_step}", fg=_COLORS.get(result))
    if document.problem:
        print_unreadable(document, fg="red")
    elif result == "failed" and not outcome.problems:
        echo(f"    in {one_line(document.source, 1_000)}", fg="red")
    print_problems(document, outcome.problems, "problem", fg="red")
    for line in outcome.lines:
        print_paragraph(line, indent=4, fg="red" if result == "failed" else None)
    print_problems(document, outcome.warnings, "warning", fg="yellow")
