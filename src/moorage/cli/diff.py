"""`moorage diff`: what `moorage apply` would do."""

from collections import Counter

import click
import msgspec

from moorage.cli.client import Client, deployment_path
from moorage.cli.difference import print_difference
from moorage.cli.environment_options import environment_option, follows_production
from moorage.cli.errors import DIFFERENT
from moorage.cli.manifests import Manifests, read_manifests
from moorage.cli.options import setting, strict_option
from moorage.cli.output import echo, one_line, print_data, print_paragraph
from moorage.cli.problems import print_problems, print_skipped, print_unreadable
from moorage.cli.responses import LiveDeployment
from moorage.core.environments import PRODUCTION
from moorage.documents.plan import Action, Step, make_plan
from moorage.documents.read import read_paths

_SIGNS: dict[Action, tuple[str, str]] = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "delete": ("-", "red"),
    "reject": ("!", "red"),
    "invalid": ("!", "red"),
    "unchanged": ("=", ""),
}


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("-o", "--output", type=click.Choice(["text", "json", "yaml"]), default="text", show_default=True)
@click.option("--exit-code", is_flag=True, help="Exit with code 2 if anything differs.")
@environment_option
@strict_option
@setting("url")
def diff(paths: tuple[str, ...], output: str, exit_code: bool, environment: str | None, strict: bool, url: str) -> None:
    """Show what `moorage apply` would do.

    Nothing is changed. The plan includes what `--prune` would delete, or unpublish outside production. If something
    cannot be applied, the exit code is 1.
    """
    client = Client.from_environment(url)
    documents = read_paths(list(paths), may_be_empty=True, is_strict=strict)
    print_skipped(documents)
    manifests = read_manifests(client, environment)
    plan = make_plan(documents, manifests.by_key, paths, manifests.environment)
    if manifests.environment != PRODUCTION:
        plan = [_in_environment(client, step, manifests, environment) for step in plan]
    if output == "text":
        _print(plan, manifests.environment)
    else:
        print_data([_as_data(step) for step in plan], output)
    has_problems = manifests.report() or any(step.action in ("invalid", "reject") for step in plan)
    if has_problems:
        raise click.exceptions.Exit(1)
    if exit_code and any(step.action != "unchanged" for step in plan):
        raise click.exceptions.Exit(DIFFERENT)


def _in_environment(client: Client, step: Step, manifests: Manifests, environment: str | None) -> Step:
    """Return the step of an environment, where an apply gives a deployment that follows a live version of its own."""
    current = manifests.by_key.get(step.key)
    if step.action != "unchanged" or current is None or current.owner == "files":
        return step
    if not follows_production(client.get(deployment_path(current.id), LiveDeployment, environment=environment)):
        return step
    why = f"follows production, and gets this version as its own in {manifests.environment}"
    return msgspec.structs.replace(step, action="update", why=(why,))


def _print(plan: list[Step], environment: str) -> None:
    for step in plan:
        warnings = step.warnings()
        if step.action == "unchanged" and not warnings:
            continue
        sign, color = _SIGNS[step.action]
        echo(f"{sign} {one_line(step.key, 128)}  ({one_line(step.source, 1_000)})", fg=color, bold=True)
        if step.document is not None and step.document.problem:
            print_unreadable(step.document, fg=color)
        elif step.document is not None and step.problems:
            print_problems(step.document, step.problems, "problem", fg=color)
        else:
            for line in step.why:
                print_paragraph(line, indent=4, fg=color)
        if step.action != "delete":
            print_difference(step.text(), indent="    ")
        if step.document is not None:
            print_problems(step.document, warnings, "warning", fg="yellow")
    counts = Counter(step.action for step in plan)
    parts = (
        f"{counts['create']} to create",
        f"{counts['update']} to update",
        f"{counts['delete']} to {'delete' if environment == PRODUCTION else 'unpublish'} (with --prune)",
        f"{counts['unchanged']} unchanged",
        f"{counts['reject'] + counts['invalid']} cannot be applied",
    )
    place = "" if environment == PRODUCTION else f" in {environment}"
    print_paragraph(f"Plan{place}: {', '.join(parts)}.")


def _as_data(step: Step) -> dict[str, object]:
    why = {"why": list(step.why)} if step.why else {}
    found = step.warnings()
    warnings = {"warnings": found} if found else {}
    changed = [] if step.action in ("invalid", "delete") else step.changes()
    return {"action": step.action, "key": step.key, "file": step.source, "changes": changed, **why, **warnings}
