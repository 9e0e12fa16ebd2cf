"""Sign-in with the token of an API key, and sign-out. The runner of pages has checked the origin of their forms."""

import logging
import re
from typing import Final, Protocol
from urllib.parse import parse_qs, unquote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from moorage.api.body import receive_body
from moorage.api.errors import status_of
from moorage.api.memory_budget import Lease, MemoryBudget
from moorage.api.services import Services
from moorage.console.guard import PAGE_HEADERS
from moorage.console.session import Sessions, clear_cookie, read_cookie, set_cookie
from moorage.core.errors.api_keys import AuthenticationRequired, ExpiredApiKey
from moorage.core.errors.base import MoorageError, NotAllowed
from moorage.core.errors.storage import StorageError

TEMPLATE: Final = "sign_in.html"

#: The page after a sign-in that was not the way to another page.
START: Final = "/console/deployments"

MAX_BODY: Final = 16 * 1024

_MAX_FIELDS: Final = 20

#: Only whoever has an API key may use the memory of other requests; these bodies have their own (bytes).
_MEMORY: Final = MemoryBudget(4 * 1024 * 1024)

#: A path of the console as a URL has it, but not the sign-in itself, and its query.
_OWN_PATH: Final = re.compile(
    r"/console(?!/sign-)(?:/[\w.~!$&'()*+,;=:@%-]+)*/?(?:\?[!\"$-\[\]-~]*)?", re.ASCII  # no fragment, no backslash
)  # fmt: skip

_MAX_PATH: Final = 4_000

_NOT_ENDED: Final = (
    "This browser is signed out, but the database did not store the end of the session. The session ends after 12 hours"
    " without a request. To end it now, revoke the API key."
)

_log = logging.getLogger("moorage.console")


class Page(Protocol):
    """What these pages use of a request."""

    request: Request
    services: Services
    sessions: Sessions
    prefix: str

    def render(self, template: str, *, status: int = 200, **values: object) -> Response:
        """Return a page."""
        ...


async def show_sign_in(page: Page) -> Response:
    """Return the form; `then` in the query is the page that follows."""
    return page.render(TEMPLATE, problem="", then=own_path(page.request.query_params.get("then", "")))


async def sign_in(page: Page) -> Response:
    """Start a session, and redirect to the page that was requested; or return the form with the problem.

    Raises:
        BodyTooLarge, BodyTooSlow, MalformedBody, UnsupportedEncoding, ApiKeyQueueFull, WriteQueueFull
        TooManyFailures: the address sent too many tokens that are not valid.
        StorageError: no session was started.
    """
    fields = await _read_form(page.request)
    then = own_path(fields.get("then", ""))
    page.services.follower.check_age()
    try:
        cookie, key = await page.sessions.start(fields.get("token", "").strip())
    except NotAllowed as error:
        page.services.limits.check_failure(page.request.scope["moorage.client"])
        page.request.scope["moorage.error"] = error.code
        return page.render(TEMPLATE, status=status_of(type(error)), problem=problem_of(error), then=then)
    page.request.scope["moorage.caller"] = key  # for the log
    response = RedirectResponse(page.prefix + then, 303, PAGE_HEADERS)
    set_cookie(response, page.request, cookie)
    return response


async def sign_out(page: Page) -> Response:
    """End the session, remove its cookie, and redirect to the sign-in."""
    cookie = read_cookie(page.request)
    response: Response = RedirectResponse(f"{page.prefix}/console/sign-in", 303, PAGE_HEADERS)
    try:
        if cookie is not None:
            await page.sessions.end(cookie)
    except StorageError as error:
        page.services.metrics.database_error(error)
        _log.warning("%s", error, extra={"fields": {"request_id": page.request.scope["moorage.request_id"]}})
        page.request.scope["moorage.error"] = error.code
        response = page.render(TEMPLATE, status=status_of(type(error)), problem=_NOT_ENDED, then=START)
    clear_cookie(response, page.request)
    return response


def own_path(then: str) -> str:
    """Return the path of a page of the console, without the root path; the list of deployments in place of any other.

    Whoever sends somebody a link to the sign-in chooses this path.
    """
    if len(then) > _MAX_PATH or not _OWN_PATH.fullmatch(then):
        return START
    segments = unquote(then.partition("?")[0]).split("/")
    return START if "." in segments or ".." in segments else then


async def _read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form; the first one of a name counts."""
    lease = Lease(_MEMORY, request.scope["moorage.client"])
    try:
        body = await receive_body(request, lease, MAX_BODY)
    finally:
        lease.release()
    try:
        found = parse_qs(body.decode("latin-1"), errors="replace", max_num_fields=_MAX_FIELDS)
    except ValueError:  # too many fields
        return {}
    return {name: values[0] for name, values in found.items()}


def problem_of(error: MoorageError) -> str:
    """Return what is wrong with the API key that was sent."""
    if isinstance(error, AuthenticationRequired):
        return "The form has no API key. Paste the token of an API key; it starts with mrg_."
    if isinstance(error, ExpiredApiKey):
        return f"{error.message} Ask for another one."
    return "The API key is not valid on this server. Check that you pasted all of it, or ask for another one."
