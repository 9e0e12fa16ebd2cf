"""Create a golden database with the program of its schema, through its API and its commands.

git worktree add /tmp/old COMMIT                            # the last commit of that schema
.venv/bin/python -m tests.store.golden.make 1 /tmp/old/src
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import apsw
import msgspec

from moorage.registry.projects import get_project
from moorage.store.opening import open_existing
from tests.contract.full_items import full_body
from tests.support.environments import fill_with_environments
from tests.support.golden import FOLDER, RecordedResponse, Recording
from tests.support.server import PROGRAM, Project, Server

#: A text with characters that are special in SQL, JSON, templates or psycopg.
TEXT = 'Grüße, {{name}}! It\'s 100 % 你好 👋 \\ "quoted" :name\nsecond\tline ✓'


class Recorder:
    """A server of the program on a new database, and its recorded responses."""

    def __init__(self, source: Path, folder: Path) -> None:
        self.server = Server(folder, prefix=("env", f"PYTHONPATH={source}", "MOORAGE_PRIVATE_HOSTS=127.0.0.1"))
        self._environment = {**os.environ, "PYTHONPATH": str(source), "MOORAGE_DATABASE": self.server.database}
        self.tokens: dict[str, str] = {}
        self.responses: list[RecordedResponse] = []

    def run(self, *command: str) -> str:
        """Run a command with the modules of the program; return its output."""
        done = subprocess.run(
            command, cwd=self.server.folder, env=self._environment, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout.strip()

    def key(self, name: str, *arguments: str) -> None:
        """Create an API key."""
        self.tokens[name] = self.run(*PROGRAM, "keys", "create", name, *arguments)

    def request(self, method: str, path: str, body: object = None, by: str = "all", **headers: str) -> Any:
        """Send a request that must succeed; return the body of the response."""
        data = None if body is None else json.dumps(body).encode()
        response = self._project(by).request(method, f"/v2/{path}", data, headers)
        assert response.status < 300, response.body
        return response.json

    def record(self, by: str, path: str) -> None:
        """Record the response to a GET."""
        response = self._project(by).request("GET", f"/v2/{path}")
        body = response.json if response.status == 200 else None
        self.responses.append(RecordedResponse(by, path, response.status, body))

    def _project(self, by: str) -> Project:
        return Project(self.server, "", "", self.tokens[by])


def content(text: str, **fields: Any) -> dict[str, Any]:
    """Return a small body."""
    messages = [{"role": "system", "content": text}, {"role": "user", "content": TEXT}]
    config = {"model": "openai/gpt-4o", "model_type": "chat", "provider": "openai", "messages": messages}
    return {"prompt_config": config, **fields}


def fill(recorder: Recorder) -> None:
    """Use every feature of the program."""
    with recorder.server:  # creates the database
        pass
    recorder.run(*PROGRAM, "projects", "create", "shop")
    recorder.key("all")
    recorder.key("reader", "--scope", "deployments:read")
    recorder.key("until 2099", "--expires", "2099-01-01T00:00Z")
    recorder.key("expired", "--expires", "1s")
    recorder.key("revoked")
    recorder.key("shop", "--project", "shop")
    recorder.run(*PROGRAM, "keys", "revoke", "revoked")
    with recorder.server:
        variables = [{"key": "name", "value": "Anna Ø"}, {"key": "secret", "is_pii": True}, {"key": "n", "value": 1.5}]
        recorder.request(
            "PUT", "deployments/greeting", content("one", description=TEXT, variables=variables, notes=TEXT)
        )
        recorder.request("PUT", "deployments/greeting", content("two", description="Grüßt", variables=variables))
        recorder.request("PUT", "deployments/greeting", content("three", description="Grüßt", version_bump="major"))
        recorder.request("PUT", "deployments/full", full_body({"type": "json_object"}))
        recorder.request("PUT", "deployments/greeting", content("of the shop"), by="shop")
        deleted = recorder.request("PUT", "deployments/deleted", content("deleted, then created again"))["id"]
        _with_writes(recorder, deleted)
        recorder.request("PUT", "deployments/deleted", content("created again"))
        _with_versions(recorder)
        _with_owners(recorder)
        _with_variants(recorder)
        _with_integrations(recorder)
        _with_environments(recorder)
        _record_all(recorder)


def _with_versions(recorder: Recorder) -> None:
    draft = {"notes": TEXT, "description": "a draft"}
    recorder.request("POST", "deployments/greeting/versions", content("a draft", **draft))
    recorder.request("POST", "deployments/greeting/versions", content("live immediately", status="live", reason=TEXT))
    recorder.request("POST", "deployments/greeting/versions/1.0/publish", {"reason": "roll back"})
    recorder.request(
        "PUT", f"deployments/greeting/cases/{quote('Größe ✓')}",
        {"inputs": {"name": "Anna Ø"}, "context": {"größe": "é"}},
    )  # fmt: skip
    recorder.request("POST", "deployments/greeting/undo", {"reason": "undo the rollback"}, by="until 2099")


def _with_writes(recorder: Recorder, deleted: str) -> None:
    recorder.key("admin", "--scope", "keys:admin", "--scope", "deployments:read")
    made = recorder.request("POST", "api-keys", {"name": "by a key", "scopes": ["deployments:read"]}, by="admin")
    recorder.request("PATCH", f"api-keys/{made['id']}", {"name": "von einem Schlüssel"}, by="admin")
    recorder.tokens["by a key"] = made["token"]
    header = {"Idempotency-Key": "first"}
    recorder.request("POST", "deployments", {"key": "posted", **content("posted"), "description": TEXT}, **header)
    recorder.request("PATCH", "deployments/posted", {"description": "changed", "aliases": ["pmpt_0123", "old.name"]})
    recorder.request("DELETE", "deployments/posted")
    recorder.request("POST", "deployments/posted/restore", {"reason": "still in use"}, **{"Idempotency-Key": "again"})
    recorder.request("DELETE", f"deployments/{deleted}")


def _with_owners(recorder: Recorder) -> None:
    recorder.request("PUT", "deployments/from_a_file?file=shop/größen.yaml", content("from a file"))
    recorder.request("PUT", "deployments/changed_owner?file=shop/owner.yaml", content("from a file"))
    recorder.request("PATCH", "deployments/changed_owner?take_ownership=true", {"description": "changed owner"})
    recorder.request("PUT", "deployments/purged", content("purged", description="purged"))
    recorder.request("DELETE", "deployments/purged")
    recorder.request("PUT", "deployments/posted", content("with versions that are purged and deleted"))
    recorder.request("PUT", "deployments/posted", content("live"))
    recorder.request("DELETE", "deployments/posted/versions/1.0")
    recorder.run(*PROGRAM, "db", "purge", "--days", "0", "--yes")
    recorder.request("DELETE", "deployments/posted/versions/1.1")
    recorder.request("PUT", "deployments/recent", content("deleted, not purged"))
    recorder.request("DELETE", "deployments/recent")
    header = {"Idempotency-Key": "after_the_purge"}
    recorder.request("POST", "deployments", {"key": "after_purge", **content("posted")}, **header)


def _with_variants(recorder: Recorder) -> None:
    other = {"name": "other", **content("Hi {{name}}"), "settings": {"engine": "mustache"}, "retry_count": 2}
    routing = [
        {"variant": "other", "when": {"größe": {"in": ["XL", "é"]}}},
        {"variant": "other", "split": {"by": "user_id", "percent": 12.5}},
    ]
    fields = {"variants": [other], "routing": routing, "settings": {"missing_inputs": "keep"}, "retry_count": 1}
    recorder.request("PUT", "deployments/routed", content("Hello {{name}}", **fields))
    inputs = {"name": TEXT, "größe": 1}
    for context in ({"größe": "é"}, {}):
        recorder.request("POST", "deployments/get_config", {"key": "routed", "inputs": inputs, "context": context})
    recorder.server.stop()  # stores the consumers
    recorder.server.start()
    recorder.request("PUT", "deployments/routed?allow_breaking=true", content("Hello {{title}} {{name}}", **fields))


def _with_integrations(recorder: Recorder) -> None:
    recorder.key("connector", "--scope", "integrations:admin")
    local = {"provider": "openailike", "base_url": "http://127.0.0.1:8000/v1", "options": {"max_connections": 5}}
    sealed = {"provider": "openai", "credentials": {"api_key": "sk-golden-0123456789"}, "headers": {"X-Team": "shop"}}
    for name, body in (("local", local), ("openai", sealed), ("gone", sealed)):
        recorder.request("PUT", f"integrations/{name}", body, by="connector")
    recorder.request(
        "PUT", "integrations/openai", {**sealed, "reason": TEXT, "options": {"project": "p1"}}, "connector"
    )
    recorder.request("DELETE", "integrations/gone", by="connector")


def _with_environments(recorder: Recorder) -> None:
    recorder.server.stop()
    with closing(open_existing(recorder.server.database)) as store:
        project_id = get_project(store, "shop").id
        fill_with_environments(store, project_id)
    recorder.server.start()


def _record_all(recorder: Recorder) -> None:
    for by in recorder.tokens:
        recorder.record(by, "deployments?limit=50")
    for key in (item["key"] for item in recorder.responses[0].body["data"]):
        recorder.record("reader", f"deployments/{key}/versions?limit=50")
        recorder.record("reader", f"deployments/{key}/history?limit=50")
    recorder.record("admin", "api-keys?limit=50")
    recorder.record("reader", "manifests?limit=50")
    recorder.record("connector", "integrations/local")


def dump(file: Path) -> Iterator[str]:
    """Yield a database as SQL for both engines, with the rows in the order of creation."""
    with closing(apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        entries = list(
            connection.execute(
                # Migrations let older tables refer to these, which PostgreSQL must have before.
                "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
                " ORDER BY name = 'project' DESC, name = 'integration' DESC, name = 'environment' DESC, rowid"
            )
        )
        for kind, name, statement in entries:
            yield f"{statement};\n"
            for row in connection.execute(f"SELECT * FROM {name} ORDER BY rowid") if kind == "table" else ():
                yield f"INSERT INTO {name} VALUES ({', '.join(map(apsw.format_sql_value, row))});\n"


def in_lines(recording: Recording) -> bytes:
    """Return a recording as JSON with one response per line."""
    responses = b",\n".join(map(msgspec.json.encode, recording.responses))
    return b'{"tokens": %s,\n"responses": [\n%s\n]}\n' % (msgspec.json.encode(recording.tokens), responses)


def main(schema: int, source: Path) -> None:
    """Create a golden database, and write its two files."""
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(source, Path(folder))
        fill(recorder)
        text = "".join(dump(Path(folder) / "moorage.db"))
    recording = Recording(recorder.tokens, recorder.responses)
    (FOLDER / f"schema_{schema}.sql").write_text(f"-- Made by tests/store/golden/make.py; see there.\n{text}", "utf-8")
    (FOLDER / f"schema_{schema}.json").write_bytes(in_lines(recording))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
