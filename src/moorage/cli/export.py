"""`moorage export`: write the deployments of a server to files."""

from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import click

from moorage.cli.client import Client
from moorage.cli.environment_options import environment_option
from moorage.cli.manifests import read_manifests
from moorage.cli.options import setting
from moorage.cli.output import echo, one_line, print_table
from moorage.cli.table import new_table
from moorage.core.deployments.ids import check_key
from moorage.core.deployments.manifest import Manifest
from moorage.documents.document import Document
from moorage.documents.file_form import file_form
from moorage.documents.plan import make_plan
from moorage.documents.read import read_paths
from moorage.documents.yaml import dump_file
from moorage.files import write_file

_RESULTS = ("created", "updated", "unchanged")


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR")
@environment_option
@setting("url")
def export(folder: Path, environment: str | None, url: str) -> None:
    """Write deployments to files in DIR.

    Each deployment is written to the file that already has only this deployment, else to a new file named by its key.
    A file with equal content stays as it is, with its comments. `moorage apply DIR` puts the files back. Deployments
    that the server cannot decode are left out and listed; then the exit code is 1.
    """
    client = Client.from_environment(url)
    found_manifests = read_manifests(client, environment)
    manifests = sorted(found_manifests.by_key.values(), key=lambda manifest: manifest.key)
    found = {file: read_paths([str(file)]) for file in sorted(folder.glob("*.yaml")) if file.is_file()}
    files = _choose_files(folder, [manifest.key for manifest in manifests], found)
    folder.mkdir(parents=True, exist_ok=True)
    counts = Counter(_write(files[manifest.key], manifest, found) for manifest in manifests)
    totals = new_table(*_RESULTS)
    totals.add_row(*(str(counts[result]) for result in _RESULTS))
    print_table(totals)
    others = sorted(file.name for file in found if file not in files.values())
    if others:
        names = one_line(", ".join(others), 10_000)
        echo(f"Not changed, because the server has no such deployment: {names}", err=True)
    if found_manifests.report():
        raise click.exceptions.Exit(1)


def _choose_files(folder: Path, keys: list[str], found: dict[Path, list[Document]]) -> dict[str, Path]:
    """Return the file of each key: the one that has only this deployment, else a new one with the name of the key.

    Names that differ only in case get a number, for file systems that ignore case.

    Raises:
        click.ClickException: the file exists and has other content.
    """
    files: dict[str, Path] = {}
    for file, documents in found.items():
        for key in {document.key for document in documents}.intersection(keys):
            if len(documents) == 1 and key not in files:
                files[key] = file
            elif file.stem not in keys or key in files:
                raise click.ClickException(f"{file} also contains the deployment {key!r}. Export to another folder.")
    taken = {file.name.lower() for file in found}
    for key in keys:
        if key in files:
            continue
        own = folder / f"{check_key(key)}.yaml"
        if own.exists() or own.is_symlink():
            raise click.ClickException(
                f"{own} exists and contains more than the deployment {key!r}. Move or delete it first."
            )
        name = next(name for name in _names(key) if name.lower() not in taken)
        files[key] = folder / name
        taken.add(name.lower())
    return files


def _names(key: str) -> Iterator[str]:
    yield f"{key}.yaml"
    yield from (f"{key}~{number}.yaml" for number in count(2))


def _write(file: Path, manifest: Manifest, found: dict[Path, list[Document]]) -> str:
    """Write a file completely or not at all, unless its content is equal; return the result."""
    exists = file in found
    if exists and make_plan(found[file], {manifest.key: manifest}, ())[0].action == "unchanged":
        return "unchanged"
    write_file(file, dump_file(file_form(manifest)).encode())
    return "updated" if exists else "created"
