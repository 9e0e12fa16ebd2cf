"""The ledger: whether every row of projects, API keys, integrations, deployments and versions follows from the history.

The rows and the entries are read in the same order, so memory does not depend on their number. A row that cannot be
decoded is not compared: `moorage.diagnostics.rows` has a finding for it.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import UNSET

from moorage.core.deployments.history import description_sha256
from moorage.core.integrations import sealed_sha256, settings_sha256
from moorage.core.secret_keys import NO_KEYS, SecretKeys
from moorage.diagnostics.check_result import BoundedFindings, CheckResult
from moorage.diagnostics.history import ChainResult, Head, verify_chain
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
from moorage.diagnostics.versions import PURGED, TEXTS, VersionEntries, hash_of_texts
from moorage.store.row_problems import problem_of
from moorage.store.store import Store
from moorage.store.transfer.dump import API_KEYS, DEPLOYMENTS, INTEGRATIONS, PROJECTS, VERSIONS, DatabaseDump, TableSpec

#: Columns that are compared by a hash, as they are called in findings.
_HASHED = {
    "description_sha256": "its description", "text_sha256": "its content, notes or description",
    "settings_sha256": "its address, with its options,", "sealed_sha256": "the text of its encrypted credentials",
}  # fmt: skip

_NOT_CREATED = "no history entry created it"

#: The number of characters of a value in a finding.
_MAX_SHOWN = 80


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
        yield self._api_keys()
        yield self._integrations()
        purges = Purges(self._dump.query("purges"))
        yield self._deployments(purges)
        yield self._versions(purges)
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

    def _api_keys(self) -> CheckResult:
        entries = self._dump.query("entries_of_api_keys")
        return self._compare(
            API_KEYS, "API key", replay(entries, lambda entry: entry.subject_key_id, step_api_key, self._resets)
        )

    def _integrations(self) -> CheckResult:
        rotations = Rotations(self._dump.query("rotations"))
        entries = self._dump.query("entries_of_integrations")
        expected = replay(entries, lambda entry: entry.integration_id, step_integration, self._resets)
        return self._compare(INTEGRATIONS, "integration", expected, lambda row, _: rotations.apply(row, self._resets))

    def _deployments(self, purges: Purges) -> CheckResult:
        entries = self._dump.query("entries_of_deployments")
        expected = replay(entries, lambda entry: entry.deployment_id, step_deployment, self._resets)
        return self._compare(DEPLOYMENTS, "deployment", expected, lambda row, rev: purges.apply(row, rev, self._resets))

    def _compare(
        self,
        table: TableSpec,
        kind: str,
        expected: Iterable[ExpectedRow],
        apply_later: Callable[[ExpectedRow, object], None] | None = None,
    ) -> CheckResult:
        """Compare the rows of a table with the expected rows, which are in the same order.

        `apply_later` applies to an expected row what followed its last entry, up to the revision of the row.
        """
        findings, count, columns, remaining = BoundedFindings(), 0, table.columns, iter(expected)
        following = next(remaining, None)
        for row in self._dump.rows(table):
            count += 1
            found = dict(zip(columns, row, strict=True))
            name = f"{kind} {_shown(found.get('key') or found.get('name'))} ({found['id']})"
            if "description" in found:
                found["description_sha256"] = _hash_of(found.pop("description"))
            if table is INTEGRATIONS:
                found["settings_sha256"] = settings_sha256(_text(found.pop("base_url")), _text(found.pop("options")))
                sealed = (_text(found.pop(column)) for column in ("credentials", "headers", "key_id"))
                found["sealed_sha256"] = sealed_sha256(*sealed)
            if following is None or following["id"] != found["id"]:
                findings.add(f"{name}: {_NOT_CREATED}")
                continue
            if apply_later is None:
                self._resets.apply(following)
            else:
                apply_later(following, found["rev"])
            if problem_of(table.name, row) is None:  # otherwise, it is a finding of the rows
                _compare_row(findings, name, found, following)
            following = next(remaining, None)
        return CheckResult(f"{kind}s, compared with the history ({count:,} {kind}s)", findings.texts())

    def _versions(self, purges: Purges) -> CheckResult:
        findings, count, columns = BoundedFindings(), 0, VERSIONS.columns
        for row, entries in zip(self._dump.rows(VERSIONS), self._dump.query("entries_of_versions"), strict=True):
            count += 1
            found, history = dict(zip(columns, row, strict=True)), VersionEntries(*entries)
            found["version"] = f"{found.pop('major')}.{found.pop('minor')}"
            found["text_sha256"] = hash_of_texts({column: found.pop(column) for column in TEXTS})
            name = f"version {found['version']} ({found['id']}) of deployment {found['deployment_id']}"
            if history.rev is None:
                findings.add(f"{name}: {_NOT_CREATED}")
                continue
            expected = history.expected(self._resets)
            if found["text_sha256"] == PURGED and history.is_deleted:
                purges.add(found["id"])
                expected["text_sha256"] = PURGED
            if problem_of(VERSIONS.name, row) is not None:
                continue  # a finding of the rows
            _compare_row(findings, name, found, expected)
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


def _compare_row(findings: BoundedFindings, name: str, found: dict[str, Any], expected: ExpectedRow) -> None:
    """Add a finding for each column that differs from the expected row."""
    for column, value in found.items():
        wanted = expected.get(column, UNSET)
        if type(value) is type(wanted) and value == wanted:
            continue
        if column.endswith("_sha256"):
            findings.add(f"{name}: {_HASHED.get(column, column)} differs from the history")
        else:
            findings.add(f"{name}: {column} is {_shown(value)}, and {_shown(wanted)} in the history")


def _hash_of(text: object) -> str:
    return description_sha256(text) if isinstance(text, str) else "not a text"


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else "not a text"


def _shown(value: object) -> str:
    if value is None or value is UNSET:
        return "empty"
    text = str(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
