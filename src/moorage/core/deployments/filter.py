"""Filters of the list, which Moorage adds to the contract (docs/api.md)."""

import sys
from collections.abc import Iterable, Sequence
from datetime import date
from typing import get_args

import msgspec

from moorage.core.deployments.ownership import Owner
from moorage.core.deployments.prompt_config import ModelType, PromptConfig
from moorage.core.deployments.retired_models import STATUSES, find_retirement
from moorage.core.deployments.version_models import runtime_models
from moorage.core.errors.requests import FilterNotATime, FilterTooLong, InvalidFilter
from moorage.core.times import find_moment, iso
from moorage.core.validation.messages import nearest

FILTERS = ("search", "provider", "model", "model_type", "owner", "model_status", "updated_since")

MAX_TEXT = 256

#: The last millisecond of the year 9999, the latest time that `iso` can format.
_LAST_MS = 253_402_300_799_999

_TYPES = get_args(ModelType)
_OWNERS = get_args(Owner)


class _Config(msgspec.Struct):
    provider: str
    model: str
    model_type: str


class _Item(msgspec.Struct):
    key: str
    description: str
    updated: str
    prompt_config: _Config
    aliases: tuple[str, ...] = ()


_decode = msgspec.json.Decoder(_Item).decode


class FilterFields(msgspec.Struct, frozen=True, gc=False):
    """The fields of a deployment that filters use; `updated` has the form of responses.

    `first_retires` and `last_retires` are the earliest and the latest known retirement of its models, and those of its
    variants and fallbacks; None if there is none.
    """

    text: str
    provider: str
    model: str
    model_type: str
    updated: str
    owner: Owner
    first_retires: date | None = None
    last_retires: date | None = None

    @classmethod
    def of(cls, item: bytes, owner: Owner, runtime_config: str) -> "FilterFields":
        """Return the fields of a deployment's JSON (`DeploymentItem`), which does not have the other two."""
        found = _decode(item)
        names = (found.key, *found.aliases)
        return cls.make(names, found.description, found.prompt_config, found.updated, owner, runtime_config)

    @classmethod
    def make(
        cls, names: Sequence[str], description: str, config: "PromptConfig | _Config", updated: str, owner: Owner,
        runtime_config: str,
    ) -> "FilterFields":  # fmt: skip
        """Return the fields of a deployment; `names` are its key and its aliases. Equal strings share memory."""
        provider, model, model_type = (
            sys.intern(config.provider),
            sys.intern(config.model),
            sys.intern(config.model_type),
        )
        first, last = _retirements(provider, model, runtime_config)
        text = _folded("\n".join((*names, description)))
        return cls(text, provider, model, model_type, updated, owner, first, last)

    def has_status(self, status: str, today: date) -> bool:
        """Return whether a model of the deployment has a status (`ModelStatus`) on a day."""
        if self.first_retires is None or self.last_retires is None:
            return False
        return self.first_retires <= today if status == "retired" else self.last_retires > today


class Filter(msgspec.Struct, frozen=True):
    """The filters, all of which must match; None is no filter."""

    search: str | None = None
    provider: str | None = None
    model: str | None = None
    model_type: str | None = None
    owner: str | None = None
    model_status: str | None = None
    updated_since: str | None = None
    today: date = date.min

    @classmethod
    def read(cls, parameters: Iterable[tuple[str, str]], today: date) -> "Filter | None":
        """Read the filters from query parameters that `PageQuery.read` accepted, or return None.

        An empty value counts as absent.

        Raises:
            InvalidFilter
        """
        given = {name: value for name, value in parameters if name in FILTERS and value}
        for name, value in given.items():
            if len(value) > MAX_TEXT:
                raise FilterTooLong(param=name, maximum=MAX_TEXT)
        for name, choices in (("model_type", _TYPES), ("owner", _OWNERS), ("model_status", STATUSES)):
            chosen = given.get(name)
            if chosen is not None and chosen not in choices:
                raise InvalidFilter(
                    param=name, choices=", ".join(choices), value=chosen,
                    suggestion=nearest(chosen, [*choices]).removeprefix("."),
                )  # fmt: skip
        if "search" in given:
            given["search"] = _folded(given["search"])
        if "updated_since" in given:
            given["updated_since"] = _moment(given["updated_since"])
        return cls(**given, today=today) if given else None

    def matches(self, fields: FilterFields) -> bool:
        """Return whether a deployment matches."""
        return (
            (self.provider is None or fields.provider == self.provider)
            and (self.model is None or fields.model == self.model)
            and (self.model_type is None or fields.model_type == self.model_type)
            and (self.owner is None or fields.owner == self.owner)
            and (self.model_status is None or fields.has_status(self.model_status, self.today))
            and (self.updated_since is None or fields.updated >= self.updated_since)
            and (self.search is None or self.search in fields.text)
        )


def _retirements(provider: str, model: str, runtime_config: str) -> tuple[date | None, date | None]:
    """Return the earliest and the latest known retirement of the models of a version."""
    models = [(provider, model), *runtime_models(runtime_config)]
    found = [row.retires for each in models if (row := find_retirement(*each)) is not None]
    return (min(found), max(found)) if found else (None, None)


def _moment(text: str) -> str:
    """Return a time in the form of `updated`, in which earlier times sort first."""
    found = find_moment(text)
    if found is None:
        raise FilterNotATime(param="updated_since", value=text)
    first_ms = -(-found // 1000)
    return iso(min(max(first_ms, 0), _LAST_MS) * 1000)


def _folded(text: str) -> str:
    """Return the text without differences of case."""
    return text.casefold()
