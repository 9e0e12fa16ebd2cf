"""`moorage keys`: API keys, in the database or over HTTP."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import update_wrapper
from typing import Any

import click

from moorage import clock
from moorage.cli.client import Client
from moorage.cli.environment_options import complete_environment
from moorage.cli.groups import Group
from moorage.cli.key_stores import DatabaseKeys, KeyStore, NewKey, ServerKeys
from moorage.cli.options import is_chosen, output_option, setting
from moorage.cli.output import echo, print_data, print_table
from moorage.cli.profile import read_profile
from moorage.cli.table import Column, new_table, when
from moorage.core.access import Scope

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


@click.group(cls=Group)
def keys() -> None:
    """Create, list, rotate and revoke API keys.

    With MOORAGE_URL or a profile, these commands use that server and a key with the scope keys:admin, for its project.
    With --database or MOORAGE_DATABASE, or without any of them, they use the database of the server on this machine.
    """


def _chosen_store(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--database` and `--url` to a command, and pass it the `KeyStore` that they choose."""

    @click.pass_context
    def run(ctx: click.Context, /, database: str, url: str, **options: Any) -> None:
        command(_key_store(ctx, database, url), **options)

    return setting("database")(setting("url")(update_wrapper(run, command)))


def _key_store(ctx: click.Context, database: str, url: str) -> KeyStore:
    is_remote = not is_chosen(ctx, "database") and (is_chosen(ctx, "url") or read_profile() is not None)
    client = Client.find(url) if is_remote else None  # without an API key, nobody can create one over HTTP
    return DatabaseKeys(database) if client is None else ServerKeys(client)


@keys.command()
@click.argument("name")
@click.option("--project", help="The project the key belongs to.  [default: default; with MOORAGE_URL, your own]")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice([scope.value for scope in Scope]),
    help="A scope of the key; may be repeated. Default: read, write, publish and invoke deployments.",
)  # fmt: skip
@click.option(
    "--environment", metavar="NAME", shell_complete=complete_environment,
    help="The environment the key is bound to. Default: none, so each request names one, or is about production.",
)  # fmt: skip
@click.option("--expires", type=Expiry(), help="The expiry: 90d, 12h, or 2027-01-31T12:00Z. Default: never.")
@_chosen_store
def create(
    store: KeyStore,
    name: str,
    project: str | None,
    scopes: tuple[str, ...],
    environment: str | None,
    expires: int | None,
) -> None:
    """Create an API key and print its token.

    The token is printed only once, alone on standard output. A key with --environment reads and changes that
    environment only. The scope deployments:approve belongs on the keys of persons, deployments:emergency makes changes
    without approvals, and environments:admin changes the settings of environments.
    """
    created = store.create(NewKey(name, project, environment, [Scope(scope) for scope in scopes], expires))
    echo(created.token)
    until = f" until {created.expires}" if created.expires else " without an expiry"
    place = f" in the project {created.project}" if created.project else ""
    bound = f", bound to the environment {environment}" if environment else ""
    shown = f"Created the key {created.id}{place}{bound}, valid{until}.\nScopes: {', '.join(created.scopes)}"
    echo(shown, err=True)


@keys.command("list")
@output_option
@_chosen_store
def list_(store: KeyStore, output: str) -> None:
    """List API keys with their scopes and last use.

    They are those of all projects, or of your own with MOORAGE_URL.

    Tokens are not stored, so none is shown. A key was last used when it got or reported a configuration (in the last 30
    days), or made one of the last 10,000 writes.
    """
    rows = store.list()
    if output != "table":
        print_data([row.as_data() for row in rows], output)
        return
    bound = [Column("environment", is_cut=True)] if any(row.environment for row in rows) else []
    table = new_table(
        "id", Column("name", is_cut=True), Column("project", drop=2, is_cut=True), *bound, "status",
        Column("last used", drop=4), Column("expires", drop=3), Column("scopes", drop=1, is_wrapped=True),
    )  # fmt: skip
    for row in rows:
        last_used, expires = when(row.last_used) if row.last_used else "-", row.expires or "never"
        environment = [row.environment or "-"] if bound else []
        table.add_row(
            row.id, row.name, row.project or "-", *environment, row.status, last_used, expires, " ".join(row.scopes)
        )
    print_table(table)


@keys.command()
@click.argument("id_or_name")
@_chosen_store
def rotate(store: KeyStore, id_or_name: str) -> None:
    """Replace the token of an API key.

    The key keeps its id, name, scopes and expiry. The old token is invalid at once; the new one is printed only once,
    alone on standard output.
    """
    rotated = store.rotate(id_or_name)
    echo(rotated.token)
    echo(f"Rotated {rotated.id} ({rotated.name}). Its old token is invalid.", err=True)


@keys.command()
@click.argument("id_or_name")
@_chosen_store
def revoke(store: KeyStore, id_or_name: str) -> None:
    """Revoke an API key, permanently."""
    revoked = store.revoke(id_or_name)
    echo(f"Revoked {revoked.id} ({revoked.name}).", err=True)
