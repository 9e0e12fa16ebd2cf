"""Jinja instances for the tests, with their rendering processes."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from moorage.rendering.jinja import Jinja
from tests.support.threads import HANG_SECONDS

#: The limit of time for templates that must succeed. It is longer than that of a server, because a busy machine can
#: pause a process.
PATIENT = HANG_SECONDS


@pytest.fixture(scope="module")
def jinja() -> Iterator[Jinja]:
    """Return an instance with a long limit of time."""
    with closing(Jinja(workers=1, seconds=PATIENT)) as started:
        yield started


@pytest.fixture(scope="module")
def strict() -> Iterator[Jinja]:
    """Return an instance with the limits of a server."""
    with closing(Jinja(workers=1)) as started:
        yield started


def render_text(jinja: Jinja, template: str, inputs: dict[str, Any] | None = None) -> str:
    """Return the text of one template."""
    return jinja.render_now([template], inputs or {}, "empty")[0].text
