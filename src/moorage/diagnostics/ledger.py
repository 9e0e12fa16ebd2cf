"""The ledger: whether every row follows from the history, except those about consumers and stored results.

The rows and the entries are read in the same order, so memory does not depend on their number. A row that cannot be
decoded is not compared: `moorage.diagnostics.rows` has a finding for it.
"""

from collections.abc import Iterable, Iterator

from moorage.core.secret_keys import NO_KEYS, SecretKeys
from moorage.diagnostics.check_result import BoundedFindings, CheckResult
from moorage.diagnostics.comparison import NOT_CREATED, compare_row, compare_table
from moorage.diagnostics.history import ChainResult, Head, verify_chain
from moorage.diagnostics.proposals import compare_proposals
from moorage.diagnostics.replay import (
    ClockResets,
    ExpectedRow,
    Purges,
    Rotations,
    replay,
    step_api_key,
    step_deployment,
    step_integration,
    step_project,
)
from moorage.diagnostics.replay_environments import environment_of, pointer_of, step_environment, step_pointer
from moorage.diagnostics.versions import PURGED, TEXTS, VersionEntries, hash_of_texts
from moorage.store.row_problems import problem_of
from moorage.store.store import Store
from moorage.store.transfer.dump import (
    API_KEYS,
    DEPLOYMENTS,
    ENVIRONMENTS,
    INTEGRATIONS,
    POINTERS,
    PROJECTS,
    VERSIONS,
    DatabaseDump,
    TableSpec,
)


class Ledger:
    """The checks of the history and of the rows that follow from it, in one committed state.

    A backup may be older than the secret key, or the key may be lost: then only its wrong MACs count.
    """

    def __init__(
        self,
        dump: DatabaseDump,
        secret_keys: SecretKeys = NO_KEYS,
        expected: Head | None = None,
        *,
        is_backup: bool = False,
    ) -> None:
        self._dump = dump
        self._secret_keys = secret_keys
        self._expected = expected
        self._is_backup = is_backup
        self._resets = ClockResets(())

    def history(self) -> Iterator[CheckResult]:
        """Yield the results about the history."""
        chain = verify_chain(self._dump, self._secret_keys, self._expected)
        subject = f"hash chain of the history ({chain.count:,} entries)"
        yield CheckResult(subject, chain.broken, str(chain.head or ""))
        if chain.has_macs or self._secret_keys.current_id:
            yield self._authenticated(chain)
        if self._expected is not None:
            yield CheckResult(f"head of the history ({self._expected})", chain.missing)

    def rows(self) -> Iterator[CheckResult]:
        """Yield the results about the rows that follow from it."""
        self._resets = ClockResets(self._dump.query("clock_resets"))
        yield self._projects()
        yield self._environments()
        yield self._api_keys()
        yield self._integrations()
        purges = Purges(self._dump.query("purges"))
        yield self._deployments(purges)
        yield self._versions(purges)
        yield self._pointers()
        yield compare_proposals(self._dump, self._resets)
        yield CheckResult("purges, compared with the history", purges.problems())
        yield self._missing_rows()

    def _authenticated(self, chain: ChainResult) -> CheckResult:
        subject = f"secret key of the history ({chain.verified:,} of {chain.count:,} entries)"
        return CheckResult(subject, chain.forged + ([] if self._is_backup else chain.unverified))

    def _projects(self) -> CheckResult:
        entries = self._dump.query("entries_of_projects")
        return self._compare(
            PROJECTS, "project", replay(entries, lambda entry: entry.project_id, step_project, self._resets)
        )

    def _environments(self) -> CheckResult:
        entries = self._dump.query("entries_of_environments")
        expected = replay(entries, environment_of, step_environment, self._resets)
        return self._compare(ENVIRONMENTS, "environment", expected)

    def _api_keys(self) -> CheckResult:
        entries = self._dump.query("entries_of_api_keys")
        return self._compare(
            API_KEYS, "API key", replay(entries, lambda entry: entry.subject_key_id, step_api_key, self._resets)
        )

    def _integrations(self) -> CheckResult:
        rotations = Rotations(self._dump.query("rotations"))
        entries = self._dump.query("entries_of_integrations")
        expected = replay(entries, lambda entry: entry.integration_id, step_integration, self._resets)
        return compare_table(
            self._dump, INTEGRATIONS, "integration", expected, lambda row, _: rotations.apply(row, self._resets)
        )

    def _deployments(self, purges: Purges) -> CheckResult:
        entries = self._dump.query("entries_of_deployments")
        expected = replay(entries, lambda entry: entry.deployment_id, step_deployment, self._resets)
        return compare_table(
            self._dump, DEPLOYMENTS, "deployment", expected, lambda row, rev: purges.apply(row, rev, self._resets)
        )

    def _pointers(self) -> CheckResult:
        entries = self._dump.query("entries_of_pointers")
        expected = replay(entries, pointer_of, step_pointer, self._resets)
        return self._compare(POINTERS, "pointer", expected)

    def _compare(self, table: TableSpec, kind: str, expected: Iterable[ExpectedRow]) -> CheckResult:
        """Compare the rows of a table whose expected rows need only the resets of the clock."""
        return compare_table(self._dump, table, kind, expected, lambda row, _: self._resets.apply(row))

    def _versions(self, purges: Purges) -> CheckResult:
        findings, count, columns = BoundedFindings(), 0, VERSIONS.columns
        for row, entries in zip(self._dump.rows(VERSIONS), self._dump.query("entries_of_versions"), strict=True):
            count += 1
            found, history = dict(zip(columns, row, strict=True)), VersionEntries(*entries)
            found["version"] = f"{found.pop('major')}.{found.pop('minor')}"
            found["text_sha256"] = hash_of_texts({column: found.pop(column) for column in TEXTS})
            name = f"version {found['version']} ({found['id']}) of deployment {found['deployment_id']}"
            if history.rev is None:
                findings.add(f"{name}: {NOT_CREATED}")
                continue
            expected = history.expected(self._resets)
            if found["text_sha256"] == PURGED and history.is_deleted:
                purges.add(found["id"])
                expected["text_sha256"] = PURGED
            if problem_of(VERSIONS.name, row) is not None:
                continue  # a finding of the rows
            compare_row(findings, name, found, expected)
            if history.has_other_content:
                findings.add(f"{name}: its history entries have different content hashes")
        return CheckResult(f"versions, compared with the history ({count:,} versions)", findings.texts())

    def _missing_rows(self) -> CheckResult:
        findings = BoundedFindings()
        for kind, subject_id, rev in self._dump.query("entries_without_row"):
            findings.add(f"{kind} {subject_id}: it is missing, and the history has it since revision {rev}")
        return CheckResult("history, compared with the rows", findings.texts())


def verify_ledger(store: Store) -> list[str]:
    """Return the violations of the history, and the differences between it and the rows."""
    with store.dump() as dump:
        ledger = Ledger(dump, store.secret_keys)
        return [finding for result in (*ledger.history(), *ledger.rows()) for finding in result.findings]
