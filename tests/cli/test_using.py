"""`moorage deployments get-config`, `explain` and `simulate`."""

import json
from pathlib import Path

import pytest

from moorage.documents.yaml import load_documents
from tests.support.program import moorage
from tests.support.server import Project, a_body

FILE = """
key: bot
prompt_config: &config
  model: openai/my-gpt
  model_type: chat
  provider: openai
  messages: [{ role: system, content: "Hi {{name}}, {{age}}{{gone}}" }]
variants:
  - { name: pro, prompt_config: *config }
routing:
  - { variant: pro, when: { age: { gte: 18 } } }
"""


@pytest.fixture
def applied(project: Project, folder: Path) -> Project:
    """Return a project to which `FILE` was applied."""
    (folder / "bot.yaml").write_text(FILE)
    assert moorage("apply", "bot.yaml", folder=folder, project=project).returncode == 0
    return project


def test_get_config_shows_the_configuration_with_its_version_variant_and_reason(applied: Project, folder: Path) -> None:
    arguments = ("--input", "name=Ada", "--input", "age:=42", "--context", "age:=42")

    result = moorage("deployments", "get-config", "bot", *arguments, folder=folder, project=applied)

    head, _, config = result.stdout.partition("\n\n")
    assert dict(line.split() for line in head.splitlines()[1:5]) == {
        "deployment": "bot", "version": "1.0", "variant": "pro", "reason": "rule",
    }  # fmt: skip
    assert head.splitlines()[5].split() == ["missing", "inputs", "gone"]
    assert load_documents(config)[0]["messages"] == [{"role": "system", "content": "Hi Ada, 42"}]


def test_get_config_as_json_equals_the_response_of_the_api(applied: Project, folder: Path) -> None:
    result = moorage("deployments", "get-config", "bot", "-o", "json", folder=folder, project=applied)

    response = applied.request("POST", "/v2/deployments/get_config", b'{"key": "bot"}')
    assert json.loads(result.stdout) == response.json


def test_explain_shows_each_rule_and_distinguishes_numbers_from_text(applied: Project, folder: Path) -> None:
    number = moorage("deployments", "explain", "bot", "--context", "age:=42", folder=folder, project=applied)
    text = moorage("deployments", "explain", "bot", "--context", "age=42", folder=folder, project=applied)

    assert [line.split()[:3] for line in number.stdout.splitlines()[1:3]] == [
        ["1", "pro", "yes"],
        ["0", "default", "yes"],
    ]
    assert number.stdout.splitlines()[-1] == "pro, by rule 1 (rule) of version 1.0."
    assert text.stdout.splitlines()[-1] == "default, by rule 0 (default) of version 1.0."


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("age", "must have the form NAME=TEXT or NAME:=JSON"),
        ("age:=x", "'x' is not JSON"),
        ("=1", "must have the form"),
    ],
)
def test_an_invalid_context_argument_is_rejected(folder: Path, value: str, message: str) -> None:
    result = moorage("deployments", "explain", "bot", "--context", value, folder=folder)

    assert result.returncode == 1
    assert message in " ".join(result.stderr.split())


def test_simulate_compares_the_routing_of_a_file_with_the_live_version(applied: Project, folder: Path) -> None:
    (folder / "bot.yaml").write_text(FILE.replace("gte: 18", "gte: 21"))
    (folder / "contexts.jsonl").write_text('{"age": 17}\n{"age": 18}\n{"age": 42}\n')
    (folder / "contexts.yaml").write_text("- { age: 17 }\n- { age: 18 }\n- { age: 42 }\n")
    (folder / "broken.json").write_text("[{]")

    lines, items, broken, absent = (
        moorage("deployments", "simulate", "bot.yaml", name, folder=folder, project=applied)
        for name in ("contexts.jsonl", "contexts.yaml", "broken.json", "absent.json")
    )
    as_json = moorage(
        "deployments", "simulate", "bot.yaml", "contexts.yaml", "-o", "json", folder=folder, project=applied
    )

    assert [line.split() for line in lines.stdout.splitlines()] == [
        ["before", "after", "context"],
        ["pro", "default", '{"age":18}'],
        ["1", "context", "would", "change,", "2", "would", "not."],
    ]
    assert items.stdout == lines.stdout
    assert json.loads(as_json.stdout)["unchanged"] == 2
    assert (broken.returncode, absent.returncode) == (1, 1)
    assert "absent.json: No such file or directory" in absent.stderr


def test_simulate_treats_a_file_without_routing_as_an_empty_routing_table(applied: Project, folder: Path) -> None:
    body = {"key": "bot", **a_body()}
    (folder / "bot.json").write_text(json.dumps(body))
    (folder / "contexts.json").write_text('{"age": 20}')

    result = moorage("deployments", "simulate", "bot.json", "contexts.json", folder=folder, project=applied)

    assert result.stdout.splitlines()[-1] == "1 context would change, 0 would not."
