"""`moorage drift`: differences between a server and the files that were applied to it."""

from pathlib import Path, PurePosixPath
from typing import Any

import click

from moorage.cli.client import Client, deployment_path
from moorage.cli.environment_options import environment_option, in_environment
from moorage.cli.errors import DIFFERENT
from moorage.cli.manifests import Manifests, read_manifests
from moorage.cli.options import output_option, setting, strict_option
from moorage.cli.output import echo, one_line, print_data, print_table, print_text
from moorage.cli.problems import print_skipped
from moorage.cli.responses import HistoryRow, Page
from moorage.cli.table import Column, new_table, when
from moorage.core.deployments.manifest import Manifest
from moorage.core.environments import PRODUCTION
from moorage.core.escaping import visible
from moorage.documents.document import Document
from moorage.documents.file_names import git_root, name_in_project
from moorage.documents.plan import is_under, make_plan
from moorage.documents.read import read_paths


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH...]", type=click.Path(exists=True, allow_dash=True))
@output_option
@click.option("--exit-code", is_flag=True, expose_value=False, hidden=True)  # of earlier versions: it is the default
@environment_option
@strict_option
@setting("url")
def drift(paths: tuple[str, ...], output: str, environment: str | None, strict: bool, url: str) -> None:
    """List deployments that differ from their files.

    Each line says what differs, who changed it and why. Without PATH, the files are searched by the names that the
    server has, from this folder or from the root of this git repository. With drift, the exit code is 2; if a file or a
    deployment cannot be read, it is 1. Outside production, these are the deployments that files manage there, and
    their descriptions and aliases are not compared.
    """
    client = Client.from_environment(url)
    found_manifests = read_manifests(client, environment)
    manifests, name = found_manifests.by_key, found_manifests.environment
    documents = read_paths(list(paths) if paths else _named_files(manifests), is_strict=strict)
    print_skipped(documents)
    compared = documents if name == PRODUCTION else _managed(documents, manifests)
    rows = [_row(client, environment, *found) for found in _drifted(compared, found_manifests, paths)]
    if output != "table":
        print_data(rows, output)
    elif not rows:
        place = "the server" if name == PRODUCTION else name
        print_text(f"No drift: {place} matches the files.")
    else:
        _print(rows, environment)
    has_problems = any(document.problem and not document.is_skipped for document in documents)
    if found_manifests.report() or has_problems:
        raise click.exceptions.Exit(1)
    if rows:
        raise click.exceptions.Exit(DIFFERENT)


def _named_files(manifests: dict[str, Manifest]) -> list[str]:
    """Return the files that the server names and that exist here; a name never leads to another folder."""
    top = git_root(Path.cwd()) or Path()
    names = sorted({manifest.file for manifest in manifests.values() if manifest.file})
    return [str(top / name) for name in names if _is_below(name) and (top / name).is_file()]


def _is_below(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and visible(name) == name


def _managed(documents: list[Document], manifests: dict[str, Manifest]) -> list[Document]:
    """Return the documents of deployments that a file manages, and those that cannot be read."""
    return [
        document
        for document in documents
        if document.problem or ((current := manifests.get(document.key)) is not None and current.file is not None)
    ]


def _drifted(
    documents: list[Document], on_server: Manifests, paths: tuple[str, ...]
) -> list[tuple[str, str, str, Manifest | None]]:
    """Return key, file, difference, and the state on the server, for each deployment that differs from its file."""
    manifests, roots = on_server.by_key, [name_in_project(path) for path in paths]
    found: list[tuple[str, str, str, Manifest | None]] = []
    files = {document.key: document.file for document in documents}
    for step in make_plan(documents, manifests, (), on_server.environment):
        current = manifests.get(step.key)
        file = files.get(step.key) or step.source
        is_taken_over = current is not None and current.owner == "api" and current.file is not None
        if step.action == "invalid":
            found.append((step.key, step.source, f"cannot be read: {step.why[0]}", None))
        elif current is None:
            found.append((step.key, file, "not on the server", None))
        elif step.action != "unchanged":
            difference = "changed through the API" if current.owner == "api" else "file changed, not applied"
            found.append((step.key, file, difference, current))
        elif is_taken_over:
            found.append((step.key, file, "managed through the API, content equal", current))
    keys = {document.key for document in documents}
    unread = {document.file for document in documents if document.problem and not document.is_skipped}
    found += [
        (current.key, current.file, "not in its file", current)
        for current in manifests.values()
        if current.file is not None
        and current.key not in keys
        and current.file not in unread
        and (not paths or is_under(current.file, roots))
    ]
    return sorted(found, key=lambda row: row[:2])


def _row(
    client: Client, environment: str | None, key: str, file: str, difference: str, current: Manifest | None
) -> dict[str, Any]:
    row: dict[str, Any] = {"key": key, "file": file, "drift": difference}
    if current is None or current.owner == "files":
        return row
    path, query = f"{deployment_path(current.id)}/history", {"limit": 1, "environment": environment}
    for last in client.get(path, Page[HistoryRow], **query).value.data[:1]:
        row |= {"version": current.version, "action": last.action, "by": last.by, "at": last.at, "why": last.reason}
    return row


def _print(rows: list[dict[str, Any]], environment: str | None) -> None:
    columns = ("key", "drift", "file", "by", "at", "why")
    table = new_table(
        "key", Column("drift", is_wrapped=True), Column("file", drop=3, is_cut=True), Column("by", drop=4, is_cut=True),
        Column("at", drop=2), Column("why", drop=1, is_cut=True),
    )  # fmt: skip
    for row in rows:
        cells = {**row, "at": when(row["at"])} if "at" in row else row
        table.add_row(*(one_line(cells.get(column) or "-", 120) for column in columns))
    print_table(table)
    option = in_environment(environment)
    echo(
        f"`moorage diff PATH{option}` shows the differences; `moorage export DIR{option}` writes the state of the"
        " server to files.",
        err=True,
    )
