"""Aliases: other names of a deployment, such as the ids of prompts that OpenAI stored (`pmpt_…`)."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from moorage.core.deployments.ids import KEY_PATTERN, check_key
from moorage.core.deployments.key_check import check_characters
from moorage.core.errors.base import Problem
from moorage.core.errors.requests import InvalidBody, InvalidKey

#: The maximum number of aliases of a deployment.
MAX_ALIASES = 20

Aliases = Annotated[
    list[Annotated[str, Meta(pattern=KEY_PATTERN, extra={"normalize": check_characters})]],
    Meta(
        max_length=MAX_ALIASES,
        description="Other names of the deployment, which work everywhere a key does. They have the rules of keys, and"
        " are unique in the project.",
    ),
]


def check_aliases(key: str, aliases: Sequence[str]) -> None:
    """Check the aliases of a deployment with a key, without those of others.

    Raises:
        InvalidBody: one is not a valid key, occurs twice, or is the key.
    """
    problems = list[Problem]()
    for n, alias in enumerate(aliases):
        path = f"aliases[{n}]"
        try:
            check_key(alias)
        except InvalidKey as error:
            problems.append(Problem(path, str(error.fields["rule"])))
        if alias == key:
            problems.append(Problem(path, f"{alias!r} is the key of the deployment; remove it"))
        elif alias in aliases[:n]:
            problems.append(Problem(path, f"{alias!r} is there twice; remove it"))
    if problems:
        raise InvalidBody.of(problems)
