"""Proxies of the environment: HTTPS_PROXY, HTTP_PROXY and NO_PROXY.

Only they are read. What else HTTP clients take from the environment, such as the credentials in ~/.netrc, is not used.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from moorage.gateway.egress import Target
from moorage.gateway.http.errors import ConnectFailed


class EnvironmentProxies:
    """The proxies of the environment at the start."""

    def __init__(self, proxies: Mapping[str, str] | None = None) -> None:
        self._proxies = dict(getproxies_environment() if proxies is None else proxies)

    def find(self, target: Target) -> str | None:
        """Return the URL of the proxy for a target; None if there is none.

        Raises:
            ConnectFailed: the proxy has a URL that cannot be used; its password is not shown.
        """
        proxy = self._proxies.get(target.scheme)
        host = f"[{target.host}]" if ":" in target.host else target.host
        bypassed = {"no": self._proxies.get("no", "")}
        if not proxy or (bypassed["no"] and proxy_bypass(f"{host}:{target.port}", bypassed)):
            return None
        variable = f"{target.scheme.upper()}_PROXY"
        url = proxy if "://" in proxy else f"http://{proxy}"
        try:
            parts = urlsplit(url)
            is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_valid = False
        if not is_valid:
            raise ConnectFailed(f"{variable} must be the URL of an HTTP proxy, such as http://proxy.example.com:3128")
        return url
