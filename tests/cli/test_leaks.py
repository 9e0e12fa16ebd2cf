"""Secrets that are planted in credentials and headers are in no file, output, log, error or metric of Moorage."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moorage.core.access import Scope
from moorage.store.transfer.dump import TABLES
from tests.support.postgres import PostgresServer
from tests.support.program import moorage
from tests.support.registry import create_project, put_integration
from tests.support.server import Project, Response, Server, a_body
from tests.support.stores import Database

pytestmark = pytest.mark.system

#: Each form of credentials, with a header. Their last four characters are shown.
SECRETS = {
    "openai": {"api_key": "planted-api-key-AAAA"},
    "aws": {"access_key_id": "planted-access-BBBB", "secret_access_key": "planted-secret-CCCC"},
    "google": {
        "client_email": "planted-mail@example.com",
        "private_key": "-----BEGIN PRIVATE KEY-----\nplanted-private-key\n-----END PRIVATE KEY-----\n",
    },
}
OPTIONS = {"openai": {}, "aws": {"region": "eu-west-1"}, "google": {"location": "global", "project": "p"}}
HEADER = "planted-header-DDDD"
ENVIRONMENT = "planted-environment-EEEE"

PLANTED = b"planted-"


class Planted:
    """A server with planted secrets, and everything that it wrote or sent."""

    def __init__(self, server: Server, project: Project) -> None:
        self.server = server
        self.project = project
        self.seen: list[bytes] = []

    def send(self, method: str, path: str, body: object = None) -> Response:
        response = self.project.request(method, path, None if body is None else json.dumps(body).encode())
        self.seen += [response.body, repr(dict(response.headers)).encode()]
        return response

    def run(self, *command: str, stdin: bytes = b"") -> None:
        result = moorage(*command, folder=self.server.folder, project=self.project, stdin=stdin)
        self.seen.append((result.stdout + result.stderr).encode())

    def use_everything(self) -> None:
        for provider, credentials in SECRETS.items():
            body: dict[str, Any] = {
                "provider": provider, "credentials": credentials, "options": OPTIONS[provider],
                "headers": {"X-Team": HEADER},
            }  # fmt: skip
            assert self.send("PUT", f"/v2/integrations/{provider}", body).status == 201
            self.send("GET", f"/v2/integrations/{provider}")
            self.send("PUT", f"/v2/integrations/{provider}", {"provider": provider, "base_url": "https://a.example"})
            for wrong in (
                {**body, "credentials": json.dumps(credentials)}, {**body, "credentials": [credentials]},
                {**body, "credentials": {HEADER: HEADER}}, {**body, "headers": HEADER},
                {**body, "headers": {"A": [HEADER]}}, {**body, "headers": {"A": f"{HEADER}\n"}},
                {**body, "base_url": f"https://u:{HEADER}@a.example"},
                {**body, "provider": "opena"},
            ):  # fmt: skip
                assert self.send("PUT", "/v2/integrations/wrong", wrong).status == 400
        malformed = json.dumps(SECRETS["openai"]).encode()[:-3]
        response = self.project.request("PUT", "/v2/integrations/wrong", malformed)
        self.seen.append(response.body)
        self.send("PUT", "/v2/deployments/a", a_body(integration_id="openai"))
        self.send("DELETE", "/v2/integrations/openai")
        for path in (
            "/v2/integrations", "/v2/deployments/snapshot", "/v2/manifests", "/v2/deployments", "/metrics",
            "/v2/deployments/a/history", "/v2/deployments/a/versions", "/openapi.json",
        ):  # fmt: skip
            assert self.send("GET", path).status == 200
        key = SECRETS["openai"]["api_key"]
        command = ("integrations", "set", "vendor", "--provider", "openai")
        self.run(*command, "--api-key-stdin", "--header", f"X-Team={HEADER}", stdin=key.encode())
        self.run(*command, "--api-key", key)
        self.run(*command, "--credentials-stdin", stdin=f"{key}!".encode())
        self.run(*command, "--header", HEADER)
        self.run(*command, "--api-key-stdin", stdin=f"{key} {key}".encode())
        for name in ("list", "show vendor", "show vendor -o yaml", "delete vendor"):
            self.run("integrations", *name.split())
        self.run("export", "exported")
        self.run("lock")
        self.run("doctor", "--database", self.server.database)
        for name in ("check", "backup backup.db"):
            self.run("db", *name.split(), "--database", self.server.database)
        self.run("db", "copy", "--from", self.server.database, "--to", f"sqlite:///{self.server.folder}/copy.db")
        self.run("integrations", "rotate-key", "--database", self.server.database)

    def leaks(self) -> list[str]:
        """Return the files and outputs that contain a planted secret."""
        found = [f"output {number}" for number, text in enumerate(self.seen) if PLANTED in text]
        files = [path for path in self.server.folder.rglob("*") if path.is_file()]
        assert len(files) >= 2
        return found + [str(path) for path in files if PLANTED in path.read_bytes()]


@pytest.fixture
def planted(engine: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[Planted]:
    url = f"sqlite:///{folder}/moorage.db"
    if engine == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    with Server(folder, database=url):  # the history begins without the key, so that tests can write
        pass
    key = "k" * 40
    prefix = ("env", f"GROQ_API_KEY={ENVIRONMENT}", f"MISTRAL_API_KEY={ENVIRONMENT} {ENVIRONMENT}")
    with Server(folder, database=url, prefix=(*prefix, f"MOORAGE_SECRET_KEY={key}")) as running:
        project = running.new_project()
        yield Planted(running, Project(running, project.id, project.name, project.key(*Scope)[1]))


def test_no_secret_is_in_any_output_or_file(planted: Planted) -> None:
    planted.use_everything()
    planted.server.stop()

    assert planted.leaks() == []


def test_a_leak_would_be_found(planted: Planted) -> None:
    """The positive control."""
    assert planted.leaks() == []

    planted.send("PUT", "/v2/deployments/a", a_body(messages=[{"role": "user", "content": HEADER}]))
    planted.server.stop()

    assert planted.leaks() != []


def test_the_columns_of_the_database_have_no_secret(database: Database) -> None:
    """Also where the files of the database are elsewhere."""
    store = database.store()
    project = create_project(store, "p").id
    for provider, credentials in SECRETS.items():
        body = {
            "provider": provider,
            "credentials": credentials,
            "options": OPTIONS[provider],
            "headers": {"A": HEADER},
        }
        put_integration(store, project, provider, body)

    with store.dump() as dump:
        text = repr([row for table in TABLES for row in dump.rows(table)])
    assert "planted-" not in text
    assert "google" in text
