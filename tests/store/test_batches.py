"""Large results are read from PostgreSQL in batches, of few rows if the rows are large."""

import tracemalloc

import pytest

from moorage.store.postgres.connections import Connection
from moorage.store.postgres.queries import Queries, next_count
from tests.support.postgres import sql
from tests.support.registry import create_project, put
from tests.support.server import a_body
from tests.support.stores import Database

#: Inserts cases 1 to n; the size of a body in characters is an expression of the number of the case.
_INSERT = """INSERT INTO try_case (deployment_id, name, body)
    SELECT (SELECT id FROM deployment), to_char(n, '00000'), repeat('x', {size}) FROM generate_series(1, {n}) AS n"""


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 23, 24, 25, 1_500])
@pytest.mark.parametrize("size", ["1", "CASE n % 40 WHEN 0 THEN 1500000 ELSE 10 END", "n * 100"])
def test_each_row_of_a_large_result_is_read_once(postgresql: Database, count: int, size: str) -> None:
    store = postgresql.store()
    put(store, create_project(store, "p").id, "a", a_body())
    sql(postgresql.url, _INSERT.format(size=size, n=count))

    with Connection.connect(postgresql.url) as connection, connection.transaction():
        names = [int(row[1]) for row in Queries().stream(connection, "every_case", {})]

    assert names == list(range(1, count + 1))


@pytest.mark.parametrize(
    ("count", "size", "expected"),
    [(8, 0, 16), (128, 0, 128), (128, 700_000, 128), (128, 128 * 1_048_576, 1), (8, 2 * 1_048_576, 4), (1, 10**9, 1)],
)
def test_a_batch_has_fewer_rows_after_large_ones(count: int, size: int, expected: int) -> None:
    assert next_count(count, size) == expected


def test_many_large_rows_are_not_decoded_at_once(postgresql: Database) -> None:
    megabyte = 1_000_000
    store = postgresql.store()
    project_id = create_project(store, "p").id
    put(store, project_id, "a", a_body())
    sql(postgresql.url, _INSERT.format(size="CASE WHEN n < 600 THEN 10 ELSE 1000000 END", n=660))

    tracemalloc.start()
    with Connection.connect(postgresql.url) as connection, connection.transaction():
        sizes = [len(str(row[2])) for row in Queries().stream(connection, "every_case", {})]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sum(sizes) > 60 * megabyte
    assert peak < 5 * megabyte
