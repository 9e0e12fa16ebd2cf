"""`moorage apply`: make the server have what the files say."""

from collections import Counter

import click
import msgspec
from rich.text import Text

from moorage.cli import screen
from moorage.cli.client import ApiError, Client
from moorage.cli.documents import Document, read_paths
from moorage.cli.options import setting

_RESULTS = ("created", "updated", "unchanged", "failed")


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do not do it.")
@setting("url")
def apply(paths: tuple[str, ...], dry_run: bool, url: str) -> None:
    """Put deployments from files, folders or standard input (-).

    YAML, JSON and JSONL files hold deployments; the list page of a hosted service is read too, oldest first:

        curl -H "Authorization: Bearer $KEY" 'https://HOST/v2/deployments?limit=50' | moorage apply -

    The good ones are applied even if others fail; then the exit code is 1.
    """
    client = Client.from_environment(url)
    documents = read_paths(list(paths))
    with screen.progress("Checking" if dry_run else "Applying") as progress:
        outcomes = [_put(client, document, is_dry_run=dry_run) for document in progress.track(documents)]
    _show(outcomes, is_dry_run=dry_run)
    if any(result == "failed" for result, _, _ in outcomes):
        raise click.exceptions.Exit(1)


def _put(client: Client, document: Document, *, is_dry_run: bool) -> tuple[str, Document, list[str]]:
    if document.problem:
        return "failed", document, [document.problem]
    try:
        reply = client.put(document.key, msgspec.json.encode(document.body), is_dry_run=is_dry_run)
    except ApiError as error:
        return "failed", document, error.problems
    normalized = reply.headers.get("X-Moorage-Normalized")
    return reply.headers["X-Moorage-Result"], document, [f"rewritten: {normalized}"] if normalized else []


def _show(outcomes: list[tuple[str, Document, list[str]]], *, is_dry_run: bool) -> None:
    console = screen.console()
    notes = [outcome for outcome in outcomes if outcome[2]]
    if notes:
        details = screen.table("result", "key", "from", "why")
        for result, document, lines in notes:
            style = "red" if result == "failed" else ""
            why = Text("\n".join(lines))
            details.add_row(Text(result, style), screen.cell(document.key or "-"), Text(document.source), why)
        console.print(details)
        console.print()
    counts = Counter(result for result, _, _ in outcomes)
    totals = screen.table(*_RESULTS)
    totals.add_row(*(str(counts[result]) for result in _RESULTS))
    console.print(totals)
    if is_dry_run:
        console.print("Dry run: nothing was changed.")
