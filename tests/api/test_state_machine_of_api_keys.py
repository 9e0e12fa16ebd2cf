"""The permissions of API keys match a model after any sequence of creations, renames, rotations and revocations."""

from copy import copy

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from moorage.core.access import ADMIN_SCOPES, APPROVING_SCOPES, Scope
from tests.support.machine import POSITIONS, RARE, Machine, Step, one_of, run, steps
from tests.support.model import Key
from tests.support.server import Response, Server

ADMIN = frozenset({Scope.KEYS_ADMIN})
NAMES = st.sampled_from(["laptop", "ci", "app"])
SCOPES = st.none() | st.frozensets(st.sampled_from(list(Scope)), min_size=1)

#: A request for each scope.
USES = {
    Scope.READ: ("GET", "deployments/a/versions", None),
    Scope.WRITE: ("PATCH", "deployments/a", {"description": "by a key"}),
    Scope.PUBLISH: ("POST", "deployments/a/versions/1.0/publish", None),
    Scope.KEYS_ADMIN: ("GET", "api-keys", None),
    Scope.INTEGRATIONS_ADMIN: ("GET", "integrations", None),
}

#: The outcomes that the sequences must reach.
REACHED = {
    *(
        "create: 201",
        "create: insufficient_scope",
        "create: invalid_api_key",
        "create one without scopes: insufficient_scope",
    ),
    *("rename: 200", "rename: insufficient_scope", "rename: invalid_api_key"),
    *("revoke: 200", "revoke: insufficient_scope", "revoke: invalid_api_key", "revoke itself: 200"),
    *("rotate: 200", "rotate: insufficient_scope", "rotate: invalid_api_key", "rotate itself: 200"),
    "rotate: api_key_not_active",
    *("use: 200", "use: insufficient_scope", "use: invalid_api_key"),
}


def with_admin(scopes: frozenset[Scope]) -> frozenset[Scope]:
    """Return the scopes that another key needs to grant these."""
    return scopes | ({Scope.ENVIRONMENTS_ADMIN} if scopes & APPROVING_SCOPES else frozenset())


class ApiKeys(Machine):
    """All writes to API keys, and the invariants after each one."""

    def __init__(self) -> None:
        super().__init__()
        self.project.put("a")
        granting = frozenset(Scope) - {Scope.PUBLISH}
        held = {
            self.first_token: frozenset(Scope) - ADMIN_SCOPES,
            self.project.token: frozenset(Scope),
            self.project.key(*granting)[1]: granting,
            self.project.key(Scope.KEYS_ADMIN)[1]: ADMIN,
        }
        names = ["test", "more", "more", "more"]
        self.keys = [
            Key(token.split("_")[1], name, scopes, token)
            for name, (token, scopes) in zip(names, held.items(), strict=True)
        ]

    def key(self, position: int) -> Key:
        """Return a key, mostly one that is not revoked; never the key that lists the others."""
        keys = [key for key in self.keys if key.token != self.project.token]
        return one_of([key for key in keys if not key.is_revoked] or keys, keys, position)

    def request_by(self, key: Key, method: str, path: str, body: object = None) -> Response:
        """Send a request with a key."""
        return self.request(method, path, body, Authorization=f"Bearer {key.token}")

    def is_allowed(self, step: str, response: Response, key: Key, required: frozenset[Scope]) -> bool:
        """Check the rejection of a request without these scopes; return whether the key has them."""
        if key.is_revoked:
            self.expect(step, response, 401, "invalid_api_key")
        elif not required <= key.scopes:
            self.expect(step, response, 403, "insufficient_scope")
        return not key.is_revoked and required <= key.scopes

    def create(self, caller_position: int, scopes: frozenset[Scope] | None, name: str) -> None:
        caller = self.key(caller_position)
        requested = caller.scopes - ADMIN_SCOPES if scopes is None else scopes
        response = self.request_by(
            caller, "POST", "api-keys", {"name": name, **({"scopes": sorted(requested)} if scopes else {})}
        )
        if self.is_allowed("create", response, caller, with_admin(requested) | ADMIN):
            if requested:
                self.expect("create", response, 201)
                self.keys.append(Key(response.json["id"], name, requested, response.json["token"]))
            else:
                self.expect("create one without scopes", response, 403, "insufficient_scope")

    def rename(self, caller_position: int, position: int, name: str) -> None:
        caller, key = self.key(caller_position), self.key(position)
        response = self.request_by(caller, "PATCH", f"api-keys/{key.id}", {"name": name})
        if self.is_allowed("rename", response, caller, ADMIN):
            self.expect("rename", response, 200)
            key.name = name

    def revoke(self, caller_position: int, position: int) -> None:
        caller, key = self.key(caller_position), self.key(position)
        response = self.request_by(caller, "DELETE", f"api-keys/{key.id}")
        if self.is_allowed("revoke", response, caller, ADMIN):
            self.expect("revoke itself" if key is caller else "revoke", response, 200)
            key.is_revoked = True
            self.expect("use", self.request_by(key, "GET", "deployments"), 401, "invalid_api_key")

    def rotate(self, caller_position: int, position: int) -> None:
        caller, key = self.key(caller_position), self.key(position)
        revoked = [key for key in self.keys if key.is_revoked]
        if revoked and position < RARE[0] // 2:
            key = revoked[-1]
        response = self.request_by(caller, "POST", f"api-keys/{key.id}/rotate")
        required = key.scopes if key is caller else with_admin(key.scopes)
        if not self.is_allowed("rotate", response, caller, required | ADMIN):
            return
        if key.is_revoked:
            self.expect("rotate", response, 409, "api_key_not_active")
            return
        self.expect("rotate itself" if key is caller else "rotate", response, 200)
        before, key.token = copy(key), response.json["token"]
        self.expect("use", self.request_by(before, "GET", "deployments"), 401, "invalid_api_key")

    def use(self, position: int, scope: Scope) -> None:
        key = self.key(position)
        response = self.request_by(key, *USES[scope])
        if self.is_allowed("use", response, key, frozenset({scope})):
            self.expect("use", response, 200)

    @rule(
        step=steps(
            create={"caller_position": POSITIONS, "scopes": SCOPES, "name": NAMES},
            rename={"caller_position": POSITIONS, "position": POSITIONS, "name": NAMES},
            revoke={"caller_position": POSITIONS, "position": POSITIONS},
            rotate={"caller_position": POSITIONS, "position": POSITIONS},
            use={"position": POSITIONS, "scope": st.sampled_from(list(USES))},
        )
    )
    def step(self, step: Step) -> None:
        self.do(step)

    @invariant()
    def the_list_has_the_keys_newest_first_without_tokens(self) -> None:
        response = self.request("GET", "api-keys")
        found = [(item["id"], item["name"], item["scopes"], item["status"]) for item in response.json["data"]]
        assert found == [
            (key.id, key.name, sorted(key.scopes), "revoked" if key.is_revoked else "active")
            for key in reversed(self.keys)
        ]
        assert not any(key.token in response.body.decode() for key in self.keys)


@pytest.mark.system
def test_each_key_has_the_permissions_of_the_model_after_any_sequence_of_steps(server: Server) -> None:
    outcomes = run(ApiKeys, server, examples=40, steps=30)

    assert outcomes.keys() == REACHED
