"""Every query uses an index, so its cost does not depend on the size of the tables."""

import re
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from moorage.store.queries import load_queries
from moorage.store.transfer.dump import TABLES
from tests.support.postgres import sql
from tests.support.stores import Database, a_store

#: Queries that must read a whole table, or sort a few rows.
FULL_SCANS = (
    {"projects", "deployments", "history", "api_keys", "integrations", "find_tombstone", "counts", "count_deployments"}
    | {query for table in TABLES for query in (table.every, table.empty)}
    | {"stray_aliases", "stray_pointers", "live_configurations", "entries_without_row", "purges", "clock_resets"}
    | {"rotations", "sealed_integrations", "sealing_keys"}
    | {f"entries_of_{table}" for table in ("projects", "api_keys", "integrations", "deployments", "versions")}
    | {f"entries_of_{table}" for table in ("environments", "pointers", "proposals")}
    | {
        "approving_keys",
        "delete_unknown_names",
        "empty_unknown_names",
        "environments",
        "items_of_proposals",
        "approvals_of_proposals",
    }
    | {"orphans", "emptied_versions", "live_models", "size_of_cached", "delete_first_cached"}
    | {
        f"redate_{rows}"
        for rows in ("projects", "api_keys", "integrations", "deployments", "versions", "results", "consumers")
    }
    | {f"redate_{rows}" for rows in ("environments", "pointers", "proposals", "approvals")}
)

QUERIES = load_queries()


@pytest.mark.parametrize("name", sorted(set(QUERIES) - FULL_SCANS))
def test_no_query_reads_more_rows_than_it_needs(folder: Path, name: str) -> None:
    a_store(folder).close()
    with closing(apsw.Connection(str(folder / "moorage.db"))) as connection:
        parameters = dict.fromkeys(re.findall(r":(\w+)", QUERIES[name]), 1)
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {QUERIES[name]}", parameters)]

    assert not [step for step in plan if re.search(r"SCAN (?!CONSTANT)|TEMP B-TREE", step)], plan


def test_no_query_on_postgresql_reads_more_rows_than_it_needs(postgresql: Database) -> None:
    """The tables are empty, so sequential scans are disabled for the planner."""
    for name in sorted(set(QUERIES) - FULL_SCANS - {"savepoint", "rollback_to_savepoint", "release_savepoint"}):
        query = QUERIES[name]
        for number, parameter in enumerate(sorted(set(re.findall(r":(\w+)", query))), 1):
            query = re.sub(rf":{parameter}\b", f"${number}", query)
        settings = "SET enable_seqscan = off; SET enable_sort = off;"
        plan = [step for (step,) in sql(postgresql.url, f"{settings} EXPLAIN (GENERIC_PLAN) {query}")]

        assert not [step for step in plan if re.search(r"Seq Scan|Sort", step)], "\n".join([name, *plan])
