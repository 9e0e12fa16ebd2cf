"""The variables of the providers' own tools are integrations of every project."""

import json
import logging
from pathlib import Path
from typing import get_args

import pytest

from moorage.core.deployments.prompt_config import Provider
from moorage.core.integrations import IntegrationProvider
from moorage.providers.connection import url_of
from moorage.providers.environment import NO_ENVIRONMENT, read_environment, variables_of
from moorage.providers.table import PROVIDERS

SECRET = "secret-0123456789"
ACCOUNT = {
    "type": "service_account", "project_id": "from-the-file", "client_email": "a@b.iam.gserviceaccount.com",
    "private_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "token_uri": "https://oauth2.googleapis.com/token",
}  # fmt: skip


def test_the_providers_of_integrations_are_those_of_the_table() -> None:
    assert set(get_args(IntegrationProvider)) == set(PROVIDERS) <= set(get_args(Provider))


def test_each_key_variable_makes_an_integration_with_the_name_of_its_provider() -> None:
    others = {"AZURE_OPENAI_ENDPOINT": "https://shop.openai.azure.com/", "AWS_REGION": "eu-west-1",
              "LITELLM_PROXY_API_BASE": "http://127.0.0.1:4000"}  # fmt: skip
    for row in PROVIDERS.values():
        for variable in row.key_variables:
            found = read_environment({variable: f" {SECRET}\n", **others})

            integration = found.by_name[row.id]
            assert (integration.name, integration.provider, integration.project_id) == (row.id, row.id, "")
            assert integration.is_from_environment
            assert integration.variables[0] == variable
            assert found.credentials(integration).values == {"api_key": SECRET}
            assert SECRET not in f"{integration!r}{found.credentials(integration)!r}"


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({"OPENAI_API_KEY": SECRET}, "https://api.openai.com/v1"),
        (
            {"OPENAI_API_KEY": SECRET, "OPENAI_BASE_URL": "https://eu.api.openai.com/v1/"},
            "https://eu.api.openai.com/v1",
        ),
        ({"OPENAI_API_KEY": SECRET, "OPENAI_BASE_URL": " "}, "https://api.openai.com/v1"),
        (
            {"AZURE_OPENAI_API_KEY": SECRET, "AZURE_OPENAI_ENDPOINT": "https://shop.openai.azure.com/"},
            "https://shop.openai.azure.com/openai/v1",
        ),
        (
            {"AZURE_OPENAI_API_KEY": SECRET, "AZURE_OPENAI_ENDPOINT": "https://shop.openai.azure.com/openai/v1/"},
            "https://shop.openai.azure.com/openai/v1",
        ),
        (
            {"AZURE_OPENAI_API_KEY": SECRET, "AZURE_OPENAI_ENDPOINT": "https://openai-eu.openai.azure.com/"},
            "https://openai-eu.openai.azure.com/openai/v1",
        ),
        (
            {"AZURE_OPENAI_API_KEY": SECRET, "AZURE_OPENAI_ENDPOINT": "https://shop.openai.azure.com/openai"},
            "https://shop.openai.azure.com/openai/v1",
        ),
        (
            {"ANTHROPIC_API_KEY": SECRET, "ANTHROPIC_BASE_URL": "https://api.anthropic.com"},
            "https://api.anthropic.com/v1",
        ),
        (
            {"ANTHROPIC_API_KEY": SECRET, "ANTHROPIC_BASE_URL": "https://proxy.example.com/v1/shop/anthropic/"},
            "https://proxy.example.com/v1/shop/anthropic/v1",
        ),
        (
            {"ANTHROPIC_API_KEY": SECRET, "ANTHROPIC_BASE_URL": "https://api.anthropic.com/v1"},
            "https://api.anthropic.com/v1",
        ),
        (
            {"GEMINI_API_KEY": SECRET, "GOOGLE_GEMINI_BASE_URL": "https://generativelanguage.googleapis.com/"},
            "https://generativelanguage.googleapis.com/v1beta",
        ),
        ({"GROQ_API_KEY": SECRET, "GROQ_BASE_URL": "https://api.groq.com"}, "https://api.groq.com/openai/v1"),
        ({"CEREBRAS_API_KEY": SECRET, "CEREBRAS_BASE_URL": "https://api.cerebras.ai"}, "https://api.cerebras.ai/v1"),
        (
            {"PERPLEXITY_API_KEY": SECRET, "PERPLEXITY_BASE_URL": "https://api.perplexity.ai"},
            "https://api.perplexity.ai/v1",
        ),
        ({"CO_API_KEY": SECRET, "CO_API_URL": "https://api.cohere.com"}, "https://api.cohere.com"),
        (
            {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "eu-west-1"},
            "https://bedrock-runtime.eu-west-1.amazonaws.com",
        ),
        ({"LITELLM_PROXY_API_BASE": "http://127.0.0.1:4000"}, "http://127.0.0.1:4000"),
    ],
    ids=str,
)
def test_the_base_url_is_from_the_variables(environment: dict[str, str], url: str) -> None:
    (integration,) = read_environment(environment).by_name.values()

    assert url_of(integration) == url


