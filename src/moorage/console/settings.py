"""`/console/settings`: the state of the server, what the API key may do, and its sessions; and the keyboard's list."""

from typing import Final

from starlette.responses import Response

from moorage.console.page_request import PageRequest
from moorage.console.scopes import WORDS
from moorage.console.session import read_cookie
from moorage.core.access import Scope, hash_token
from moorage.core.errors.storage import StorageError
from moorage.core.times import iso

#: The state of the server, in words.
_STATES: Final = {
    "ready": "up to date",
    "degraded": "the database is unreachable; reading goes on",
    "stale": "the database has been unreachable for too long; requests are rejected",
}

_MAX_UNREADABLE: Final = 50


async def show(page: PageRequest) -> Response:
    """Show the settings."""
    page.section = "settings"
    services = page.services
    unreadable = services.catalog.project(page.key.project_id).unreadable
    try:
        sessions = await page.in_thread(lambda: services.store.sessions.of_api_key(page.key.id))
    except StorageError as error:
        services.metrics.database_error(error)
        sessions = None
    own = hash_token(read_cookie(page.request) or "")
    return page.render(
        "settings.html", state=_STATES[(await page.call("Ready"))["status"]],
        database="PostgreSQL" if services.store.url.startswith("postgres") else "SQLite",
        unreadable=[str(error.fields["key"]) for error in unreadable.values()][:_MAX_UNREADABLE],
        unreadable_count=len(unreadable), has_jinja=services.template_variables.has_jinja,
        granted=[WORDS[scope].sentence for scope in WORDS if scope in page.key.scopes],
        missing=[scope for scope in Scope if scope not in page.key.scopes],
        expires=None if page.key.expires_us is None else iso(page.key.expires_us),
        sessions=None if sessions is None else [
            (iso(each.created_us), iso(each.seen_us), iso(each.expires_us), each.token_sha256 == own)
            for each in sorted(sessions, key=lambda each: -each.seen_us)
        ],
    )  # fmt: skip


async def end_others(page: PageRequest) -> Response:
    """End all sessions of the API key but this one.

    It is no operation of the API: a session is a cookie of the console, which the API does not accept, and a client
    with an API key has none to end. A revocation of the API key, which is an operation, ends all of them.
    """
    await page.sessions.end_others(page.key.id, read_cookie(page.request) or "")
    return page.done("/console/settings", "sessions_ended")


async def show_keyboard(page: PageRequest) -> Response:
    """Show the keys of the console, and the switch for them."""
    page.section = "keyboard"
    return page.render("keyboard.html")
