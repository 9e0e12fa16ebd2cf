"""`moorage deployments list` and `show`: tables for people, JSON and YAML for programs."""

import json
from pathlib import Path

from moorage.documents.yaml import load_documents
from tests.support.program import moorage
from tests.support.server import Project, a_body


def test_the_table_shows_the_newest_first_and_the_option_for_the_next_page(project: Project, folder: Path) -> None:
    items = project.fill(3)

    result = moorage("deployments", "list", "--limit", "2", folder=folder, project=project)

    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0][:5] == ["key", "version", "provider", "model", "type"]
    assert [line[0] for line in lines[1:]] == ["d3", "d2"]
    assert f"--starting-after {items[1]['id']}" in result.stderr


def test_json_is_the_page_as_the_api_returns_it(project: Project, folder: Path) -> None:
    project.fill(3)

    result = moorage("deployments", "list", "-o", "json", folder=folder, project=project)

    assert json.loads(result.stdout) == project.page().json


def test_yaml_parses_to_the_page_of_the_api(project: Project, folder: Path) -> None:
    tricky = "no\n1e3 \ttab\n  indented\n\nlast: [x] # not a comment"
    project.put("a", a_body(messages=[{"role": "user", "content": tricky}], model="1e3"))

    result = moorage("deployments", "list", "-o", "yaml", folder=folder, project=project)

    assert load_documents(result.stdout) == [project.page().json]


def test_all_lists_every_page(project: Project, folder: Path) -> None:
    project.fill(120)

    result = moorage("deployments", "list", "--all", "-o", "json", folder=folder, project=project)

    assert [item["key"] for item in json.loads(result.stdout)["data"]] == [f"d{n}" for n in range(120, 0, -1)]


def test_the_filters_of_the_api_apply_to_one_page_and_to_all_pages(project: Project, folder: Path) -> None:
    project.fill(60)
    refunds = project.put(
        "refunds", {**a_body(provider="groq", model="m", model_type="ocr"), "description": "Only here"}
    ).json
    filters = {
        "--search": "ONLY here", "--provider": "groq", "--model": "m", "--model-type": "ocr",
        "--updated-since": refunds["updated"],
    }  # fmt: skip

    for name, value in filters.items():
        result = moorage("deployments", "list", name, value, "-o", "json", folder=folder, project=project)
        assert [item["key"] for item in json.loads(result.stdout)["data"]] == ["refunds"], name
    no_match = ("--all", "--search", "only here", "--provider", "openai")
    none = moorage("deployments", "list", *no_match, folder=folder, project=project)
    many = moorage("deployments", "list", "--all", "--provider", "openai", "-o", "json", folder=folder, project=project)
    wrong = moorage("deployments", "list", "--model-type", "chatt", folder=folder, project=project)

    assert none.stdout == "No deployments match.\n"
    assert len(json.loads(many.stdout)["data"]) == 60
    assert "Did you mean 'chat'?" in wrong.stderr


def test_cursors_page_in_both_directions(project: Project, folder: Path) -> None:
    items = project.fill(5)

    older = moorage("deployments", "list", "--starting-after", items[2]["id"], folder=folder, project=project)
    newer = moorage("deployments", "list", "--ending-before", items[2]["id"], folder=folder, project=project)

    assert [line.split()[0] for line in older.stdout.splitlines()[1:]] == ["d2", "d1"]
    assert [line.split()[0] for line in newer.stdout.splitlines()[1:]] == ["d5", "d4"]


def test_show_prints_every_field(project: Project, folder: Path) -> None:
    item = project.put("support_bot").json

    table = moorage("deployments", "show", "support_bot", folder=folder, project=project)
    as_json = moorage("deployments", "show", item["id"], "-o", "json", folder=folder, project=project)

    assert json.loads(as_json.stdout) == item
    assert all(text in table.stdout for text in (item["id"], "Answers refunds", "You help customers."))


def test_an_unknown_key_is_an_error(project: Project, folder: Path) -> None:
    for key in ("nothing", "a/b", "../..", "?x", ""):
        result = moorage("deployments", "show", key, folder=folder, project=project)

        assert result.returncode == 1, key
        assert result.stderr.startswith("Error: "), key


def test_control_characters_are_not_printed(project: Project, folder: Path) -> None:
    project.put("a", a_body() | {"description": "\x1b[2Jgone\x07\x9b31m [red]markup[/red]"})

    result = moorage("deployments", "list", folder=folder, project=project)

    assert not any(character in result.stdout for character in "\x1b\x07\x9b")
    assert "[red]markup[/red]" in result.stdout


def test_the_list_of_an_empty_project_suggests_apply(project: Project, folder: Path) -> None:
    result = moorage("deployments", "list", folder=folder, project=project)

    assert "moorage apply" in result.stdout