def test_temporary_keys_of_aws_have_their_session() -> None:
    keys = {
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": "t",
        "AWS_REGION": "eu-a",
    }

    found = read_environment({**keys, "AWS_REGION": "eu-west-1"})

    assert found.credentials(found.by_name["aws"]).values == {
        "access_key_id": "AKIA", "secret_access_key": SECRET, "session_token": "t"
    }  # fmt: skip


def test_the_file_of_a_service_account_is_read(tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    file.write_text(json.dumps(ACCOUNT))

    found = read_environment({"GOOGLE_APPLICATION_CREDENTIALS": str(file)})
    place = {"GOOGLE_CLOUD_PROJECT": "other", "GOOGLE_CLOUD_LOCATION": "europe-west1"}
    other = read_environment({"GOOGLE_APPLICATION_CREDENTIALS": str(file), **place})

    assert found.by_name["google"].options == {"location": "global", "project": "from-the-file"}
    assert url_of(found.by_name["google"]) == "https://aiplatform.googleapis.com/v1"
    assert found.credentials(found.by_name["google"]).values == ACCOUNT
    assert other.by_name["google"].options == {"location": "europe-west1", "project": "other"}
    assert url_of(other.by_name["google"]) == "https://europe-west1-aiplatform.googleapis.com/v1"


@pytest.mark.parametrize(
    "environment", [{}, {"OPENAI_API_KEY": ""}, {"AWS_ACCESS_KEY_ID": SECRET}, {"OPENAI_BASE_URL": "x"}]
)
def test_without_a_credential_there_is_no_integration(
    environment: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    assert read_environment(environment).by_name == {}
    assert caplog.records == []
    assert NO_ENVIRONMENT.variables() == []


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({"OPENAI_API_KEY": f"{SECRET} {SECRET}"}, "OPENAI_API_KEY"),
        ({"OPENAI_API_KEY": SECRET, "OPENAI_BASE_URL": f"https://u:{SECRET}@a"}, "OPENAI_BASE_URL"),
        ({"AZURE_OPENAI_API_KEY": SECRET}, "AZURE_OPENAI_API_KEY"),
        ({"GOOGLE_APPLICATION_CREDENTIALS": "FOLDER/none"}, "GOOGLE_APPLICATION_CREDENTIALS"),
        ({"GOOGLE_APPLICATION_CREDENTIALS": "FOLDER/bad"}, "GOOGLE_APPLICATION_CREDENTIALS"),
        ({"GOOGLE_APPLICATION_CREDENTIALS": "FOLDER/other"}, "GOOGLE_APPLICATION_CREDENTIALS"),
    ],
    ids=str,
)
def test_a_malformed_variable_is_logged_by_its_name(
    environment: dict[str, str], names: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "bad").write_text(SECRET)
    (tmp_path / "other").write_text(json.dumps({"type": "authorized_user", "refresh_token": SECRET}))
    values = {name: value.replace("FOLDER", str(tmp_path)) for name, value in environment.items()}

    with caplog.at_level(logging.WARNING):
        found = read_environment({**values, "GROQ_API_KEY": "fine"})

    assert [*found.by_name] == ["groq"]
    assert all(record.getMessage().startswith(f"{names}: there is no integration ") for record in caplog.records)
    assert caplog.records
    assert SECRET not in caplog.text


def test_the_variables_of_each_provider_are_named_completely() -> None:
    """A server with just these has the integration."""
    for row in PROVIDERS.values():
        named = variables_of(row)
        if not named or row.id == "google":  # its variable has the path of a file
            continue
        keys, _, further = named.partition(" and ")
        values = {further: "eu-west-1" if row.id == "aws" else "https://models.example.com"} if further else {}
        for key in keys.split(" or "):
            assert set(read_environment({key: SECRET, **values}).by_name) == {row.id}
