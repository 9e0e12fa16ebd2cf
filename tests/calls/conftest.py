"""One server and the fakes of all vendors, for all tests of calls."""

from collections.abc import Iterator

import openai
import pytest

from tests.support.gateway import ALLOW_LOOPBACK, Gateway
from tests.support.server import SharedServer
from tests.support.vendors import all_vendors
from tests.support.vendors.server import VendorServer


@pytest.fixture(scope="session")
def vendors() -> Iterator[VendorServer]:
    """Return the server of the fakes."""
    with VendorServer(all_vendors()) as running:
        yield running


@pytest.fixture(scope="session")
def all_integrations(vendors: VendorServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Return a project with an integration for each vendor."""
    with SharedServer(tmp_path_factory.mktemp("gateway"), prefix=ALLOW_LOOPBACK) as server:
        yield Gateway(server, vendors)


@pytest.fixture
def gateway(all_integrations: Gateway) -> Iterator[Gateway]:
    """Return the gateway, without requests or faults of another test."""
    yield all_integrations
    for vendor in all_integrations.vendors.vendors:
        all_integrations.vendors.take(vendor)


@pytest.fixture(scope="module")
def client(all_integrations: Gateway) -> Iterator[openai.OpenAI]:
    """Return the SDK of OpenAI, without retries; modules can have another client."""
    project = all_integrations.project
    with openai.OpenAI(base_url=f"{project.server.url}/v1", api_key=project.token, max_retries=0) as found:
        yield found
