"""Filter: which deployments of a list are wanted; additions of ours to the contract's list (docs/api.md)."""

import sys
from collections.abc import Iterable
from typing import get_args

import msgspec

from moorage.core.deployments.prompt_config import ModelType
from moorage.core.errors.requests import InvalidFilter, RepeatedParameter
from moorage.core.times import find_moment, iso
from moorage.core.validation.validate import nearest

FILTERS = ("search", "provider", "model", "model_type", "updated_since")

MAX_TEXT = 256

#: The last millisecond of the year 9999, the latest time that can be written.
_LAST_MS = 253_402_300_799_999

_TYPES = get_args(ModelType)


class _Config(msgspec.Struct):
    provider: str
    model: str
    model_type: str


class _Item(msgspec.Struct):
    key: str
    description: str
    updated: str
    prompt_config: _Config


_decode = msgspec.json.Decoder(_Item).decode


class FilterFields(msgspec.Struct, frozen=True, gc=False):
    """The fields of a deployment that filters use; `updated` is as clients see it."""

    text: str
    provider: str
    model: str
    model_type: str
    updated: str

    @classmethod
    def of(cls, item: bytes) -> "FilterFields":
        """The facts of a deployment's JSON (`DeploymentItem`). Equal words are stored once."""
        found = _decode(item)
        config = found.prompt_config
        return cls(
            text=_folded(f"{found.key}\n{found.description}"),
            provider=sys.intern(config.provider),
            model=sys.intern(config.model),
            model_type=sys.intern(config.model_type),
            updated=found.updated,
        )


class Filter(msgspec.Struct, frozen=True):
    """The filters, all of which must hold; None is no filter."""

    search: str | None = None
    provider: str | None = None
    model: str | None = None
    model_type: str | None = None
    updated_since: str | None = None

    @classmethod
    def read(cls, parameters: Iterable[tuple[str, str]]) -> "Filter | None":
        """Read those of the query parameters that filter; an empty value counts as absent. None if there are none.

        Raises:
            RepeatedParameter, InvalidFilter
        """
        found: dict[str, str] = {}
        for name, value in parameters:
            if name in FILTERS:
                if name in found:
                    raise RepeatedParameter(param=name, name=name)
                found[name] = value
        said = {name: value for name, value in found.items() if value}
        for name, value in said.items():
            if len(value) > MAX_TEXT:
                raise InvalidFilter(param=name, requirement=f"must be at most {MAX_TEXT} characters long.")
        model_type = said.get("model_type")
        if model_type is not None and model_type not in _TYPES:
            suggestion = nearest(model_type, [*_TYPES])
            requirement = f"must be one of {', '.join(_TYPES)}; got {model_type!r}{suggestion}"
            raise InvalidFilter(param="model_type", requirement=requirement if suggestion else f"{requirement}.")
        if "search" in said:
            said["search"] = _folded(said["search"])
        if "updated_since" in said:
            said["updated_since"] = _moment(said["updated_since"])
        return cls(**said) if said else None

    def holds(self, facts: FilterFields) -> bool:
        """Whether a deployment is wanted."""
        return (
            (self.provider is None or facts.provider == self.provider)
            and (self.model is None or facts.model == self.model)
            and (self.model_type is None or facts.model_type == self.model_type)
            and (self.updated_since is None or facts.updated >= self.updated_since)
            and (self.search is None or self.search in facts.text)
        )


def _moment(text: str) -> str:
    """Return a time in the form of `updated`, in which earlier times sort first."""
    found = find_moment(text)
    if found is None:
        form = "must be a date or a time in ISO 8601, such as 2026-03-01 or 2026-03-01T09:30:00Z (encode + as %2B)"
        raise InvalidFilter(param="updated_since", requirement=f"{form}; got {text!r}.")
    first_ms = -(-found // 1000)
    return iso(min(max(first_ms, 0), _LAST_MS) * 1000)


def _folded(text: str) -> str:
    """A text in which upper and lower case are the same."""
    return text.casefold()
