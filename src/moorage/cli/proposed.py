"""A change that the server stored as a proposal, because the environment requires approvals."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import click

from moorage.cli.environment_responses import ProposalReply
from moorage.cli.output import echo, one_line, print_data

#: How many items of a proposal a message lists.
_MAX_ITEMS = 20


class Proposed(click.ClickException):
    """The server stored a proposal. Commands show it; for others, its message is an error."""

    def __init__(self, proposal: ProposalReply, plain: Any) -> None:
        super().__init__("\n".join(proposed_lines(proposal)))
        self.proposal = proposal
        self.plain = plain


def item_lines(proposal: ProposalReply) -> list[str]:
    """Return a line for each deployment that a proposal changes."""
    return [
        f"{item.key}: {item.base_version or 'none'} -> {item.version or _without_version(proposal)}"
        f" in {proposal.environment}"
        for item in proposal.items
    ]


def proposed_lines(proposal: ProposalReply) -> list[str]:
    """Return what was proposed, the id, and the next command."""
    lines = item_lines(proposal)
    more = [f"… and {len(lines) - _MAX_ITEMS} more in {proposal.environment}"] if len(lines) > _MAX_ITEMS else []
    return [*(f"proposed {line}" for line in lines[:_MAX_ITEMS]), *more, *waiting_lines(proposal)]


def waiting_lines(proposal: ProposalReply) -> list[str]:
    """Return that a proposal waits for approvals, and the next command."""
    return [
        f"Nothing is changed in {proposal.environment} yet: proposal {proposal.id} has {proposal.progress} approvals.",
        f"To wait for them: moorage proposals show {proposal.id} --wait 30m",
    ]


def print_proposed(proposed: Proposed, output: str) -> None:
    """Print a proposal as the result of a command."""
    if output != "table":
        print_data(proposed.plain, output)
        return
    for line in proposed_lines(proposed.proposal):
        echo(one_line(line, 1_000))


def shows_proposal(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command with the option `output` print a proposal; its exit code is 0."""

    def run(*, output: str, **options: Any) -> None:
        try:
            command(output=output, **options)
        except Proposed as proposed:
            print_proposed(proposed, output)

    return update_wrapper(run, command)


def _without_version(proposal: ProposalReply) -> str:
    """Return the state after a change that makes no version live."""
    return "deleted" if proposal.kind == "delete" else "follows"
