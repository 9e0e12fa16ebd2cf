"""Cases: inputs, a context and messages under a name, with which the versions of a deployment are tried."""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from moorage.core.errors.base import Conflict, NotFound
from moorage.core.errors.requests import InvalidRequest

#: How many cases a deployment has at most, and how many bytes of JSON and characters of its name a case.
MAX_CASES: Final = 100
MAX_CASE_BYTES: Final = 64 * 1024
MAX_CASE_NAME: Final = 100


class CaseNotFound(NotFound):
    """The deployment {key!r} has no case {name!r}."""

    code = "case_not_found"


class TooManyCases(Conflict):
    """The deployment {key!r} has {maximum} cases already."""

    code = "too_many_cases"
    hint = "Delete a case first."


class CaseBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `PUT …/cases/{case_name}`."""

    inputs: Annotated[dict[str, Any], Meta(description="The values of variables.")] = {}
    context: Annotated[dict[str, Any], Meta(description="The attributes that routing uses.")] = {}
    messages: Annotated[list[dict[str, Any]], Meta(description="Appended to those of the deployment.")] = []


class Case(CaseBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A stored case."""

    name: str


class CaseList(msgspec.Struct, frozen=True):
    """All cases of a deployment, by name."""

    object: Literal["list"]
    data: list[Case]
    has_more: Literal[False]


class DeletedCase(msgspec.Struct, frozen=True):
    """The response to the deletion of a case, which cannot be restored."""

    name: str
    deleted: Literal[True]


def check_case_name(name: str) -> None:
    """Check the name of a case, which is a part of a path.

    Raises:
        InvalidRequest
    """
    if not (0 < len(name) <= MAX_CASE_NAME and name.isprintable() and "/" not in name and name.strip(". ")):
        raise InvalidRequest(
            param="case_name",
            reason=f"the name of a case has 1 to {MAX_CASE_NAME} printable characters, not only dots, and no slash",
        )
