"""Whatever keys are made, renamed and revoked, and by whichever key: each may do what is on paper, and no more."""

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from moorage.core.access import Scope
from tests.support.machine import PLACES, Machine, Step, one_of, run, steps
from tests.support.paper import Key
from tests.support.server import Answer, Server

ADMIN = frozenset({Scope.KEYS_ADMIN})
NAMES = st.sampled_from(["laptop", "ci", "app"])
SCOPES = st.none() | st.frozensets(st.sampled_from(list(Scope)), min_size=1)

#: A request for each scope that a route asks for.
USES = {
    Scope.READ: ("GET", "deployments/a/versions", None),
    Scope.WRITE: ("PATCH", "deployments/a", {"description": "by a key"}),
    Scope.PUBLISH: ("POST", "deployments/a/versions/1.0/publish", None),
    Scope.KEYS_ADMIN: ("GET", "api-keys", None),
}

#: What the orders must reach, for the test to be one of all of it.
REACHED = {
    *(
        "make: 201",
        "make: insufficient_scope",
        "make: invalid_api_key",
        "make one that may nothing: insufficient_scope",
    ),
    *("rename: 200", "rename: insufficient_scope", "rename: invalid_api_key"),
    *("revoke: 200", "revoke: insufficient_scope", "revoke: invalid_api_key", "revoke itself: 200"),
    *("use: 200", "use: insufficient_scope", "use: invalid_api_key"),
}


class ApiKeys(Machine):
    """All that can be done to API keys by API keys; and what holds after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.project.put("a")
        makes_some = ADMIN | {Scope.READ, Scope.WRITE}
        held = {
            self.first_token: frozenset(Scope) - ADMIN,
            self.project.token: frozenset(Scope),
            self.project.key(*makes_some)[1]: makes_some,
            self.project.key(Scope.KEYS_ADMIN)[1]: ADMIN,
        }
        names = ["test", "more", "more", "more"]
        self.keys = [
            Key(token.split("_")[1], name, scopes, token)
            for name, (token, scopes) in zip(names, held.items(), strict=True)
        ]

    def key(self, place: int) -> Key:
        """One of the keys that ever were, mostly one that is not revoked; never the one that looks at the others."""
        every = [key for key in self.keys if key.token != self.project.token]
        return one_of([key for key in every if not key.is_revoked] or every, every, place)

    def ask_by(self, key: Key, method: str, path: str, body: object = None) -> Answer:
        """One request of that key."""
        return self.ask(method, path, body, Authorization=f"Bearer {key.token}")

    def is_allowed(self, what: str, answer: Answer, key: Key, needed: frozenset[Scope]) -> bool:
        """Whether a key may do what needs these scopes; if it may not, the answer says so."""
        if key.is_revoked:
            self.expect(what, answer, 401, "invalid_api_key")
        elif not needed <= key.scopes:
            self.expect(what, answer, 403, "insufficient_scope")
        return not key.is_revoked and needed <= key.scopes

    def make(self, asking: int, scopes: frozenset[Scope] | None, name: str) -> None:
        by = self.key(asking)
        given = by.scopes - ADMIN if scopes is None else scopes
        answer = self.ask_by(by, "POST", "api-keys", {"name": name, **({"scopes": sorted(given)} if scopes else {})})
        if self.is_allowed("make", answer, by, given | ADMIN):
            if given:
                self.expect("make", answer, 201)
                self.keys.append(Key(answer.json["id"], name, given, answer.json["token"]))
            else:
                self.expect("make one that may nothing", answer, 403, "insufficient_scope")

    def rename(self, asking: int, place: int, name: str) -> None:
        by, key = self.key(asking), self.key(place)
        answer = self.ask_by(by, "PATCH", f"api-keys/{key.id}", {"name": name})
        if self.is_allowed("rename", answer, by, ADMIN):
            self.expect("rename", answer, 200)
            key.name = name

    def revoke(self, asking: int, place: int) -> None:
        by, key = self.key(asking), self.key(place)
        answer = self.ask_by(by, "DELETE", f"api-keys/{key.id}")
        if self.is_allowed("revoke", answer, by, ADMIN):
            self.expect("revoke itself" if key is by else "revoke", answer, 200)
            key.is_revoked = True
            self.expect("use", self.ask_by(key, "GET", "deployments"), 401, "invalid_api_key")

    def use(self, place: int, scope: Scope) -> None:
        key = self.key(place)
        answer = self.ask_by(key, *USES[scope])
        if self.is_allowed("use", answer, key, frozenset({scope})):
            self.expect("use", answer, 200)

    @rule(
        step=steps(
            make={"asking": PLACES, "scopes": SCOPES, "name": NAMES},
            rename={"asking": PLACES, "place": PLACES, "name": NAMES},
            revoke={"asking": PLACES, "place": PLACES},
            use={"place": PLACES, "scope": st.sampled_from(list(USES))},
        )
    )
    def step(self, step: Step) -> None:
        self.do(step)

    @invariant()
    def the_list_shows_the_keys_newest_first_and_no_token(self) -> None:
        answer = self.ask("GET", "api-keys")
        found = [(each["id"], each["name"], each["scopes"], each["status"]) for each in answer.json["data"]]
        assert found == [
            (key.id, key.name, sorted(key.scopes), "revoked" if key.is_revoked else "active")
            for key in reversed(self.keys)
        ]
        assert not any(key.token in answer.body.decode() for key in self.keys)


def test_whatever_is_done_to_keys_each_may_do_what_is_on_paper(server: Server) -> None:
    outcomes = run(ApiKeys, server, examples=20, steps=30)

    assert outcomes.keys() == REACHED
