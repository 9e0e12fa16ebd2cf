"""The connections of integrations: each is made once, and again when its integration changes."""

from moorage.catalog.catalog import Catalog
from moorage.core.bounded_cache import BoundedCache
from moorage.core.integrations import Integration
from moorage.gateway.connection import Connection
from moorage.gateway.http.endpoint import Endpoint
from moorage.gateway.integrations import find_integration, open_credentials
from moorage.providers.connection import limit_of, protocol_options, url_of
from moorage.providers.environment import EnvironmentIntegrations
from moorage.providers.table import PROVIDERS

#: The most bytes of all connections; each counts as so many.
_MAX_BYTES, _CONNECTION_BYTES = 16 * 1024 * 1024, 4_096


class IntegrationConnections:
    """Finds the connection for a call."""

    def __init__(self, catalog: Catalog, environment: EnvironmentIntegrations) -> None:
        self._catalog = catalog
        self._environment = environment
        self._connections: BoundedCache[str, tuple[Integration, Connection]] = BoundedCache(_MAX_BYTES)

    def find(self, project_id: str, named: str | None, provider: str) -> Connection:
        """Return the connection of a project: the named integration, or the one for the provider.

        Raises:
            NoIntegration, OtherProvider, CredentialsUnreadable, IntegrationUnreadable
        """
        integration = find_integration(self._catalog, self._environment, project_id, named, provider)
        return self.of(integration)

    def of(self, integration: Integration) -> Connection:
        """Return the connection of an integration.

        Raises:
            CredentialsUnreadable
        """
        known = self._connections.get(integration.id)
        if known is not None and known[0] is integration:  # a revision is no key: a restore brings old ones back
            return known[1]
        made = self._make(integration)
        self._connections.set(integration.id, (integration, made), _CONNECTION_BYTES)
        return made

    def _make(self, integration: Integration) -> Connection:
        opened = open_credentials(self._catalog, self._environment, integration)
        limits = (limit_of(integration, name) for name in (
            "timeout_connect_s", "timeout_first_byte_s", "timeout_between_bytes_s", "timeout_total_s",
        ))  # fmt: skip
        connect, first_byte, between_bytes, total = limits
        ca_file = integration.options.get("ca_file")
        endpoint = Endpoint(
            name=integration.id, connect=connect, first_byte=first_byte, between_bytes=between_bytes, total=total,
            max_connections=int(limit_of(integration, "max_connections")),
            ca_file=str(ca_file) if ca_file is not None else None,
        )  # fmt: skip
        return Connection(
            f"{integration.id}.{integration.rev}.{integration.key_id}", integration.name,
            PROVIDERS[integration.provider], url_of(integration), protocol_options(integration), opened.values,
            opened.headers, endpoint, integration.is_from_environment,
        )  # fmt: skip
