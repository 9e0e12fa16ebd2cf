"""`moorage apply`: put deployments from files."""

from collections.abc import Callable, Sequence
from pathlib import Path

import click
import msgspec

from moorage.cli import apply_outcomes
from moorage.cli.apply_outcomes import DRAFT_RESULTS, PROPOSED_RESULTS, RESULTS, Outcome
from moorage.cli.apply_proposal import ProposalOptions, propose, show_proposal
from moorage.cli.client import Client
from moorage.cli.environment_options import environment_option
from moorage.cli.errors import ApiError
from moorage.cli.manifests import Manifests, read_manifests
from moorage.cli.options import setting, strict_option
from moorage.cli.output import echo, print_text, progress_bar
from moorage.cli.problems import print_skipped
from moorage.cli.prune import PruneOptions, confirm, list_removed, prune
from moorage.cli.target import Target, find_target
from moorage.core.deployments.manifest import Manifest
from moorage.documents.document import Document
from moorage.documents.git import Commits
from moorage.documents.plan import prunable
from moorage.documents.read import read_paths


class Options(msgspec.Struct, frozen=True):
    """The options of the command."""

    paths: tuple[str, ...]
    dry_run: bool
    draft: bool
    prune: bool
    yes: bool
    take_ownership: bool
    allow_breaking: bool
    force: bool
    reason: str


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@environment_option
@click.option("--dry-run", is_flag=True, help="Only show the changes.")
@click.option("--draft", is_flag=True, help="Save drafts, and publish nothing.")
@click.option(
    "--prune",
    is_flag=True,
    help="Delete deployments that were removed from PATH, after a confirmation. Outside production, unpublish them.",
)
@click.option("--yes", is_flag=True, help="Skip the confirmation.")
@click.option("--take-ownership", is_flag=True, help="Also change deployments that the API took over from their files.")
@click.option("--allow-breaking", is_flag=True, help="Also publish breaking changes; the history records them.")
@click.option(
    "--force", is_flag=True, help="With --prune: also delete deployments that were served in the last 7 days."
)
@click.option("--reason", default="", help="The reason, for the history.")
@strict_option
@setting("url")
def apply(paths: tuple[str, ...], environment: str | None, strict: bool, url: str, **flags: bool | str) -> None:
    """Put deployments from files.

    PATH is a file, a folder, or - for standard input. From then on, the file manages its deployments: the API rejects
    other changes. Formats are YAML, JSON, JSONL, and the list page of a hosted service:

        curl -H "Authorization: Bearer $KEY" 'https://HOST/v2/deployments?limit=50' | moorage apply -

    Valid deployments are applied even if others fail; then the exit code is 1. `moorage diff` shows the changes. The
    history has the reason, and the git commit of the file.

    In an environment that requires approvals, all changes are one proposal, and nothing is proposed if a file fails.
    The exit code is 0: `moorage proposals show ID --wait 30m` waits until it is published.
    """
    options = msgspec.convert({"paths": paths, **flags}, Options)
    if options.draft and (options.prune or options.take_ownership or options.allow_breaking):
        raise click.UsageError("--draft publishes and deletes nothing, so it needs no other option.")
    client = Client.from_environment(url)
    documents = read_paths(list(paths), may_be_empty=options.prune, is_strict=strict)
    print_skipped(documents)
    if options.draft:
        has_failed = _save_drafts(client, environment, documents, options)
    else:
        target = find_target(client, environment)
        apply_to = _propose if target.required_approvals else _publish
        has_failed = apply_to(client, target, documents, options)
    if options.dry_run:
        print_text("Dry run: nothing was changed.")
    if has_failed:
        raise click.exceptions.Exit(1)


def _publish(client: Client, target: Target, documents: Sequence[Document], options: Options) -> bool:
    """Publish the documents, and prune; return whether any failed."""
    flags = {name: getattr(options, name) or None for name in ("dry_run", "take_ownership", "allow_breaking")}
    query, commits = {**flags, "environment": target.option}, Commits()

    def put(document: Document) -> Outcome:
        return apply_outcomes.put(client, document, query, _with_commit(options.reason, document, commits))

    outcomes = _apply_all(documents, put, RESULTS, options)
    _show(outcomes, RESULTS, options)
    has_failed = _has_failed(outcomes)
    if options.prune and has_failed:
        verb = "deleted" if target.is_production else "unpublished"
        echo(f"Nothing was {verb}, because some files could not be applied.", err=True)
    elif options.prune:
        manifests = read_manifests(client, target.option)
        removed = _find_removed(manifests, documents, target, options)
        if not options.dry_run:
            has_failed = not _prune(client, removed, target, options)
        has_failed = manifests.report() or has_failed
    return has_failed


