"""The fast path of get_config: requests with nothing but a key and a JSON body, without the framework."""

import logging

from moorage.api.auth import authenticate
from moorage.api.endpoints.get_config import PATH, SCOPES, config_headers
from moorage.api.environment import ATTRIBUTE, WARNING_HEADER, choose_environment
from moorage.api.middleware.caller_cache import CallerCache
from moorage.api.middleware.response_cache import CachedResponse
from moorage.catalog.catalog import Catalog
from moorage.core.access import ApiKey
from moorage.core.errors.base import MoorageError
from moorage.core.resolution.config import read_request
from moorage.gateway.consumers import ConsumerTracker
from moorage.gateway.resolve import Resolver
from moorage.gateway.unknown_names import UnknownNames

_log = logging.getLogger("moorage.api")


class GetConfigFastPath:
    """Answers the most frequent request at a fraction of the cost. Every other request takes the usual path, and so
    does every error."""

    def __init__(
        self, catalog: Catalog, resolver: Resolver, consumers: ConsumerTracker, unknown_names: UnknownNames
    ) -> None:
        self._catalog = catalog
        self._resolver = resolver
        self._consumers = consumers
        self._unknown_names = unknown_names

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
            attribute = request.context.get(ATTRIBUTE)
            choice = environment = pointer_id = None
            if attribute is not None or caller.environment_id is not None:  # otherwise it is production
                choice = choose_environment(self._catalog, caller, None, attribute)
                environment, pointer_id = choice.environment, choice.environment.pointer_id
            resolved = self._resolver.resolve_now(caller.project_id, request, environment=environment)
        except MoorageError:
            return None
        except Exception:  # noqa: BLE001 -- the usual path makes a response of it
            _log.exception("the fast path of get_config failed")
            return None
        if resolved is None:
            return None
        self._consumers.record(resolved.live.version_id, caller.id, request.inputs, pointer_id)
        etag, headers = config_headers(resolved)
        if choice is not None and choice.warning is not None:
            headers.append((WARNING_HEADER.lower().encode(), choice.warning.encode()))
            if choice.unknown_name is not None:
                self._unknown_names.record(caller.project_id, choice.unknown_name)
        return CachedResponse.of(headers, resolved.config, etag, PATH, caller)

    def _authenticate(self, authorization: bytes | None, callers: CallerCache) -> ApiKey:
        caller = authenticate(self._catalog, None if authorization is None else authorization.decode("latin-1"))
        callers.add(authorization, caller)
        return caller
