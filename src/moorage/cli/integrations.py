"""`moorage integrations`: connections to providers, over HTTP; `rotate-key` uses the database."""

import sys
from typing import Any

import click
import msgspec

from moorage.cli.client import Client, one_line
from moorage.cli.groups import Group
from moorage.cli.key_stores import existing_database
from moorage.cli.options import output_option, setting
from moorage.cli.output import echo, pluralize, print_data, print_done, print_table
from moorage.cli.responses import DeletedItem, IntegrationRow, Page, ProbeReply
from moorage.cli.table import Column, new_table, when
from moorage.core.deployments.ids import check_integration_name
from moorage.core.escaping import visible_line
from moorage.registry.integrations import rotate_key as rotate_key_of

#: The maximum size of credentials on standard input.
_MAX_STDIN = 65_536

_NOT_AN_ARGUMENT = (
    "Other users of this machine can read the arguments of a process, so there is no {name}. Use {instead}, as in:"
    " printenv OPENAI_API_KEY | moorage integrations set NAME --provider openai {instead}"
)


def _refuse(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None:
        instead = "--api-key-stdin" if param.name == "api_key" else "--credentials-stdin"
        raise click.UsageError(_NOT_AN_ARGUMENT.format(name=param.opts[0], instead=instead))


def _pairs(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Return options of the form `K=V`. An error does not have the value: it can be a secret."""
    found: dict[str, str] = {}
    for value in values:
        name, separator, text = value.partition("=")
        if not separator or not name:
            raise click.BadParameter("it must have the form NAME=VALUE", ctx, param)
        if name in found:
            raise click.BadParameter(f"{one_line(name)[:80]} occurs twice", ctx, param)
        found[name] = text
    return found


@click.group(cls=Group)
def integrations() -> None:
    """Connect providers, whose models the server calls.

    These commands need an API key with the scope integrations:admin. `rotate-key` uses the database.
    """


@integrations.command("set")
@click.argument("name")
@click.option("--provider", required=True, help="The provider, such as openai.")
@click.option("--base-url", help="The URL that replaces the provider's own.")
@click.option("--option", "options", multiple=True, metavar="K=V", callback=_pairs, help="An option; may be repeated.")
@click.option(
    "--header", "headers", multiple=True, metavar="K=V", callback=_pairs, help="A header; may be repeated. Is a secret."
)
@click.option("--api-key-stdin", is_flag=True, help="Read an API key from standard input, or ask for it.")
@click.option("--credentials-stdin", is_flag=True, help="Read a JSON object with credentials from standard input.")
@click.option("--api-key", hidden=True, expose_value=False, callback=_refuse)
@click.option("--credentials", hidden=True, expose_value=False, callback=_refuse)
@click.option("--reason", default="", help="The reason, for the history.")
@output_option
@setting("url")
def set_(
    name: str, *, api_key_stdin: bool, credentials_stdin: bool, reason: str, output: str, url: str, **fields: Any
) -> None:
    """Create or replace an integration.

    Without --api-key-stdin and --credentials-stdin, stored credentials are kept; without --header, stored headers are.
    Everything else is replaced.
    """
    path = _path(name)
    if api_key_stdin and credentials_stdin:
        raise click.UsageError("--api-key-stdin and --credentials-stdin exclude each other.")
    client = Client.from_environment(url)
    # Without a header, the stored ones are kept.
    body = {field: value for field, value in fields.items() if value not in (None, {})}
    body["reason"] = one_line(reason)
    if api_key_stdin:
        body["credentials"] = {"api_key": _read_stdin("API key")}
    elif credentials_stdin:
        body["credentials"] = _parse_credentials(_read_stdin("Credentials (JSON)"))
    stored = client.send("PUT", path, IntegrationRow, body)
    result = stored.header("X-Moorage-Result", ("created", "updated", "unchanged"))
    provider, url = map(visible_line, (stored.value.provider, stored.value.url))
    print_done(stored.plain(), output, f"{name}: {result}, {provider} at {url}")


@integrations.command("list")
@output_option
@setting("url")
def list_(output: str, url: str) -> None:
    """List integrations, also of the server's environment."""
    pages = list(Client.from_environment(url).pages("/v2/integrations", Page[IntegrationRow]))
    if output != "table":
        print_data([item for page in pages for item in page.plain()["data"]], output)
        return
    table = new_table(
        "name", "provider", Column("url", drop=2, is_cut=True), "status", Column("source", drop=3),
        Column("credentials", drop=1, is_cut=True), Column("updated", drop=4),
    )  # fmt: skip
    for row in (item for page in pages for item in page.value.data):
        shown = " ".join(f"{name}={value}" for name, value in (row.credentials or {}).items())
        cells = (row.name, row.provider, row.url, _status(row), row.source, shown or "-")
        table.add_row(*map(visible_line, cells), when(row.updated) if row.updated else "-")
    print_table(table)


@integrations.command()
@click.argument("name")
@output_option
@setting("url")
def show(name: str, output: str, url: str) -> None:
    """Show an integration, with its credentials masked."""
    found = Client.from_environment(url).get(_path(name), IntegrationRow)
    if output != "table":
        print_data(found.plain(), output)
        return
    table = new_table("field", Column("value", is_wrapped=True))
    for field, value in found.plain().items():
        for key, each in value.items() if isinstance(value, dict) else (("", value),):
            text = ", ".join(map(str, each)) if isinstance(each, list) else each
            table.add_row(visible_line(f"{field}.{key}" if key else field), visible_line("-" if text is None else text))
    print_table(table)


@integrations.command("test")
@click.argument("name")
@output_option
@setting("url")
def test_(name: str, output: str, url: str) -> None:
    """Test whether a provider accepts the credentials.

    The server sends it a request that costs nothing. The exit code is 1 if the provider cannot be called.
    """
    tested = Client.from_environment(url).call(f"{_path(name)}/test", ProbeReply)
    result = tested.value
    facts = [*([f"status {result.status}"] if result.status is not None else []), f"{result.milliseconds:.0f} ms"]
    state = f"{name}: {'ok' if result.ok else 'failed'} ({', '.join(facts)}), {visible_line(result.url)}"
    print_done(tested.plain(), output, f"{state}\n{visible_line(result.message)}")
    if not result.ok:
        sys.exit(1)


@integrations.command()
@click.argument("name")
@click.option("--reason", default="", help="The reason, for the history.")
@output_option
@setting("url")
def delete(name: str, reason: str, output: str, url: str) -> None:
    """Delete an integration with its credentials."""
    deleted = Client.from_environment(url).send(
        "DELETE", _path(name), DeletedItem, X_Moorage_Change_Reason=one_line(reason)
    )
    print_done(deleted.plain(), output, f"Deleted {name}, with its credentials.")


@integrations.command("rotate-key")
@setting("database")
def rotate_key(database: str) -> None:
    """Encrypt all credentials with the first secret key.

    Set MOORAGE_SECRET_KEY to the new key, a comma, and the old key; or write both into moorage.key. All credentials are
    encrypted again, or, if any cannot be read, none. Servers can run: start them with both keys before, and without the
    old key afterwards.
    """
    with existing_database(database) as store:
        rotated, others = store.run(rotate_key_of, store.key_ring)
        if not rotated and not others:
            echo("There are no encrypted credentials.")
            return
        key_id = store.key_ring.writing_key_id()
    echo(
        f"Encrypted {pluralize(rotated, 'integration')} again with the secret key {key_id}; {others} had it already."
        " No other key is needed any more, except for backups from before."
    )


def _path(name: str) -> str:
    return f"/v2/integrations/{check_integration_name(name)}"


def _status(row: IntegrationRow) -> str:
    return row.status if row.status != "unreadable" else f"unreadable, needs the secret key {row.key_id}"


def _read_stdin(what: str) -> str:
    """Return what is on standard input; on a terminal, ask for it without an echo."""
    if sys.stdin.isatty():
        return str(click.prompt(what, hide_input=True, err=True)).strip()
    data = sys.stdin.buffer.read(_MAX_STDIN + 1)
    if len(data) > _MAX_STDIN:
        raise click.ClickException(f"Standard input has more than {_MAX_STDIN} bytes; expected: {what}.")
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise click.ClickException(f"Standard input is not UTF-8; expected: {what}.") from None
    if not text:
        raise click.ClickException(f"Standard input is empty; expected: {what}.")
    return text


def _parse_credentials(text: str) -> dict[str, Any]:
    """Return a JSON object. An error does not have its text, which is a secret."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (ValueError, RecursionError):
        raise click.ClickException(
            'Standard input is not a JSON object with credentials, such as {"access_key_id": "…", "secret_access_key":'
            ' "…"}.'
        ) from None
