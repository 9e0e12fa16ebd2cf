"""`moorage projects`: on the database itself, as `moorage keys` is."""

import click

from moorage.cli.groups import Group
from moorage.cli.key_stores import existing_database
from moorage.cli.options import output_option, setting
from moorage.cli.output import echo, one_line, print_data, print_table
from moorage.cli.table import Column, new_table, when
from moorage.core.times import iso
from moorage.registry.projects import create_project


@click.group(cls=Group)
def projects() -> None:
    """Create and list projects.

    A project has its own deployments and API keys.
    """


@projects.command()
@click.argument("name")
@setting("database")
def create(name: str, database: str) -> None:
    """Create a project."""
    with existing_database(database) as store:
        project = store.run(create_project, name)
    echo(project.id)
    echo(f"Created the project {name}. To create a key: moorage keys create NAME --project {name}", err=True)


@projects.command("list")
@output_option
@setting("database")
def list_(output: str, database: str) -> None:
    """List the projects."""
    with existing_database(database) as store:
        found = store.projects()
        with store.read() as reader:
            unreadable = reader.unreadable_rows("project")
    for each in unreadable:
        text = f"Left out: project {each.id} cannot be decoded: {each.reason}. To see what to do: moorage db check"
        echo(one_line(text, 1_000), err=True)
    rows = [{"id": project.id, "name": project.name, "created": iso(project.created_us)} for project in found]
    if output != "table":
        print_data(rows, output)
        return
    table = new_table("name", Column("id", drop=1), "created")
    for row in rows:
        table.add_row(row["name"], row["id"], when(row["created"]))
    print_table(table)
