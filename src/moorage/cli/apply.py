"""`moorage apply`: put deployments from files."""

from collections import Counter
from collections.abc import Sequence
from urllib.parse import unquote

import click
import msgspec

from moorage.cli.client import Client, deployment_path, read_manifests
from moorage.cli.errors import ApiError, ServerError
from moorage.cli.options import setting, strict_option
from moorage.cli.output import (
    echo,
    one_line,
    pluralize,
    print_paragraph,
    print_table,
    print_text,
    progress_bar,
)
from moorage.cli.problems import print_problems, print_skipped, print_unreadable, read_warnings
from moorage.cli.responses import Deleted
from moorage.cli.table import new_table
from moorage.core.deployments.ids import check_key
from moorage.core.deployments.manifest import Manifest
from moorage.core.errors.base import Problem
from moorage.core.errors.requests import InvalidKey
from moorage.documents.plan import prunable
from moorage.documents.read import Document, read_paths

_RESULTS = ("created", "updated", "unchanged", "failed")


class Outcome(msgspec.Struct, frozen=True):
    """The result for one document.

    `change` is the new version, with the previous one if there is one. `problems` are those of a failed document, and
    `lines` are other lines to show. `previous_owner` is set if the owner changed.
    """

    document: Document
    result: str
    change: str = ""
    lines: Sequence[str] = ()
    problems: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()
    previous_owner: str | None = None


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--dry-run", is_flag=True, help="Only show the changes.")
@click.option("--prune", is_flag=True, help="Delete deployments that were removed from PATH, after a confirmation.")
@click.option("--yes", is_flag=True, help="Skip the confirmation.")
@click.option("--take-ownership", is_flag=True, help="Also change deployments that the API took over from their files.")
@click.option("--allow-breaking", is_flag=True, help="Also publish breaking changes; the history records them.")
@click.option(
    "--force", is_flag=True, help="With --prune: also delete deployments that were served in the last 7 days."
)
@click.option("--reason", default="", help="The reason, for the history.")
@strict_option
@setting("url")
def apply(
    paths: tuple[str, ...], prune: bool, yes: bool, force: bool, strict: bool, reason: str, url: str, **flags: bool
) -> None:
    """Put deployments from files.

    PATH is a file, a folder, or - for standard input. From then on, the file manages its deployments: the API rejects
    other changes. Formats are YAML, JSON, JSONL, and the list page of a hosted service:

        curl -H "Authorization: Bearer $KEY" 'https://HOST/v2/deployments?limit=50' | moorage apply -

    Valid deployments are applied even if others fail; then the exit code is 1. `moorage diff` shows the changes.
    """
    client = Client.from_environment(url)
    documents = read_paths(list(paths), may_be_empty=prune, is_strict=strict)
    print_skipped(documents)
    query, dry_run = {name: True for name, is_set in flags.items() if is_set}, flags["dry_run"]
    outcomes: list[Outcome] = []
    try:
        with progress_bar("Checking" if dry_run else "Applying") as progress:
            outcomes.extend(
                _put(client, document, query, reason) for document in progress.track(_not_skipped(documents))
            )
    finally:  # after a `ServerError`, the others are not sent
        if outcomes:
            _show(outcomes, is_dry_run=dry_run)
    has_failed = any(outcome.result == "failed" for outcome in outcomes)
    if prune and has_failed:
        echo("Nothing was deleted, because some files could not be applied.", err=True)
    elif prune:
        manifests = read_manifests(client)
        removed = prunable(documents, manifests.by_key, paths)
        if _list_removed(removed) and not dry_run:
            if not yes:
                click.confirm(
                    f"Delete {pluralize(len(removed), 'deployment')}? They can be restored for 30 days.", abort=True
                )
            has_failed = not _delete(client, removed, reason, force=force)
        has_failed = manifests.report() or has_failed
    if dry_run:
        print_text("Dry run: nothing was changed.")
    if has_failed:
        raise click.exceptions.Exit(1)


