"""Every route with every kind of API key and every `?environment=`: the environment, the status and the header.

The tests are generated from `OPERATIONS`, so they cover a new route; it must also be in the table below.
"""

from typing import NamedTuple

import pytest

from moorage.api.endpoints.openai import PREFIXES
from moorage.api.operation import Operation
from moorage.core.access import Scope
from tests.api.test_authorization_matrix import BODIES, CLOSED, Harness, parameter_id, pool
from tests.support.connections import Pool
from tests.support.server import Project, Response
from tests.support.team import Team

__all__ = ["pool"]

pytestmark = pytest.mark.system

#: The routes by how they use the environment. The others concern none.
USES = {
    "view": {
        "Snapshot", "Changes", "ReportUsage", "Deployments", "GetDeployment", "Manifests", "GetManifest", "Simulate",
        "DeploymentVersions", "GetVersion", "Diff", "History", "Callers", "ProjectHistory",
        "Usage", "Summaries",
        *(f"{title}{rest}" for title in ("OpenAi", "Router2", "Router3") for rest in ("Models", "GetModel")),
    },
    "move": {"CreateDeployment", "PutDeployment", "SaveVersion", "PublishVersion", "Undo", "Unpublish"},
    "call": {
        "DeploymentGetConfig", "DeploymentInvoke", "DeploymentStream", "Explain", "RenderVersion", "TryVersion",
        *(f"{t}{rest}" for t in ("OpenAi", "Router2", "Router3") for rest in (
            "ChatCompletions", "Completions", "Embeddings", "Images", "Speech", "Transcriptions", "Moderations",
            "Rerank", "Responses",
        )),
    },
    "all": {
        "PatchDeployment", "DeleteDeployment", "RestoreDeployment", "DeleteVersion", "RestoreVersion",
        "DeletedDeployments", "DraftDeployments",
        "PutEnvironment", "DeleteEnvironment", "Promote", "Propose", "CreateVendorEnvironment",
        "PatchVendorEnvironment", "DeleteVendorEnvironment", "PutIntegration", "DeleteIntegration",
    },
}  # fmt: skip

#: Routes about one object, which is not of the environment to which the API key is bound.
OF_ANOTHER = {
    "EnvironmentDiff", "GetEnvironment", "GetVendorEnvironment", "GetProposal", "ApproveProposal", "RejectProposal",
    "WithdrawProposal", "GetApiKey", "ApiKeyUsage", "PatchApiKey", "RotateApiKey", "RevokeApiKey",
}  # fmt: skip

#: Routes without an environment on which `environment` filters the result.
FILTERED = {"Proposals"}

PARAMETERS = {
    "none": "", "own": "environment=staging", "other": "environment=production", "unknown": "environment=nowhere",
    "twice": "environment=staging&environment=staging",
}  # fmt: skip
KEYS = ("unbound", "bound", "bound to a deleted one")

ENVIRONMENT_CODES = {
    "wrong_environment", "environment_deleted", "environment_not_found", "repeated_parameter", "unknown_parameter",
}  # fmt: skip


class Outcome(NamedTuple):
    """The environment of the header, and the error that the environment causes."""

    environment: str | None = None
    status: int | None = None
    code: str | None = None


GONE = Outcome(None, 403, "environment_deleted")
WRONG = Outcome(None, 403, "wrong_environment")
MISSING = Outcome(None, 404, "environment_not_found")
TWICE = Outcome(None, 400, "repeated_parameter")
NO_PARAMETER = Outcome(None, 400, "unknown_parameter")
ACCEPTED = Outcome()

CHOSEN = {
    ("unbound", "none"): Outcome("production"),
    ("unbound", "own"): Outcome("staging"),
    ("unbound", "other"): Outcome("production"),
    ("unbound", "unknown"): MISSING,
    ("unbound", "twice"): TWICE,
    ("bound", "none"): Outcome("staging"),
    ("bound", "own"): Outcome("staging"),
    ("bound", "other"): WRONG,
    ("bound", "unknown"): MISSING,
    ("bound", "twice"): TWICE,
    **{("bound to a deleted one", name): GONE for name in PARAMETERS},
}


def expected(operation: Operation, key: str, parameter: str) -> Outcome:
    """Return the outcome of a request."""
    if operation.environment in ("view", "move", "call"):
        return CHOSEN[key, parameter]
    if key == "bound to a deleted one":
        return GONE
    if key == "bound" and (operation.environment == "all" or (operation.name in OF_ANOTHER and parameter == "none")):
        return WRONG
    if parameter == "none":
        return ACCEPTED
    if operation.name not in FILTERED:
        return NO_PARAMETER
    return CHOSEN[key, parameter]._replace(environment=None)


