"""Whatever is done, and in whatever order: the API shows what was done, as a person would have noted it on paper.

Hypothesis makes up the orders. Each example is some dozens of requests to a new project on a real server, and all there
is to see is held against the paper after each one.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from moorage.diagnostics.history import verify_history
from moorage.store.opening import open_store
from tests.support.machine import PLACES, Machine, Step, bound, one_of, run, steps
from tests.support.paper import Deployment, Version
from tests.support.registry import purge
from tests.support.server import Answer, Server, a_body


class How(NamedTuple):
    """How a request names what it is about, and on which condition."""

    by_id: bool = False
    match: str = "none"


KEYS = st.sampled_from(["a", "b", "c", "d", "e"])
TEXTS = st.sampled_from(["one", "two", "three"])
DESCRIPTIONS = st.sampled_from(["", "short", "longer"])
BUMPS = st.sampled_from(["minor", "minor", "major"])
STATUSES = st.sampled_from(["draft", "published"])
HOWS = st.builds(How, st.booleans(), st.sampled_from(["none", "none", "none", "none", "right", "any", "stale", "new"]))

#: The conditions that a deployment which is there does not meet.
UNMET = ("stale", "new")


def config(text: str) -> dict[str, Any]:
    """The configuration whose one message is `text`, as it is sent and shown."""
    found: dict[str, Any] = a_body(messages=[{"role": "user", "content": text}])["prompt_config"]
    return found


def shown(item: dict[str, Any]) -> tuple[object, ...]:
    """What is held against the paper, of a deployment as the API shows it."""
    return item["id"], item["key"], item["description"], item["version"], item["prompt_config"]


def noted(deployment: Deployment) -> tuple[object, ...]:
    """The same of a deployment as it is on paper."""
    live = deployment.live
    return deployment.id, deployment.key, deployment.description, live.name, config(live.text)


def keys_of(deployments: list[Deployment]) -> list[str]:
    """The keys of those that are there, newest first."""
    return [each.key for each in reversed(deployments) if each.is_there]


#: What the orders must reach at least, for the test to be one of all that can be done.
REACHED = {
    *("post: 201", "put creates: 201", "put changes the text: 200", "describe: 200", "delete: 200", "restore: 200"),
    *("save draft: 201", "save published: 201", "publish a newer one: 200", "publish an older one: 200", "undo: 200"),
    *("compare: 200", "delete a version: 200", "restore a version: 200", "purge: something", "purge: nothing"),
}


class Changes(Machine):
    """All that can be done to deployments; and what holds after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.every: list[Deployment] = []
        self.touched: Deployment | None = None

    def deployment(self, place: int, has: Callable[[Deployment], object] = bool) -> Deployment:
        """One of those that ever were: mostly one that is there and, if there is such a one, `has` what it takes."""
        there = [each for each in self.every if each.is_there]
        self.touched = one_of([each for each in there if has(each)] or there or self.every, self.every, place)
        return self.touched

    def holder(self, key: str) -> Deployment | None:
        """The deployment that has the key."""
        return next((each for each in self.every if each.key == key and each.is_there), None)

    def condition(self, deployment: Deployment | None, how: How) -> dict[str, str]:
        """The header that says on which condition a change is asked for."""
        *older, now = ['"0-never"', *(deployment.etags if deployment else ["*"])]
        return {
            "none": {},
            "right": {"If-Match": now},
            "any": {"If-Match": "*"},
            "stale": {"If-Match": older[-1]},
            "new": {"If-None-Match": "*"},
        }[how.match]

    def is_refused(self, what: str, answer: Answer, deployment: Deployment, how: How) -> bool:
        """Whether a change was refused, as it must be where the deployment is gone, or not as the condition says."""
        if not deployment.is_there:
            self.expect(what, answer, 404, "deployment_deleted")
        elif how.match in UNMET:
            self.expect(what, answer, 412, "precondition_failed")
            assert shown(answer.error["current"]) == noted(deployment)
        return how.match in UNMET or not deployment.is_there

    def change(
        self, what: str, deployment: Deployment, how: How, method: str, path: str, body: object = None
    ) -> Answer | None:
        """Ask for a change of a deployment; None if it was refused."""
        name = deployment.id if how.by_id or not deployment.is_there else deployment.key
        answer = self.ask(method, f"deployments/{name}{path}", body, **self.condition(deployment, how))
        return None if self.is_refused(what, answer, deployment, how) else answer

    def create(self, answer: Answer, key: str, description: str, text: str) -> None:
        """Note a new deployment."""
        self.touched = Deployment.created(answer.json["id"], key, description, text)
        assert self.touched.id not in {each.id for each in self.every}
        assert shown(answer.json) == noted(self.touched)
        self.touched.has_etag(answer.headers["etag"])
        self.every.append(self.touched)

    # What is done to a deployment.

    @initialize()
    def a_deployment_that_has_versions(self) -> None:
        """To begin with: 1.0 was live, 1.1 is, and 2.0 is a draft."""
        self.put("a", "one", "short", "minor", How(), is_dry_run=False)
        self.put("a", "two", None, "minor", How(), is_dry_run=False)
        self.save(0, "three", "major", How(), "draft")

    def post(self, key: str, text: str, description: str) -> None:
        body = {"key": key, "prompt_config": config(text), "description": description}
        answer = self.ask("POST", "deployments", body)
        if self.holder(key):
            self.expect("post", answer, 409, "key_taken")
        else:
            self.expect("post", answer, 201)
            self.create(answer, key, description, text)

    def put(self, key: str, text: str, description: str | None, bump: str, how: How, is_dry_run: bool) -> None:
        body = {"prompt_config": config(text), "version_bump": bump}
        body |= {} if description is None else {"description": description}
        present = self.holder(key)
        what, query = ("dry run", "?dry_run=true") if is_dry_run else ("put", "")
        answer = self.ask("PUT", f"deployments/{key}{query}", body, **self.condition(present, how))
        if present is None and how.match not in ("none", "new"):
            was_there = any(each.key == key for each in self.every)
            self.expect(what, answer, 404, "deployment_deleted" if was_there else "deployment_not_found")
        elif present is None:
            self.expect(f"{what} creates", answer, 200 if is_dry_run else 201)
            assert answer.headers["x-moorage-result"] == "created"
            if not is_dry_run:
                self.create(answer, key, description or "", text)
        elif not self.is_refused(what, answer, present, how):
            is_text, is_words = text != present.live.text, description not in (None, present.description)
            changed = " and ".join(["the text"] * is_text + ["the description"] * is_words) or "nothing"
            self.expect(f"{what} changes {changed}", answer, 200)
            assert answer.headers["x-moorage-result"] == ("unchanged" if changed == "nothing" else "updated")
            if not is_dry_run:
                present.put(text, description, bump)
                present.has_etag(answer.headers["etag"])
                assert shown(answer.json) == noted(present)
        self.touched = present or self.touched

    def describe(self, place: int, description: str, how: How) -> None:
        deployment = self.deployment(place)
        answer = self.change("describe", deployment, how, "PATCH", "", {"description": description})
        if answer:
            self.expect("describe", answer, 200)
            result = "unchanged" if description == deployment.description else "updated"
            deployment.describe(description)
            deployment.has_etag(answer.headers["etag"])
            assert (answer.headers["x-moorage-result"], shown(answer.json)) == (result, noted(deployment))

    def delete(self, place: int, how: How) -> None:
        deployment = self.deployment(place)
        answer = self.change("delete", deployment, how, "DELETE", "")
        if answer:
            self.expect("delete", answer, 200)
            deployment.delete()
            deployment.has_etag(answer.headers["etag"])
            assert (answer.json["id"], answer.json["key"]) == (deployment.id, deployment.key)

    def restore(self, place: int, how: How) -> None:
        gone = [each for each in self.every if not each.is_there]
        deployment = self.touched = one_of(gone or self.every, self.every, place)
        answer = self.ask("POST", f"deployments/{deployment.id}/restore", **self.condition(deployment, how))
        if deployment.is_there:
            self.expect("restore", answer, 409, "not_deleted")
        elif deployment.state == "erased":
            self.expect("restore what is erased", answer, 404, "deployment_deleted")
            assert "permanently deleted" in answer.error["message"]
        elif self.holder(deployment.key):
            self.expect("restore", answer, 409, "key_taken")
        elif how.match in UNMET:
            self.expect("restore", answer, 412, "precondition_failed")
        else:
            self.expect("restore", answer, 200)
            deployment.restore()
            deployment.has_etag(answer.headers["etag"])
            assert shown(answer.json) == noted(deployment)

    # What is done to its versions.

    def save(self, place: int, text: str, bump: str, how: How, status: str) -> None:
        deployment = self.deployment(place)
        body = {"prompt_config": config(text), "version_bump": bump, "status": status}
        answer = self.change(f"save {status}", deployment, how, "POST", "/versions", body)
        if answer:
            self.expect(f"save {status}", answer, 201)
            version = deployment.save(text, bump)
            if status == "published":
                deployment.publish(version)
            deployment.has_etag(answer.headers["etag"])
            assert (answer.json["version"], answer.json["status"]) == (version.name, deployment.status(version))

    def version(self, deployment: Deployment, number: int, how: How) -> tuple[Version, str]:
        """One of the versions that ever were, mostly one that is there and not live; and how it is named in a path."""
        others = [each for each in deployment.versions if each.state == "there" and each is not deployment.live]
        version = one_of(others or [deployment.live], deployment.versions, number)
        return version, f"/versions/{version.id if how.by_id else version.name}"

    def publish(self, place: int, number: int, how: How) -> None:
        deployment = self.deployment(place, lambda each: len(each.listed()) > 1)
        version, path = self.version(deployment, number, how)
        answer = self.change("publish", deployment, how, "POST", f"{path}/publish")
        if answer and version.state != "there":
            self.expect("publish", answer, 404, "version_deleted")
        elif answer:
            order = (version.number > deployment.live.number) - (version.number < deployment.live.number)
            self.expect(f"publish {('the live one', 'a newer one', 'an older one')[order]}", answer, 200)
            deployment.publish(version)
            deployment.has_etag(answer.headers["etag"])
            assert (answer.json["version"], answer.json["status"]) == (version.name, "live")

    def undo(self, place: int, how: How) -> None:
        deployment = self.deployment(place, lambda each: each.moves)
        answer = self.change("undo", deployment, how, "POST", "/undo")
        if answer and not deployment.moves:
            self.expect("undo", answer, 409, "nothing_to_undo")
        elif answer and deployment.moves[-1][0].state != "there":
            self.expect("undo", answer, 404, "version_deleted")
        elif answer:
            self.expect("undo", answer, 200)
            deployment.undo()
            deployment.has_etag(answer.headers["etag"])
            assert (answer.json["version"], answer.json["status"]) == (deployment.live.name, "live")

    def delete_version(self, place: int, number: int, how: How) -> None:
        deployment = self.deployment(place, lambda each: len(each.listed()) > 1)
        version, path = self.version(deployment, number, how)
        answer = self.change("delete a version", deployment, how, "DELETE", path)
        if answer and version.state != "there":
            self.expect("delete a version", answer, 404, "version_deleted")
        elif answer and version is deployment.live:
            self.expect("delete a version", answer, 409, "version_is_live")
        elif answer:
            self.expect("delete a version", answer, 200)
            deployment.delete_version(version)
            deployment.has_etag(answer.headers["etag"])
            assert set(answer.json) == {"id", "deployment_id", "version", "deleted", "deleted_at", "restorable_until"}
            assert (answer.json["id"], answer.json["deployment_id"]) == (version.id, deployment.id)
            assert (answer.json["version"], answer.json["deleted"]) == (version.name, True)

    def restore_version(self, place: int, number: int, how: How) -> None:
        deployment = self.deployment(place, lambda each: len(each.listed()) < len(each.versions))
        gone = [each for each in deployment.versions if each.state != "there"]
        version = one_of(gone or deployment.versions, deployment.versions, number)
        path = f"/versions/{version.id if how.by_id else version.name}/restore"
        answer = self.change("restore a version", deployment, how, "POST", path)
        if answer and version.state == "there":
            self.expect("restore a version", answer, 409, "not_deleted")
        elif answer and version.state == "erased":
            self.expect("restore a version that is erased", answer, 404, "version_deleted")
            assert "permanently deleted" in answer.error["message"]
        elif answer:
            self.expect("restore a version", answer, 200)
            deployment.restore_version(version)
            deployment.has_etag(answer.headers["etag"])
            assert (answer.json["version"], answer.json["status"]) == (version.name, deployment.status(version))

    def look_at(self, place: int, number: int, other: int, how: How) -> None:
        deployment = self.deployment(place)
        one, path = self.version(deployment, number, how)
        two, _ = self.version(deployment, other, how)
        got = self.ask("GET", f"deployments/{deployment.id}{path}")
        compared = self.ask("GET", f"deployments/{deployment.id}/diff?from={one.name}&to={two.name}")
        if not deployment.is_there:
            self.expect("get a version", got, 404, "deployment_deleted")
            self.expect("compare", compared, 404, "deployment_deleted")
            return
        if one.state == "there":
            self.expect("get a version", got, 200)
            assert (got.json["version"], got.json["status"]) == (one.name, deployment.status(one))
        else:
            self.expect("get a version", got, 404, "version_deleted")
        if one.state == two.state == "there":
            self.expect("compare", compared, 200)
            change = {"path": "prompt_config.messages[0].content", "before": one.text, "after": two.text}
            assert compared.json["changes"] == ([] if one.text == two.text else [change])
        else:
            self.expect("compare", compared, 404, "version_deleted")

    def purge(self, days: int) -> None:
        """What was deleted is erased; or nothing is, for nobody waited 30 days."""
        with closing(open_store(self.server.database)) as store:
            count = purge(store, days)
        assert count == (0 if days else sum(each.erase() for each in self.every))
        self.outcomes.append(f"purge: {'something' if count else 'nothing'}")

    def teardown(self) -> None:
        """Leave nothing that the next example's purge would find."""
        with closing(open_store(self.server.database)) as store:
            purge(store, 0)

    @rule(
        step=steps(
            post={"key": KEYS, "text": TEXTS, "description": DESCRIPTIONS},
            put={"key": KEYS, "text": TEXTS, "description": st.none() | DESCRIPTIONS, "bump": BUMPS, "how": HOWS}
            | {"is_dry_run": st.sampled_from([False, False, False, True])},
            describe={"place": PLACES, "description": DESCRIPTIONS, "how": HOWS},
            delete={"place": PLACES, "how": HOWS},
            restore={"place": PLACES, "how": HOWS},
            save={"place": PLACES, "text": TEXTS, "bump": BUMPS, "how": HOWS, "status": STATUSES},
            publish={"place": PLACES, "number": PLACES, "how": HOWS},
            undo={"place": PLACES, "how": HOWS},
            delete_version={"place": PLACES, "number": PLACES, "how": HOWS},
            restore_version={"place": PLACES, "number": PLACES, "how": HOWS},
            look_at={"place": PLACES, "number": PLACES, "other": PLACES, "how": HOWS},
            purge={"days": st.sampled_from([30, 0])},
        )
    )
    def step(self, step: Step) -> None:
        self.do(step)

    # What holds after each step.

    @invariant()
    def what_is_shown_is_what_is_on_paper(self) -> None:
        self.the_list_shows_what_is_there_newest_first()
        if self.touched:
            self.a_place_in_the_list_is_kept_by_what_is_gone_too(self.touched)
            self.its_history_is_what_was_done_newest_first(self.touched)
        if self.touched and self.touched.is_there:
            self.it_is_shown_by_its_key_and_its_id_and_has_the_etag_that_was_told(self.touched)
            self.its_versions_are_those_that_were_made_and_not_deleted_newest_first(self.touched)
            self.a_place_among_its_versions_is_kept_by_what_is_gone_too(self.touched)
        elif self.touched:
            self.nothing_of_it_is_shown(self.touched)

    def the_list_shows_what_is_there_newest_first(self) -> None:
        listed = [shown(item) for page in self.project.walk(limit=2) for item in page.json["data"]]
        assert listed == [noted(each) for each in reversed(self.every) if each.is_there]

    def a_place_in_the_list_is_kept_by_what_is_gone_too(self, it: Deployment) -> None:
        place = self.every.index(it)
        assert self.project.page(limit=50, starting_after=it.id).keys == keys_of(self.every[:place])
        assert self.project.page(limit=50, ending_before=it.id).keys == keys_of(self.every[place + 1 :])

    def it_is_shown_by_its_key_and_its_id_and_has_the_etag_that_was_told(self, it: Deployment) -> None:
        by_key, by_id = self.project.get(it.key), self.project.get(it.id)
        assert by_key.body == by_id.body
        assert shown(by_key.json) == noted(it)
        it.has_etag(by_key.headers["etag"])

    def nothing_of_it_is_shown(self, it: Deployment) -> None:
        for path in ("", "/versions"):
            answer = self.ask("GET", f"deployments/{it.id}{path}")
            assert (answer.status, answer.error["code"]) == (404, "deployment_deleted")
            assert ("permanently deleted" in answer.error["message"]) == (it.state == "erased")

    def its_versions_are_those_that_were_made_and_not_deleted_newest_first(self, it: Deployment) -> None:
        items, listed = self.every_item(it, "versions", "_id"), it.listed()
        assert [(item["version"], item["status"], item["prompt_config"]["messages"]) for item in items] == [
            (each.name, it.status(each), config(each.text)["messages"]) for each in listed
        ]
        for item, version in zip(items, listed, strict=True):
            version.id = version.id or item["_id"]
            assert item["_id"] == version.id

    def a_place_among_its_versions_is_kept_by_what_is_gone_too(self, it: Deployment) -> None:
        for gone in (each for each in it.versions if each.state != "there"):
            items = self.every_item(it, "versions", "_id", gone.id)
            assert [item["version"] for item in items] == [
                each.name for each in it.listed() if each.number < gone.number
            ]

    def its_history_is_what_was_done_newest_first(self, it: Deployment) -> None:
        entries = self.every_item(it, "history", "id")
        found = [(entry["action"], entry["from_version"], entry["to_version"]) for entry in entries]
        assert found == it.history[::-1]

    def every_item(self, it: Deployment, what: str, cursor: str, after: str = "") -> list[dict[str, Any]]:
        """A list of a deployment, page by page to its end."""
        items: list[dict[str, Any]] = []
        while True:
            after = items[-1][cursor] if items else after
            page = self.ask("GET", f"deployments/{it.id}/{what}?limit=6&starting_after={after}")
            assert page.status == 200, page.body
            items += page.json["data"]
            if not page.json["has_more"]:
                return items


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[Path], str]) -> Iterator[Server]:
    """A server of its own: a purge is of all projects."""
    folder = tmp_path_factory.mktemp("state_machine")
    with Server(folder, database=new_database(folder)) as running:
        yield running


