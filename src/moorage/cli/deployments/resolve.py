"""`moorage deployments get-config|explain|simulate`: resolve a configuration, and explain its routing."""

from typing import Any

import click
import msgspec
from rich.text import Text

from moorage.cli.client import Client, deployment_path
from moorage.cli.options import Decorator, key_argument, output_option, setting
from moorage.cli.output import new_console, new_table, one_line, pluralize, print_data
from moorage.documents.read import read_one, read_values
from moorage.documents.yaml import dump_yaml


def _pair(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> dict[str, Any]:
    """Return `name=text` and `name:=JSON` pairs as an object."""
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name.removesuffix(":"):
            raise click.BadParameter(f"{text!r} must have the form NAME=TEXT or NAME:=JSON", ctx, param)
        try:
            found[name.removesuffix(":")] = msgspec.json.decode(value) if name.endswith(":") else value
        except msgspec.DecodeError as error:
            raise click.BadParameter(
                f"in {text!r}, {value!r} is not JSON; for text, use NAME=TEXT", ctx, param
            ) from error
    return found


def _pairs(name: str, meaning: str) -> Decorator:
    text = f"{meaning}: NAME=TEXT, or NAME:=JSON for a number, true, false or a list. May be repeated."
    return click.option(f"--{name}", multiple=True, callback=_pair, metavar="NAME=TEXT", help=text)


_context = _pairs("context", "An attribute for routing")


@click.command("get-config")
@key_argument
@_pairs("input", "The value of a variable")
@_context
@output_option
@setting("url")
def get_config(key_or_id: str, input: dict[str, Any], context: dict[str, Any], output: str, url: str) -> None:  # noqa: A002 -- the option's name
    """Show what to send to the model."""
    body = {"key": key_or_id, "inputs": input, "context": context}
    reply = Client.from_environment(url).post("/v2/deployments/get_config", body)
    if output != "table":
        print_data(reply.value, output)
        return
    details = new_table("field", "value")
    for name in ("deployment", "version", "variant", "reason"):
        details.add_row(name, Text(one_line(reply.headers[f"x-moorage-{name}"], 120)))
    if missing := reply.value.get("missing_inputs"):
        details.add_row("missing inputs", Text(one_line(", ".join(missing), 120)))
    console = new_console()
    console.print(details)
    console.print()
    config = {name: value for name, value in reply.value.items() if name not in ("id", "version", "missing_inputs")}
    console.print(Text(dump_yaml(config).rstrip()))


@click.command()
@key_argument
@_context
@output_option
@setting("url")
def explain(key_or_id: str, context: dict[str, Any], output: str, url: str) -> None:
    """Explain which variant a context gets."""
    path = f"{deployment_path(key_or_id)}/explain"
    result = Client.from_environment(url).send("POST", path, {"context": context})
    if output != "table":
        print_data(result, output)
        return
    rows = new_table("rule", "variant", "matched", "explanation")
    for rule in result["rules"]:
        cells = (rule["rule"], rule["variant"], "yes" if rule["matched"] else "no", rule["explanation"])
        rows.add_row(*(Text(one_line(cell, 120)) for cell in cells))
    new_console().print(rows)
    click.echo(f"{result['variant']}, by rule {result['rule']} ({result['reason']}) of version {result['version']}.")


@click.command("simulate")
@click.argument("file", metavar="FILE")
@click.argument("contexts", metavar="CONTEXTS")
@output_option
@setting("url")
def simulate(file: str, contexts: str, output: str, url: str) -> None:
    """Show the effect of another routing table.

    Lists the contexts in CONTEXTS (YAML, JSON or JSONL) that would get another variant from the deployment in FILE.
    """
    document, values = read_one(file), read_values(contexts)
    body = {"contexts": values, **{name: document.body.get(name, []) for name in ("routing", "variants")}}
    result = Client.from_environment(url).send("POST", f"{deployment_path(document.key)}/simulate", body)
    if output != "table":
        print_data(result, output)
        return
    if result["changed"]:
        rows = new_table("before", "after", "context")
        for change in result["changed"]:
            context = msgspec.json.encode(change["context"]).decode()
            cells = (change["before"]["variant"], change["after"]["variant"], context)
            rows.add_row(*(Text(one_line(cell, 120)) for cell in cells))
        new_console().print(rows)
    click.echo(f"{pluralize(len(result['changed']), 'context')} would change, {result['unchanged']} would not.")


COMMANDS = (get_config, explain, simulate)
