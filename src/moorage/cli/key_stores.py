"""The API keys of a database, or of a server over HTTP, for `moorage keys`."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, Protocol

import click
import msgspec

from moorage import clock
from moorage.cli.client import Client
from moorage.cli.options import secret_keys
from moorage.cli.output import echo, one_line
from moorage.cli.responses import KeyItem, Page
from moorage.core.access import DEFAULT_SCOPES, ApiKey, ApiKeyItem, Scope
from moorage.core.compatibility.consumers import oldest_us
from moorage.core.environments import Environment, find_environment
from moorage.core.errors.api_keys import ApiKeyNotFound
from moorage.core.errors.storage import MISSING_FILE, InvalidDatabase
from moorage.core.times import iso
from moorage.registry.api_keys import create_api_key, get_api_key, revoke_api_key, rotate_api_key
from moorage.registry.projects import DEFAULT_PROJECT, get_project
from moorage.registry.write_context import WriteContext
from moorage.store.opening import open_existing
from moorage.store.store import Store

_NO_DATABASE = (
    "Start the server first (moorage serve), or set MOORAGE_DATABASE to its database. For a server elsewhere, set"
    " MOORAGE_URL, and MOORAGE_API_KEY to a key with the scope keys:admin."
)


class KeyRow(msgspec.Struct, frozen=True):
    """An API key as the command line shows it; `token` only after its creation or rotation."""

    id: str
    name: str
    project: str
    scopes: Sequence[str]
    status: str
    created: str
    environment: str = ""
    expires: str = ""
    last_used: str = ""
    token: str = ""

    def as_data(self) -> dict[str, Any]:
        """Return the fields for JSON and YAML."""
        fields = {name: getattr(self, name) for name in ("id", "name", "project", "scopes", "status", "created")}
        optional = {"environment": self.environment, "expires": self.expires, "last_used": self.last_used}
        return fields | {name: value for name, value in optional.items() if value}


class NewKey(msgspec.Struct, frozen=True):
    """The options of a new key. Without scopes, it gets the default ones."""

    name: str
    project: str | None
    environment: str | None
    scopes: Sequence[Scope]
    expires_us: int | None


class KeyStore(Protocol):
    """Where API keys are created, listed, rotated and revoked."""

    def create(self, new: NewKey) -> KeyRow:
        """Create a key."""
        ...

    def list(self) -> list[KeyRow]:
        """Return the keys."""
        ...

    def rotate(self, id_or_name: str) -> KeyRow:
        """Replace the token of a key."""
        ...

    def revoke(self, id_or_name: str) -> KeyRow:
        """Revoke a key."""
        ...


class DatabaseKeys:
    """The API keys of a database, of all projects."""

    def __init__(self, url: str) -> None:
        self._url = url

    def create(self, new: NewKey) -> KeyRow:
        """Create a key."""
        with existing_database(self._url) as store:
            owner = get_project(store, new.project or DEFAULT_PROJECT)
            environment_id = None
            if new.environment is not None:
                with store.read() as reader:
                    environment_id = find_environment(reader.environments(owner.id), new.environment).id
            created = store.run(
                create_api_key, owner.id, new.name, new.scopes or DEFAULT_SCOPES, new.expires_us,
                environment_id=environment_id,
            )  # fmt: skip
        return msgspec.structs.replace(
            _row(created.key, owner.name), token=created.token, environment=new.environment or ""
        )

    def list(self) -> list[KeyRow]:
        """Return the keys, and print those that cannot be decoded on standard error."""
        with existing_database(self._url) as store:
            names = {project.id: project.name for project in store.projects()}
            with store.read() as reader:
                found, unreadable = reader.api_keys(), reader.unreadable_rows("api_key")
                last_us = reader.last_uses(oldest_us(clock.now_us()))
                bound = {each: reader.find_environment(each) for each in {key.environment_id for key in found} if each}
        for each in unreadable:
            text = f"Left out: API key {each.id} cannot be decoded: {each.reason}. To see what to do: moorage db check"
            echo(one_line(text, 1_000), err=True)
        rows = (_row(key, names.get(key.project_id, key.project_id), last_us.get(key.id)) for key in found)
        return [
            msgspec.structs.replace(row, environment=_name_of(bound.get(key.environment_id or "")))
            for key, row in zip(found, rows, strict=True)
        ]

    def rotate(self, id_or_name: str) -> KeyRow:
        """Replace the token of a key."""
        with existing_database(self._url) as store:
            key = get_api_key(store, id_or_name)
            rotated = store.run(rotate_api_key, WriteContext(key.project_id), key.id)
        return msgspec.structs.replace(_row(key, ""), token=rotated.token)

    def revoke(self, id_or_name: str) -> KeyRow:
        """Revoke a key."""
        with existing_database(self._url) as store:
            key = get_api_key(store, id_or_name)
            store.run(revoke_api_key, WriteContext(key.project_id), key.id)
        return _row(key, "")


class ServerKeys:
    """The API keys of a server, of the project of the own API key."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(self, new: NewKey) -> KeyRow:
        """Create a key."""
        if new.project is not None:
            raise click.UsageError(
                "--project needs --database: over HTTP, a key belongs to the project of your own key."
            )
        body: dict[str, Any] = {"name": new.name}
        if new.scopes:
            body["scopes"] = new.scopes
        if new.expires_us is not None:
            body["expires_at"] = iso(new.expires_us)
        if new.environment is not None:
            body["environment"] = new.environment
        return _row_of(self._client.send("POST", "/v2/api-keys", KeyItem, body).value, with_token=True)

    def list(self) -> list[KeyRow]:
        """Return the keys."""
        return [_row_of(item) for page in self._client.pages("/v2/api-keys", Page[KeyItem]) for item in page.value.data]

    def rotate(self, id_or_name: str) -> KeyRow:
        """Replace the token of a key."""
        path = f"/v2/api-keys/{self._find(id_or_name).id}/rotate"
        return _row_of(self._client.send("POST", path, KeyItem).value, with_token=True)

    def revoke(self, id_or_name: str) -> KeyRow:
        """Revoke a key."""
        row = self._find(id_or_name)
        self._client.send("DELETE", f"/v2/api-keys/{row.id}", KeyItem)
        return row

    def _find(self, id_or_name: str) -> KeyRow:
        """Return the key with an id or a name; a revoked one only by its id."""
        found = [row for row in self.list() if id_or_name in (row.id, row.name)]
        valid = [row for row in found if row.status != "revoked" or row.id == id_or_name]
        if not valid:
            raise ApiKeyNotFound(name=id_or_name[:200])
        if len(valid) > 1:
            ids = ", ".join(row.id for row in valid[:20])
            raise click.ClickException(f"Several keys are named {one_line(id_or_name)}: {ids}. Name one by its id.")
        return valid[0]


