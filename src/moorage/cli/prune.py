"""`moorage apply --prune`: deployments that were removed from their files."""

from collections.abc import Sequence

import click
import msgspec

from moorage.cli.client import Client, deployment_path
from moorage.cli.environment_options import in_environment
from moorage.cli.errors import ApiError
from moorage.cli.output import echo, one_line, pluralize
from moorage.cli.proposed import Proposed, proposed_lines
from moorage.cli.responses import Deleted, SavedVersion
from moorage.cli.target import Target
from moorage.core.deployments.manifest import Manifest

#: Why a deployment is not pruned, while the others are.
_SKIPPED = frozenset({"in_use", "breaking_change"})


class PruneOptions(msgspec.Struct, frozen=True):
    """The options of a prune."""

    reason: str
    force: bool
    allow_breaking: bool


def list_removed(removed: Sequence[Manifest], target: Target) -> None:
    """Print the deployments that were removed from their files."""
    verb = "delete" if target.is_production else f"unpublish from {target.name}"
    echo("Removed from the files:" if removed else f"There is nothing to {verb}.")
    for manifest in removed:
        echo(f"  {manifest.key}  ({one_line(manifest.file, 1_000)})")


def confirm(removed: Sequence[Manifest], target: Target) -> None:
    """Ask before deployments are pruned.

    Raises:
        click.Abort: the answer is no.
    """
    count = pluralize(len(removed), "deployment")
    if target.is_production:
        text = f"Delete {count}? They can be restored for 30 days."
    else:
        text = f"Unpublish {count} from {target.name}? They follow production then."
    click.confirm(text, abort=True)


def prune(client: Client, removed: Sequence[Manifest], target: Target, options: PruneOptions) -> bool:
    """Delete deployments, or let them follow production again; return whether all were pruned."""
    is_complete = True
    for manifest in removed:
        try:
            if target.is_production:
                done = _delete(client, manifest, options)
            else:
                done = _unpublish(client, manifest, target, options)
        except Proposed as proposed:
            for line in proposed_lines(proposed.proposal):
                echo(line)
        except ApiError as error:
            if error.code not in _SKIPPED:
                raise
            is_complete = False
            verb = "deleted" if target.is_production else f"unpublished from {target.name}"
            echo(f"Not {verb}: {manifest.key}. {' '.join(error.problems)} {error.hint}", err=True)
        else:
            echo(done)
    return is_complete


def _reason(manifest: Manifest, reason: str) -> str:
    """Return the reason for the history."""
    return reason or f"pruned: no longer in {manifest.file}"


def _delete(client: Client, manifest: Manifest, options: PruneOptions) -> str:
    """Delete a deployment, and return what to print."""
    client.send(
        "DELETE", deployment_path(manifest.id), Deleted,
        query={"take_ownership": True, "force": options.force or None}, If_Match=manifest.etag,
        X_Moorage_Change_Reason=_reason(manifest, options.reason),
    )  # fmt: skip
    return f"Deleted {manifest.key} in all environments: moorage deployments restore {manifest.id}"


def _unpublish(client: Client, manifest: Manifest, target: Target, options: PruneOptions) -> str:
    """Let a deployment follow production, and return what to print."""
    query = {
        "take_ownership": True, "allow_breaking": options.allow_breaking or None, "environment": target.option,
    }  # fmt: skip
    body = {"reason": one_line(_reason(manifest, options.reason), 10_000)}
    path = f"{deployment_path(manifest.id)}/unpublish"
    client.send("POST", path, SavedVersion, body, query, If_Match=manifest.etag)
    undo = f"moorage deployments undo {manifest.key}{in_environment(target.name)} --take-ownership"
    return f"Unpublished {manifest.key} from {target.name}: {undo}"
