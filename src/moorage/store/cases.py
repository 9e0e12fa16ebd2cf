"""The cases with which versions are tried. No version depends on them, so no write of one has a revision."""

from contextlib import suppress

import msgspec

from moorage.core.deployments.cases import MAX_CASES, Case, CaseBody
from moorage.store.engine import Engine


class CaseTable:
    """The stored cases."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of_deployment(self, deployment_id: str) -> list[Case]:
        """Return the cases of a deployment by name, without those that another program damaged.

        Raises:
            StorageUnavailable
        """
        with self._engine.read() as stream:
            rows = list(stream("cases", deployment_id=deployment_id))
        found = []
        for name, text in rows:
            with suppress(msgspec.DecodeError, TypeError):
                body = msgspec.json.decode(text, type=CaseBody)
                found.append(Case(name=name, **msgspec.structs.asdict(body)))
        return found

    def put(self, deployment_id: str, name: str, body: bytes) -> bool:
        """Store a case, also in place of one with its name; return whether there was room for it.

        Raises:
            StorageFull, StorageUnavailable: nothing was stored.
        """
        with self._engine.write() as run:
            stored = run("put_case", deployment_id=deployment_id, name=name, body=body.decode(), maximum=MAX_CASES)
            return bool(list(stored))

    def delete(self, deployment_id: str, name: str) -> bool:
        """Delete a case; return whether there was one.

        Raises:
            StorageFull, StorageUnavailable: nothing was deleted.
        """
        with self._engine.write() as run:
            return bool(list(run("delete_case", deployment_id=deployment_id, name=name)))
