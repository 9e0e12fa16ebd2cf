"""`moorage drift`: where a server and its files have come apart."""

from pathlib import Path
from typing import Any

import click
from rich.text import Text

from moorage.cli import screen
from moorage.cli.client import Client, deployment_path
from moorage.cli.documents import Document, find_top, name_in_project, read_paths
from moorage.cli.options import output_option, setting
from moorage.cli.plan import is_under, make_plan, read_manifests
from moorage.core.manifest import Manifest


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH...]", type=click.Path(exists=True, allow_dash=True))
@output_option
@click.option("--exit-code", is_flag=True, help="Exit with 1 if anything drifted.")
@setting("url")
def drift(paths: tuple[str, ...], output: str, exit_code: bool, url: str) -> None:
    """List where the server has something else than the files it was applied from, and who changed it.

    Without PATH, the files that the server names are looked for from here, or from the top of this git repository.
    """
    client = Client.from_environment(url)
    manifests = read_manifests(client)
    documents = read_paths(list(paths) if paths else _named_files(manifests))
    roots = [name_in_project(path) for path in paths]
    rows = [_row(client, *found) for found in _drifted(documents, manifests, paths, roots)]
    if output != "table":
        screen.print_data(rows, output)
    elif not rows:
        screen.console().print("No drift: the server has what the files say.")
    else:
        _print(rows)
    if rows and exit_code:
        raise click.exceptions.Exit(1)


def _named_files(manifests: dict[str, Manifest]) -> list[str]:
    """The files that the server names, where they can be found from here."""
    top = find_top(Path.cwd()) or Path()
    names = sorted({manifest.file for manifest in manifests.values() if manifest.file})
    return [str(top / name) for name in names if (top / name).is_file()]


def _drifted(
    documents: list[Document], manifests: dict[str, Manifest], paths: tuple[str, ...], roots: list[str]
) -> list[tuple[str, str, str, Manifest | None]]:
    """Key, file, what happened, and what the server has, for everything that is not as the files say."""
    found: list[tuple[str, str, str, Manifest | None]] = []
    files = {document.key: document.file for document in documents}
    for step in make_plan(documents, manifests, ()):
        there = manifests.get(step.key)
        file = files.get(step.key) or step.source
        is_taken_over = there is not None and there.owner == "api" and there.file is not None
        if step.action == "invalid":
            found.append((step.key, step.source, f"cannot be read: {step.why[0]}", None))
        elif there is None:
            found.append((step.key, file, "not on the server", None))
        elif step.action != "unchanged":
            what = "changed through the API" if there.owner == "api" else "file changed, not applied"
            found.append((step.key, file, what, there))
        elif is_taken_over:
            found.append((step.key, file, "kept through the API, content equal", there))
    keys = {document.key for document in documents}
    unread = {document.file for document in documents if document.problem}
    found += [
        (there.key, there.file, "not in its file", there)
        for there in manifests.values()
        if there.file is not None
        and there.key not in keys
        and there.file not in unread
        and (not paths or is_under(there.file, roots))
    ]
    return sorted(found, key=lambda row: row[:2])


def _row(client: Client, key: str, file: str, what: str, there: Manifest | None) -> dict[str, Any]:
    row: dict[str, Any] = {"key": key, "file": file, "drift": what}
    if there is None or there.owner == "files":
        return row
    (last,) = client.get(f"{deployment_path(there.id)}/history", limit=1).value["data"]
    by = last["api_key"]["name"] if last["api_key"] else "the operator"
    return {
        **row,
        "version": there.version,
        "action": last["action"],
        "by": by,
        "at": last["at"],
        "why": last["reason"],
    }


def _print(rows: list[dict[str, Any]]) -> None:
    columns = ("key", "drift", "file", "by", "at", "why")
    table = screen.table(*columns)
    for row in rows:
        table.add_row(*(Text(screen.cell(row.get(column) or "-", 120)) for column in columns))
    screen.console().print(table)
    click.echo("`moorage diff PATH` shows what differs, `moorage export DIR` writes what the server has.", err=True)
