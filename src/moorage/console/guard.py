"""The guard: a form is accepted from pages of the console alone, and the headers of every page."""

from typing import Final
from urllib.parse import SplitResult, urlsplit

from starlette.requests import Request

from moorage.console.errors import ForgedForm

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

#: The headers of every page. Without `Vary`, a cache could store a page for somebody without the cookie; and with
#: another referrer policy, browsers send the forms of a page with `Origin: null`.
PAGE_HEADERS: Final = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
            "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    ),
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Vary": "Cookie",
}  # fmt: skip

#: The headers of a page with pictures or audio of its own, at addresses that hold them. Other hosts stay blocked.
MEDIA_HEADERS: Final = PAGE_HEADERS | {
    "Content-Security-Policy": PAGE_HEADERS["Content-Security-Policy"].replace(
        "img-src 'self'", "img-src 'self' data:; media-src data:"
    )
}


def check_origin(request: Request) -> None:
    """Check that a form was sent from a page of this server.

    Browsers send `Sec-Fetch-Site` to https and to the own machine, and `Origin` with every form. No page can set them.

    Raises:
        ForgedForm: it was not, or the request has neither header.
    """
    sites, origins = request.headers.getlist("sec-fetch-site"), request.headers.getlist("origin")
    host = request.headers.get("host", "")
    if sites:
        is_ours = all(site in {"same-origin", "none"} for site in sites)
    else:
        is_ours = len(origins) == 1 and _is_host_of(origins[0], host)
    if not is_ours:
        raise ForgedForm(
            f"The server accepts forms from its own pages, at {host or 'its address'}. If a proxy is in front of the"
            " server, configure it to pass on the Host header."
        )


def _is_host_of(origin: str, host: str) -> bool:
    """Return whether an origin has the name and the port of the header Host."""
    try:
        sent, own = urlsplit(origin), urlsplit(f"{origin.partition(':')[0]}://{host}")
        return sent.scheme in _DEFAULT_PORTS and bool(sent.hostname) and _address(sent) == _address(own)
    except ValueError:  # an invalid port or address
        return False


def _address(parts: SplitResult) -> tuple[str | None, int]:
    return parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme]
