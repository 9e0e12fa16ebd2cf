"""`moorage export`: the deployments of a server as files."""

from collections import Counter
from pathlib import Path
from typing import Any

import click

from moorage.cli import screen, yaml_text
from moorage.cli.client import Client
from moorage.cli.documents import read_paths
from moorage.cli.options import setting

_RESULTS = ("created", "updated", "unchanged")


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR")
@setting("url")
def export(folder: Path, url: str) -> None:
    """Write every deployment to a file in DIR, named by its key.

    `moorage apply DIR` puts them back: on the same server they are unchanged. A file that already says the same is left
    as it is, with its comments.
    """
    client = Client.from_environment(url)
    manifests = sorted(client.pages("/v2/manifests"), key=lambda manifest: manifest["key"])
    files = _file_names([manifest["key"] for manifest in manifests])
    texts = {folder / files[manifest["key"]]: _text(manifest) for manifest in manifests}
    for file, manifest in zip(texts, manifests, strict=True):
        _check_is_ours(file, manifest["key"])
    folder.mkdir(parents=True, exist_ok=True)
    counts = Counter(_write(file, text) for file, text in texts.items())
    totals = screen.table(*_RESULTS)
    totals.add_row(*(str(counts[result]) for result in _RESULTS))
    screen.console().print(totals)
    others = sorted(file.name for file in folder.glob("*.yaml") if file not in texts)
    if others:
        click.echo(f"Left alone, for the server has no such deployment: {', '.join(others)}", err=True)


def _text(manifest: dict[str, Any]) -> str:
    """A document that says all of a deployment; what is empty is left out."""
    said = {name: manifest[name] for name in ("key", "description", "variables", "prompt_config")}
    return yaml_text.dump({name: value for name, value in said.items() if value not in ("", [])})


def _file_names(keys: list[str]) -> dict[str, str]:
    """Key -> file name. Keys that differ in case alone get a number: some file systems cannot tell them apart."""
    names: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for key in keys:
        seen[key.lower()] += 1
        count = seen[key.lower()]
        names[key] = f"{key}.yaml" if count == 1 else f"{key}~{count}.yaml"
    return names


def _check_is_ours(file: Path, key: str) -> None:
    if file.exists() and [document.key for document in read_paths([str(file)])] != [key]:
        raise click.ClickException(f"{file} is there and is not the deployment {key!r} alone; move it away first.")


def _write(file: Path, text: str) -> str:
    """Write a file whole or not at all; what was done."""
    is_there = file.exists()
    if is_there and _says(file.read_text("utf-8")) == _says(text):
        return "unchanged"
    part = file.with_name(f".{file.name}.part")
    part.write_text(text, "utf-8")
    part.replace(file)
    return "updated" if is_there else "created"


def _says(text: str) -> Any:
    ((value),) = yaml_text.load_all(text)
    return {name: child for name, child in value.items() if child not in ("", [])}
