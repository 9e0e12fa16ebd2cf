"""`moorage proposals`: list, show and decide proposals."""

import re
import time
from collections.abc import Callable
from typing import Any

import click

from moorage.cli.client import Client, Reply, deployment_path
from moorage.cli.environment_options import complete_environment, in_environment
from moorage.cli.environment_responses import ProposalReply, ProposedRow
from moorage.cli.errors import ApiError, ServerError
from moorage.cli.groups import Group
from moorage.cli.options import output_option, setting
from moorage.cli.output import echo, one_line, print_data, print_table
from moorage.cli.proposed import item_lines
from moorage.cli.responses import LiveDeployment, Page
from moorage.cli.table import Column, new_table, when
from moorage.core.deployments.ids import is_segment
from moorage.core.deployments.page import MAX_LIMIT
from moorage.core.deployments.proposal import FOLLOWS
from moorage.core.environments import PRODUCTION

_LIST = "/v2/proposals"

_STATUSES = ("open", "published", "rejected", "withdrawn", "stale", "expired")
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

#: The pause between two requests of a wait: the first one, and the longest one.
_PAUSE, _LONGEST_PAUSE = 0.5, 10.0

#: How many commands to compare versions are shown.
_MAX_COMMANDS = 5


class Duration(click.ParamType[float]):
    """A time such as `30m`, in seconds."""

    name = "TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the time of an option."""
        span = re.fullmatch(r"(\d{1,6})([smhd])", str(value).strip(), re.ASCII)
        if span is None:
            self.fail(f"'{one_line(value, 80)}' is not a time such as 90s, 30m or 2h", param, ctx)
        return float(int(span[1]) * _UNITS[span[2]])


@click.group(cls=Group)
def proposals() -> None:
    """List, show, approve and reject proposals.

    In an environment that requires approvals, each change of a live version is a proposal.
    """


@proposals.command("list")
@click.option("--environment", metavar="NAME", help="Only those of one.", shell_complete=complete_environment)
@click.option("--status", type=click.Choice(_STATUSES), help="Only proposals with this status.")
@click.option("--mine", is_flag=True, help="Only proposals of your own API key.")
@click.option("--limit", type=click.IntRange(1, MAX_LIMIT), default=10, show_default=True, help="The maximum number.")
@output_option
@setting("url")
def list_(environment: str | None, status: str | None, mine: bool, limit: int, output: str, url: str) -> None:
    """List proposals, newest first."""
    query = {"environment": environment, "status": status, "mine": mine or None, "limit": limit}
    page = Client.from_environment(url).get(_LIST, Page[ProposalReply], **query)
    if output != "table":
        print_data(page.plain(), output)
        return
    if not page.value.data:
        echo("There are no such proposals.")
        return
    table = new_table(
        "id", Column("environment", is_cut=True), "status", Column("approvals", drop=5), Column("kind", drop=4),
        Column("deployments", drop=3, is_cut=True), Column("by", drop=2, is_cut=True), Column("created", drop=1),
    )  # fmt: skip
    for row in page.value.data:
        keys = ", ".join(item.key for item in row.items)
        cells = (row.id, row.environment, row.status, row.progress, row.kind, keys, row.by, when(row.created))
        table.add_row(*map(one_line, cells))
    print_table(table)
    if page.value.has_more:
        echo("There are more proposals: increase --limit.", err=True)


@proposals.command()
@click.argument("proposal_id", metavar="ID")
@click.option(
    "--wait", type=Duration(), help="Wait until it is closed, at most so long; exit with 1 unless it is published."
)
@output_option
@setting("url")
def show(proposal_id: str, wait: float | None, output: str, url: str) -> None:
    """Show a proposal, and who can approve it.

    --wait takes a time such as 90s, 30m or 2h.
    """
    client, path = Client.from_environment(url), _path(proposal_id)
    reply = client.get(path, ProposalReply)
    if wait is not None:
        reply = _wait(client, path, reply, wait)
    proposal = reply.value
    if output == "table":
        _print(client, proposal)
    else:
        print_data(reply.plain(), output)
    if wait is None or proposal.status == "published":
        return
    if proposal.status == "open":
        raise click.ClickException(f"Proposal {proposal.id} is still open after {wait:g} seconds.")
    raise click.ClickException(f"Proposal {proposal.id} is {one_line(proposal.status)}, and not published.")


def _decision(command: Callable[..., None]) -> Callable[..., None]:
    """Add the argument and the options of a decision."""
    for decorate in (
        setting("url"),
        output_option,
        click.option("--reason", default="", help="The reason, which the proposal shows."),
        click.argument("proposal_id", metavar="ID"),
        proposals.command(),
    ):
        command = decorate(command)
    return command


