"""`moorage deployments get-config|explain|simulate`: resolve a configuration, and explain its routing."""

from typing import Any

import click
import msgspec

from moorage.cli.client import Client, deployment_path
from moorage.cli.options import context_option, input_option, key_argument, output_option, setting
from moorage.cli.output import echo, one_line, pluralize, print_data, print_table, print_text
from moorage.cli.responses import ConfigReply
from moorage.cli.routing_responses import Explanation, Simulation
from moorage.cli.table import Column, new_table
from moorage.core.deployments.ids import check_key_or_id
from moorage.documents.read import read_one, read_values
from moorage.documents.yaml import dump_yaml


@click.command("get-config")
@key_argument
@input_option
@context_option
@output_option
@setting("url")
def get_config(key_or_id: str, input: dict[str, Any], context: dict[str, Any], output: str, url: str) -> None:  # noqa: A002 -- the option's name
    """Show what to send to the model."""
    body = {"key": check_key_or_id(key_or_id), "inputs": input, "context": context}
    reply = Client.from_environment(url).send("POST", "/v2/deployments/get_config", ConfigReply, body)
    if output != "table":
        print_data(reply.plain(), output)
        return
    details = new_table("field", Column("value", is_wrapped=True))
    for name in ("deployment", "version", "variant", "reason"):
        details.add_row(name, one_line(reply.header(f"x-moorage-{name}"), 120))
    if missing := reply.value.missing_inputs:
        details.add_row("missing inputs", one_line(", ".join(missing), 120))
    print_table(details)
    print_text("")
    config = {name: value for name, value in reply.plain().items() if name not in ("id", "version", "missing_inputs")}
    print_text(dump_yaml(config).rstrip())


@click.command()
@key_argument
@context_option
@output_option
@setting("url")
def explain(key_or_id: str, context: dict[str, Any], output: str, url: str) -> None:
    """Explain which variant a context gets."""
    path = f"{deployment_path(key_or_id)}/explain"
    reply = Client.from_environment(url).send("POST", path, Explanation, {"context": context})
    if output != "table":
        print_data(reply.plain(), output)
        return
    result = reply.value
    rows = new_table("rule", "variant", "matched", Column("explanation", is_wrapped=True))
    for rule in result.rules:
        cells = (rule.rule, rule.variant, "yes" if rule.matched else "no", rule.explanation)
        rows.add_row(*(one_line(cell, 120) for cell in cells))
    print_table(rows)
    variant, reason, version = map(one_line, (result.variant, result.reason, result.version))
    echo(f"{variant}, by rule {result.rule} ({reason}) of version {version}.")


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
    reply = Client.from_environment(url).send("POST", f"{deployment_path(document.key)}/simulate", Simulation, body)
    if output != "table":
        print_data(reply.plain(), output)
        return
    changed = reply.value.changed
    if changed:
        rows = new_table("before", "after", Column("context", is_cut=True))
        for change in changed:
            context = msgspec.json.encode(change.context).decode()
            rows.add_row(*(one_line(cell, 120) for cell in (change.before.variant, change.after.variant, context)))
        print_table(rows)
    echo(f"{pluralize(len(changed), 'context')} would change, {reply.value.unchanged} would not.")


COMMANDS = (get_config, explain, simulate)
