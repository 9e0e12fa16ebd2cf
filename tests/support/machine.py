"""State machines: Hypothesis generates the order of the steps. Each example has its own project."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from hypothesis.strategies import SearchStrategy

from moorage.core.access import Scope
from tests.support.server import Project, Response, Server

#: A position in a list, see `one_of`.
POSITIONS = st.integers(0, 15)
RARE = range(7, 9)

T = TypeVar("T")


class Step(NamedTuple):
    """The name of a method of a machine, and its arguments."""

    name: str
    arguments: dict[str, Any]


def steps(**arguments: dict[str, SearchStrategy[Any]]) -> SearchStrategy[Step]:
    """Return a strategy of steps that chooses all methods equally often.

    Hypothesis omits some rules in each example, so a few examples would not reach all rules.
    """
    strategies = {name: st.fixed_dictionaries(values) for name, values in arguments.items()}
    return st.one_of([st.builds(Step, st.just(name), values) for name, values in strategies.items()])


def one_of(preferred: Sequence[T], all_items: Sequence[T], position: int) -> T:
    """Return an item of `preferred`, counted from the end; for rare positions, one of `all_items`."""
    if position in RARE:
        return all_items[-1 - (position - RARE[0]) % len(all_items)]
    return preferred[-1 - position % len(preferred)]


class Machine(RuleBasedStateMachine):
    """A project with an API key for all scopes. `outcomes` lists the steps with their statuses or error codes."""

    server: Server
    outcomes: list[str]

    def __init__(self) -> None:
        super().__init__()
        first = self.server.new_project()
        self.first_token = first.token
        self.project = Project(self.server, first.id, first.name, first.key(*Scope)[1])

    def do(self, step: Step) -> None:
        """Run a step."""
        getattr(self, step.name)(**step.arguments)

    def request(self, method: str, path: str, body: object = None, **headers: str) -> Response:
        """Send a request."""
        data = None if body is None else json.dumps(body).encode()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.project.request(method, f"/v2/{path}", data, names)

    def expect(self, step: str, response: Response, status: int, code: str | None = None) -> None:
        """Record the outcome of a step, and check the status and error code."""
        self.outcomes.append(f"{step}: {code or status}")
        assert (response.status, response.error["code"] if response.status >= 400 else None) == (status, code), (
            response.body
        )


M = TypeVar("M", bound=Machine)


def bound(machine: type[M], server: Server) -> type[M]:
    """Return the machine class for a server, without outcomes."""
    return type(machine.__name__, (machine,), {"server": server, "outcomes": list[str]()})


def run(machine: type[Machine], server: Server, examples: int, steps: int) -> Counter[str]:
    """Run examples with this number of steps; return the number of occurrences of each outcome."""
    machine_class = bound(machine, server)
    run_state_machine_as_test(
        machine_class,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, report_multiple_bugs=False,
            phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    return Counter(machine_class.outcomes)
