"""How the queries find what they look for: by an index, however long the tables are."""

import re
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from moorage.store.queries import load_queries
from tests.support.stores import a_store

#: These read a whole table, or sort a few rows, because that is what they are for.
WHOLE = {"projects", "deployments", "ledger", "api_keys", "find_tombstone"}

QUERIES = load_queries()


@pytest.mark.parametrize("name", sorted(set(QUERIES) - WHOLE))
def test_no_query_reads_more_rows_than_it_needs(folder: Path, name: str) -> None:
    a_store(folder).close()
    with closing(apsw.Connection(str(folder / "moorage.db"))) as connection:
        parameters = dict.fromkeys(re.findall(r":(\w+)", QUERIES[name]), 1)
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {QUERIES[name]}", parameters)]

    assert not [step for step in plan if re.search(r"SCAN (?!CONSTANT)|TEMP B-TREE", step)], plan
