"""`moorage deployments config|explain|what-if`: what a deployment answers, and why."""

from typing import Any

import click
import msgspec
from rich.text import Text

from moorage.cli import screen, yaml_text
from moorage.cli.client import Client, deployment_path
from moorage.cli.documents import read_one, read_values
from moorage.cli.options import Decorator, key_argument, output_option, setting


def _pair(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> dict[str, Any]:
    """`name=text` and `name:=JSON` as an object."""
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name.removesuffix(":"):
            raise click.BadParameter(f"{text!r} is neither NAME=TEXT nor NAME:=JSON", ctx, param)
        try:
            found[name.removesuffix(":")] = msgspec.json.decode(value) if name.endswith(":") else value
        except msgspec.DecodeError as error:
            raise click.BadParameter(
                f"in {text!r}, {value!r} is no JSON; text is given as NAME=TEXT", ctx, param
            ) from error
    return found


def _pairs(name: str, meaning: str) -> Decorator:
    shown = f"{meaning}; NAME=TEXT, or NAME:=JSON for a number, true, false or a list. May be repeated."
    return click.option(f"--{name}", multiple=True, callback=_pair, metavar="NAME=TEXT", help=shown)


_context = _pairs("context", "An attribute that routing chooses by")


@click.command()
@key_argument
@_pairs("input", "The value of a variable")
@_context
@output_option
@setting("url")
def config(key_or_id: str, input: dict[str, Any], context: dict[str, Any], output: str, url: str) -> None:  # noqa: A002 -- the option's name
    """Show what to send to the model, for inputs and a context."""
    body = {"key": key_or_id, "inputs": input, "context": context}
    reply = Client.from_environment(url).post("/v2/deployments/get_config", body)
    if output != "table":
        screen.print_data(reply.value, output)
        return
    details = screen.table("field", "value")
    for name in ("deployment", "version", "variant", "reason"):
        details.add_row(name, Text(screen.cell(reply.headers[f"x-moorage-{name}"], 120)))
    if missing := reply.value.get("missing_inputs"):
        details.add_row("missing inputs", Text(screen.cell(", ".join(missing), 120)))
    console = screen.console()
    console.print(details)
    console.print()
    sent = {name: value for name, value in reply.value.items() if name not in ("id", "version", "missing_inputs")}
    console.print(Text(yaml_text.dump(sent).rstrip()))


@click.command()
@key_argument
@_context
@output_option
@setting("url")
def explain(key_or_id: str, context: dict[str, Any], output: str, url: str) -> None:
    """Show which variant a context gets, and what each row of the routing table makes of it."""
    path = f"{deployment_path(key_or_id)}/explain"
    told = Client.from_environment(url).send("POST", path, {"context": context})
    if output != "table":
        screen.print_data(told, output)
        return
    rows = screen.table("row", "variant", "matched", "because")
    for row in told["rows"]:
        cells = (row["row"], row["variant"], "yes" if row["matched"] else "no", row["because"])
        rows.add_row(*(Text(screen.cell(cell, 120)) for cell in cells))
    screen.console().print(rows)
    click.echo(f"{told['variant']}, by row {told['row']} ({told['reason']}) of version {told['version']}.")


@click.command("what-if")
@click.argument("file", metavar="FILE")
@click.argument("contexts", metavar="CONTEXTS")
@output_option
@setting("url")
def what_if(file: str, contexts: str, output: str, url: str) -> None:
    """Show which contexts in CONTEXTS (YAML, JSON or JSONL) would get another variant from the deployment in FILE."""
    document, values = read_one(file), read_values(contexts)
    body = {"contexts": values, **{name: document.body.get(name, []) for name in ("routing", "variants")}}
    told = Client.from_environment(url).send("POST", f"{deployment_path(document.key)}/what-if", body)
    if output != "table":
        screen.print_data(told, output)
        return
    if told["moves"]:
        rows = screen.table("before", "after", "context")
        for move in told["moves"]:
            context = msgspec.json.encode(move["context"]).decode()
            cells = (move["before"]["variant"], move["after"]["variant"], context)
            rows.add_row(*(Text(screen.cell(cell, 120)) for cell in cells))
        screen.console().print(rows)
    click.echo(f"{screen.counting(len(told['moves']), 'context')} would move, {told['unchanged']} would not.")


COMMANDS = (config, explain, what_if)
