"""The JSON Schema of deployment files accepts what `moorage apply` accepts, and marks common mistakes."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings

from moorage.documents.file_form import file_form
from moorage.documents.read import read_paths
from moorage.documents.schema import DESCRIPTIONS, DIALECT, file_schema
from moorage.documents.yaml import load_documents
from tests.cli.files import a_document
from tests.contract.full_items import PROVIDER_VALUES, full_bodies, full_body
from tests.documents.test_file_form import BODIES, FULL_BODY, RUNTIME, manifest_of
from tests.support.program import moorage

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))

VALIDATOR = jsonschema_rs.Draft202012Validator(file_schema())


def test_it_is_a_valid_schema_of_draft_2020_12() -> None:
    schema = file_schema()

    jsonschema_rs.meta.validate(schema)
    assert schema["$schema"] == DIALECT
    assert all(component["title"] and component["description"] for component in schema["$defs"].values())
    assert "discriminator" not in json.dumps(schema)


def test_every_description_is_that_of_a_field() -> None:
    components = file_schema()["$defs"]

    for name, fields in DESCRIPTIONS.items():
        for field, text in fields.items():
            assert components[name]["properties"][field]["description"] == text


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_every_example_is_valid(file: Path) -> None:
    documents = load_documents(file.read_text("utf-8"))

    assert documents
    assert [error.message for document in documents for error in VALIDATOR.iter_errors(document)] == []


@pytest.mark.parametrize("body", [body for _, body in full_bodies()], ids=[name for name, _ in full_bodies()])
def test_every_field_is_valid(body: dict[str, Any]) -> None:
    VALIDATOR.validate({"key": "a", **body, **RUNTIME})


@pytest.mark.parametrize(("name", "wrong"), [("stop", 5), ("n", 0), ("tool_choice", "x"), ("frobnicate", 1)])
def test_parameters_of_providers_have_their_types(name: str, wrong: object) -> None:
    body = {"key": "a", **full_body(None)}
    body["prompt_config"]["model_parameters"] |= PROVIDER_VALUES
    VALIDATOR.validate(body)

    body["prompt_config"]["model_parameters"][name] = wrong
    assert not VALIDATOR.is_valid(body)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(BODIES)
def test_every_exported_file_is_valid(body: dict[str, Any]) -> None:
    VALIDATOR.validate(file_form(manifest_of(body)))


CALL = {"type": "function", "function": {"name": "f", "arguments": {"a": 1}}}
TOOL = {"type": "function", "id": "01J", "function": {"name": "f"}}


@pytest.mark.parametrize(
    "changes",
    [
        {"messages": [{"role": "assistant", "tool_calls": [CALL]}]},
        {"messages": [{"role": "tool", "tool_call_id": "x"}]},
        {"tools": [TOOL]},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"additionalProperties": True}}}]},
        {"model_parameters": {"dimensions": 1024}},
    ],
)
def test_what_the_server_normalizes_is_valid(folder: Path, changes: dict[str, Any]) -> None:
    document = a_document("a")
    document["prompt_config"] |= changes

    VALIDATOR.validate(document)
    (folder / "a.json").write_text(json.dumps(document))
    manifest_of({"prompt_config": read_paths([str(folder / "a.json")])[0].body["prompt_config"]})


def test_a_list_of_deployments_and_the_name_of_the_schema_are_valid(folder: Path) -> None:
    documents = [a_document("a"), {"$schema": "./deployment.schema.json", **a_document("b"), "notes": "calmer"}]
    (folder / "a.json").write_text(json.dumps(documents))

    VALIDATOR.validate(documents)
    assert "$schema" not in read_paths([str(folder / "a.json")])[1].body


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"prompt_config": a_document("a")["prompt_config"]}, ""),
        ({"key": "a"}, ""),
        ({**a_document("a b")}, "key"),
        ({**a_document("a"), "colour": "red"}, ""),
        ({**a_document("a"), "retry_count": 99}, "retry_count"),
        ({**a_document("a", variables=[{"name": "x"}])}, "variables/0"),
        ([a_document("a"), {"key": "b"}], "1"),
        ("text", ""),
    ],
    ids=["no key", "no config", "key", "unknown field", "number", "variable", "in a list", "no object"],
)
def test_a_mistake_is_marked_at_its_place(document: Any, path: str) -> None:
    errors = ["/".join(map(str, error.instance_path)) for error in VALIDATOR.iter_errors(document)]

    assert errors
    assert set(errors) == {path}


def test_a_wrong_role_is_marked() -> None:
    document = {"key": "a", **FULL_BODY}
    document["prompt_config"] = {**FULL_BODY["prompt_config"], "messages": [{"role": "boss", "content": "x"}]}

    (error,) = VALIDATOR.iter_errors(document)

    assert [*error.instance_path] == ["prompt_config", "messages", 0, "role"]


def test_the_command_prints_the_schema(folder: Path) -> None:
    result = moorage("schema", folder=folder)

    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout) == file_schema()