def outcome(operation: Operation, response: Response) -> Outcome:
    """Return the outcome of a request, without errors that the environment does not cause."""
    header = response.headers.get("x-moorage-environment")
    if operation.name == "Promote":  # on success, the header has the one that changed
        header = None
    environment = None if header is None else header.removesuffix(";follows=production")
    code = response.error["code"] if response.status >= 400 else None
    return Outcome(environment, response.status, code) if code in ENVIRONMENT_CODES else Outcome(environment)


#: The changes of a body that publish at once.
LIVE = {"SaveVersion": {"status": "published"}}

#: The statuses of a success; a deployment whose live version never changed has nothing to undo.
SUCCESS = {"SaveVersion": {201}, "CreateDeployment": {201}, "PutDeployment": {200}, "Undo": {409}}


@pytest.fixture
def harness(pool: Pool, project: Project) -> Harness:
    return Harness(pool, project)


@pytest.fixture
def tokens(harness: Harness) -> dict[str, str]:
    """Return the tokens of the API keys of `KEYS`, with all scopes."""
    team = Team(harness.project)
    team.create("staging")
    team.create("gone")
    bound = {
        name: team.key(name, Scope, environment)
        for name, environment in zip(KEYS[1:], ("staging", "gone"), strict=True)
    }
    team.delete_under_keys("gone")
    return {"unbound": team.admin, **bound}


def test_each_route_is_in_the_table() -> None:
    found: dict[str, set[str]] = {use: set() for use in ("", *USES)}
    for operation in CLOSED:
        found[operation.environment].add(operation.name)

    assert {use: names for use, names in found.items() if use} == USES
    assert len(PREFIXES) == 3


@pytest.mark.parametrize("operation", CLOSED, ids=parameter_id)
def test_the_environment_of_a_request_is_that_of_its_parameter_else_of_its_key_else_production(
    harness: Harness, tokens: dict[str, str], operation: Operation
) -> None:
    found, wanted = {}, {}
    for key, token in tokens.items():
        for parameter, query in PARAMETERS.items():
            path, _, own = harness.target(operation).partition("?")
            own = "" if operation.name == "Unpublish" else own
            target = f"{path}?{'&'.join(filter(None, (own, query)))}"
            body = None if operation.body is None else BODIES[operation.body]
            response = harness.request(operation.method, target, f"Bearer {token}", body)
            found[key, parameter] = outcome(operation, response)
            wanted[key, parameter] = expected(operation, key, parameter)

    assert found == wanted


@pytest.mark.parametrize("operation", [each for each in CLOSED if each.environment == "view"], ids=parameter_id)
def test_an_error_after_the_choice_of_an_environment_names_it(
    harness: Harness, tokens: dict[str, str], operation: Operation
) -> None:
    response = harness.request(
        operation.method, f"{harness.target(operation)}&environment=staging&nonsense=1", f"Bearer {tokens['unbound']}"
    )

    assert (response.status, response.headers["x-moorage-environment"]) == (400, "staging")


@pytest.mark.parametrize("operation", [each for each in CLOSED if each.environment == "move"], ids=parameter_id)
def test_a_move_needs_write_in_an_unprotected_environment_and_publish_in_a_protected_one(
    pool: Pool, project: Project, operation: Operation
) -> None:
    team = Team(project)
    harness = Harness(pool, project)
    team.create("open")
    team.create("closed", protected=True)
    writer, publisher = (harness.bearer(*scopes) for scopes in ({Scope.WRITE}, {Scope.PUBLISH}))
    path = harness.target(operation).partition("?")[0]
    body = None if operation.body is None else BODIES[operation.body] | LIVE.get(operation.name, {})

    def status(environment: str, authorization: str) -> int:
        return harness.request(operation.method, f"{path}?environment={environment}", authorization, body).status

    needs_both = operation.scopes is not None and Scope.WRITE in operation.scopes
    assert status("closed", writer) == 403
    assert status("open", publisher) == 403
    assert status("production", writer) == 403
    assert status("open", writer) in SUCCESS.get(operation.name, {200})
    if operation.name == "CreateDeployment":
        body = {**(body or {}), "key": "another"}
    both = harness.bearer(Scope.WRITE, Scope.PUBLISH) if needs_both else publisher
    assert status("closed", both) in SUCCESS.get(operation.name, {200})
