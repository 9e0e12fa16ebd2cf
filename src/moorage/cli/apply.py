"""`moorage apply`: put deployments from files."""

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from moorage.cli import apply_outcomes
from moorage.cli.apply_outcomes import DRAFT_RESULTS, RESULTS, Outcome
from moorage.cli.client import Client, deployment_path
from moorage.cli.errors import ApiError
from moorage.cli.manifests import read_manifests
from moorage.cli.options import setting, strict_option
from moorage.cli.output import echo, one_line, pluralize, print_text, progress_bar
from moorage.cli.problems import print_skipped
from moorage.cli.responses import Deleted
from moorage.core.deployments.manifest import Manifest
from moorage.documents.git import Commits
from moorage.documents.plan import prunable
from moorage.documents.read import Document, read_paths


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--dry-run", is_flag=True, help="Only show the changes.")
@click.option("--draft", is_flag=True, help="Save drafts, and publish nothing.")
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
    paths: tuple[str, ...],
    draft: bool,
    prune: bool,
    yes: bool,
    force: bool,
    strict: bool,
    reason: str,
    url: str,
    **flags: bool,
) -> None:
    """Put deployments from files.

    PATH is a file, a folder, or - for standard input. From then on, the file manages its deployments: the API rejects
    other changes. Formats are YAML, JSON, JSONL, and the list page of a hosted service:

        curl -H "Authorization: Bearer $KEY" 'https://HOST/v2/deployments?limit=50' | moorage apply -

    Valid deployments are applied even if others fail; then the exit code is 1. `moorage diff` shows the changes. The
    history has the reason, and the git commit of the file.
    """
    if draft and (prune or flags["take_ownership"] or flags["allow_breaking"]):
        raise click.UsageError("--draft publishes and deletes nothing, so it needs no other option.")
    client = Client.from_environment(url)
    documents = read_paths(list(paths), may_be_empty=prune, is_strict=strict)
    print_skipped(documents)
    query, dry_run = {name: True for name, is_set in flags.items() if is_set}, flags["dry_run"]
    apply_one = _drafts(client, reason, is_dry_run=dry_run) if draft else _puts(client, query, reason)
    outcomes: list[Outcome] = []
    try:
        with progress_bar("Checking" if dry_run else "Applying") as progress:
            outcomes.extend(apply_one(document) for document in progress.track(_not_skipped(documents)))
    finally:  # after a `ServerError`, the others are not sent
        if outcomes:
            apply_outcomes.show(outcomes, DRAFT_RESULTS if draft else RESULTS, is_dry_run=dry_run)
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


def _puts(client: Client, query: dict[str, bool], reason: str) -> Callable[[Document], Outcome]:
    """Return the function that puts a document."""
    commits = Commits()
    return lambda document: apply_outcomes.put(client, document, query, _with_commit(reason, document, commits))


def _drafts(client: Client, reason: str, *, is_dry_run: bool) -> Callable[[Document], Outcome]:
    """Return the function that saves a document as a draft."""
    commits, manifests = Commits(), read_manifests(client).by_key
    return lambda document: apply_outcomes.save_draft(
        client, document, manifests, _with_commit(reason, document, commits), is_dry_run=is_dry_run
    )


def _with_commit(reason: str, document: Document, commits: Commits) -> str:
    """Return the reason with the git commit of the file."""
    commit = commits.of(Path(document.origin.file)) if document.file and document.origin else ""
    return f"{reason} ({commit})" if reason and commit else reason or commit


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
