"""`moorage apply` in an environment that requires approvals: all changes are one proposal."""

from collections.abc import Sequence
from typing import Any

import click
import msgspec

from moorage.cli.apply_outcomes import Outcome
from moorage.cli.client import Client
from moorage.cli.environment_responses import ProposalReply
from moorage.cli.errors import ApiError, name_problems
from moorage.cli.output import echo, one_line
from moorage.cli.proposed import Proposed, waiting_lines
from moorage.cli.target import Target
from moorage.core.deployments.manifest import Manifest
from moorage.core.deployments.proposal import MAX_ITEMS


class ProposalOptions(msgspec.Struct, frozen=True):
    """The options of a proposal."""

    reason: str
    take_ownership: bool
    allow_breaking: bool


def propose(
    client: Client,
    target: Target,
    outcomes: Sequence[Outcome],
    removed: Sequence[Manifest],
    options: ProposalOptions,
) -> tuple[list[Outcome], ProposalReply | None]:
    """Propose the stored versions, and to unpublish the removed deployments.

    Return the outcomes with the versions before and after, and the proposal; None if there is nothing to propose.

    Raises:
        ApiError: nothing is proposed.
    """
    items: dict[str, dict[str, Any]] = {}
    for outcome in outcomes:
        document = outcome.document
        if outcome.result == "proposed":  # of a key that occurs twice, the last one counts
            file = {"file": document.file} if document.file else {}
            items[document.key] = {"key": document.key, "version": outcome.change, **file}
    items |= {each.key: {"key": each.key, "version": None, "base": each.version, "file": each.file} for each in removed}
    if not items:
        return list(outcomes), None
    if len(items) > MAX_ITEMS:
        raise click.ClickException(
            f"{len(items)} deployments differ from {target.name}, and a proposal has at most {MAX_ITEMS}. Apply some of"
            " the files. Nothing was proposed."
        )
    body: dict[str, Any] = {
        "environment": target.name, "deployments": list(items.values()), "allow_breaking": options.allow_breaking
    }  # fmt: skip
    if options.reason:
        body["reason"] = one_line(options.reason, 10_000)
    try:
        query = {"take_ownership": options.take_ownership or None}
        client.send("POST", "/v2/proposals", ProposalReply, body, query)
    except Proposed as proposed:
        return _with_versions(outcomes, proposed.proposal), proposed.proposal
    except ApiError as error:
        raise name_problems(error, list(items)) from error
    raise AssertionError  # the response is 202


def show_proposal(target: Target, proposal: ProposalReply | None, removed: Sequence[Manifest]) -> None:
    """Print the proposal of an apply, or that there is none."""
    if proposal is None:
        echo(f"Nothing to propose: {target.name} matches the files.")
        return
    for manifest in removed:
        echo(f"proposed {manifest.key}: {manifest.version} → follows in {target.name}")
    for line in waiting_lines(proposal):
        echo(line)


def _with_versions(outcomes: Sequence[Outcome], proposal: ProposalReply) -> list[Outcome]:
    """Return the outcomes with the versions before and after."""
    before = {item.key: item.base_version for item in proposal.items}
    return [
        msgspec.structs.replace(outcome, change=f"{before.get(outcome.document.key) or 'none'} → {outcome.change}")
        if outcome.result == "proposed"
        else outcome
        for outcome in outcomes
    ]
