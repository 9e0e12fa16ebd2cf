"""Makes a golden database with the program of its time, which is asked as people ask it.

git worktree add /tmp/then COMMIT                            # the last one of that schema
.venv/bin/python -m tests.store.golden.make 1 /tmp/then/src
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

import apsw
import msgspec

from tests.contract.full_items import full_body
from tests.support.golden import FOLDER, Answer, Told
from tests.support.server import PROGRAM, Project, Server

#: What breaks where a text is taken for something else.
TEXT = 'Grüße, {{name}}! It\'s 100 % 你好 👋 \\ "quoted" :name\nsecond\tline ✓'


class Then:
    """A server of the program of the time, on a database of its own."""

    def __init__(self, source: Path, folder: Path) -> None:
        self.server = Server(folder, prefix=("env", f"PYTHONPATH={source}"))
        self._environment = {**os.environ, "PYTHONPATH": str(source), "MOORAGE_DATABASE": self.server.database}
        self.tokens: dict[str, str] = {}
        self.answers: list[Answer] = []

    def run(self, *command: str) -> str:
        """Run something with the program's modules; what it printed."""
        done = subprocess.run(
            command, cwd=self.server.folder, env=self._environment, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout.strip()

    def key(self, name: str, *arguments: str) -> None:
        """Make an API key."""
        self.tokens[name] = self.run(*PROGRAM, "keys", "create", name, *arguments)

    def ask(self, method: str, path: str, body: object = None, by: str = "all", **headers: str) -> Any:
        """A request that is answered with a 2xx; its body."""
        data = None if body is None else json.dumps(body).encode()
        answer = self._project(by).request(method, f"/v2/{path}", data, headers)
        assert answer.status < 300, answer.body
        return answer.json

    def note(self, by: str, path: str) -> None:
        """Note what is answered on a GET."""
        answer = self._project(by).request("GET", f"/v2/{path}")
        self.answers.append(Answer(by, path, answer.status, answer.json if answer.status == 200 else None))

    def _project(self, by: str) -> Project:
        return Project(self.server, "", "", self.tokens[by])


def content(text: str, **fields: Any) -> dict[str, Any]:
    """A small body."""
    messages = [{"role": "system", "content": text}, {"role": "user", "content": TEXT}]
    config = {"model": "openai/gpt-4o", "model_type": "chat", "provider": "openai", "messages": messages}
    return {"prompt_config": config, **fields}


def fill(then: Then) -> None:
    """Do what the program of that schema could do."""
    then.run(*PROGRAM, "projects", "create", "shop")
    then.key("all")
    then.key("reader", "--scope", "deployments:read")
    then.key("until 2099", "--expires", "2099-01-01T00:00Z")
    then.key("over", "--expires", "1s")
    then.key("revoked")
    then.key("shop", "--project", "shop")
    then.run(*PROGRAM, "keys", "revoke", "revoked")
    with then.server:
        variables = [{"key": "name", "value": "Anna Ø"}, {"key": "secret", "is_pii": True}, {"key": "n", "value": 1.5}]
        then.ask("PUT", "deployments/greeting", content("one", description=TEXT, variables=variables, notes=TEXT))
        then.ask("PUT", "deployments/greeting", content("two", description="Grüßt", variables=variables))
        then.ask("PUT", "deployments/greeting", content("three", description="Grüßt", version_bump="major"))
        then.ask("PUT", "deployments/full", full_body({"type": "json_object"}))
        then.ask("PUT", "deployments/greeting", content("of the shop"), by="shop")
        gone = then.ask("PUT", "deployments/gone", content("deleted, and made again"))["id"]
        _with_writes(then, gone)
        then.ask("PUT", "deployments/gone", content("made again"))
        _with_versions(then)
        _with_owners(then)
        _with_variants(then)
        _note_all(then)


def _with_versions(then: Then) -> None:
    draft = {"notes": TEXT, "description": "a draft"}
    then.ask("POST", "deployments/greeting/versions", content("a draft", **draft))
    then.ask("POST", "deployments/greeting/versions", content("at once", status="live", reason=TEXT))
    then.ask("POST", "deployments/greeting/versions/1.0/publish", {"reason": "the first was better"})
    then.ask("POST", "deployments/greeting/undo", {"reason": "or not"}, by="until 2099")


def _with_writes(then: Then, gone: str) -> None:
    then.key("keeper", "--scope", "keys:admin", "--scope", "deployments:read")
    made = then.ask("POST", "api-keys", {"name": "by a key", "scopes": ["deployments:read"]}, by="keeper")
    then.ask("PATCH", f"api-keys/{made['id']}", {"name": "von einem Schlüssel"}, by="keeper")
    then.tokens["by a key"] = made["token"]
    once = {"Idempotency-Key": "once"}
    then.ask("POST", "deployments", {"key": "posted", **content("posted"), "description": TEXT}, **once)
    then.ask("PATCH", "deployments/posted", {"description": "changed"})
    then.ask("DELETE", "deployments/posted")
    then.ask("POST", "deployments/posted/restore", {"reason": "it is used"}, **{"Idempotency-Key": "again"})
    then.ask("DELETE", f"deployments/{gone}")


def _with_owners(then: Then) -> None:
    then.ask("PUT", "deployments/from_a_file?file=shop/größen.yaml", content("from a file"))
    then.ask("PUT", "deployments/taken_over?file=shop/taken.yaml", content("from a file"))
    then.ask("PATCH", "deployments/taken_over?take_ownership=true", {"description": "taken over"})
    then.ask("PUT", "deployments/erased", content("erased", description="erased"))
    then.ask("DELETE", "deployments/erased")
    then.ask("PUT", "deployments/posted", content("with versions that are erased and deleted"))
    then.ask("PUT", "deployments/posted", content("live"))
    then.ask("DELETE", "deployments/posted/versions/1.0")
    then.run(*PROGRAM, "db", "purge", "--days", "0", "--yes")
    then.ask("DELETE", "deployments/posted/versions/1.1")
    then.ask("PUT", "deployments/recent", content("deleted, and not erased"))
    then.ask("DELETE", "deployments/recent")
    once = {"Idempotency-Key": "after_the_purge"}
    then.ask("POST", "deployments", {"key": "kept_answer", **content("posted")}, **once)


def _with_variants(then: Then) -> None:
    other = {"name": "other", **content("Hi {{name}}"), "settings": {"engine": "mustache"}, "retry_count": 2}
    routing = [
        {"variant": "other", "when": {"größe": {"in": ["XL", "é"]}}},
        {"variant": "other", "split": {"by": "user_id", "percent": 12.5}},
    ]
    fields = {"variants": [other], "routing": routing, "settings": {"missing_inputs": "keep"}, "retry_count": 1}
    then.ask("PUT", "deployments/routed", content("Hello {{name}}", **fields))
    inputs = {"name": TEXT, "größe": 1}
    for context in ({"größe": "é"}, {}):
        then.ask("POST", "deployments/get_config", {"key": "routed", "inputs": inputs, "context": context})
    then.server.stop()  # notes who was served
    then.server.start()
    then.ask("PUT", "deployments/routed?allow_breaking=true", content("Hello {{title}} {{name}}", **fields))


def _note_all(then: Then) -> None:
    for by in then.tokens:
        then.note(by, "deployments?limit=50")
    for key in (item["key"] for item in then.answers[0].body["data"]):
        then.note("reader", f"deployments/{key}/versions?limit=50")
        then.note("reader", f"deployments/{key}/history?limit=50")
    then.note("keeper", "api-keys")
    then.note("reader", "manifests?limit=50")


def dump(file: Path) -> Iterator[str]:
    """A database as SQL that both engines understand: its tables, each with its rows in the order of creation, and its
    indexes."""
    with closing(apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        made = list(
            connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")
        )
        for kind, name, statement in made:
            yield f"{statement};\n"
            for row in connection.execute(f"SELECT * FROM {name} ORDER BY rowid") if kind == "table" else ():
                yield f"INSERT INTO {name} VALUES ({', '.join(map(apsw.format_sql_value, row))});\n"


def in_lines(told: Told) -> bytes:
    """As JSON, an answer a line."""
    answers = b",\n".join(map(msgspec.json.encode, told.answers))
    return b'{"tokens": %s,\n"answers": [\n%s\n]}\n' % (msgspec.json.encode(told.tokens), answers)


def main(schema: int, source: Path) -> None:
    """Make one, and write its two files."""
    with tempfile.TemporaryDirectory() as folder:
        then = Then(source, Path(folder))
        fill(then)
        text = "".join(dump(Path(folder) / "moorage.db"))
    told = Told(then.tokens, then.answers)
    (FOLDER / f"schema_{schema}.sql").write_text(f"-- Made by tests/store/golden/make.py; see there.\n{text}", "utf-8")
    (FOLDER / f"schema_{schema}.json").write_bytes(in_lines(told))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
