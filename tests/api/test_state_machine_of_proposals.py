"""Environments, proposals and approvals match a model after any sequence of writes.

Hypothesis generates the sequences: three environments, five API keys, two deployments. After each step, all responses
are compared with the model; at the end, the rows with the history.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from moorage.core.access import Scope
from moorage.diagnostics.ledger import verify_ledger
from moorage.store.opening import open_store
from tests.support.machine import POSITIONS, Machine, Step, run, steps
from tests.support.server import Response, Server
from tests.support.team import Team, with_text

ENVIRONMENTS = ("production", "staging", "strict")
KEYS = ("a", "b")

#: The people: two who write, and three who also approve.
WRITERS = ("wim", "wes")
APPROVERS = ("ann", "bob", "cem")
PEOPLE = (*WRITERS, *APPROVERS)

WRITING = frozenset({Scope.READ, Scope.WRITE, Scope.PUBLISH, Scope.INVOKE})

ENVIRONMENT = st.sampled_from(ENVIRONMENTS)
KEY = st.sampled_from(KEYS)
PERSON = st.sampled_from(PEOPLE)
TEXT = st.sampled_from(["one", "two", "three"])

FOLLOWS = "follows"

#: The outcomes that the sequences must reach.
REACHED = {
    "put: 200", "put: proposed", "publish: 200", "publish: proposed", "undo: 200", "undo: nothing_to_undo",
    "unpublish: 200", "unpublish: proposed", "unpublish: production_cannot_follow", "promote: 200",
    "promote: proposed", "approve: open", "approve: published", "approve: own_proposal", "approve: proposal_closed",
    "approve: insufficient_scope", "reject: rejected", "reject: proposal_closed", "reject: insufficient_scope",
    "withdraw: withdrawn", "withdraw: insufficient_scope", "withdraw: proposal_closed", "require: 200",
    "revoke: 200", "emergency: 200",
}  # fmt: skip


@dataclass
class Proposal:
    """What the model knows of a proposal."""

    id: str
    environment: str
    proposer: str
    items: dict[str, tuple[str, str | None]]  # key -> state before, and version afterwards (None: it follows)
    is_open: bool = True
    approvals: set[str] = field(default_factory=set)
    authors: set[str] = field(default_factory=set)


class Proposals(Machine):
    """All writes to live versions, and decisions about proposals."""

    def __init__(self) -> None:
        super().__init__()
        self.team = Team(self.project)
        self.tokens = {
            name: self.team.key(name, WRITING | ({Scope.APPROVE} if name in APPROVERS else set())) for name in PEOPLE
        }
        self.emergency_token = self.team.key("fire brigade")
        self.numbers: dict[str, str] = {self.token_id(token): name for name, token in self.tokens.items()}
        self.required = dict.fromkeys(ENVIRONMENTS, 0)
        self.states: dict[tuple[str, str], str] = {}
        self.authors: dict[tuple[str, str], str] = {}
        self.proposals: list[Proposal] = []
        for name in ENVIRONMENTS[1:]:
            self.team.create(name)
        for key in KEYS:
            assert self.team.put(key, "first", token=self.team.admin).status == 201
            for environment in ENVIRONMENTS:
                self.states[environment, key] = "1.0" if environment == "production" else FOLLOWS
        self.require("strict", 2)

    @staticmethod
    def token_id(token: str) -> str:
        """Return the id of an API key."""
        return token.split("_")[1]

    # The model.

    def served(self, environment: str, key: str) -> str:
        """Return the version that callers get."""
        state = self.states[environment, key]
        return self.states["production", key] if state == FOLLOWS else state

    def read(self, environment: str, key: str) -> tuple[str, str]:
        """Return the state of a deployment in an environment, and the version that it shows, by the API."""
        response = self.request("GET", f"deployments/{key}?environment={environment}")
        follows = response.headers["x-moorage-environment"].endswith(";follows=production")
        version: str = response.json["version"]
        return FOLLOWS if follows else version, version

    def moved(self, environment: str, key: str, published: Proposal | None = None) -> None:
        """Update the model after a move of a live version: open proposals about it are stale."""
        self.states[environment, key] = self.read(environment, key)[0]
        for proposal in self.proposals:
            if proposal is published or not proposal.is_open or key not in proposal.items:
                continue
            is_follower = environment == "production" and proposal.items[key][0] == FOLLOWS
            if proposal.environment == environment or is_follower:
                proposal.is_open = False

    def written(self, step: str, response: Response, person: str, environment: str, *keys: str) -> None:
        """Check the response to a write of live versions, and update the model."""
        before = {key: self.states[environment, key] for key in keys}
        if response.status == 202:
            self.expect(step, response, 202)
            self.outcomes[-1] = f"{step}: proposed"
            assert self.required[environment] > 0
            self.proposed(response.json, person)
            assert {key: self.read(environment, key)[0] for key in keys} == before, "nothing has changed"
            return
        self.outcomes.append(f"{step}: {response.error['code'] if response.status >= 400 else 200}")
        if response.status >= 400:
            return
        for key in keys:
            if self.read(environment, key)[0] != before[key]:
                is_undo = step == "undo"
                assert not self.required[environment] or is_undo or step == "emergency", "it needed approval"
                self.moved(environment, key)

    def proposed(self, item: dict[str, Any], person: str) -> None:
        """Add a proposal to the model, unless it is one that was returned again."""
        known = [each for each in self.proposals if each.id == item["id"]]
        if known:
            assert known[0].is_open
            assert known[0].proposer == person
            return
        items = {each["key"]: (each["base_version"], each["version"]) for each in item["items"]}
        assert {key: base for key, (base, _) in items.items()} == {
            key: self.states[item["environment"], key] for key in items
        }
        found = Proposal(item["id"], item["environment"], person, items)
        for key, (_, number) in items.items():
            if number is not None:
                found.authors.add(self.author(key, number))
        self.proposals.append(found)

    def author(self, key: str, number: str) -> str:
        """Return who wrote a version."""
        if (key, number) not in self.authors:
            version = self.request("GET", f"deployments/{key}/versions/{number}").json
            created_by = version.get("created_by") or {}
            self.authors[key, number] = created_by.get("name", "") if isinstance(created_by, dict) else created_by
        return self.authors[key, number]

    # The steps.

    def put(self, person: str, environment: str, key: str, text: str) -> None:
        response = self.team.put(key, text, environment, self.tokens[person])
        self.note_author(response, key, person)
        self.written("put", response, person, environment, key)

    def note_author(self, response: Response, key: str, person: str) -> None:
        """Note who wrote the newest version, if there is a new one."""
        newest = self.request("GET", f"deployments/{key}/versions?limit=1").json["data"][0]["version"]
        self.authors.setdefault((key, newest), person)

    def publish(self, person: str, environment: str, key: str, position: int) -> None:
        versions = self.request("GET", f"deployments/{key}/versions?limit=50").json["data"]
        number = versions[position % len(versions)]["version"]
        response = self.team.publish(key, number, environment, self.tokens[person])
        self.written("publish", response, person, environment, key)

    def undo(self, person: str, environment: str, key: str) -> None:
        self.written("undo", self.team.undo(key, environment, self.tokens[person]), person, environment, key)

    def unpublish(self, person: str, environment: str, key: str) -> None:
        response = self.team.unpublish(key, environment, self.tokens[person])
        self.written("unpublish", response, person, environment, key)

    def promote(self, person: str, source: str, target: str, both: bool) -> None:
        if source == target:
            return
        keys = KEYS if both else KEYS[:1]
        response = self.team.promote(*keys, source=source, to=target, token=self.tokens[person])
        expected = {key: self.served(source, key) for key in keys}
        self.written("promote", response, person, target, *keys)
        if response.status == 200:
            assert {key: self.served(target, key) for key in keys} == expected

    def emergency(self, environment: str, key: str, text: str) -> None:
        path = f"/v2/deployments/{key}?environment={environment}&emergency=true"
        headers = {"X_Moorage_Change_Reason": "fire"}
        response = self.team.send("PUT", path, with_text(text), self.emergency_token, **headers)
        self.note_author(response, key, "fire brigade")
        self.written("emergency", response, "fire brigade", environment, key)

    def proposal(self, position: int) -> Proposal | None:
        """Return a proposal, mostly an open one."""
        if not self.proposals:
            return None
        preferred = [each for each in self.proposals if each.is_open]
        chosen = preferred if preferred and position % 4 else self.proposals
        return chosen[-1 - position % len(chosen)]

    def approve(self, person: str, position: int) -> None:
        proposal = self.proposal(position)
        if proposal is None:
            return
        response = self.team.decide("approve", proposal.id, self.tokens[person])
        if person not in APPROVERS:
            self.expect("approve", response, 403, "insufficient_scope")
        elif not proposal.is_open:
            self.expect("approve", response, 409, "proposal_closed")
        elif person in proposal.approvals:
            self.expect("approve again", response, 200)
            assert response.json["status"] == "open"
        elif person == proposal.proposer or person in proposal.authors:
            self.expect("approve", response, 403, "own_proposal")
        else:
            proposal.approvals.add(person)
            is_last = len(proposal.approvals) >= self.required[proposal.environment]
            self.expect("approve", response, 200)
            status = self.outcomes[-1] = f"approve: {response.json['status']}"
            assert status == ("approve: published" if is_last else "approve: open")
            if is_last:
                proposal.is_open = False
                for key, (_, number) in proposal.items.items():
                    self.moved(proposal.environment, key, proposal)
                    assert self.states[proposal.environment, key] == (number or FOLLOWS)

    def reject(self, person: str, position: int) -> None:
        self.close("reject", "rejected", person, position, may=person in APPROVERS)

    def withdraw(self, person: str, position: int) -> None:
        proposal = self.proposal(position)
        may = proposal is not None and (proposal.proposer == person or not proposal.is_open)
        self.close("withdraw", "withdrawn", person, position, may=may)

    def close(self, step: str, status: str, person: str, position: int, *, may: bool) -> None:
        """Reject or withdraw a proposal."""
        proposal = self.proposal(position)
        if proposal is None:
            return
        response = self.team.decide(step, proposal.id, self.tokens[person])
        if not may:
            self.expect(step, response, 403, "insufficient_scope")
        elif not proposal.is_open:
            self.expect(step, response, 409, "proposal_closed")
        else:
            self.expect(step, response, 200)
            self.outcomes[-1] = f"{step}: {status}"
            assert response.json["status"] == status
            proposal.is_open = False

    def require(self, environment: str, count: int) -> None:
        response = self.team.send("PUT", f"/v2/environments/{environment}", {"required_approvals": count})
        self.expect("require", response, 200)
        self.required[environment] = count

    def revoke(self, person: str) -> None:
        """Revoke the key of a person, who gets another one: approvals with the old one do not count."""
        old = self.tokens[person]
        response = self.team.send("DELETE", f"/v2/api-keys/{self.token_id(old)}")
        self.expect("revoke", response, 200)
        scopes = WRITING | ({Scope.APPROVE} if person in APPROVERS else set())
        self.tokens[person] = self.team.key(person, scopes)
        for proposal in self.proposals:
            proposal.approvals.discard(person)
            if proposal.proposer == person:
                proposal.proposer = f"{person} before"  # another key, which does not belong to anybody now
            if person in proposal.authors:
                proposal.authors = {*proposal.authors - {person}, f"{person} before"}
        self.authors = {
            version: f"{person} before" if author == person else author for version, author in self.authors.items()
        }

    @rule(
        step=steps(
            put={"person": PERSON, "environment": ENVIRONMENT, "key": KEY, "text": TEXT},
            publish={"person": PERSON, "environment": ENVIRONMENT, "key": KEY, "position": POSITIONS},
            undo={"person": PERSON, "environment": ENVIRONMENT, "key": KEY},
            unpublish={"person": PERSON, "environment": ENVIRONMENT, "key": KEY},
            promote={"person": PERSON, "source": ENVIRONMENT, "target": ENVIRONMENT, "both": st.booleans()},
            emergency={"environment": ENVIRONMENT, "key": KEY, "text": TEXT},
            approve={"person": st.sampled_from([*PEOPLE, *APPROVERS, *APPROVERS]), "position": POSITIONS},
            reject={"person": PERSON, "position": POSITIONS},
            withdraw={"person": PERSON, "position": POSITIONS},
            require={"environment": ENVIRONMENT, "count": st.sampled_from([0, 1, 1, 2])},
            revoke={"person": PERSON},
        )
    )
    def step(self, step: Step) -> None:
        self.do(step)

    @invariant()
    def every_environment_shows_what_the_model_has(self) -> None:
        for environment in ENVIRONMENTS:
            for key in KEYS:
                state, version = self.read(environment, key)
                assert (state, version) == (self.states[environment, key], self.served(environment, key))

    @invariant()
    def a_proposal_is_open_while_nothing_that_it_names_has_moved(self) -> None:
        found = {each["id"]: each for each in self.request("GET", "proposals?limit=50").json["data"]}
        for proposal in self.proposals[-50:]:
            detail = found[proposal.id]
            assert (detail["status"] == "open") == proposal.is_open
            assert {each["api_key"]["name"] for each in detail["approvals"]} == proposal.approvals or (
                not proposal.is_open  # the approvals of a published one are those of its time
            )
            if detail["status"] == "open":
                bases = {each["key"]: each["base_version"] for each in detail["items"]}
                assert bases == {key: self.states[proposal.environment, key] for key in bases}
                assert not proposal.approvals & ({proposal.proposer} | proposal.authors)

    @invariant()
    def a_version_is_pending_where_an_open_proposal_publishes_it(self) -> None:
        for environment in ENVIRONMENTS:
            for key in KEYS:
                path = f"deployments/{key}/versions?limit=50&environment={environment}"
                pending = {
                    each["version"] for each in self.request("GET", path).json["data"] if each["status"] == "pending"
                }
                targets = {
                    each.items[key][1]
                    for each in self.proposals
                    if each.is_open and each.environment == environment and key in each.items
                }
                assert pending == {number for number in targets if number} - {self.served(environment, key)}

    def teardown(self) -> None:
        """Check the rows against the history."""
        with closing(open_store(self.server.database)) as store:
            assert verify_ledger(store) == []


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[Path], str]) -> Iterator[Server]:
    """Return a server whose database has nothing but what these tests write: they verify all of its history."""
    folder = tmp_path_factory.mktemp("server")
    with Server(folder, database=new_database(folder)) as running:
        yield running


@pytest.mark.system
def test_proposals_match_the_model_after_any_sequence_of_writes(own_server: Server) -> None:
    outcomes = run(Proposals, own_server, examples=25, steps=30)

    assert REACHED - outcomes.keys() == set()
