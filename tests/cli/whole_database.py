"""A database with every kind of row, and the comparison of two databases."""

from functools import partial
from typing import Any

from moorage.core.access import DEFAULT_SCOPES, Scope
from moorage.core.deployments.ownership import WriteOptions
from moorage.registry.projects import get_project
from moorage.store.result_writes import StoredResult
from moorage.store.store import Store
from moorage.store.transfer.dump import TABLES
from tests.cli.samples import TEXTS, body_with_text, body_with_values
from tests.support import registry
from tests.support.environments import fill_with_environments
from tests.support.server import a_body
from tests.support.stores import insert

BIG = "Größe 👋 " * 60_000

put = partial(registry.put, reason="à propos")


def fill(store: Store, extra: int = 0) -> None:
    """Create every kind of row, texts of all kinds and sizes, and `extra` small deployments.

    The rows are projects, keys, versions, drafts, deleted and purged objects, environments with their live versions and
    proposals, and stored results.
    """
    project, shop = get_project(store, "default").id, registry.create_project(store, "läden").id
    for name, texts in TEXTS.items():
        put(store, project, f"texts-{name.replace(' ', '_')}", body_with_text("\u2063".join(texts)))
    put(store, project, "values", body_with_values())
    put(store, shop, "big", a_body(messages=[{"role": "user", "content": BIG}]))
    put(store, shop, "managed-by-a-file", a_body(), WriteOptions(file="deployments/managed.yaml"))
    for number in range(5):
        put(store, shop, "answers", a_body(messages=[{"role": "user", "content": f"{number}"}]))
    draft = {"prompt_config": a_body(model="other")["prompt_config"], "version_bump": "major", "notes": "später"}
    registry.save(store, shop, "answers", draft)
    registry.publish(store, shop, "answers", "1.1")
    registry.undo(store, shop, "answers")
    put(store, shop, "purged", body_with_text("secret"))
    registry.delete(store, shop, "purged")
    registry.delete_version(store, shop, "answers", "1.2")
    registry.purge(store, 0)
    put(store, project, "gone", a_body())
    registry.delete(store, project, "gone")
    put(store, project, "gone", a_body())
    registry.delete_version(store, shop, "answers", "1.3")
    registry.fill_with_integrations(store, project)
    fill_with_environments(store, shop)
    registry.create_api_key(store, shop, "für immer", DEFAULT_SCOPES)
    registry.create_api_key(store, project, "soon over", list(Scope), store.now_us() + 10**12)
    key, _ = registry.create_api_key(store, project, "over", [Scope.READ])
    registry.revoke_api_key(store, key.id)
    with store.write() as tx:
        tx.insert_result(shop, "schlüssel", StoredResult("00" * 32, '{"a": "ü"}'))
    store.group_commit([partial(insert, project_id=project, key=f"d{number}") for number in range(extra)])


def contents(store: Store) -> dict[str, Any]:
    """Return all stored data except the epoch."""
    with store.dump() as dump:
        found: dict[str, Any] = {table.name: sorted(dump.rows(table), key=repr) for table in TABLES}
        return found | {"rev": dump.rev, "last": dump.last_created_us, "hash": dump.history_hash}


def epoch(store: Store) -> str:
    """Return the epoch of the database."""
    with store.dump() as dump:
        return str(dump.epoch)