@contextmanager
def existing_database(url: str) -> Iterator[Store]:
    """Open a database; a missing one is not created, because a key in it would work nowhere.

    Raises:
        click.ClickException: there is no database.
    """
    try:
        store = open_existing(url, secret_keys())
    except InvalidDatabase as error:
        if error.fields["reason"] == MISSING_FILE:
            raise click.ClickException(f"{error} {_NO_DATABASE}") from error
        raise
    with closing(store):
        yield store


def _row(key: ApiKey, project: str, last_us: int | None = None) -> KeyRow:
    item = ApiKeyItem.of(key, clock.now_us(), last_us=last_us)
    return KeyRow(
        item.id, item.name, project, [*item.scopes], item.status, item.created, expires=item.expires_at or "",
        last_used=item.last_used or "",
    )  # fmt: skip


def _name_of(environment: Environment | None) -> str:
    """Return the name of the environment that a key is bound to, as it is shown."""
    if environment is None:
        return ""
    return environment.name if environment.deleted_us is None else f"{environment.name} (deleted)"


def _row_of(item: KeyItem, *, with_token: bool = False) -> KeyRow:
    token = item.token if with_token else ""
    return KeyRow(
        item.id, item.name, "", item.scopes, item.status, item.created, item.environment, item.expires_at,
        item.last_used, token,
    )  # fmt: skip