@_decision
def approve(proposal_id: str, reason: str, output: str, url: str) -> None:
    """Approve a proposal.

    The last approval that the environment requires publishes it. It needs the scope deployments:approve, and a key that
    has no part in the proposal.
    """
    reply = _decide(url, proposal_id, "approve", reason)
    proposal = reply.value
    if output != "table":
        print_data(reply.plain(), output)
    elif proposal.status == "published":
        echo(f"Approved and published in {proposal.environment}: proposal {proposal.id}")
        for line in item_lines(proposal):
            echo(f"  {line}")
    else:
        echo(f"Approved proposal {proposal.id} for {proposal.environment}: {proposal.progress} approvals, still open.")


@_decision
def reject(proposal_id: str, reason: str, output: str, url: str) -> None:
    """Reject a proposal, permanently.

    It needs the scope deployments:approve.
    """
    _show_closed(_decide(url, proposal_id, "reject", reason), output)


@_decision
def withdraw(proposal_id: str, reason: str, output: str, url: str) -> None:
    """Withdraw a proposal of your own key.

    A key with the scope environments:admin can withdraw all proposals.
    """
    _show_closed(_decide(url, proposal_id, "withdraw", reason), output)


def _decide(url: str, proposal_id: str, decision: str, reason: str) -> Reply[ProposalReply]:
    body = {"reason": one_line(reason, 10_000)} if reason else {}
    return Client.from_environment(url).send("POST", f"{_path(proposal_id)}/{decision}", ProposalReply, body)


def _show_closed(reply: Reply[ProposalReply], output: str) -> None:
    proposal = reply.value
    if output != "table":
        print_data(reply.plain(), output)
    else:
        status = one_line(proposal.status).capitalize()
        echo(f"{status}: proposal {proposal.id}. Nothing is changed in {proposal.environment}.")


def _path(proposal_id: str) -> str:
    if not is_segment(proposal_id):
        raise click.ClickException(
            f"'{one_line(proposal_id, 80)}' is not the id of a proposal. `moorage proposals list` shows the ids."
        )
    return f"{_LIST}/{proposal_id}"


def _wait(client: Client, path: str, reply: Reply[ProposalReply], seconds: float) -> Reply[ProposalReply]:
    """Return a proposal when it is closed, or after a time."""
    deadline, pause = time.monotonic() + seconds, _PAUSE
    while reply.value.status == "open" and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(pause, left))  # polls: the API has no stream of proposals
        pause = min(2 * pause, _LONGEST_PAUSE)
        try:
            reply = client.get(path, ProposalReply)
        except ServerError:  # a server that restarts does not end a wait
            if time.monotonic() >= deadline:
                raise
    return reply


def _print(client: Client, proposal: ProposalReply) -> None:
    details = new_table("field", Column("value", is_wrapped=True))
    source = f" from {proposal.from_}" if proposal.from_ else ""
    closed = proposal.closed
    cells: dict[str, Any] = {
        "id": proposal.id, "environment": proposal.environment, "kind": f"{proposal.kind}{source}",
        "status": proposal.status, "reason": proposal.reason or "-",
        "proposed": f"{when(proposal.created)} by {proposal.by}", "approvals": proposal.progress,
    }  # fmt: skip
    for approval in proposal.approvals:
        why = f": {approval.reason}" if approval.reason else ""
        details_of = f"{approval.api_key.name}, {when(approval.at)}{why}"
        cells[f"approved by {approval.api_key.id}"] = details_of
    if closed is not None:
        by = f" by {closed.by.name}" if closed.by else ""
        why = f": {closed.reason}" if closed.reason else ""
        cells["closed"] = f"{when(closed.at)}{by}{why}"
    else:
        cells["expires"] = proposal.expires
        cells["you can approve"] = "yes" if proposal.can_approve else f"no: {proposal.why_not}"
    for field, value in cells.items():
        details.add_row(one_line(field), one_line(value, 1_000))
    print_table(details)
    echo("")
    items = new_table("key", "live", "proposed", Column("breaking", drop=1, is_cut=True))
    for item in proposal.items:
        after = item.version or ("deleted" if proposal.kind == "delete" else "follows")
        cells_of = (item.key, item.base_version or "none", after, ", ".join(item.breaking) or "-")
        items.add_row(*(one_line(cell, 200) for cell in cells_of))
    print_table(items)
    for item in proposal.items[:_MAX_COMMANDS]:
        if command := _diff(client, proposal, item):
            echo(f"Compare: {command}")
    if proposal.can_approve:
        echo(f"Approve: moorage proposals approve {proposal.id}")


def _diff(client: Client, proposal: ProposalReply, item: ProposedRow) -> str:
    """Return the command that compares the versions of an item, or nothing if there are no two."""
    before, after = item.base_version, item.version or FOLLOWS
    if before is None or before == after or proposal.kind in ("delete", "restore"):
        return ""
    if FOLLOWS in (before, after):
        try:
            client.get(deployment_path(item.key), LiveDeployment, environment=PRODUCTION)
        except ApiError:  # it is not in production
            return ""
    names = (PRODUCTION if name == FOLLOWS else name for name in (before, after))
    return f"moorage deployments diff {item.key} {' '.join(names)}{in_environment(proposal.environment)}"
