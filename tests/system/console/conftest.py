"""One browser and one server for the tests of this package."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, StorageState

from tests.console.browser import CHROMIUM, NO_CHROMIUM, new_session, open_browser
from tests.console.samples import Samples, running_samples
from tests.support.gateway import ALLOW_LOOPBACK, Gateway
from tests.support.server import SharedServer
from tests.support.vendors import all_vendors
from tests.support.vendors.server import VendorServer


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Return a running browser. Without chromium, its tests are skipped; `.ci/run` fails then."""
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)  # apt installs it, which `make test-system` must not do
    with open_browser() as running:
        yield running


@pytest.fixture(scope="package")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Samples]:
    """Return a server with the sample deployments. No test changes them."""
    with running_samples(tmp_path_factory.mktemp("console")) as running:
        yield running


@pytest.fixture(scope="package")
def session(browser: Browser, samples: Samples) -> StorageState:
    """Return the cookies of a session, from the sign-in form."""
    return new_session(browser, samples.server.url, samples.token)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Return a project with an integration for each vendor."""
    folder = tmp_path_factory.mktemp("try")
    with VendorServer(all_vendors()) as vendors, SharedServer(folder, prefix=ALLOW_LOOPBACK) as server:
        yield Gateway(server, vendors)


@pytest.fixture(scope="module")
def signed_in(browser: Browser, gateway: Gateway) -> StorageState:
    """Return the cookies of a session."""
    return new_session(browser, gateway.server.url, gateway.project.token)
