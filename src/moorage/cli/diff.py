"""`moorage diff`: what `moorage apply` would do."""

from collections import Counter

import click

from moorage.cli import screen
from moorage.cli.client import Client
from moorage.cli.documents import read_paths
from moorage.cli.options import setting
from moorage.cli.plan import Action, Step, make_plan, read_manifests

_SIGNS: dict[Action, tuple[str, str]] = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "delete": ("-", "red"),
    "refuse": ("!", "red"),
    "invalid": ("!", "red"),
}


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("-o", "--output", type=click.Choice(["text", "json", "yaml"]), default="text", show_default=True)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if anything differs.")
@setting("url")
def diff(paths: tuple[str, ...], output: str, exit_code: bool, url: str) -> None:
    """Show what `moorage apply PATH...` would do, and with `--prune` too; nothing is changed."""
    client = Client.from_environment(url)
    plan = make_plan(read_paths(list(paths), may_be_empty=True), read_manifests(client), paths)
    if output == "text":
        _print(plan)
    else:
        screen.print_data([_as_data(step) for step in plan], output)
    has_problems = any(step.action in ("invalid", "refuse") for step in plan)
    if has_problems or (exit_code and any(step.action != "unchanged" for step in plan)):
        raise click.exceptions.Exit(1)


def _print(plan: list[Step]) -> None:
    for step in plan:
        if step.action == "unchanged":
            continue
        sign, color = _SIGNS[step.action]
        click.secho(f"{sign} {screen.cell(step.key, 128)}  ({screen.cell(step.source, 1_000)})", fg=color, bold=True)
        for line in step.why:
            click.secho(f"    {screen.cell(line, 1_000)}", fg=color)
        if step.action != "delete":
            screen.print_difference(step.text(), indent="    ")
    counts = Counter(step.action for step in plan)
    parts = (
        f"{counts['create']} to create",
        f"{counts['update']} to update",
        f"{counts['delete']} to delete (with --prune)",
        f"{counts['unchanged']} unchanged",
        f"{counts['refuse'] + counts['invalid']} that cannot be applied",
    )
    click.echo(f"Plan: {', '.join(parts)}.")


def _as_data(step: Step) -> dict[str, object]:
    why = {"why": list(step.why)} if step.why else {}
    changed = [] if step.action in ("invalid", "delete") else step.changes()
    return {"action": step.action, "key": step.key, "file": step.source, "changes": changed, **why}
