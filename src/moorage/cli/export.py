"""`moorage export`: the deployments of a server as files."""

from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import click

from moorage.cli import screen, yaml_text
from moorage.cli.client import Client
from moorage.cli.documents import Document, read_paths
from moorage.cli.options import setting
from moorage.cli.plan import content, make_plan, read_manifests
from moorage.core.manifest import Manifest

_RESULTS = ("created", "updated", "unchanged")


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR")
@setting("url")
def export(folder: Path, url: str) -> None:
    """Write every deployment to a file in DIR, named by its key, or to the one in DIR that has it alone already.

    `moorage apply DIR` puts them back: on the same server they are unchanged. A file that already says the same is left
    as it is, with its comments.
    """
    client = Client.from_environment(url)
    manifests = sorted(read_manifests(client).values(), key=lambda manifest: manifest.key)
    found = {file: read_paths([str(file)]) for file in sorted(folder.glob("*.yaml"))}
    files = _choose_files(folder, [manifest.key for manifest in manifests], found)
    folder.mkdir(parents=True, exist_ok=True)
    counts = Counter(_write(files[manifest.key], manifest, found) for manifest in manifests)
    totals = screen.table(*_RESULTS)
    totals.add_row(*(str(counts[result]) for result in _RESULTS))
    screen.console().print(totals)
    others = sorted(file.name for file in found if file not in files.values())
    if others:
        click.echo(f"Left alone, for the server has no such deployment: {', '.join(others)}", err=True)


def _choose_files(folder: Path, keys: list[str], found: dict[Path, list[Document]]) -> dict[str, Path]:
    """Key -> file: the one that has it alone already, else one of its name. Names that differ in case alone get a
    number: some file systems cannot tell them apart.

    Raises:
        click.ClickException: a file of the name is something else.
    """
    files: dict[str, Path] = {}
    for file, documents in found.items():
        for key in {document.key for document in documents}.intersection(keys):
            if len(documents) == 1 and key not in files:
                files[key] = file
            elif file.stem not in keys or key in files:
                raise click.ClickException(f"{file} has the deployment {key!r} too; export to another folder.")
    taken = {file.name.lower() for file in found}
    for key in keys:
        if key in files:
            continue
        own = folder / f"{key}.yaml"
        if own.exists():
            raise click.ClickException(f"{own} is there and is not the deployment {key!r} alone; move it away first.")
        name = next(name for name in _names(key) if name.lower() not in taken)
        files[key] = folder / name
        taken.add(name.lower())
    return files


def _names(key: str) -> Iterator[str]:
    yield f"{key}.yaml"
    yield from (f"{key}~{number}.yaml" for number in count(2))


def _text(manifest: Manifest) -> str:
    """A document that says all of a deployment; what is empty is left out."""
    said = {"key": manifest.key, **content(manifest)}
    return yaml_text.dump({name: value for name, value in said.items() if value not in ("", [])})


def _write(file: Path, manifest: Manifest, found: dict[Path, list[Document]]) -> str:
    """Write a file whole or not at all, unless it says the same already; what was done."""
    is_there = file in found
    if is_there and make_plan(found[file], {manifest.key: manifest}, ())[0].action == "unchanged":
        return "unchanged"
    part = file.with_name(f".{file.name}.part")
    part.write_text(_text(manifest), "utf-8")
    part.replace(file)
    return "updated" if is_there else "created"
