"""The generations of Gemini models: which parameters a model takes, by its name."""

import re
from typing import Final, NamedTuple

from moorage.core.resolution.config import Object
from moorage.providers.request import Translation

_NAME = re.compile(r"gemini-(\d{1,2})(?:\.(\d{1,2}))?(?!\d)")


class Generation(NamedTuple):
    """The version of a Gemini model, such as 2.5."""

    major: int
    minor: int


#: The first generations that think and reject penalties, and that take a level instead of a budget.
THINKS: Final = Generation(2, 5)
HAS_LEVELS: Final = Generation(3, 0)

#: A Gemini model whose name has no version is a current one.
_CURRENT: Final = Generation(99, 0)

_OFF: Final = ("none", "disable")

#: The budget of an effort, in tokens; those of Google's own translation.
_BUDGETS: Final = {"minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576}

#: The smallest budget of a model that always thinks.
_SMALLEST_BUDGET: Final = 128

#: The largest budget for a level, for models without budgets.
_LEVELS: Final = ((1_024, "low"), (8_192, "medium"))

_PARAMETERS: Final = ("budgetTokens", "reasoningEffort", "thinkingLevel")


def generation_of(model: str) -> Generation | None:
    """Return the generation of a model; None for a model that is no Gemini."""
    if "gemini" not in model:
        return None
    found = _NAME.search(model)
    return Generation(int(found[1]), int(found[2] or 0)) if found else _CURRENT


def thinking_of(translation: Translation) -> Object | None:
    """Return the `thinkingConfig` for a budget, an effort or a level; None if the request has none.

    The API rejects a budget and a level in one request. Who asks for thoughts gets them in the response, too.
    """
    model, generation = translation.model, generation_of(translation.model)
    budget = translation.whole("budgetTokens")
    if budget is None and not any(name in translation.parameters for name in _PARAMETERS[1:]):
        return None
    if generation is None or generation < THINKS:
        translation.omit_parameters(_PARAMETERS, f"{model} does not think")
        return None
    if generation < HAS_LEVELS:
        return _budget(budget, translation)
    return _level(budget, generation, translation)


def _chosen(names: tuple[str, ...], translation: Translation) -> tuple[str, str]:
    """Return the first of these parameters that is set, and its value; the others are omitted."""
    first, *others = [name for name in names if name in translation.parameters]
    translation.omit_parameters(tuple(others), f"the request has {first}")
    return first, str(translation.parameters[first])


def _budget(budget: int | None, translation: Translation) -> Object:
    if budget is None:
        name, value = _chosen(_PARAMETERS[1:], translation)
        budget = 0 if value in _OFF else _BUDGETS.get(value, _BUDGETS["high"])
    else:
        name, _ = _chosen(_PARAMETERS, translation)
    if budget == 0 and "pro" in translation.model:
        translation.omit(f"parameters.{name}", f"{translation.model} always thinks, so it gets its smallest budget")
        budget = _SMALLEST_BUDGET
    return {"thinkingBudget": budget, "includeThoughts": True} if budget else {"thinkingBudget": 0}


def _level(budget: int | None, generation: Generation, translation: Translation) -> Object:
    name, value = _chosen((*_PARAMETERS[1:], _PARAMETERS[0]), translation)
    if name == "budgetTokens":
        most = budget or 0
        value = "none" if most == 0 else next((level for limit, level in _LEVELS if most <= limit), "high")
    is_pro, is_off = "pro" in translation.model, value in _OFF
    if is_off:
        translation.omit(f"parameters.{name}", f"{translation.model} always thinks, so it gets its lowest level")
    if is_off or value == "minimal":
        value = "low" if is_pro else "minimal"
    elif value != "low" and (value != "medium" or (is_pro and generation == HAS_LEVELS)):
        value = "high"
    level = {"thinkingLevel": value.upper()}
    return level if is_off else level | {"includeThoughts": True}