def _not_skipped(documents: Sequence[Document]) -> list[Document]:
    """Return the documents to put."""
    return [document for document in documents if not document.is_skipped]


def _put(client: Client, document: Document, query: dict[str, bool], reason: str) -> Outcome:
    if document.problem:
        return Outcome(document, "failed")
    try:
        reply = client.put(check_key(document.key), document.body, reason, file=document.file, **query)
        result = reply.header("X-Moorage-Result", _RESULTS)
    except InvalidKey as error:
        return Outcome(document, "failed", lines=[str(error)])
    except ServerError:
        raise
    except ApiError as error:
        lines = [*([] if error.details else error.problems), *([error.hint] if error.hint else [])]
        return Outcome(document, "failed", lines=lines, problems=error.details)
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
    change = f"{before} → {now}" if before else now
    warnings = read_warnings(reply.find_header("X-Moorage-Warnings"))
    return Outcome(document, result, change, lines, warnings=warnings, previous_owner=previous_owner)


_COLORS = {"created": "green", "updated": "yellow", "failed": "red"}


def _show(outcomes: list[Outcome], *, is_dry_run: bool) -> None:
    for outcome in outcomes:
        _show_one(outcome, is_dry_run=is_dry_run)
    counts = Counter(outcome.result for outcome in outcomes)
    totals = new_table(*_RESULTS)
    totals.add_row(*(str(counts[result]) for result in _RESULTS))
    print_table(totals)
    adopted = sum(outcome.previous_owner is not None and outcome.result == "unchanged" for outcome in outcomes)
    if adopted:
        print_text(f"Now managed by these files: {pluralize(adopted, 'unchanged deployment')}.")


def _show_one(outcome: Outcome, *, is_dry_run: bool) -> None:
    document, result = outcome.document, outcome.result
    if result == "unchanged" and not outcome.lines and not outcome.warnings:
        return
    change = f": {one_line(outcome.change)}" if outcome.change and result != "unchanged" else ""
    undo = ""
    if result == "updated" and "→" in change and not is_dry_run:
        undo = f", undo: moorage deployments undo {document.key}"
    name = one_line(document.key or document.source, 1_000)
    echo(f"{result} {name}{change}{undo}", fg=_COLORS.get(result))
    if document.problem:
        print_unreadable(document, fg="red")
    elif result == "failed" and not outcome.problems:
        echo(f"    in {one_line(document.source, 1_000)}", fg="red")
    print_problems(document, outcome.problems, "problem", fg="red")
    for line in outcome.lines:
        print_paragraph(line, indent=4, fg="red" if result == "failed" else None)
    print_problems(document, outcome.warnings, "warning", fg="yellow")


def _list_removed(removed: list[Manifest]) -> bool:
    """Print the deployments that were removed from their files; return whether there are any."""
    echo("Removed from the files:" if removed else "There is nothing to delete.")
    for manifest in removed:
        echo(f"  {manifest.key}  ({one_line(manifest.file, 1_000)})")
    return bool(removed)


def _delete(client: Client, removed: list[Manifest], reason: str, *, force: bool) -> bool:
    """Delete deployments that are not in use; return whether all were deleted."""
    in_use = 0
    for manifest in removed:
        try:
            client.send(
                "DELETE", deployment_path(manifest.id), Deleted,
                query={"take_ownership": True, "force": force or None}, If_Match=manifest.etag,
                X_Moorage_Change_Reason=reason or f"pruned: no longer in {manifest.file}",
            )  # fmt: skip
        except ApiError as error:
            if error.code != "in_use":
                raise
            in_use += 1
            echo(f"Not deleted: {manifest.key}. {' '.join(error.problems)} {error.hint}", err=True)
        else:
            echo(f"Deleted {manifest.key}: moorage deployments restore {manifest.id}")
    return not in_use
