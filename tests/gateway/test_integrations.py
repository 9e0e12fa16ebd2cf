"""The integration of a call: the named one, else the project's, else that of the environment."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from moorage.catalog.catalog import Catalog
from moorage.cli.error_responses import ErrorDetail
from moorage.cli.hints import translate
from moorage.core.errors.integrations import (
    CredentialsUnreadable,
    IntegrationUnreadable,
    KeyFileUnusable,
    NoIntegration,
    OtherProvider,
)
from moorage.core.integrations import Credentials, Integration
from moorage.core.secret_keys import SecretKeys
from moorage.gateway.integrations import find_integration, open_credentials
from moorage.providers.connection import limit_of, protocol_options
from moorage.providers.environment import NO_ENVIRONMENT, EnvironmentIntegrations, read_environment
from moorage.providers.table import PROVIDERS
from moorage.registry.integrations import rotate_key
from moorage.store.sealing import KeyRing
from moorage.store.store import Store
from tests.support.registry import create_project, delete_integration, put_integration, vendor_body
from tests.support.stores import Database, run_sql

ENVIRONMENT = read_environment({"OPENAI_API_KEY": "of-the-environment", "GROQ_API_KEY": "of-the-environment"})


class Harness:
    """A project, and the catalog of a server on its database."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.id = create_project(store, "p").id
        self.catalog = Catalog(store)

    def put(self, name: str, **fields: object) -> Integration:
        return put_integration(self.store, self.id, name, vendor_body(**fields), self.store.key_ring)

    def find(
        self, named: str | None, provider: str = "openai", environment: EnvironmentIntegrations = ENVIRONMENT
    ) -> Integration:
        self.catalog.catch_up()
        return find_integration(self.catalog, environment, self.id, named, provider)

    def opened(self, integration: Integration) -> Credentials:
        return open_credentials(self.catalog, ENVIRONMENT, integration)


@pytest.fixture
def harness(sqlite: Database) -> Harness:
    return Harness(sqlite.store())


@pytest.fixture
def sqlite(folder: Path) -> Database:
    return Database(f"sqlite:///{folder}/moorage.db", folder)


def test_the_order_is_named_then_of_the_provider_then_of_the_environment(harness: Harness) -> None:
    assert harness.find(None) is ENVIRONMENT.by_name["openai"]
    assert harness.opened(harness.find(None)).values == {"api_key": "of-the-environment"}
    own, other = harness.put("openai"), harness.put("other")

    assert harness.find(None) == own
    assert harness.find("other") == harness.find(other.id) == other
    assert harness.opened(other) == Credentials({"api_key": "sk-0123456789abcd"}, {"x-team": "the-shop"})
    delete_integration(harness.store, harness.id, "openai")
    assert harness.find(None) is harness.find("openai") is ENVIRONMENT.by_name["openai"]


def test_credentials_are_decrypted_once_until_they_change(harness: Harness) -> None:
    first = harness.opened(harness.find(harness.put("other").id))
    assert harness.opened(harness.find("other")) is first

    harness.put("other", credentials={"api_key": "sk-of-another-key"})

    assert harness.opened(harness.find("other")).values == {"api_key": "sk-of-another-key"}


def test_a_missing_integration_says_what_to_do(harness: Harness) -> None:
    with pytest.raises(NoIntegration) as of_provider:
        harness.find(None, "cohere", NO_ENVIRONMENT)
    with pytest.raises(NoIntegration) as named:
        harness.find("eu", "cohere")

    assert str(of_provider.value) == (
        "There is no integration for cohere, so nothing can call cohere. Create one: moorage integrations set cohere"
        " --provider cohere --api-key-stdin. Or set CO_API_KEY or COHERE_API_KEY for the server and restart it."
    )
    assert "moorage integrations set eu --provider cohere --api-key-stdin" in str(named.value)


@pytest.mark.parametrize("provider", [*PROVIDERS, "xai"])
def test_the_command_line_shows_what_to_do(harness: Harness, provider: str) -> None:
    with pytest.raises(NoIntegration) as error:
        harness.find(None, provider, NO_ENVIRONMENT)

    detail = ErrorDetail(error.value.code, str(error.value), error.value.action)
    assert translate(detail)[1] == (error.value.action if provider in PROVIDERS else _LIST)
    assert ("--option" in error.value.action) == (provider in ("azure", "aws", "google"))


