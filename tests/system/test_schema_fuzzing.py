"""schemathesis tests the server against /openapi.json: it finds no 5xx and no undocumented response.

Two of its checks are excluded, because they require more than the API guarantees:

- The server rejects every value that violates the schema. A put normalizes equivalents (such as a number as a string)
  and reports them.
- The server accepts every value that matches the schema. A schema cannot describe which cursors exist, or that the keys
  of variables are unique.
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

EXCLUDED_CHECKS: list[Any] = [negative_data_rejection, positive_data_acceptance]

#: The change stream never ends, so schemathesis would wait forever; tests/api/test_change_stream.py tests it.
schema = schemathesis.openapi.from_dict(json.loads(describe(OPERATIONS).openapi_json)).exclude(operation_id="Changes")


@pytest.fixture(scope="module")
def server(sqlite_server: Server) -> Server:
    """Return the server on SQLite: the generation of request bodies takes most of the time, not the database."""
    return sqlite_server


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_response_is_documented(case: Case[Any], project: Project) -> None:
    kwargs: dict[str, Any] = {"base_url": project.server.url, "headers": {"Authorization": f"Bearer {project.token}"}}
    case.call_and_validate(**kwargs, excluded_checks=EXCLUDED_CHECKS)


def test_an_undocumented_status_is_detected(project: Project) -> None:
    """The positive control: the document does not contain the 404."""
    document = json.loads(describe(OPERATIONS).openapi_json)
    del document["paths"]["/v2/deployments/{key_or_id}"]["get"]["responses"]["404"]
    operation = schemathesis.openapi.from_dict(document)["/v2/deployments/{key_or_id}"]["GET"]
    case = operation.Case(path_parameters={"key_or_id": "nothing"})

    with pytest.raises(FailureGroup) as found:
        case.call_and_validate(base_url=project.server.url, headers={"Authorization": f"Bearer {project.token}"})
    assert "Undocumented status code" in str(found.value.exceptions)
