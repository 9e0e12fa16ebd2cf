"""The transport: requests to providers over pooled connections, within all of their limits.

It neither retries nor follows redirects. Only a request on an idle connection that the provider closes at that moment
is sent again, on a new connection.
"""

import asyncio
import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from moorage.gateway.egress import Egress
from moorage.gateway.http.endpoint import Endpoint
from moorage.gateway.http.proxies import EnvironmentProxies
from moorage.providers.media.steps import Body

if TYPE_CHECKING:  # importing aiohttp takes half a second
    from moorage.gateway.http.exchange import UpstreamResponse
    from moorage.gateway.http.sender import Sender


class Transport:
    """All requests to providers of one process."""

    def __init__(self, egress: Egress, proxies: EnvironmentProxies | None = None) -> None:
        self.egress = egress
        self._proxies = proxies or EnvironmentProxies()
        self._sender: Sender | None = None
        self._opening: asyncio.Task[Sender] | None = None

    async def send(
        self,
        endpoint: Endpoint,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Body,
        deadline: float,
        check: Callable[[], object] = object,
    ) -> "UpstreamResponse":
        """Send a request, and return its response when its head has arrived. Close the response, best by `with`.

        `deadline` is a time of the loop's clock. The limit `total` of the endpoint holds in addition.
        `check` is called when the connection is there, and what it raises prevents the request.

        Raises:
            TransportError, EgressForbidden, InvalidUrl
        """
        target = self.egress.check_url(url)
        sender = self._sender or await self._open()
        return await sender.send(endpoint, method, target, headers, body, deadline, check)

    async def close(self) -> None:
        """Close all connections."""
        if self._opening is not None:
            await (await self._opening).close()

    async def _open(self) -> "Sender":
        if self._opening is None:
            self._opening = asyncio.create_task(self._import())
        return await asyncio.shield(self._opening)  # one caller that hangs up must not stop the others

    async def _import(self) -> "Sender":
        """Import aiohttp in a thread: that takes half a second, and happens at the first request."""
        module = await asyncio.to_thread(importlib.import_module, "moorage.gateway.http.sender")
        sender: Sender = module.Sender(self.egress, self._proxies)
        self._sender = sender
        return sender
