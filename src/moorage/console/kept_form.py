"""A form that arrives after the session has ended: a page asks for the API key, and sends the form again with it."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final
from urllib.parse import quote

from starlette.responses import Response

from moorage.api.auth import authenticate
from moorage.api.body import receive_body
from moorage.api.memory_budget import Lease, MemoryBudget
from moorage.console.form import Form, parse_form
from moorage.console.page_request import PageRequest
from moorage.console.problems import ErrorPage
from moorage.console.session import read_cookie, set_cookie
from moorage.console.sign_in import problem_of
from moorage.core.access import ApiKey
from moorage.core.errors.base import MoorageError, NotAllowed

#: The largest form that is kept without a session, in bytes.
MAX_KEPT: Final = 2 * 1024 * 1024

#: Only whoever has an API key may use the memory of other requests; these forms have their own (bytes).
_MEMORY: Final = MemoryBudget(32 * 1024 * 1024)

#: A form is in memory as its body, as fields, and as a page in which each character can take six.
_COPIES: Final = 5

_TOKEN: Final = "session_token"  # noqa: S105 -- the name of a field
_PROJECT: Final = "session_project"

_OTHER_PROJECT: Final = "This API key belongs to another project than the form. Use a key of its project."

Run = Callable[[], Awaitable[Response]]


async def answer_without_session(page: PageRequest, run: Run) -> Response | None:
    """Return the page that keeps a form, or what `run` returns if the form has the token of an API key.

    Return None if the form cannot be kept: it is too large, has a file, or there is no memory for it.
    """
    lease = Lease(_MEMORY, page.request.scope["moorage.client"])
    page.hold(lease)
    try:
        body = await receive_body(page.request, lease, MAX_KEPT)
        lease.take(_COPIES * len(body))
        form = await page.compute(partial(parse_form, page.request.headers.get("content-type", ""), body))
    except MoorageError:
        return None
    if form.has_files:
        return None
    kept = form.without(_TOKEN, _PROJECT)
    project = form.get(_PROJECT) or _project_of_cookie(page)
    if _TOKEN not in form:
        return await _ask(page, kept, project, "", ErrorPage(401, "", "", {}))
    try:
        cookie, key = await _sign_in(page, form.get(_TOKEN).strip(), project)
    except _OtherProjectError:
        return await _ask(page, kept, project, _OTHER_PROJECT, ErrorPage(403, "", "", {}))
    except MoorageError as error:
        shown = page.failure(error)
        return await _ask(page, kept, project, problem_of(error) if shown.status == 401 else shown.text, shown)
    page.caller = page.request.scope["moorage.caller"] = key
    page.take_form(kept)
    response = await run()
    set_cookie(response, page.request, cookie)
    return response


class _OtherProjectError(Exception):
    """The form is about deployments of another project, which may have the same keys."""


async def _sign_in(page: PageRequest, token: str, project_id: str) -> tuple[str, ApiKey]:
    """Start a session; return the value of its cookie, and the API key.

    Raises:
        AuthenticationRequired, InvalidApiKey, ExpiredApiKey, TooManyFailures
        _OtherProjectError
        StorageError, TooStale: no session was started.
    """
    page.services.follower.check_age()
    try:
        key = authenticate(page.services.catalog, f"Bearer {token}")
        if project_id not in ("", key.project_id):
            raise _OtherProjectError
        return await page.sessions.start(token)
    except NotAllowed:
        page.services.limits.check_failure(page.request.scope["moorage.client"])
        raise


async def _ask(page: PageRequest, form: Form, project_id: str, problem: str, shown: ErrorPage) -> Response:
    """Return the page with the field for the API key, and the whole form."""
    url = page.request.url
    action = f"{page.prefix}{quote(url.path)}{'?' if url.query else ''}{url.query}"
    render = partial(page.render, "kept_form.html", status=shown.status, fields=form.fields, action=action)
    response = await page.compute(partial(render, problem=problem, session_project=project_id))
    response.headers.update(shown.headers)
    return response


def _project_of_cookie(page: PageRequest) -> str:
    """Return the id of the project of the session that ended; nothing if the browser has no cookie."""
    key = page.services.catalog.find_api_key((read_cookie(page.request) or "").partition(".")[0])
    return "" if key is None else key.project_id