_LIST = "To list all integrations: moorage integrations list"


def test_an_integration_of_another_provider_is_not_used(harness: Harness) -> None:
    harness.put("groq")

    with pytest.raises(OtherProvider, match="is of the provider openai, and the model is of groq"):
        harness.find("groq", "groq")
    assert harness.find(None, "groq") is ENVIRONMENT.by_name["groq"]


def test_an_integration_of_another_project_is_unknown(harness: Harness) -> None:
    other = create_project(harness.store, "q").id
    foreign = put_integration(harness.store, other, "eu", vendor_body(), harness.store.key_ring)

    for name in ("eu", foreign.id):
        with pytest.raises(NoIntegration):
            harness.find(name)


def test_a_damaged_row_is_not_replaced_by_the_environment(harness: Harness) -> None:
    harness.put("openai")
    fine = harness.put("fine")
    run_sql(harness.store.url, "UPDATE integration SET options = 'x' WHERE name = 'openai'")
    harness.catalog = Catalog(harness.store)

    for named in (None, "openai"):
        with pytest.raises(IntegrationUnreadable, match="moorage db check"):
            harness.find(named)
    assert harness.find("fine") == fine


def test_a_missing_key_breaks_one_integration(harness: Harness) -> None:
    lost = put_integration(harness.store, harness.id, "lost", vendor_body(), KeyRing(SecretKeys(["l" * 40])))
    fine = harness.put("fine")

    with pytest.raises(CredentialsUnreadable, match=f"the secret key {lost.key_id} is missing"):
        harness.opened(lost)
    assert harness.opened(fine).values


def test_a_rotation_reaches_a_server_that_runs(harness: Harness, folder: Path) -> None:
    harness.put("other")
    before = harness.find("other")
    key = (folder / "moorage.key").read_text().strip()
    (folder / "moorage.key").write_text(f"{'n' * 40},{key}")

    harness.store.run(rotate_key, harness.store.key_ring)
    (folder / "moorage.key").write_text("n" * 40)

    after = harness.find("other")
    assert after.key_id != before.key_id
    assert harness.opened(after).values == {"api_key": "sk-0123456789abcd"}


def test_several_writers_make_one_key_file(folder: Path) -> None:
    barrier = Barrier(8)

    def key_id() -> str:
        ring = KeyRing(file=folder / "moorage.key")
        barrier.wait()
        return ring.writing_key_id()

    with ThreadPoolExecutor(8) as threads:
        found = {task.result() for task in [threads.submit(key_id) for _ in range(8)]}

    assert len(found) == 1
    assert [path.name for path in folder.iterdir()] == ["moorage.key"]


@pytest.mark.parametrize("damage", ["group", "link", "folder", "no key", "binary"])
def test_an_unsafe_key_file_is_rejected(folder: Path, damage: str) -> None:
    file = folder / "moorage.key"
    ring = KeyRing(file=file)
    ring.writing_key_id()
    if damage == "group":
        file.chmod(0o640)
    elif damage == "no key":
        file.write_text("short")
    elif damage == "binary":
        file.write_bytes(b"\xff" * 64)
    else:
        file.rename(folder / "other")
        file.symlink_to(folder / "other") if damage == "link" else file.mkdir()

    with pytest.raises(KeyFileUnusable):
        ring.writing_key_id()


def test_the_options_have_defaults_and_those_of_the_provider_are_apart(harness: Harness) -> None:
    integration = harness.put("other", options={"project": "p1", "timeout_total_s": 5, "max_connections": 3})

    assert limit_of(integration, "timeout_total_s") == 5
    assert limit_of(integration, "timeout_connect_s") == 5
    assert limit_of(integration, "max_connections") == 3
    assert protocol_options(integration) == {"project": "p1"}


def test_the_engine_does_not_matter(database: Database) -> None:
    store = database.store()
    project = create_project(store, "p").id
    stored = put_integration(store, project, "a", vendor_body())
    catalog = Catalog(store)

    catalog.catch_up()

    assert catalog.integrations(project).find("a") == stored