def _propose(client: Client, target: Target, documents: Sequence[Document], options: Options) -> bool:
    """Store the documents as versions, and propose them; return whether any failed."""
    manifests, commits = read_manifests(client, target.option), Commits()

    def store(document: Document) -> Outcome:
        reason = _with_commit(options.reason, document, commits)
        return apply_outcomes.store(client, document, target, manifests, reason, is_dry_run=options.dry_run)

    outcomes = _apply_all(documents, store, PROPOSED_RESULTS, options)
    if _has_failed(outcomes):
        _show(outcomes if options.dry_run else _as_drafts(outcomes), DRAFT_RESULTS, options)
        echo("Nothing was proposed, because some files could not be applied.", err=True)
        return True
    removed = _find_removed(manifests, documents, target, options) if options.prune else []
    if options.dry_run:
        _show(outcomes, PROPOSED_RESULTS, options)
        return manifests.report()
    # A proposal deletes nothing: in production, each deletion is a proposal of its own.
    unpublished = [] if target.is_production else removed
    if unpublished and not options.yes:
        confirm(unpublished, target)
    reasons = dict.fromkeys(_with_commit(options.reason, document, commits) for document in _not_skipped(documents))
    proposal_options = ProposalOptions("; ".join(filter(None, reasons)), options.take_ownership, options.allow_breaking)
    try:
        outcomes, proposal = propose(client, target, outcomes, unpublished, proposal_options)
    except click.ClickException as error:
        if isinstance(error, ApiError) and error.code == "wrong_environment":
            echo(f"The API key is bound to {target.name}, so each change is a proposal of its own.", err=True)
            return _publish(client, target, documents, msgspec.structs.replace(options, yes=True))
        _show(_as_drafts(outcomes), DRAFT_RESULTS, options)
        raise
    _show(outcomes, PROPOSED_RESULTS, options)
    show_proposal(target, proposal, unpublished)
    is_complete = _prune(client, removed, target, options) if target.is_production else True
    return manifests.report() or not is_complete


def _save_drafts(client: Client, environment: str | None, documents: Sequence[Document], options: Options) -> bool:
    """Save the documents as drafts; return whether any failed."""
    commits, manifests = Commits(), read_manifests(client, environment)

    def save(document: Document) -> Outcome:
        reason = _with_commit(options.reason, document, commits)
        return apply_outcomes.save_draft(client, document, manifests, reason, environment, is_dry_run=options.dry_run)

    outcomes = _apply_all(documents, save, DRAFT_RESULTS, options)
    _show(outcomes, DRAFT_RESULTS, options)
    return _has_failed(outcomes)


def _apply_all(
    documents: Sequence[Document], apply_one: Callable[[Document], Outcome], results: Sequence[str], options: Options
) -> list[Outcome]:
    """Return the outcome of each document. After a `ServerError`, the others are not sent, and the outcomes shown."""
    outcomes: list[Outcome] = []
    try:
        with progress_bar("Checking" if options.dry_run else "Applying") as progress:
            outcomes.extend(apply_one(document) for document in progress.track(_not_skipped(documents)))
    except BaseException:  # raised again: the changes that were made are shown
        _show(outcomes, results, options)
        raise
    return outcomes


def _show(outcomes: Sequence[Outcome], results: Sequence[str], options: Options) -> None:
    if outcomes:
        apply_outcomes.show(outcomes, results, is_dry_run=options.dry_run)


def _has_failed(outcomes: Sequence[Outcome]) -> bool:
    return any(outcome.result == "failed" for outcome in outcomes)


def _as_drafts(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes of versions that were stored, and are not proposed."""
    return [
        msgspec.structs.replace(outcome, result="drafted", place="") if outcome.result == "proposed" else outcome
        for outcome in outcomes
    ]


def _not_skipped(documents: Sequence[Document]) -> list[Document]:
    """Return the documents to put."""
    return [document for document in documents if not document.is_skipped]


def _with_commit(reason: str, document: Document, commits: Commits) -> str:
    """Return the reason with the git commit of the file."""
    commit = commits.of(Path(document.origin.file)) if document.file and document.origin else ""
    return f"{reason} ({commit})" if reason and commit else reason or commit


def _find_removed(
    manifests: Manifests, documents: Sequence[Document], target: Target, options: Options
) -> list[Manifest]:
    """Return the deployments that were removed from their files, and print them."""
    removed = prunable(documents, manifests.by_key, options.paths)
    list_removed(removed, target)
    return removed


def _prune(client: Client, removed: Sequence[Manifest], target: Target, options: Options) -> bool:
    """Prune deployments after a confirmation; return whether all were pruned."""
    if not removed:
        return True
    if not options.yes:
        confirm(removed, target)
    return prune(client, removed, target, PruneOptions(options.reason, options.force, options.allow_breaking))
