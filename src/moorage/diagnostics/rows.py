"""Rows that cannot be decoded: what is wrong in each, what that means, and what to do."""

from collections.abc import Iterator, Mapping
from typing import Any

from moorage.core.deployments.content import DECODE_ERRORS, StoredContent
from moorage.store.engine import Row
from moorage.store.row_problems import problem_of
from moorage.store.transfer.checked_rows import row_name
from moorage.store.transfer.dump import VERSIONS, DatabaseDump, TableSpec

_CONTENT = [VERSIONS.columns.index(name) for name in ("prompt_config", "variables", "runtime_config", "content_sha256")]

_CORRECT = "Correct the column in the database, or restore a backup."

#: Table -> what a row that cannot be decoded means, and what to do.
_ACTIONS: Mapping[str, str] = {
    "project": f"No command finds the project; its deployments and API keys work. {_CORRECT}",
    "api_key": "The key is rejected. Create another one: moorage keys create NAME. Then delete or correct the row.",
    "deployment": f"The deployment is not served. {_CORRECT}",
    "version": "Requests for the version fail. If it is live, return to the one before: moorage deployments undo KEY.",
    "integration": (
        "The integration is not used. Delete the row, then: moorage integrations set NAME. Its history stays."
    ),
    "environment": f"Requests in the environment fail. {_CORRECT}",
    "pointer": f"The deployment is not served in the environment. {_CORRECT}",
    "proposal": f"The proposal cannot be shown or approved. {_CORRECT}",
    "proposal_item": f"The proposal cannot be shown or approved. {_CORRECT}",
    "approval": f"The proposal cannot be shown or approved. {_CORRECT}",
    "history": f"The history of the deployment cannot be shown. {_CORRECT}",
    "idempotency": "A repeated request with the key gets an error. Delete the row.",
    "consumer": "The version counts as in use. Delete the row: the next request of the API key stores it again.",
    "try_case": "The case is not listed. Delete the row.",
    "alias": f"Changes do not find the deployment by the alias. {_CORRECT}",
}


def row_finding(table: TableSpec, row: Row) -> str | None:
    """Return what is wrong in a row and what to do; None if Moorage can decode it."""
    problem = problem_of(table.name, row)
    if problem is None:
        return None
    if table is VERSIONS and not content_is_unchanged(*(row[place] for place in _CONTENT)):
        problem = f"its content was changed after it was written ({problem})"
    return f"row {row_name(table.name, row)} of table {table.name}: {problem}. {_ACTIONS[table.name]}"


def revision_findings(dump: DatabaseDump) -> Iterator[str]:
    """Yield what is wrong in the row with the revision; without its revision, no database can be opened."""
    for column, problem in dump.state_problems.items():
        yield f"row 1 of table revision: {column} is {problem}. Restore a backup: moorage db restore FILE --replace."


def emptied_findings(dump: DatabaseDump) -> Iterator[str]:
    """Yield the versions whose content is gone although nobody deleted them."""
    for version_id, key, major, minor in dump.emptied_versions():
        yield (
            f"row {version_id} of table version: version {major}.{minor} of deployment {key} has no content and was not"
            f" deleted. {_ACTIONS['version']}"
        )


def content_is_unchanged(prompt_config: Any, variables: Any, runtime_config: Any, sha256: object) -> bool:
    """Return whether the texts of a content have a hash."""
    try:
        return StoredContent(prompt_config, variables, runtime_config).sha256() == sha256
    except (TypeError, ValueError, *DECODE_ERRORS):
        return False
