"""The routes of the console, and what happens before and after the handler of a page."""

from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from moorage.api.services import Services
from moorage.console import tombstone
from moorage.console.errors import ForgedForm, SessionEnded
from moorage.console.guard import MEDIA_HEADERS, PAGE_HEADERS, check_origin
from moorage.console.kept_form import answer_without_session
from moorage.console.page_request import PageRequest
from moorage.console.pages import PAGES, Page
from moorage.console.session import Sessions, clear_cookie, read_cookie
from moorage.console.templating import static_files
from moorage.console.waiting import WaitingProposals
from moorage.core.errors.base import DeploymentDeleted, DeploymentUnreadable, MoorageError, VersionDeleted
from moorage.core.errors.environments import NotInEnvironment

#: The name of a static file contains its digest.
_FOR_EVER = "public, max-age=31536000, immutable"


def console_routes(services: Services) -> list[Route]:
    """Return the routes of the console. They come after those of the API, which are compared first."""
    sessions, names = Sessions(services.store, services.catalog, services.reader), _ProjectNames(services)
    paths = dict.fromkeys(page.path for page in PAGES)
    routes = [
        Route(path, _endpoint({page.method: page for page in PAGES if page.path == path}, services, sessions, names))
        for path in paths
    ]
    return [
        *routes,
        Route("/console/static/{digest}/{name}", _static),
        Route("/console", _endpoint({}, services, sessions, names)),
        Route("/console/{path:path}", _endpoint({}, services, sessions, names)),
    ]


class _ProjectNames:
    """The names of projects, which never change."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._names: dict[str, str] = {}
        self.waiting = WaitingProposals()

    async def find(self, page: PageRequest) -> str:
        """Return the name of the project of a session."""
        if page.key.project_id not in self._names:
            projects = await page.in_thread(self._services.store.projects)
            self._names = {project.id: project.name for project in projects}
        return self._names[page.key.project_id]


def _endpoint(
    pages: dict[str, Page], services: Services, sessions: Sessions, names: _ProjectNames
) -> Callable[[Request], Awaitable[Response]] | ASGIApp:
    """Return the application of a path; it responds to all methods, also to those that the path does not have."""

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        page = PageRequest(Request(scope, receive), services, sessions)
        method = "GET" if page.request.method == "HEAD" else page.request.method
        try:
            response = await _respond(page, pages.get(method), names)
            await response(scope, receive, _with_page_headers(page, send))
        finally:
            page.release()

    return _Asgi(endpoint)


def _with_page_headers(page: PageRequest, send: Send) -> Send:
    """Return a `send` that adds the headers of pages, also to a stream, whose headers are known late."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            for name, value in (MEDIA_HEADERS if page.has_media else PAGE_HEADERS).items():
                headers[name] = value
            message = {**message, "headers": headers.raw}
        await send(message)

    return send_with_headers


class _Asgi:
    """An ASGI application that Starlette does not take for a handler of GET alone."""

    def __init__(self, run: ASGIApp) -> None:
        self._run = run

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request."""
        await self._run(scope, receive, send)


async def _respond(page: PageRequest, found: Page | None, names: _ProjectNames) -> Response:
    """Return a page, or a page that says why it cannot be shown."""
    try:
        if page.request.method not in ("GET", "HEAD"):
            check_origin(page.request)
        if found is None or found.is_signed_in:
            await _find_session(page, names)
        if found is not None:
            return await found.handler(page)
        if page.request.url.path in ("/console", "/console/"):
            return page.redirect("/console/deployments")
    except SessionEnded:
        return await _without_session(page, found, names)
    except ForgedForm as error:
        return page.message(403, "This form came from another address", str(error))
    except MoorageError as error:
        return await _failed(page, error)
    return page.message(404, "There is no such page", "The address may be mistyped.")


async def _failed(page: PageRequest, error: MoorageError) -> Response:
    """Return a page that says why it cannot be shown."""
    if isinstance(error, DeploymentDeleted | VersionDeleted):
        return await tombstone.show(page, error)
    shown, link = page.failure(error), None
    if isinstance(error, NotInEnvironment):  # it can have drafts
        link = (page.address(f"/console/deployments/{error.fields['key']}/versions"), "Show its versions")
    if isinstance(error, DeploymentUnreadable):
        link = (page.address(f"/console/deployments/{error.fields['key']}/undo"), "Undo the last change")
    response = page.render("message.html", status=shown.status, heading=shown.heading, text=shown.text, link=link)
    response.headers.update(shown.headers)
    return response


async def _find_session(page: PageRequest, names: _ProjectNames) -> None:
    """Find the API key and the project of the session.

    Raises:
        SessionEnded
    """
    if page.caller is None:  # otherwise, the form began a session
        cookie = read_cookie(page.request)
        if cookie is None:
            raise SessionEnded
        page.caller = page.request.scope["moorage.caller"] = await page.sessions.find(cookie)
    page.project = await names.find(page)
    if page.request.method == "GET":
        page.waiting = await names.waiting.count(page)


async def _without_session(page: PageRequest, found: Page | None, names: _ProjectNames) -> Response:
    """Return the way to the sign-in; for a form, the page that keeps it, or the response to it."""
    kept = None
    if found is not None and found.method == "POST" and not found.has_secrets:
        kept = await answer_without_session(page, partial(_respond, page, found, names))
    return _signed_out(page) if kept is None else kept


def _signed_out(page: PageRequest) -> Response:
    """Return the way to the sign-in page, and from there back."""
    page.caller = None
    url, is_read = page.request.url, page.request.method in ("GET", "HEAD")
    then = f"{quote(url.path)}{'?' if url.query else ''}{url.query}" if is_read else "/console/deployments"
    response = page.redirect(page.query("/console/sign-in", then=then))
    clear_cookie(response, page.request)
    return response


async def _static(request: Request) -> Response:
    file = static_files().get(request.path_params["name"])
    if file is None or file.digest != request.path_params["digest"]:
        return Response("not found", 404, media_type="text/plain")
    headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.compressed, headers=headers | {"Content-Encoding": "gzip"}, media_type=file.media_type)
    return Response(file.body, headers=headers, media_type=file.media_type)
