"""Requests to models that are not for chats: the deployment, the values of variables, and the parameters."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from moorage.api.calls.extra_params import problem_of
from moorage.api.calls.openai_request import NO_PARAMETERS, deployment_of, fields_of, inputs_of, misplaced, object_of
from moorage.core.errors.base import Problem
from moorage.core.errors.requests import InvalidBody
from moorage.core.resolution.config import GetConfigRequest, Object
from moorage.gateway.resolve import Pin

#: The variable of the deployment's messages in which the text of a request is.
INPUT: Final = "input"

#: The most texts of one request.
MAX_TEXTS: Final = 2048
#: The most documents of one request.
MAX_DOCUMENTS: Final = 10_000


class TaskRequest(msgspec.Struct, frozen=True):
    """A request. `fields` are those of the body, without the parameters and the names of the deployment."""

    request: GetConfigRequest
    pin: Pin
    fields: Object


class Fields:
    """The fields of a body, with the problems that were found in them."""

    def __init__(self, fields: Object, defaults: Mapping[str, Any] | None = None) -> None:
        """A field with the value that it has in `defaults` is treated as absent."""
        self._fields = fields
        if defaults is not None:
            self._fields = {
                name: value for name, value in fields.items() if name not in defaults or value != defaults[name]
            }
        self.problems = list[Problem]()

    @classmethod
    def of_json(cls, body: bytes, defaults: Mapping[str, Any] | None = None) -> "Fields":
        """Return the fields of a JSON body.

        Raises:
            InvalidJson, InvalidBody
        """
        return cls(fields_of(body), defaults)

    def take(self, name: str) -> Any:
        """Return a field of the request itself; None if it is absent."""
        return self._fields.pop(name, None)

    def text(self, name: str, *, is_required: bool = True) -> str:
        """Return a text, which is not empty if it is required."""
        value = self.take(name)
        if value is None and not is_required:
            return ""
        if not isinstance(value, str) or (is_required and not value):
            found = "is missing" if value is None else f"must be a text, not {value!r:.40}"
            self.problems.append(Problem(name, found))
            return ""
        return value

    def flag(self, name: str) -> bool:
        """Return a field that is true, false or absent; forms have texts."""
        value = self.take(name)
        if value not in (None, True, False, "true", "false"):
            self.problems.append(Problem(name, f"must be true or false, not {value!r:.40}"))
        return value in (True, "true")

    def request(
        self, names: Mapping[str, str], *, allows: frozenset[str] = frozenset()
    ) -> tuple[GetConfigRequest, Pin]:
        """Return the request for the configuration. All fields that are left are parameters.

        `names` has the contract's names of parameters that have others here, and `allows` parameters that chats do not
        have.

        Raises:
            InvalidBody: with all problems.
        """
        fields, problems = self._fields, self.problems
        key, pin = deployment_of(fields.get("model"), problems)
        inputs = inputs_of(fields, problems)
        context = object_of(fields.get("context"), "context", problems)
        problems += misplaced(fields, object_of(fields.get("orq"), "orq", []))
        parameters = {
            names.get(name, name): value
            for name, value in fields.items()
            if value is not None and (name not in NO_PARAMETERS)
        }
        problems += [
            Problem(name, problem)
            for name, value in parameters.items()
            if name not in allows and (problem := problem_of(name, value))
        ]
        if fields.get("messages") is not None:
            problems.append(Problem("messages", "is a field of chats; this route has its own field for the text"))
        if problems:
            raise InvalidBody.of(problems)
        return GetConfigRequest(key, inputs, context, extra_params=parameters), pin
