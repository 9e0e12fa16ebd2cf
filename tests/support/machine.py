"""Machine: does one thing after the other to a project of its own, in orders that Hypothesis makes up."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from hypothesis.strategies import SearchStrategy

from moorage.core.access import Scope
from tests.support.server import Answer, Project, Server

#: Where something is in a list, see `one_of`.
PLACES = st.integers(0, 15)
RARE = range(7, 9)

T = TypeVar("T")


class Step(NamedTuple):
    """A method of a machine, by its name, and what it is called with."""

    name: str
    arguments: dict[str, Any]


def steps(**arguments: dict[str, SearchStrategy[Any]]) -> SearchStrategy[Step]:
    """One step after the other, by what each is called with, all of them as often: rules of Hypothesis itself are left
    out of many examples, and some dozens of examples are too few for that."""
    return st.one_of([st.builds(Step, st.just(name), st.fixed_dictionaries(its)) for name, its in arguments.items()])


def one_of(some: Sequence[T], every: Sequence[T], place: int) -> T:
    """One of `some`, from the last on; every now and then one of `every`."""
    if place in RARE:
        return every[-1 - (place - RARE[0]) % len(every)]
    return some[-1 - place % len(some)]


class Machine(RuleBasedStateMachine):
    """A project, by a key that may do everything. `outcomes` are how requests were answered, one after the other."""

    server: Server
    outcomes: list[str]

    def __init__(self) -> None:
        super().__init__()
        first = self.server.new_project()
        self.first_token = first.token
        self.project = Project(self.server, first.id, first.name, first.key(*Scope)[1])

    def do(self, step: Step) -> None:
        """Take a step."""
        getattr(self, step.name)(**step.arguments)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """One request."""
        data = None if body is None else json.dumps(body).encode()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.project.request(method, f"/v2/{path}", data, names)

    def expect(self, what: str, answer: Answer, status: int, code: str | None = None) -> None:
        """The answer has this status, and if it is an error this code."""
        self.outcomes.append(f"{what}: {code or status}")
        assert (answer.status, answer.error["code"] if answer.status >= 400 else None) == (status, code), answer.body


M = TypeVar("M", bound=Machine)


def bound(machine: type[M], server: Server) -> type[M]:
    """The machine, on a server, that nothing was asked of yet."""
    return type(machine.__name__, (machine,), {"server": server, "outcomes": list[str]()})


def run(machine: type[Machine], server: Server, examples: int, steps: int) -> Counter[str]:
    """Run examples of some steps each; how often requests were answered how."""
    here = bound(machine, server)
    run_state_machine_as_test(
        here,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, report_multiple_bugs=False,
            phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    return Counter(here.outcomes)
