"""`moorage apply`: make the server have what the files say."""

from collections import Counter
from urllib.parse import unquote

import click
import msgspec
from rich.text import Text

from moorage.cli import screen
from moorage.cli.client import ApiError, Client, deployment_path
from moorage.cli.documents import Document, read_paths
from moorage.cli.options import setting
from moorage.cli.plan import prunable, read_manifests
from moorage.core.manifest import Manifest

_RESULTS = ("created", "updated", "unchanged", "failed")


class Outcome(msgspec.Struct, frozen=True):
    """What was done for one deployment, the lines to show of it, and who kept it before, if somebody else did."""

    result: str
    key: str
    source: str
    lines: list[str]
    taken_from: str | None = None


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do not do it.")
@click.option("--prune", is_flag=True, help="Delete what was applied from PATH and is not in it any more; asks first.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--take-ownership", is_flag=True, help="Also change what the API took over from its file.")
@click.option("--allow-breaking", is_flag=True, help="Also publish what breaks programs; the history keeps that.")
@click.option("--force", is_flag=True, help="With --prune: also delete what was served lately.")
@click.option("--reason", default="", help="Why; the history keeps it.")
@setting("url")
def apply(paths: tuple[str, ...], prune: bool, yes: bool, force: bool, reason: str, url: str, **flags: bool) -> None:
    """Put deployments from files, folders or standard input (-). What is in a file is kept there from then on.

    YAML, JSON and JSONL files hold deployments; the list page of a hosted service is read too, oldest first:

        curl -H "Authorization: Bearer $KEY" 'https://HOST/v2/deployments?limit=50' | moorage apply -

    The good ones are applied even if others fail; then the exit code is 1. `moorage diff` shows what would be done.
    """
    client = Client.from_environment(url)
    documents = read_paths(list(paths), may_be_empty=prune)
    terms, dry_run = {name: True for name, is_set in flags.items() if is_set}, flags["dry_run"]
    with screen.progress("Checking" if dry_run else "Applying") as progress:
        outcomes = [_put(client, document, terms, reason) for document in progress.track(documents)]
    _show(outcomes)
    has_failed = any(outcome.result == "failed" for outcome in outcomes)
    if prune and has_failed:
        click.echo("Nothing is deleted while some of the files cannot be applied.", err=True)
    elif prune:
        gone = prunable(documents, read_manifests(client), paths)
        if _announce(gone) and not dry_run:
            if not yes:
                click.confirm(
                    f"Delete {screen.counting(len(gone), 'deployment')}? For 30 days that can be undone.", abort=True
                )
            has_failed = not _delete(client, gone, reason, force=force)
    if dry_run:
        screen.console().print("Dry run: nothing was changed.")
    if has_failed:
        raise click.exceptions.Exit(1)


def _put(client: Client, document: Document, terms: dict[str, bool], reason: str) -> Outcome:
    if document.problem:
        return Outcome("failed", document.key, document.source, [document.problem])
    try:
        headers = client.put(document.key, document.body, reason, file=document.file, **terms).headers
    except ApiError as error:
        hint = [error.hint] if error.code == "breaking_change" else []
        return Outcome("failed", document.key, document.source, [*error.problems, *hint])
    lines = []
    if breaking := headers.get("X-Moorage-Breaking"):
        lines.append(f"breaking: {unquote(breaking)}")
    if normalized := headers.get("X-Moorage-Normalized"):
        lines.append(f"rewritten: {normalized}")
    result = headers["X-Moorage-Result"]
    taken_from = headers.get("X-Moorage-Taken-From")
    if taken_from is not None and result == "updated":
        keeper = "through the API" if taken_from == "api" else f"in {unquote(taken_from)}"
        lines.append(f"it was kept {keeper} before: moorage deployments history {document.key}")
    return Outcome(result, document.key, document.source, lines, taken_from)


def _show(outcomes: list[Outcome]) -> None:
    console = screen.console()
    notes = [outcome for outcome in outcomes if outcome.lines]
    if notes:
        details = screen.table("result", "key", "from", "why")
        for outcome in notes:
            style = "red" if outcome.result == "failed" else ""
            why = Text("\n".join(outcome.lines))
            details.add_row(Text(outcome.result, style), screen.cell(outcome.key or "-"), Text(outcome.source), why)
        console.print(details)
        console.print()
    counts = Counter(outcome.result for outcome in outcomes)
    totals = screen.table(*_RESULTS)
    totals.add_row(*(str(counts[result]) for result in _RESULTS))
    console.print(totals)
    adopted = sum(outcome.taken_from is not None and outcome.result == "unchanged" for outcome in outcomes)
    if adopted:
        console.print(f"{adopted} of them are kept in these files from now on, and were kept elsewhere before.")


def _announce(gone: list[Manifest]) -> bool:
    """Say what is to be deleted; whether there is anything."""
    click.echo("In no file any more:" if gone else "There is nothing to delete.")
    for manifest in gone:
        click.echo(f"  {manifest.key}  ({manifest.file})")
    return bool(gone)


def _delete(client: Client, gone: list[Manifest], reason: str, *, force: bool) -> bool:
    """Delete all that is not in use; whether that was all."""
    kept = 0
    for manifest in gone:
        try:
            client.send(
                "DELETE", deployment_path(manifest.id), query={"take_ownership": True, "force": force or None},
                If_Match=manifest.etag, X_Moorage_Reason=reason or f"pruned: it is not in {manifest.file} any more",
            )  # fmt: skip
        except ApiError as error:
            if error.code != "in_use":
                raise
            kept += 1
            click.echo(f"Kept {manifest.key}: {' '.join(error.problems)}", err=True)
        else:
            click.echo(f"Deleted {manifest.key}: moorage deployments restore {manifest.id}")
    return not kept
