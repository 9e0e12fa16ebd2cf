"""Proposals with their items and approvals, compared with the entries of the history.

All four are read in the same order, one proposal at a time. A proposal has at most 1,000 items.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from msgspec import UNSET

from moorage.core.deployments.history import Changes, Entry
from moorage.diagnostics.check_result import BoundedFindings, CheckResult
from moorage.diagnostics.comparison import NOT_CREATED, compare_row
from moorage.diagnostics.replay import ClockResets, ExpectedRow, changes_of
from moorage.store.engine import Row
from moorage.store.row_problems import problem_of
from moorage.store.transfer.dump import APPROVALS, PROPOSAL_ITEMS, PROPOSALS, DatabaseDump, TableSpec

_OPEN = {
    "status": "open", "closed_us": None, "closed_by": None, "closed_name": None, "closed_reason": "",
}  # fmt: skip


class _Replay:
    """The rows of a proposal that follow from its entries: items by their numbers, approvals by their API keys."""

    def __init__(self, proposal_id: str, resets: ClockResets) -> None:
        self._resets = resets
        self.proposal: ExpectedRow = {"id": proposal_id}
        self.items: dict[object, ExpectedRow] = {}
        self.approvals: dict[object, ExpectedRow] = {}

    def add(self, entry: Entry) -> None:
        """Add an entry about the proposal, or a move that published it."""
        self._resets.apply(self.proposal, entry.rev)
        match entry.action:
            case "proposed":
                self._propose(entry, changes_of(entry.changes))
            case "approved":
                self.approvals.setdefault(entry.api_key_id, {
                    "proposal_id": entry.proposal_id, "api_key_id": entry.api_key_id, "reason": entry.reason,
                    "at_us": self._resets.time(entry.at_us, entry.rev),
                })  # fmt: skip
            case "rejected" | "withdrawn" | "stale":
                self._close(entry, entry.action)
            case _:
                self._close(entry, "published")
        self.proposal["rev"] = entry.rev

    def finish(self) -> None:
        """Apply what followed the last entry."""
        self._resets.apply(self.proposal)

    def _propose(self, entry: Entry, changes: Changes) -> None:
        self.proposal.update(
            _OPEN, project_id=entry.project_id, environment_id=entry.environment_id, kind=changes.kind,
            source=None if changes.source is UNSET else changes.source, reason=entry.reason,
            allow_breaking=int(changes.allow_breaking is True), created_us=entry.at_us, created_by=entry.api_key_id,
            created_name=entry.api_key_name,
        )  # fmt: skip
        self.items[changes.item] = {
            "proposal_id": entry.proposal_id, "n": changes.item, "deployment_id": entry.deployment_id,
            "base": changes.base, "version_id": entry.to_version_id, "breaking": entry.breaking,
            "owner": changes.owner, "file": changes.file,
        }  # fmt: skip

    def _close(self, entry: Entry, status: str) -> None:
        is_by_key = status != "stale"
        self.proposal.update(
            status=status, closed_us=entry.at_us, closed_reason=entry.reason,
            closed_by=entry.api_key_id if is_by_key else None, closed_name=entry.api_key_name if is_by_key else None,
        )  # fmt: skip


class _Groups:
    """The consecutive rows of each proposal in a stream, which is in the order of `every_proposal`."""

    def __init__(self, groups: Iterator[tuple[Any, Iterable[Any]]]) -> None:
        self._groups = groups
        self._next = next(groups, None)

    def take(self, proposal_id: object) -> Iterator[Any]:
        """Yield the rows of a proposal, if they are the next ones. Take all of them before the next call."""
        if self._next is not None and self._next[0] == proposal_id:
            yield from self._next[1]
            self._next = next(self._groups, None)


def compare_proposals(dump: DatabaseDump, resets: ClockResets) -> CheckResult:
    """Compare the proposals, their items and their approvals with the history."""
    findings, count = BoundedFindings(), 0
    all_entries = (Entry(*row) for row in dump.query("entries_of_proposals"))
    entries = _Groups(groupby(all_entries, lambda entry: entry.proposal_id))
    items = _Groups(groupby(dump.query("items_of_proposals"), itemgetter(0)))
    approvals = _Groups(groupby(dump.query("approvals_of_proposals"), itemgetter(0)))
    for row in dump.rows(PROPOSALS):
        count += 1
        proposal_id, replayed = row[0], _Replay(row[0], resets)
        for entry in entries.take(proposal_id):
            replayed.add(entry)
        replayed.finish()
        name = f"proposal {proposal_id}"
        if "kind" not in replayed.proposal:
            findings.add(f"{name}: {NOT_CREATED}")
        elif problem_of(PROPOSALS.name, row) is None:  # otherwise, it is a finding of the rows
            compare_row(findings, name, dict(zip(PROPOSALS.columns, row, strict=True)), replayed.proposal)
        _compare(findings, f"item of {name}", PROPOSAL_ITEMS, items.take(proposal_id), replayed.items)
        _compare(findings, f"approval of {name}", APPROVALS, approvals.take(proposal_id), replayed.approvals)
    return CheckResult(f"proposals, compared with the history ({count:,} proposals)", findings.texts())


def _compare(
    findings: BoundedFindings, kind: str, table: TableSpec, rows: Iterable[Row], expected: dict[object, ExpectedRow]
) -> None:
    """Compare the items or the approvals of a proposal; the second column names one."""
    for row in rows:
        name, wanted = f"{kind} ({row[1]})", expected.pop(row[1], None)
        if wanted is None:
            findings.add(f"{name}: {NOT_CREATED}")
        elif problem_of(table.name, row) is None:
            compare_row(findings, name, dict(zip(table.columns, row, strict=True)), wanted)
    for missing in expected:
        findings.add(f"{kind} ({missing}): it is missing, and the history has it")