def test_whatever_is_done_the_api_shows_it_as_it_is_on_paper(server: Server) -> None:
    outcomes = run(Changes, server, examples=25, steps=30)

    assert outcomes.keys() >= REACHED
    with closing(open_store(server.database)) as store:
        assert verify_history(store) == []


NOW, STALE = How(), How(match="stale")

#: What chance seldom does, one after the other: what is asked, and how it is answered.
SELDOM: list[tuple[str, tuple[Any, ...], str]] = [
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
    ("restore_version", (0, 0, NOW), "restore a version that is erased: version_deleted"),
    ("save", (0, "three", "minor", NOW, "draft"), "save draft: 201"),
    ("put", ("b", "one", None, "minor", How(match="any"), False), "put: deployment_not_found"),
    ("put", ("b", "one", None, "minor", NOW, True), "dry run creates: 200"),
    ("put", ("b", "one", None, "minor", How(match="new"), False), "put creates: 201"),
    ("put", ("b", "two", None, "minor", How(match="new"), False), "put: precondition_failed"),
    ("undo", (7, NOW), "undo: nothing_to_undo"),
    ("delete", (1, STALE), "delete: precondition_failed"),
    ("delete", (1, How(match="right")), "delete: 200"),
    ("put", ("a", "one", None, "minor", How(match="any"), False), "put: deployment_deleted"),
    ("post", ("a", "one", ""), "post: 201"),
    ("restore", (0, NOW), "restore: key_taken"),
    ("delete", (0, NOW), "delete: 200"),
    ("restore", (1, STALE), "restore: precondition_failed"),
    ("restore", (1, How(match="right")), "restore: 200"),
    ("delete", (1, NOW), "delete: 200"),
    ("purge", (0,), "purge: something"),
    ("restore", (0, NOW), "restore what is erased: deployment_deleted"),
    ("post", ("a", "two", "short"), "post: 201"),
    ("put", ("a", "two", "short", "minor", NOW, False), "put changes nothing: 200"),
    ("put", ("a", "one", "", "minor", NOW, True), "dry run changes the text and the description: 200"),
    ("put", ("a", "one", "", "minor", NOW, False), "put changes the text and the description: 200"),
    ("put", ("a", "one", "longer", "minor", NOW, False), "put changes the description: 200"),
    ("put", ("a", "two", None, "major", How(match="right"), False), "put changes the text: 200"),
    ("put", ("a", "one", None, "major", STALE, False), "put: precondition_failed"),
    ("describe", (0, "longer", NOW), "describe: 200"),
    ("restore", (0, NOW), "restore what is erased: deployment_deleted"),
    ("restore", (1, NOW), "restore what is erased: deployment_deleted"),
]


