"""schemathesis against /openapi.json: no 5xx, and no answer that the document does not have.

Two of its checks ask what is not promised. That every value which breaks the schema is refused: a put takes equivalents
(a number as text, an optional null) and says so. That every value the schema allows is taken: no schema can say which
cursors there are, or that no two variables have one key.
"""

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from moorage.api.openapi.document import describe
from moorage.api.routes import OPERATIONS
from tests.support.server import Project, Server

NOT_PROMISED: list[Any] = [negative_data_rejection, positive_data_acceptance]

#: A stream has no end to wait for; tests/api/test_change_stream.py asks it.
schema = schemathesis.openapi.from_dict(json.loads(describe(OPERATIONS).openapi_json)).exclude(operation_id="Changes")


@pytest.fixture(scope="module")
def server(sqlite_server: Server) -> Server:
    """On one engine: what is made up here for a body as large as a deployment's takes most of the time."""
    return sqlite_server


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_in_the_document(case: Case[Any], project: Project) -> None:
    kwargs: dict[str, Any] = {"base_url": project.server.url, "headers": {"Authorization": f"Bearer {project.token}"}}
    case.call_and_validate(**kwargs, excluded_checks=NOT_PROMISED)


def test_the_check_can_fail(project: Project) -> None:
    """The positive control: against a document that lacks the 404, the answer 404 is found."""
    document = json.loads(describe(OPERATIONS).openapi_json)
    del document["paths"]["/v2/deployments/{key_or_id}"]["get"]["responses"]["404"]
    operation = schemathesis.openapi.from_dict(document)["/v2/deployments/{key_or_id}"]["GET"]
    case = operation.Case(path_parameters={"key_or_id": "nothing"})

    with pytest.raises(FailureGroup) as found:
        case.call_and_validate(base_url=project.server.url, headers={"Authorization": f"Bearer {project.token}"})
    assert "Undocumented status code" in str(found.value.exceptions)
