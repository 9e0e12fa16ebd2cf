"""`/console/deployments/KEY/publish/VERSION`, `…/undo` and `…/unpublish`: the changes of a live version."""

from typing import Final

from starlette.responses import Response

from moorage.console import review
from moorage.console.page_request import PageRequest
from moorage.console.review import Kind

_PUBLISH: Final = Kind("publish", "PublishVersion", "moved")
_UNDO: Final = Kind("undo", "Undo", "undone")
_UNPUBLISH: Final = Kind("unpublish", "Unpublish", "unpublished")


async def show_publish(page: PageRequest) -> Response:
    """Show what changes if a version becomes live."""
    return await review.show(page, _PUBLISH)


async def publish(page: PageRequest) -> Response:
    """Make a version live, or propose it."""
    return await review.change(page, _PUBLISH)


async def show_undo(page: PageRequest) -> Response:
    """Show what an undo of the last change does."""
    return await review.show(page, _UNDO)


async def undo(page: PageRequest) -> Response:
    """Undo the last change of the live version."""
    return await review.change(page, _UNDO)


async def show_unpublish(page: PageRequest) -> Response:
    """Show what changes if the deployment follows production again."""
    return await review.show(page, _UNPUBLISH)


async def unpublish(page: PageRequest) -> Response:
    """Let the deployment follow production again, or propose it."""
    return await review.change(page, _UNPUBLISH)
