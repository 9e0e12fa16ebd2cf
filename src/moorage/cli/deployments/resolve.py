"""`moorage deployments get-config|explain|simulate`: resolve a configuration, and explain its routing."""

from typing import Any

import click
import msgspec

from moorage.cli.client import Client, deployment_path
from moorage.cli.environment_options import environment_of, environment_option
from moorage.cli.options import context_option, input_option, key_argument, output_option, setting
from moorage.cli.output import echo, one_line, pluralize, print_data, print_paragraph, print_table, print_text
from moorage.cli.problems import print_context_warning
from moorage.cli.responses import ConfigReply
from moorage.cli.routing_responses import Explanation, Simulation
from moorage.cli.table import Column, new_table
from moorage.core.deployments.ids import check_key_or_id
from moorage.core.environments import PRODUCTION
from moorage.documents.read import read_one, read_values
from moorage.documents.yaml import dump_yaml

#: The source of the environment of a request -> why it is chosen, in terms of the command line.
_BECAUSE = {"parameter": "--environment names it", "key": "the API key is bound to it"}


@click.command("get-config")
@key_argument
@input_option
@context_option
@environment_option
@output_option
@setting("url")
def get_config(
    *,
    key_or_id: str,
    input: dict[str, Any],  # noqa: A002 -- the option's name
    context: dict[str, Any],
    environment: str | None,
    output: str,
    url: str,
) -> None:
    """Show what to send to the model."""
    body, query = {"key": check_key_or_id(key_or_id), "inputs": input, "context": context}, {"environment": environment}
    reply = Client.from_environment(url).send("POST", "/v2/deployments/get_config", ConfigReply, body, query)
    print_context_warning(reply.find_header("X-Moorage-Warning"))
    if output != "table":
        print_data(reply.plain(), output)
        return
    details = new_table("field", Column("value", is_wrapped=True))
    for name in ("deployment", "version", "variant", "reason"):
        details.add_row(name, one_line(reply.header(f"x-moorage-{name}"), 120))
    if environment_of(reply) != PRODUCTION:
        details.add_row("environment", environment_of(reply))
    if missing := reply.value.missing_inputs:
        details.add_row("missing inputs", one_line(", ".join(missing), 120))
    print_table(details)
    print_text("")
    config = {name: value for name, value in reply.plain().items() if name not in ("id", "version", "missing_inputs")}
    print_text(dump_yaml(config).rstrip())


@click.command()
@key_argument
@context_option
@environment_option
@output_option
@setting("url")
def explain(key_or_id: str, context: dict[str, Any], environment: str | None, output: str, url: str) -> None:
    """Explain which variant a context gets."""
    path, query = f"{deployment_path(key_or_id)}/explain", {"environment": environment}
    reply = Client.from_environment(url).send("POST", path, Explanation, {"context": context}, query)
    print_context_warning(reply.find_header("X-Moorage-Warning"))
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
    chosen = result.environment
    if chosen is not None and (chosen.name != PRODUCTION or chosen.source != "default"):
        follows = ", and the deployment follows production there" if chosen.follows else ""
        because = _BECAUSE.get(chosen.source, chosen.because)
        echo(f"The environment is {one_line(chosen.name)}, because {one_line(because, 400)}{follows}.")
    for warning in result.warnings:
        print_paragraph(f"warning: {warning.path}: {warning.message}", fg="yellow", err=True)


@click.command("simulate")
@click.argument("file", metavar="FILE")
@click.argument("contexts", metavar="CONTEXTS")
@environment_option
@output_option
@setting("url")
def simulate(file: str, contexts: str, environment: str | None, output: str, url: str) -> None:
    """Show the effect of another routing table.

    Lists the contexts in CONTEXTS (YAML, JSON or JSONL) that would get another variant from the deployment in FILE.
    """
    document, values = read_one(file), read_values(contexts)
    body = {"contexts": values, **{name: document.body.get(name, []) for name in ("routing", "variants")}}
    path, query = f"{deployment_path(document.key)}/simulate", {"environment": environment}
    reply = Client.from_environment(url).send("POST", path, Simulation, body, query)
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
