"""The API matches a model after any sequence of writes to deployments.

Hypothesis generates the sequences. Each example sends some dozens of requests to a new project on a real server, and
compares all responses with the model after each one.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from moorage.diagnostics.ledger import verify_ledger
from moorage.store.opening import open_store
from tests.support.machine import POSITIONS, Machine, Step, bound, one_of, run, steps
from tests.support.model import Deployment, Version
from tests.support.registry import purge
from tests.support.server import Response, Server, a_body

pytestmark = pytest.mark.system


class Options(NamedTuple):
    """Options of a request: whether its path has the id or the key of the deployment, and its precondition."""

    by_id: bool = False
    match: str = "none"


KEYS = st.sampled_from(["a", "b", "c", "d", "e"])
TEXTS = st.sampled_from(["one", "two", "three"])
DESCRIPTIONS = st.sampled_from(["", "short", "longer"])
BUMPS = st.sampled_from(["minor", "minor", "major"])
STATUSES = st.sampled_from(["draft", "published"])
OPTIONS = st.builds(
    Options, st.booleans(), st.sampled_from(["none", "none", "none", "none", "current", "any", "stale", "new"])
)

#: The preconditions that fail for an existing deployment.
FAILING = ("stale", "new")


def config(text: str) -> dict[str, Any]:
    """Return a configuration with the single message `text`."""
    prompt_config: dict[str, Any] = a_body(messages=[{"role": "user", "content": text}])["prompt_config"]
    return prompt_config


def actual(item: dict[str, Any]) -> tuple[object, ...]:
    """Return the compared fields of a deployment in a response."""
    return item["id"], item["key"], item["description"], item["version"], item["prompt_config"]


def expected(deployment: Deployment) -> tuple[object, ...]:
    """Return the same fields of a deployment in the model."""
    live = deployment.live
    return deployment.id, deployment.key, deployment.description, live.name, config(live.text)


def keys_of(deployments: list[Deployment]) -> list[str]:
    """Return the keys of the existing deployments, newest first."""
    return [deployment.key for deployment in reversed(deployments) if deployment.exists]


#: The outcomes that the sequences must reach.
REACHED = {
    *("post: 201", "put creates: 201", "put changes the text: 200", "describe: 200", "delete: 200", "restore: 200"),
    *("save draft: 201", "save published: 201", "publish a newer one: 200", "publish an older one: 200", "undo: 200"),
    *("compare: 200", "delete a version: 200", "restore a version: 200", "purge: something", "purge: nothing"),
}


class Writes(Machine):
    """All writes to deployments, and the invariants after each one."""

    def __init__(self) -> None:
        super().__init__()
        self.deployments: list[Deployment] = []
        self.written: Deployment | None = None

    def deployment(self, position: int, fits: Callable[[Deployment], object] = bool) -> Deployment:
        """Return a deployment, mostly an existing one that fits."""
        existing = [deployment for deployment in self.deployments if deployment.exists]
        fitting = [deployment for deployment in existing if fits(deployment)]
        self.written = one_of(fitting or existing or self.deployments, self.deployments, position)
        return self.written

    def find(self, key: str) -> Deployment | None:
        """Return the existing deployment with a key."""
        return next(
            (deployment for deployment in self.deployments if deployment.key == key and deployment.exists), None
        )

    def precondition(self, deployment: Deployment | None, options: Options) -> dict[str, str]:
        """Return the header with the precondition."""
        *older, current = ['"0-never"', *(deployment.etags if deployment else ["*"])]
        return {
            "none": {},
            "current": {"If-Match": current},
            "any": {"If-Match": "*"},
            "stale": {"If-Match": older[-1]},
            "new": {"If-None-Match": "*"},
        }[options.match]

    def is_rejected(self, action: str, response: Response, deployment: Deployment, options: Options) -> bool:
        """Check the rejection of a write to a deleted deployment or with a failing precondition.

        Return whether the write had to be rejected.
        """
        if not deployment.exists:
            self.expect(action, response, 404, "deployment_deleted")
        elif options.match in FAILING:
            self.expect(action, response, 412, "precondition_failed")
            assert actual(response.error["current"]) == expected(deployment)
        return options.match in FAILING or not deployment.exists

    def write(
        self, action: str, deployment: Deployment, options: Options, method: str, path: str, body: object = None
    ) -> Response | None:
        """Send a write to a deployment; return None if it was rejected."""
        name = deployment.id if options.by_id or not deployment.exists else deployment.key
        response = self.request(method, f"deployments/{name}{path}", body, **self.precondition(deployment, options))
        return None if self.is_rejected(action, response, deployment, options) else response

    def create(self, response: Response, key: str, description: str, text: str) -> None:
        """Add a new deployment to the model."""
        self.written = Deployment.created(response.json["id"], key, description, text)
        assert self.written.id not in {deployment.id for deployment in self.deployments}
        assert actual(response.json) == expected(self.written)
        self.written.check_etag(response.headers["etag"])
        self.deployments.append(self.written)

    # Writes to a deployment.

    @initialize()
    def create_versions(self) -> None:
        """Create a deployment with versions 1.0 (published), 1.1 (live) and 2.0 (draft)."""
        self.put("a", "one", "short", "minor", Options(), is_dry_run=False)
        self.put("a", "two", None, "minor", Options(), is_dry_run=False)
        self.save(0, "three", "major", Options(), "draft")

    def post(self, key: str, text: str, description: str) -> None:
        body = {"key": key, "prompt_config": config(text), "description": description}
        response = self.request("POST", "deployments", body)
        if self.find(key):
            self.expect("post", response, 409, "key_taken")
        else:
            self.expect("post", response, 201)
            self.create(response, key, description, text)

    def put(self, key: str, text: str, description: str | None, bump: str, options: Options, is_dry_run: bool) -> None:
        body = {"prompt_config": config(text), "version_bump": bump}
        body |= {} if description is None else {"description": description}
        current = self.find(key)
        action, query = ("dry run", "?dry_run=true") if is_dry_run else ("put", "")
        response = self.request("PUT", f"deployments/{key}{query}", body, **self.precondition(current, options))
        if current is None and options.match not in ("none", "new"):
            was_deleted = any(deployment.key == key for deployment in self.deployments)
            self.expect(action, response, 404, "deployment_deleted" if was_deleted else "deployment_not_found")
        elif current is None:
            self.expect(f"{action} creates", response, 200 if is_dry_run else 201)
            assert response.headers["x-moorage-result"] == "created"
            if not is_dry_run:
                self.create(response, key, description or "", text)
        elif not self.is_rejected(action, response, current, options):
            is_new_text, is_new_description = text != current.live.text, description not in (None, current.description)
            changed = " and ".join(["the text"] * is_new_text + ["the description"] * is_new_description) or "nothing"
            self.expect(f"{action} changes {changed}", response, 200)
            assert response.headers["x-moorage-result"] == ("unchanged" if changed == "nothing" else "updated")
            if not is_dry_run:
                current.put(text, description, bump)
                current.check_etag(response.headers["etag"])
                assert actual(response.json) == expected(current)
        self.written = current or self.written

    def describe(self, position: int, description: str, options: Options) -> None:
        deployment = self.deployment(position)
        response = self.write("describe", deployment, options, "PATCH", "", {"description": description})
        if response:
            self.expect("describe", response, 200)
            result = "unchanged" if description == deployment.description else "updated"
            deployment.describe(description)
            deployment.check_etag(response.headers["etag"])
            assert (response.headers["x-moorage-result"], actual(response.json)) == (result, expected(deployment))

    def delete(self, position: int, options: Options) -> None:
        deployment = self.deployment(position)
        response = self.write("delete", deployment, options, "DELETE", "")
        if response:
            self.expect("delete", response, 200)
            deployment.delete()
            deployment.check_etag(response.headers["etag"])
            assert (response.json["id"], response.json["key"]) == (deployment.id, deployment.key)

    def restore(self, position: int, options: Options) -> None:
        deleted = [deployment for deployment in self.deployments if not deployment.exists]
        deployment = self.written = one_of(deleted or self.deployments, self.deployments, position)
        response = self.request(
            "POST", f"deployments/{deployment.id}/restore", **self.precondition(deployment, options)
        )
        if deployment.exists:
            self.expect("restore", response, 409, "not_deleted")
        elif deployment.state == "purged":
            self.expect("restore a purged one", response, 404, "deployment_deleted")
            assert "permanently deleted" in response.error["message"]
        elif self.find(deployment.key):
            self.expect("restore", response, 409, "key_taken")
        elif options.match in FAILING:
            self.expect("restore", response, 412, "precondition_failed")
        else:
            self.expect("restore", response, 200)
            deployment.restore()
            deployment.check_etag(response.headers["etag"])
            assert actual(response.json) == expected(deployment)

    # Writes to versions.

    def save(self, position: int, text: str, bump: str, options: Options, status: str) -> None:
        deployment = self.deployment(position)
        body = {"prompt_config": config(text), "version_bump": bump, "status": status}
        response = self.write(f"save {status}", deployment, options, "POST", "/versions", body)
        if response:
            self.expect(f"save {status}", response, 201)
            version = deployment.save(text, bump)
            if status == "published":
                deployment.publish(version)
            deployment.check_etag(response.headers["etag"])
            assert (response.json["version"], response.json["status"]) == (version.name, deployment.status(version))

    def version(self, deployment: Deployment, number: int, options: Options) -> tuple[Version, str]:
        """Return a version, mostly an existing one that is not live, and its path."""
        others = [version for version in deployment.listed() if version is not deployment.live][::-1]
        version = one_of(others or [deployment.live], deployment.versions, number)
        return version, f"/versions/{version.id if options.by_id else version.name}"

    def publish(self, position: int, number: int, options: Options) -> None:
        deployment = self.deployment(position, lambda candidate: len(candidate.listed()) > 1)
        version, path = self.version(deployment, number, options)
        response = self.write("publish", deployment, options, "POST", f"{path}/publish")
        if response and version.state != "existing":
            self.expect("publish", response, 404, "version_deleted")
        elif response:
            order = (version.number > deployment.live.number) - (version.number < deployment.live.number)
            self.expect(f"publish {('the live one', 'a newer one', 'an older one')[order]}", response, 200)
            deployment.publish(version)
            deployment.check_etag(response.headers["etag"])
            assert (response.json["version"], response.json["status"]) == (version.name, "live")

    def undo(self, position: int, options: Options) -> None:
        deployment = self.deployment(position, lambda candidate: candidate.moves)
        response = self.write("undo", deployment, options, "POST", "/undo")
        if response and not deployment.moves:
            self.expect("undo", response, 409, "nothing_to_undo")
        elif response and deployment.moves[-1][0].state != "existing":
            self.expect("undo", response, 404, "version_deleted")
        elif response:
            self.expect("undo", response, 200)
            deployment.undo()
            deployment.check_etag(response.headers["etag"])
            assert (response.json["version"], response.json["status"]) == (deployment.live.name, "live")

    def delete_version(self, position: int, number: int, options: Options) -> None:
        deployment = self.deployment(position, lambda candidate: len(candidate.listed()) > 1)
        version, path = self.version(deployment, number, options)
        response = self.write("delete a version", deployment, options, "DELETE", path)
        if response and version.state != "existing":
            self.expect("delete a version", response, 404, "version_deleted")
        elif response and version is deployment.live:
            self.expect("delete a version", response, 409, "version_is_live")
        elif response:
            self.expect("delete a version", response, 200)
            deployment.delete_version(version)
            deployment.check_etag(response.headers["etag"])
            assert set(response.json) == {"id", "deployment_id", "version", "deleted", "deleted_at", "restorable_until"}
            assert (response.json["id"], response.json["deployment_id"]) == (version.id, deployment.id)
            assert (response.json["version"], response.json["deleted"]) == (version.name, True)

    def restore_version(self, position: int, number: int, options: Options) -> None:
        deployment = self.deployment(position, lambda candidate: len(candidate.listed()) < len(candidate.versions))
        deleted = [version for version in deployment.versions if version.state != "existing"]
        version = one_of(deleted or deployment.versions, deployment.versions, number)
        path = f"/versions/{version.id if options.by_id else version.name}/restore"
        response = self.write("restore a version", deployment, options, "POST", path)
        if response and version.state == "existing":
            self.expect("restore a version", response, 409, "not_deleted")
        elif response and version.state == "purged":
            self.expect("restore a purged version", response, 404, "version_deleted")
            assert "permanently deleted" in response.error["message"]
        elif response:
            self.expect("restore a version", response, 200)
            deployment.restore_version(version)
            deployment.check_etag(response.headers["etag"])
            assert (response.json["version"], response.json["status"]) == (version.name, deployment.status(version))

    def compare(self, position: int, number: int, other: int, options: Options) -> None:
        deployment = self.deployment(position)
        before, path = self.version(deployment, number, options)
        after, _ = self.version(deployment, other, options)
        found = self.request("GET", f"deployments/{deployment.id}{path}")
        diff = self.request("GET", f"deployments/{deployment.id}/diff?from={before.name}&to={after.name}")
        if not deployment.exists:
            self.expect("get a version", found, 404, "deployment_deleted")
            self.expect("compare", diff, 404, "deployment_deleted")
            return
        if before.state == "existing":
            self.expect("get a version", found, 200)
            assert (found.json["version"], found.json["status"]) == (before.name, deployment.status(before))
        else:
            self.expect("get a version", found, 404, "version_deleted")
        if before.state == after.state == "existing":
            self.expect("compare", diff, 200)
            change = {"path": "prompt_config.messages[0].content", "before": before.text, "after": after.text}
            assert diff.json["changes"] == ([] if before.text == after.text else [change])
        else:
            self.expect("compare", diff, 404, "version_deleted")

    def purge(self, days: int) -> None:
        """Purge all deleted data (0 days), or none (30 days)."""
        with closing(open_store(self.server.database)) as store:
            count = purge(store, days)
        assert count == (0 if days else sum(deployment.purge() for deployment in self.deployments))
        self.outcomes.append(f"purge: {'something' if count else 'nothing'}")

    def teardown(self) -> None:
        """Purge all deleted data, so that the next example does not count it."""
        with closing(open_store(self.server.database)) as store:
            purge(store, 0)

    @rule(
        step=steps(
            post={"key": KEYS, "text": TEXTS, "description": DESCRIPTIONS},
            put={"key": KEYS, "text": TEXTS, "description": st.none() | DESCRIPTIONS, "bump": BUMPS, "options": OPTIONS}
            | {"is_dry_run": st.sampled_from([False, False, False, True])},
            describe={"position": POSITIONS, "description": DESCRIPTIONS, "options": OPTIONS},
            delete={"position": POSITIONS, "options": OPTIONS},
            restore={"position": POSITIONS, "options": OPTIONS},
            save={"position": POSITIONS, "text": TEXTS, "bump": BUMPS, "options": OPTIONS, "status": STATUSES},
            publish={"position": POSITIONS, "number": POSITIONS, "options": OPTIONS},
            undo={"position": POSITIONS, "options": OPTIONS},
            delete_version={"position": POSITIONS, "number": POSITIONS, "options": OPTIONS},
            restore_version={"position": POSITIONS, "number": POSITIONS, "options": OPTIONS},
            compare={"position": POSITIONS, "number": POSITIONS, "other": POSITIONS, "options": OPTIONS},
            purge={"days": st.sampled_from([30, 0])},
        )
    )
    def step(self, step: Step) -> None:
        self.do(step)

    # Invariants.

    @invariant()
    def the_api_matches_the_model(self) -> None:
        self.check_list()
        if self.written:
            self.check_cursor(self.written)
            self.check_history(self.written)
        if self.written and self.written.exists:
            self.check_item(self.written)
            self.check_versions(self.written)
            self.check_version_cursors(self.written)
        elif self.written:
            self.check_deleted(self.written)

    def check_list(self) -> None:
        listed = [actual(item) for page in self.project.walk(limit=2) for item in page.json["data"]]
        assert listed == [expected(deployment) for deployment in reversed(self.deployments) if deployment.exists]

    def check_cursor(self, deployment: Deployment) -> None:
        position = self.deployments.index(deployment)
        assert self.project.page(limit=50, starting_after=deployment.id).keys == keys_of(self.deployments[:position])
        assert self.project.page(limit=50, ending_before=deployment.id).keys == keys_of(
            self.deployments[position + 1 :]
        )

    def check_item(self, deployment: Deployment) -> None:
        by_key, by_id = self.project.get(deployment.key), self.project.get(deployment.id)
        assert by_key.body == by_id.body
        assert actual(by_key.json) == expected(deployment)
        deployment.check_etag(by_key.headers["etag"])

    def check_deleted(self, deployment: Deployment) -> None:
        for path in ("", "/versions"):
            response = self.request("GET", f"deployments/{deployment.id}{path}")
            assert (response.status, response.error["code"]) == (404, "deployment_deleted")
            assert ("permanently deleted" in response.error["message"]) == (deployment.state == "purged")

    def check_versions(self, deployment: Deployment) -> None:
        items, listed = self.read_all(deployment, "versions", "_id"), deployment.listed()
        assert [(item["version"], item["status"], item["prompt_config"]["messages"]) for item in items] == [
            (version.name, deployment.status(version), config(version.text)["messages"]) for version in listed
        ]
        for item, version in zip(items, listed, strict=True):
            version.id = version.id or item["_id"]
            assert item["_id"] == version.id

    def check_version_cursors(self, deployment: Deployment) -> None:
        for deleted in (version for version in deployment.versions if version.state != "existing"):
            items = self.read_all(deployment, "versions", "_id", deleted.id)
            assert [item["version"] for item in items] == [
                version.name for version in deployment.listed() if version.number < deleted.number
            ]

    def check_history(self, deployment: Deployment) -> None:
        entries = self.read_all(deployment, "history", "id")
        found = [(entry["action"], entry["from_version"], entry["to_version"]) for entry in entries]
        assert found == deployment.history[::-1]

    def read_all(self, deployment: Deployment, name: str, cursor: str, after: str = "") -> list[dict[str, Any]]:
        """Return all items of a list of a deployment, page by page."""
        items: list[dict[str, Any]] = []
        while True:
            after = items[-1][cursor] if items else after
            page = self.request("GET", f"deployments/{deployment.id}/{name}?limit=6&starting_after={after}")
            assert page.status == 200, page.body
            items += page.json["data"]
            if not page.json["has_more"]:
                return items


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[Path], str]) -> Iterator[Server]:
    """Return a separate server, because a purge affects all projects."""
    folder = tmp_path_factory.mktemp("state_machine")
    with Server(folder, database=new_database(folder)) as running:
        yield running


def test_the_api_matches_the_model_after_any_sequence_of_steps(server: Server) -> None:
    outcomes = run(Writes, server, examples=25, steps=30)

    assert outcomes.keys() >= REACHED
    with closing(open_store(server.database)) as store:
        assert verify_ledger(store) == []


NOW, STALE = Options(), Options(match="stale")

#: A sequence with the steps that random sequences rarely reach, and their outcomes.
RARE_STEPS: list[tuple[str, tuple[Any, ...], str]] = [
    ("restore_version", (0, 0, NOW), "restore a version: not_deleted"),
    ("publish", (0, 0, NOW), "publish a newer one: 200"),
    ("publish", (0, 7, NOW), "publish the live one: 200"),
    ("delete_version", (0, 0, STALE), "delete a version: precondition_failed"),
    ("delete_version", (0, 0, NOW), "delete a version: 200"),
    ("undo", (0, NOW), "undo: version_deleted"),
    ("delete_version", (0, 0, NOW), "delete a version: 200"),
    ("delete_version", (0, 0, NOW), "delete a version: version_is_live"),
    ("restore_version", (0, 1, NOW), "restore a version: 200"),
    ("undo", (0, STALE), "undo: precondition_failed"),
    ("restore_version", (0, 0, NOW), "restore a version: 200"),
    ("undo", (0, NOW), "undo: 200"),
    ("save", (0, "one", "major", NOW, "published"), "save published: 201"),
    ("save", (0, "two", "minor", NOW, "draft"), "save draft: 201"),
    ("delete_version", (0, 0, NOW), "delete a version: 200"),
    ("purge", (30,), "purge: nothing"),
    ("purge", (0,), "purge: something"),
    ("restore_version", (0, 0, NOW), "restore a purged version: version_deleted"),
    ("save", (0, "three", "minor", NOW, "draft"), "save draft: 201"),
    ("put", ("b", "one", None, "minor", Options(match="any"), False), "put: deployment_not_found"),
    ("put", ("b", "one", None, "minor", NOW, True), "dry run creates: 200"),
    ("put", ("b", "one", None, "minor", Options(match="new"), False), "put creates: 201"),
    ("put", ("b", "two", None, "minor", Options(match="new"), False), "put: precondition_failed"),
    ("undo", (7, NOW), "undo: nothing_to_undo"),
    ("delete", (1, STALE), "delete: precondition_failed"),
    ("delete", (1, Options(match="current")), "delete: 200"),
    ("put", ("a", "one", None, "minor", Options(match="any"), False), "put: deployment_deleted"),
    ("post", ("a", "one", ""), "post: 201"),
    ("restore", (0, NOW), "restore: key_taken"),
    ("delete", (0, NOW), "delete: 200"),
    ("restore", (1, STALE), "restore: precondition_failed"),
    ("restore", (1, Options(match="current")), "restore: 200"),
    ("delete", (1, NOW), "delete: 200"),
    ("purge", (0,), "purge: something"),
    ("restore", (0, NOW), "restore a purged one: deployment_deleted"),
    ("post", ("a", "two", "short"), "post: 201"),
    ("put", ("a", "two", "short", "minor", NOW, False), "put changes nothing: 200"),
    ("put", ("a", "one", "", "minor", NOW, True), "dry run changes the text and the description: 200"),
    ("put", ("a", "one", "", "minor", NOW, False), "put changes the text and the description: 200"),
    ("put", ("a", "one", "longer", "minor", NOW, False), "put changes the description: 200"),
    ("put", ("a", "two", None, "major", Options(match="current"), False), "put changes the text: 200"),
    ("put", ("a", "one", None, "major", STALE, False), "put: precondition_failed"),
    ("describe", (0, "longer", NOW), "describe: 200"),
    ("restore", (0, NOW), "restore a purged one: deployment_deleted"),
    ("restore", (1, NOW), "restore a purged one: deployment_deleted"),
]


def run_rare_steps(server: Server) -> list[str]:
    """Run the sequence; return the outcomes."""
    machine = bound(Writes, server)()
    machine.create_versions()
    machine.outcomes.clear()
    for name, arguments, _ in RARE_STEPS:
        getattr(machine, name)(*arguments)
        machine.the_api_matches_the_model()
    return machine.outcomes


def test_the_api_matches_the_model_after_a_sequence_of_rare_steps(server: Server) -> None:
    assert run_rare_steps(server) == [outcome for _, _, outcome in RARE_STEPS]


@pytest.mark.parametrize(
    ("text", "replacement"),
    [
        (b'"status":"draft"', b'"status":"published"'),
        (b'"action":"undone"', b'"action":"published"'),
        (b'"to_version":null', b'"to_version":"1.0"'),
        (b'"version":"2.0"', b'"version":"1.2"'),
        (b'"has_more":true', b'"has_more":false'),
        (b'"description":"longer"', b'"description":"short"'),
        (b'"code":"key_taken"', b'"code":"conflict"'),
        (b"It was permanently deleted.", b"It was deleted."),
    ],
)
def test_a_response_that_differs_from_the_model_is_detected(
    server: Server, monkeypatch: pytest.MonkeyPatch, text: bytes, replacement: bytes
) -> None:
    """The positive control: the comparison fails for changed responses."""
    monkeypatch.setattr(
        Response, "json", property(lambda response: json.loads(response.body.replace(text, replacement)))
    )

    with pytest.raises(AssertionError):
        run_rare_steps(server)
