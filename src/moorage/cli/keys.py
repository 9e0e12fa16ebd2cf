"""`moorage keys`: API keys, in the database, because no API key exists at first."""

import re
from contextlib import closing
from datetime import UTC, datetime

import click

from moorage import clock
from moorage.cli.options import output_option, secret_keys, setting
from moorage.cli.output import echo, new_table, one_line, print_data, print_table
from moorage.core.access import DEFAULT_SCOPES, ApiKey, Scope
from moorage.core.times import iso
from moorage.registry.api_keys import create_api_key, get_api_key, revoke_api_key
from moorage.registry.projects import DEFAULT_PROJECT, get_project
from moorage.registry.write_context import WriteContext
from moorage.store.opening import open_existing, open_store

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_MICROSECONDS = 1_000_000


class Expiry(click.ParamType[int]):
    """`90d`, `12h`, or a point in time in ISO 8601; microseconds since 1970."""

    name = "WHEN"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it."""
        if isinstance(value, int):
            return value
        text = str(value).strip()
        try:
            if span := re.fullmatch(r"(\d{1,6})([smhdw])", text, re.ASCII):
                return clock.now_us() + int(span[1]) * _UNITS[span[2]] * _MICROSECONDS
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return max(0, int(moment.timestamp())) * _MICROSECONDS  # year 0 cannot be shown
        except (ValueError, OverflowError):
            self.fail(f"{text!r} is not a span like 90d or 12h, nor a time like 2027-01-31T12:00Z", param, ctx)


@click.group()
def keys() -> None:
    """Create, list and revoke API keys."""


@keys.command()
@click.argument("name")
@click.option("--project", default=DEFAULT_PROJECT, show_default=True, help="The project the key belongs to.")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice([scope.value for scope in Scope]),
    help="A scope of the key; may be repeated. Default: all scopes on deployments.",
)  # fmt: skip
@click.option("--expires", type=Expiry(), help="The expiry: 90d, 12h, or 2027-01-31T12:00Z. Default: never.")
@setting("database")
def create(name: str, project: str, scopes: tuple[str, ...], expires: int | None, database: str) -> None:
    """Create an API key and print its token.

    The token is printed only once, alone on standard output.
    """
    with closing(open_store(database, secret_keys=secret_keys())) as store:
        owner = get_project(store, project)
        created = store.run(create_api_key, owner.id, name, map(Scope, scopes or DEFAULT_SCOPES), expires)
    key = created.key
    echo(created.token)
    until = f" until {iso(key.expires_us)}" if key.expires_us else " without an expiry"
    scope_list = ", ".join(sorted(key.scopes))
    echo(f"Created the key {key.id} in the project {project}, valid{until}.\nScopes: {scope_list}", err=True)


@keys.command("list")
@output_option
@setting("database")
def list_(output: str, database: str) -> None:
    """List the API keys of all projects.

    Tokens are not stored, so none is shown.
    """
    with closing(open_existing(database)) as store:
        names = {project.id: project.name for project in store.projects()}
        with store.read() as reader:
            found, unreadable = reader.api_keys(), reader.unreadable_rows("api_key")
    for each in unreadable:
        text = f"Left out: API key {each.id} cannot be decoded: {each.reason}. To see what to do: moorage db check"
        echo(one_line(text, 1_000), err=True)
    rows = [
        {
            "id": key.id,
            "name": key.name,
            "project": names.get(key.project_id, key.project_id),
            "scopes": sorted(key.scopes),
            "status": _status(key),
            "created": iso(key.created_us),
            **({"expires": iso(key.expires_us)} if key.expires_us else {}),
        }
        for key in found
    ]
    if output != "table":
        print_data(rows, output)
        return
    table = new_table("id", "name", "project", "status", "expires", "scopes")
    for row in rows:
        scopes = " ".join(row["scopes"])
        cells = (row["id"], row["name"], row["project"], row["status"], row.get("expires", "never"), scopes)
        table.add_row(*map(str, cells))
    print_table(table)


@keys.command()
@click.argument("id_or_name")
@setting("database")
def revoke(id_or_name: str, database: str) -> None:
    """Revoke an API key, permanently."""
    with closing(open_existing(database, secret_keys())) as store:
        key = get_api_key(store, id_or_name)
        store.run(revoke_api_key, WriteContext(key.project_id), key.id)
    echo(f"Revoked {key.id} ({key.name}).", err=True)


def _status(key: ApiKey) -> str:
    if key.revoked_us is not None:
        return "revoked"
    return "expired" if key.expires_us is not None and key.expires_us <= clock.now_us() else "active"
