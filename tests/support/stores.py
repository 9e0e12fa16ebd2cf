"""A store in this process, with a clock that a test holds."""

from pathlib import Path

from moorage.core.deployment import FIRST_VERSION, Content
from moorage.core.history import Actor
from moorage.core.ids import new_id
from moorage.core.prompt_config import PromptConfig
from moorage.store.sqlite import SqliteEngine
from moorage.store.store import Store

CONTENT = Content.of(PromptConfig(model="m", model_type="chat", provider="openai"), [])


class Clock:
    """Nanoseconds since 1970, as the test sets them."""

    def __init__(self) -> None:
        self.now = 1_772_357_400_000_000_000

    def __call__(self) -> int:
        return self.now


def a_store(folder: Path, clock: Clock | None = None) -> Store:
    """A new store on a file in `folder`."""
    return Store(SqliteEngine(folder / "moorage.db"), clock or Clock())


def create(store: Store, project_id: str, key: str) -> str:
    """Insert one small deployment; its id."""
    version_id = new_id()
    with store.write() as write:
        deployment_id = write.insert_deployment(project_id, key, "", version_id)
        write.insert_version(version_id, deployment_id, FIRST_VERSION, CONTENT, Actor())
    return deployment_id


def delete(store: Store, deployment_id: str) -> None:
    """Leave a tombstone."""
    with store.write() as write:
        write.delete_deployment(deployment_id)