def seldom(server: Server) -> list[str]:
    """Do what is seldom done; how it was answered."""
    machine = bound(Changes, server)()
    machine.a_deployment_that_has_versions()
    machine.outcomes.clear()
    for name, arguments, _ in SELDOM:
        getattr(machine, name)(*arguments)
        machine.what_is_shown_is_what_is_on_paper()
    return machine.outcomes


def test_what_chance_seldom_does_is_shown_as_it_is_on_paper_too(server: Server) -> None:
    assert seldom(server) == [expected for _, _, expected in SELDOM]


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        (b'"status":"draft"', b'"status":"published"'),
        (b'"action":"undone"', b'"action":"published"'),
        (b'"to_version":null', b'"to_version":"1.0"'),
        (b'"version":"2.0"', b'"version":"1.2"'),
        (b'"has_more":true', b'"has_more":false'),
        (b'"description":"longer"', b'"description":"short"'),
        (b'"code":"key_taken"', b'"code":"conflict"'),
        (b"It was permanently deleted.", b"Ask again"),
    ],
)
def test_an_answer_that_is_not_as_on_paper_is_found(
    server: Server, monkeypatch: pytest.MonkeyPatch, said: bytes, instead: bytes
) -> None:
    """The positive control: what the server says is read otherwise, and it is noticed."""
    monkeypatch.setattr(Answer, "json", property(lambda answer: json.loads(answer.body.replace(said, instead))))

    with pytest.raises(AssertionError):
        seldom(server)
