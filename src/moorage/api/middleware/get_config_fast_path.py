"""The fast path of get_config: requests with nothing but a key and a JSON body, without the framework."""

import logging

from moorage.api.auth import authenticate
from moorage.api.endpoints.get_config import PATH, SCOPES, config_headers
from moorage.api.middleware.caller_cache import CallerCache
from moorage.api.middleware.response_cache import CachedResponse
from moorage.catalog.catalog import Catalog
from moorage.core.access import ApiKey
from moorage.core.errors.base import MoorageError
from moorage.core.resolution.config import read_request
from moorage.gateway.consumers import ConsumerTracker
from moorage.gateway.resolve import Resolver

_log = logging.getLogger("moorage.api")


class GetConfigFastPath:
    """Answers the most frequent request at a fraction of the cost. Every other request takes the usual path, and so
    does every error."""

    def __init__(self, catalog: Catalog, resolver: Resolver, consumers: ConsumerTracker) -> None:
        self._catalog = catalog
        self._resolver = resolver
        self._consumers = consumers

    def response(self, authorization: bytes | None, body: bytes, callers: CallerCache) -> CachedResponse | None:
        """Return the response, or None for a request of the usual path.

        The caller checks the catalog's staleness, after the body has arrived: until then, the API key can be revoked.
        """
        try:
            caller = callers.find(authorization) or self._authenticate(authorization, callers)
            caller.check_scopes(SCOPES)
            request, warnings = read_request(body)
            if warnings:
                return None
            resolved = self._resolver.resolve_now(caller.project_id, request)
        except MoorageError:
            return None
        except Exception:  # noqa: BLE001 -- the usual path makes a response of it
            _log.exception("the fast path of get_config failed")
            return None
        if resolved is None:
            return None
        self._consumers.record(resolved.live.version_id, caller.id, request.inputs)
        etag, headers = config_headers(resolved)
        return CachedResponse.of(headers, resolved.config, etag, PATH, caller)

    def _authenticate(self, authorization: bytes | None, callers: CallerCache) -> ApiKey:
        caller = authenticate(self._catalog, None if authorization is None else authorization.decode("latin-1"))
        callers.add(authorization, caller)
        return caller
