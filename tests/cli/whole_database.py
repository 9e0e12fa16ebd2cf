"""A database that has something of everything, and how two of them are compared."""

import json
from collections.abc import Callable
from typing import Any

from moorage.core.access import DEFAULT_SCOPES, Scope
from moorage.core.history import Actor
from moorage.core.ownership import FREE, Terms
from moorage.registry.api_keys import create_api_key, revoke_api_key
from moorage.registry.deployments import delete_deployment, put_deployment
from moorage.registry.projects import create_project, get_project
from moorage.registry.purge import purge
from moorage.registry.versions import delete_version, publish_version, save_version, undo
from moorage.store.store import Store, Writable
from moorage.store.transaction import KeptAnswer
from moorage.store.whole import TABLES
from tests.cli.samples import TEXTS, everywhere, values
from tests.support.server import a_body
from tests.support.stores import create

BIG = "Größe 👋 " * 60_000


def put(store: Store, project_id: str, key: str, body: dict[str, Any], terms: Terms = FREE) -> None:
    """Put a deployment, as the operator."""
    put_deployment(store, project_id, key, json.dumps(body).encode(), Actor(reason="à propos"), terms)


def fill(store: Store, more: int = 0) -> None:
    """Projects, keys, versions, drafts, deleted and erased ones, answers, texts of all sorts and sizes; and `more`
    small deployments."""
    project, shop = get_project(store, "default").id, create_project(store, "läden").id
    for name, texts in TEXTS.items():
        put(store, project, f"texts-{name.replace(' ', '_')}", everywhere("\u2063".join(texts)))
    put(store, project, "values", values())
    put(store, shop, "big", a_body(messages=[{"role": "user", "content": BIG}]))
    put(store, shop, "kept-in-a-file", a_body(), Terms(file="deployments/kept.yaml"))
    for number in range(5):
        put(store, shop, "answers", a_body(messages=[{"role": "user", "content": f"{number}"}]))
    draft = {"prompt_config": a_body(model="other")["prompt_config"], "version_bump": "major", "notes": "später"}
    save_version(store, shop, "answers", json.dumps(draft).encode(), Actor())
    publish_version(store, shop, "answers", "1.1", b"", Actor())
    undo(store, shop, "answers", b"", Actor())
    put(store, shop, "erased", everywhere("secret"))
    delete_deployment(store, shop, "erased", Actor())
    delete_version(store, shop, "answers", "1.2", Actor())
    purge(store, 0)
    put(store, project, "gone", a_body())
    delete_deployment(store, project, "gone", Actor())
    put(store, project, "gone", a_body())
    delete_version(store, shop, "answers", "1.3", Actor())
    create_api_key(store, shop, "für immer", DEFAULT_SCOPES)
    create_api_key(store, project, "soon over", list(Scope), store.now_us() + 10**12)
    key, _ = create_api_key(store, project, "over", [Scope.READ])
    revoke_api_key(store, key.id)
    with store.write() as write:
        write.keep_answer(shop, "schlüssel", KeptAnswer("00" * 32, 201, {"ETag": '"1-é"'}, '{"a": "ü"}'))
    store.write_together([_creation(project, f"d{number}") for number in range(more)])


def contents(store: Store) -> dict[str, Any]:
    """All that is kept, and the revision, but for the epoch."""
    with store.whole() as whole:
        found: dict[str, Any] = {table.name: sorted(whole.rows(table), key=repr) for table in TABLES}
        return found | {"rev": whole.rev, "last": whole.last_created_us, "hash": whole.ledger_hash}


def epoch(store: Store) -> str:
    """Which history it is."""
    with store.whole() as whole:
        return str(whole.epoch)


def _creation(project_id: str, key: str) -> Callable[[Writable], str]:
    return lambda at: create(at, project_id, key)
